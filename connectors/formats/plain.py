"""Text formats read line by line: plain text and source code."""

from __future__ import annotations

import re
from typing import NamedTuple

from connectors.document import Block, BlockKind
from connectors.formats.parsed import Parsed

_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n|$)")


class Line(NamedTuple):
    """One line without its end, and the offsets where it starts and where its text ends."""

    text: str
    start: int
    end: int


def lines_of(text: str) -> list[Line]:
    r"""The lines of `text` as Markdown counts them: by `\n`, `\r\n` or a lone `\r`.

    >>> [line.text for line in lines_of("a\r\nb\rc")]
    ['a', 'b', 'c']
    """
    found = []
    for match in _LINE.finditer(text):
        if match.start() == match.end():
            break
        line = match.group().rstrip("\r\n")
        found.append(Line(line, match.start(), match.start() + len(line)))
    return found


def parse_text(text: str) -> Parsed:
    """Plain text: the file itself, nothing assumed about it."""
    return Parsed(text, "text")


def parse_code(text: str) -> Parsed:
    """Source code and configuration: the file itself, one block in which lines matter."""
    blocks = (Block(BlockKind.CODE, 0, len(text)),) if text.strip() else ()
    return Parsed(text, "code", blocks=blocks)
