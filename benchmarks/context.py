"""What a chunk's context (title, heading path, header row) brings to each index, and to both together.

    python benchmarks/context.py
    python benchmarks/context.py --beir nfcorpus/ --keep /tmp/context

The first asks the questions of `context_questions.jsonl` about this project's own documentation; a hit is right when
it holds at least half of the sentence quoted with the question. The chunks are cut at the same places three times: as
they are indexed; with the heading lines in the text, where a splitter that knows no headings leaves them, and no
context; and with neither. The second evaluates a BEIR folder with its titles as context, and without titles.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from connectors.chunking.splitter import Splitter
from connectors.document import Chunk, Document
from connectors.registry import open_source
from connectors.source import Added
from indexes.store import Store
from indexes.writer import Batch, NewDocument
from rag import evaluate
from rag.evaluation.significance import compare
from rag.knowledge_base import SPECIAL_PIECES, KnowledgeBase
from rag.retrieval.hit import Hit, Mode

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = (  # by name: a new page, such as the one with these figures, must not change them
    "README.md",
    "docs/cli.md",
    "docs/decisions.md",
    "docs/evaluation.md",
    "docs/architecture.md",
    "docs/store.md",
    "examples/handbook/refunds.md",
    "examples/handbook/support.md",
    "indexes/encoding/encoder_data/README.md",
)
QUESTIONS = Path(__file__).with_name("context_questions.jsonl")
MODES = (Mode.SPARSE, Mode.DENSE, Mode.HYBRID)
DEPTH = 10

Variant = Callable[[Document, Sequence[Chunk]], Iterator[Chunk]]


@dataclass(frozen=True, slots=True)
class Question:
    """A question, and the stretch `[start:end]` of a document that answers it."""

    text: str
    uri: str
    start: int
    end: int

    def rank(self, hits: Sequence[Hit]) -> int | None:
        """The rank of the first hit that is right."""
        return next((hit.rank for hit in hits if hit.uri == self.uri and self._is_in(hit)), None)

    def _is_in(self, hit: Hit) -> bool:
        held = min(self.end, hit.location.end) - max(self.start, hit.location.start)
        return 2 * held >= self.end - self.start


def as_indexed(_document: Document, chunks: Sequence[Chunk]) -> Iterator[Chunk]:
    """The chunks with their context, as they are."""
    yield from chunks


def headings_in_text(document: Document, chunks: Sequence[Chunk]) -> Iterator[Chunk]:
    """Each chunk with the heading lines that stand right above it, and nothing else."""
    reached = 0
    for chunk in chunks:
        # As `context`, which the indexes read as text, so that the span to be found stays the same.
        yield replace(chunk, context=document.text[reached : chunk.location.start].strip())
        reached = chunk.location.end


def text_alone(_document: Document, chunks: Sequence[Chunk]) -> Iterator[Chunk]:
    """The chunks without any heading."""
    yield from (replace(chunk, context="") for chunk in chunks)


VARIANTS = {
    "context (the default)": as_indexed,
    "heading lines in the text": headings_in_text,
    "neither": text_alone,
}


def read_questions(file: Path) -> Iterator[Question]:
    """The questions whose answer still stands in the documentation; a line on stderr for each other one."""
    for line in file.read_text("utf-8").splitlines():
        record = json.loads(line)
        document = ROOT / record["file"]
        words = map(re.escape, record["quote"].split())
        found = re.search(r"\s+".join(words), document.read_text("utf-8"))  # wherever the lines are broken
        if found is None:
            print(f"left out, no longer in {record['file']}: {record['quote']}", file=sys.stderr)
        else:
            yield Question(record["question"], str(document), *found.span())


def read_documents() -> list[Document]:
    """The documentation, as indexing it reads it."""
    events = [event for name in DOCUMENTS for event in open_source(str(ROOT / name)).events({})]
    return [event.document for event in events if isinstance(event, Added)]


def reciprocal_ranks(
    variant: Variant, documents: Sequence[Document], questions: Sequence[Question], folder: Path
) -> dict[Mode, list[float]]:
    """Index the documents with the chunks of `variant`, and ask; 0 where no hit of ten is right."""
    store = Store(folder, create=True)
    splitter = Splitter(store.encoder, window=store.encoder.window - SPECIAL_PIECES)
    with store.writer() as writer:
        source = writer.register("documentation")
        new = []
        for document in documents:
            chunks = list(variant(document, splitter.split(document)))
            # A title that is in no context would be a field of its own in the sparse index.
            titled = document if variant is as_indexed else replace(document, title="")
            new.append(NewDocument(source, titled, chunks, ""))
        writer.commit(Batch(new))
    kb = KnowledgeBase(store)
    found = {
        mode: [
            1 / (question.rank(kb.search(question.text, DEPTH, mode=mode, fold=False)) or np.inf)
            for question in questions
        ]
        for mode in MODES
    }
    kb.close()
    return found


def documentation() -> Iterator[str]:
    """The table of the variants over this project's documentation."""
    questions, documents = list(read_questions(QUESTIONS)), read_documents()
    with tempfile.TemporaryDirectory() as temporary:
        found = {
            name: reciprocal_ranks(variant, documents, questions, Path(temporary, name))
            for name, variant in VARIANTS.items()
        }
    first = next(iter(found.values()))
    yield f"{len(questions)} questions: MRR@10, in brackets the first hit right"
    for name, by_mode in found.items():
        yield _line(name, [f"{np.mean(ranks):.3f} ({np.mean(np.equal(ranks, 1)):.2f})" for ranks in by_mode.values()])
        if by_mode is not first:
            pairs = compare([(first[mode], by_mode[mode]) for mode in MODES])
            yield _line("  less", [f"{each.difference:+.3f} [{each.low:+.3f}, {each.high:+.3f}]" for each in pairs])


def collection(home: Path, keep: Path) -> Iterator[str]:
    """nDCG@10 of a BEIR folder with and without its titles."""
    bare = keep / f"{home.name}-without-titles"
    bare.mkdir(parents=True, exist_ok=True)
    with (home / "corpus.jsonl").open(encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    without = [record | {"title": ""} if record["text"].strip() else record for record in records]
    (bare / "corpus.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in without), "utf-8")
    for name in ("queries.jsonl", "qrels"):
        if not (bare / name).exists():
            (bare / name).symlink_to((home / name).resolve())
    yield f"{home.name}: nDCG@10"
    for name, folder in (("titles as context", home), ("no titles", bare)):
        metrics = evaluate(folder, modes=MODES, folder=keep / f"kb-{folder.name}").metrics
        yield _line(name, [f"{metrics[mode]['nDCG@10']:.4f}" for mode in MODES])


def _line(name: str, cells: Sequence[str]) -> str:
    return f"{name:<28}" + "".join(f"{cell:>26}" for cell in cells)


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--beir", type=Path, help="a BEIR folder, instead of this project's documentation")
    parser.add_argument("--keep", type=Path, help="with --beir: where to keep the knowledge bases")
    chosen = parser.parse_args()
    if chosen.beir and not chosen.keep:
        parser.error("--beir needs --keep")
    print(_line("", [str(mode) for mode in MODES]))
    for line in collection(chosen.beir, chosen.keep) if chosen.beir else documentation():
        print(line, flush=True)


if __name__ == "__main__":
    main()
