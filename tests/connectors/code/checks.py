"""What holds for every file of code, however it is written or broken."""

import re
from pathlib import Path

from connectors.chunking.splitter import Splitter
from connectors.code.source import parse_source
from connectors.document import Block, Chunk, Document
from connectors.parsed import Parsed
from tests.connectors.chunking.test_splitter import Words, check

WINDOW = 60


def document(parsed: Parsed, path: str = "file") -> Document:
    return Document(
        path,
        path,
        parsed.text,
        parsed.kind,
        "r1",
        metadata=parsed.metadata,
        blocks=parsed.blocks,
        pages=parsed.pages,
        places=parsed.places,
        names=parsed.names,
    )


def chunks_of(text: str, language: str, module: str = "shop", *, window: int = WINDOW, target: int = 48) -> list[Chunk]:
    """The chunks of code, after everything is checked that holds for all of it."""
    parsed = parse_source(text, language, module)
    assert parsed.text == text
    source = document(parsed)
    chunks = Splitter(Words(), window=window, target=target).split(source)
    check(source, chunks, Words(), window)
    for chunk in chunks:
        symbol = chunk.location.symbol
        if symbol is not None:
            for start, end in (symbol.signature, symbol.docstring):
                assert start == end == 0 or chunk.location.start <= start < end <= chunk.location.end
    for name in parsed.names:
        ends = [found.end() for found in re.finditer(r"::|->|[.#]", name.text)]
        called = [name.text[place:] for place in (0, *ends)]  # whole, or as far as it is written where it stands
        assert any(text.startswith(one.split()[0], name.start) for one in called if one.strip())
    for block in parsed.blocks:
        check_block(block, text)
    return chunks


def check_block(block: Block, text: str) -> None:
    position = block.start
    assert 0 <= block.start <= block.end <= len(text)
    for part in block.parts:
        assert position <= part.start < part.end <= block.end
        position = part.end
        check_block(part, text)
    for places in block.cuts:
        assert list(places) == sorted(set(places))


def sample(name: str) -> str:
    return (Path(__file__).parent / "samples" / name).read_text("utf-8")
