"""reStructuredText: sections by their underlines, literal blocks, simple and grid tables."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from connectors.document import Block, BlockKind
from connectors.parsed import Parsed, TextLine, heading_title, lines_of

_ADORNMENT = re.compile(r"([!-/:-@[-`{-~])\1{2,}\s*$")
_CODE = re.compile(r"\s*\.\.\s+(code|code-block|sourcecode)::|(?!\s*\.\.\s).*::\s*$")
_MAX_TITLE = 300  # characters
_SIMPLE_RULE = re.compile(r"\s*={2,}(\s+={2,})+\s*$")
_GRID_RULE = re.compile(r"\s*\+[-=]+(\+[-=]+)*\+\s*$")
_ROLE = re.compile(r"(?::[\w:+.-]+:)?`([^`<]+?)\s*(?:<[^`>]*>)?`_{0,2}|``([^`]+)``")


def parse_rst(text: str) -> Parsed:
    """ReStructuredText as it stands, its first section title as title."""
    blocks = tuple(_blocks(lines_of(text)))
    return Parsed(text, "rst", heading_title(blocks), blocks=blocks)


def _blocks(lines: list[TextLine]) -> Iterator[Block]:
    levels: dict[str, int] = {}  # a style's level is the order in which the document first uses it
    closings = _simple_closings(lines)
    index = 0
    while index < len(lines):
        size, mark = _heading(lines, index)
        if size:
            level = levels.setdefault(mark, len(levels) + 1)
            title = lines[index + size - 2].text.strip()
            label = _ROLE.sub(lambda match: match[1] or match[2], title)
            yield Block(BlockKind.HEADING, lines[index].start, lines[index + size - 1].end, level=level, label=label)
            index += size
        elif _CODE.match(lines[index].text):
            first, last = _indented(lines, index)
            if last > first:
                yield Block(BlockKind.CODE, lines[first].start, lines[last - 1].end)
            index = max(last, index + 1)
        elif size := _table(lines, index, closings):
            yield _table_block(lines[index : index + size])
            index += size
        else:
            index += 1


def _heading(lines: list[TextLine], index: int) -> tuple[int, str]:
    """How many lines a section title at `index` takes (2, or 3 with an overline), and its style."""
    text = lines[index].text
    following = [line.text for line in lines[index + 1 : index + 3]]
    if (rule := _ADORNMENT.match(text)) and len(following) == 2:  # noqa: PLR2004
        title, under = following
        if (
            title.strip()
            and len(title) <= _MAX_TITLE
            and under.rstrip() == text.rstrip()
            and not _ADORNMENT.match(title)
        ):
            return 3, rule[1] * 2
    if len(text) > _MAX_TITLE:
        return 0, ""
    if text.strip() and not text[0].isspace() and following and not _ADORNMENT.match(text):
        rule = _ADORNMENT.match(following[0])
        # docutils wants the underline as long as the title but accepts (with a warning) one of four characters.
        if rule and len(following[0].rstrip()) >= min(len(text.rstrip()), 4):
            return 2, rule[1]
    return 0, ""


def _indented(lines: list[TextLine], index: int) -> tuple[int, int]:
    """The lines indented deeper than line `index` that follow it, without blank ones around them."""
    depth = _indent(lines[index].text)
    first = index + 1
    while first < len(lines) and not lines[first].text.strip():
        first += 1
    end = first
    for position in range(first, len(lines)):
        if lines[position].text.strip():
            if _indent(lines[position].text) <= depth:
                break
            end = position + 1
    return first, end


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _table(lines: list[TextLine], index: int, closings: list[int]) -> int:
    """How many lines the table at `index` takes; 0 when there is none."""
    if _GRID_RULE.match(lines[index].text):
        end = index
        while end < len(lines) and lines[end].text.lstrip().startswith(("+", "|")):
            end += 1
        return end - index
    if _SIMPLE_RULE.match(lines[index].text):
        found = bisect_right(closings, index)
        return closings[found] + 1 - index if found < len(closings) else 0
    return 0


def _simple_closings(lines: list[TextLine]) -> list[int]:
    """Where simple tables end, at a rule before a blank line; found once, for looking ahead each time is quadratic."""
    rules = [index for index, line in enumerate(lines) if _SIMPLE_RULE.match(line.text)]
    return [index for index in rules if index + 1 == len(lines) or not lines[index + 1].text.strip()]


def _table_block(lines: list[TextLine]) -> Block:
    content = [line for line in lines if not _SIMPLE_RULE.match(line.text) and not _GRID_RULE.match(line.text)]
    header = content[0].text.strip() if content else ""
    return Block(BlockKind.TABLE, lines[0].start, lines[-1].end, header=header)
