"""Org: headlines by their stars, source and example blocks, tables."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from connectors.document import Block, BlockKind
from connectors.parsed import Parsed, TextLine, heading_title, lines_of

_HEADING = re.compile(r"(\*+)\s+(?:(?:TODO|DONE)\s+)?(?:\[#[A-Z]\]\s+)?(.*?)(?:\s+:[\w@#%:]+:)?\s*$")
_KEYWORD = re.compile(r"#\+(title|author|date):\s*(\S.*)$", re.IGNORECASE)
_MAX_HEADLINE = 500  # characters
_BEGIN = re.compile(r"\s*#\+begin_(src|example)\b", re.IGNORECASE)
_END = re.compile(r"\s*#\+end_(src|example)\s*$", re.IGNORECASE)
_RULE = re.compile(r"\s*\|[-+]+\|?\s*$")


def parse_org(text: str) -> Parsed:
    """Org text as it stands; `#+TITLE:`, or else the first headline, is its title."""
    lines = lines_of(text)
    blocks = tuple(_blocks(lines))
    keywords = {match[1].lower(): match[2].strip() for line in lines[:50] if (match := _KEYWORD.match(line.text))}
    title = keywords.pop("title", "") or heading_title(blocks)
    return Parsed(text, "org", title, keywords, blocks)


def _blocks(lines: list[TextLine]) -> Iterator[Block]:
    closings = _closings(lines)
    index = 0
    while index < len(lines):
        line = lines[index]
        end = index + 1
        if len(line.text) <= _MAX_HEADLINE and (match := _HEADING.match(line.text)) and match[2]:
            yield Block(BlockKind.HEADING, line.start, line.end, level=len(match[1]), label=match[2])
        elif match := _BEGIN.match(line.text):
            positions = closings[match[1].lower()]
            found = bisect_right(positions, index)
            end = positions[found] + 1 if found < len(positions) else end  # one never closed is its first line
            yield Block(BlockKind.CODE, line.start, lines[end - 1].end)
        elif _in_table(line):
            while end < len(lines) and _in_table(lines[end]):
                end += 1
            yield _table(lines[index:end])
        index = end


def _in_table(line: TextLine) -> bool:
    return line.text.lstrip().startswith("|")


def _closings(lines: list[TextLine]) -> dict[str, list[int]]:
    """Where each kind of block is closed, found once: looking ahead from every opening line would be quadratic."""
    found: dict[str, list[int]] = {"src": [], "example": []}
    for position, line in enumerate(lines):
        if match := _END.match(line.text):
            found[match[1].lower()].append(position)
    return found


def _table(rows: list[TextLine]) -> Block:
    content = [row.text.strip() for row in rows if not _RULE.match(row.text)]
    return Block(BlockKind.TABLE, rows[0].start, rows[-1].end, header=content[0] if content else "")
