"""Turns lines on pages into paragraphs and headings, from their positions and sizes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from connectors.parsed import TextBuilder, one_line

_HEADING_RATIO = 1.08  # a heading is set at least this much larger than the body
_HEADING_LIMIT = 160
_MAX_LEVEL = 4
_PARAGRAPH_PITCH = 1.35  # a paragraph ends where the next line is this much further down than lines usually are
_MAX_PITCH = 2.2
_HEADING_PITCH = 1.6  # headings of two lines stand apart, but not this far in terms of their size
_RUNNING_FROM = 4  # pages a document needs before repeated first and last lines are taken for running heads
_RUNNING_LINES = 2
# Running heads differ in their page number alone, which may be Roman.
_NUMBER = re.compile(r"\d+|\b[ivxl]+\b")
# Brackets and quotes may close behind the stop.
_SENTENCE_END = re.compile(r"[.!?:;。！？…][\"'”’)\]]*$")


class Style(NamedTuple):
    """The look of a line, to tell headings by."""

    size: float
    bold: bool


class PageLine(NamedTuple):
    """One line of a page, with coordinates counting upwards.

    `top` and `bottom` are the baselines it begins and ends on: they differ where a hyphenated word joined two lines.
    `size` is that of its letters, 0 where the geometry is unknown or the text is turned.
    """

    text: str
    left: float
    right: float
    top: float
    bottom: float
    size: float
    bold: bool = False

    @property
    def style(self) -> Style:
        """What its letters look like."""
        return Style(self.size, self.bold)


class Outline(NamedTuple):
    """A document's own table of contents: the level of each heading, by page index and normalised text."""

    levels: Mapping[tuple[int, str], int]

    def level_of(self, page: int, text: str) -> int | None:
        """The level of the heading `text` on a page, None when the outline does not name it."""
        return self.levels.get((page, heading_key(text)))


def heading_key(text: str) -> str:
    """A heading as compared with the outline: letters and digits only."""
    return "".join(character for character in text.casefold() if character.isalnum())


def join_baselines(lines: list[PageLine]) -> list[PageLine]:
    """Pieces on one baseline made one line again: extraction breaks lines at superscripts and changes of font."""
    found: list[PageLine] = []
    for line in lines:
        if not found or not _same_baseline(found[-1], line):
            found.append(line)
            continue
        previous = found.pop()
        near = line.left - previous.right < 0.15 * previous.size or line.text[0] in ",.;:)"
        text = previous.text + ("" if near else " ") + line.text
        bottom = previous.bottom if previous.size >= line.size else line.bottom  # not that of a superscript
        style = previous.style if len(previous.text) >= len(line.text) else line.style
        found.append(PageLine(text, previous.left, line.right, previous.top, bottom, *style))
    return found


def drop_running_heads(pages: list[list[PageLine]]) -> list[list[PageLine]]:
    """The pages without the outermost lines that many of them share (page numbers aside), which the first page keeps.

    On the first page the running head is often the title itself.
    """
    if len(pages) < _RUNNING_FROM:
        return pages
    edges = (page[:_RUNNING_LINES] + page[-_RUNNING_LINES:] for page in pages)
    seen = Counter(key for lines in edges for key in set(map(_running_key, lines)))
    running = {key for key, count in seen.items() if count >= max(3, 0.4 * len(pages))}
    return [pages[0], *(_without_edges(page, running) for page in pages[1:])]


def write_pages(pages: list[list[PageLine]], outline: Outline, builder: TextBuilder) -> None:
    """Write pages of lines as paragraphs and headings."""
    styles = _heading_styles(pages)
    for index, lines in enumerate(pages):
        builder.page()
        for position, group in enumerate(_groups(lines, index, outline, styles)):
            text = "\n".join(line.text for line in group)
            level = _level(group, index, outline, styles)
            if level:
                builder.heading(text, level)
            elif position == 0 and index and text[0].islower():
                builder.continuation(text)
            else:
                builder.paragraph(text)


def _same_baseline(previous: PageLine, line: PageLine) -> bool:
    if not (previous.size and line.size):
        return False
    gap = line.left - previous.right
    raised = abs(line.top - previous.bottom)
    return raised < 0.5 * max(previous.size, line.size) and -0.5 * previous.size < gap < 2 * previous.size


def _without_edges(page: list[PageLine], running: set[str]) -> list[PageLine]:
    start, end = 0, len(page)
    while start < min(_RUNNING_LINES, end) and _running_key(page[start]) in running:
        start += 1
    while end > max(start, len(page) - _RUNNING_LINES) and _running_key(page[end - 1]) in running:
        end -= 1
    return page[start:end]


def _running_key(line: PageLine) -> str:
    return _NUMBER.sub("#", line.text.casefold())


def _heading_styles(pages: list[list[PageLine]]) -> list[Style]:
    """The styles of headings, most prominent first: larger than most of the text, or as large and bold."""
    weights: Counter[Style] = Counter()
    for page in pages:
        for line in page:
            weights[line.style] += len(line.text)
    body = max(weights, key=lambda style: weights[style] if style.size else 0)
    found = [
        style
        for style in weights
        if style.size >= _HEADING_RATIO * body.size or (style.bold and not body.bold and style.size >= body.size)
    ]
    return sorted(found, reverse=True) if body.size else []


def _groups(lines: list[PageLine], page: int, outline: Outline, styles: list[Style]) -> Iterator[list[PageLine]]:
    """Lines gathered to paragraphs and headings."""
    pitch = _usual_pitch(lines)
    group: list[PageLine] = []
    for line in lines:
        if group and _breaks(group[-1], line, pitch, page, outline, styles):
            yield group
            group = []
        group.append(line)
    if group:
        yield group


def _breaks(previous: PageLine, line: PageLine, pitch: float, page: int, outline: Outline, styles: list[Style]) -> bool:
    if outline.level_of(page, previous.text) or outline.level_of(page, line.text):
        return True
    if not (previous.size and line.size):
        return bool(previous.size) != bool(line.size)  # a note along the margin is no part of the text beside it
    if previous.style != line.style and (previous.style in styles or line.style in styles):
        return True
    step = previous.bottom - line.top
    if step < 0:  # back up the page: the next column goes on with the sentence, anything else begins something new
        return bool(_SENTENCE_END.search(previous.text)) or not line.text[0].islower()
    usual = _HEADING_PITCH * line.size if line.style in styles else _PARAGRAPH_PITCH * max(pitch, line.size)
    return step > usual


def _usual_pitch(lines: list[PageLine]) -> float:
    """How far apart lines of one paragraph are; steps of more than twice the letters' size are gaps between them."""
    steps = [(above.bottom - below.top, below.size) for above, below in pairwise(lines)]
    close = [step for step, size in steps if 0 < step <= _MAX_PITCH * size]
    return median(close) if close else 0.0


def _level(group: list[PageLine], page: int, outline: Outline, styles: list[Style]) -> int:
    """The heading level of a group of lines; 0 for a paragraph."""
    text = one_line(" ".join(line.text for line in group))
    if level := outline.level_of(page, text):
        return level
    if group[0].style in styles and _reads_as_heading(text):
        return min(_MAX_LEVEL, styles.index(group[0].style) + 1)
    return 0


def _reads_as_heading(text: str) -> bool:
    """Large type alone makes no heading: formulas, figures in the margin and mail addresses are set large too."""
    letters = sum(map(str.isalpha, text))
    starts_well = not text[0].islower() and text[0] not in "{}=+-<>|@#*"
    ends_well = not text.endswith((".", ",", ";", ":", "-"))
    enough = letters > max(2, 0.6 * len(text.replace(" ", "")))
    return starts_well and ends_well and enough and len(text) <= _HEADING_LIMIT and "@" not in text
