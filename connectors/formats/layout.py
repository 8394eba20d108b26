"""Lines on pages to paragraphs and headings: what a fixed layout means, read from positions and sizes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from connectors.formats.parsed import TextBuilder, one_line

_HEADING_RATIO = 1.1  # a heading is set at least this much larger than the body
_HEADING_LIMIT = 160
_MAX_LEVEL = 4
_PARAGRAPH_PITCH = 1.35  # a paragraph ends where the next line is this much further down than lines usually are
_RUNNING_FROM = 4  # pages a document needs before repeated first and last lines are taken for running heads
_NUMBER = re.compile(r"\d+|\b[ivxl]+\b")
_SENTENCE_END = re.compile(r"[.!?:;。！？…][\"'”’)\]]*$")


class Line(NamedTuple):
    """One line of a page, coordinates counting upwards.

    `top` and `bottom` are the baselines it begins and ends on: they differ where a hyphenated word joined two lines.
    `size` is that of its letters, 0 where the geometry is unknown or the text is turned.
    """

    text: str
    left: float
    right: float
    top: float
    bottom: float
    size: float


class Outline(NamedTuple):
    """A document's own table of contents: the level of each heading, by page index and normalised text."""

    levels: Mapping[tuple[int, str], int]

    def level_of(self, page: int, text: str) -> int | None:
        """The level of the heading `text` on a page, None when the outline does not name it."""
        return self.levels.get((page, heading_key(text)))


def heading_key(text: str) -> str:
    """A heading as compared with the outline: letters and digits only."""
    return "".join(character for character in text.casefold() if character.isalnum())


def join_baselines(lines: list[Line]) -> list[Line]:
    """Pieces on one baseline made one line again: extraction breaks lines at superscripts and changes of font."""
    found: list[Line] = []
    for line in lines:
        if not found or not _same_baseline(found[-1], line):
            found.append(line)
            continue
        previous = found.pop()
        near = line.left - previous.right < 0.15 * previous.size or line.text[0] in ",.;:)"
        text = previous.text + ("" if near else " ") + line.text
        bottom = previous.bottom if previous.size >= line.size else line.bottom  # not that of a superscript
        size = previous.size if len(previous.text) >= len(line.text) else line.size
        found.append(Line(text, previous.left, line.right, previous.top, bottom, size))
    return found


def drop_running_heads(pages: list[list[Line]]) -> list[list[Line]]:
    """The pages without the outermost lines that many of them share (page numbers aside), which the first page keeps.

    On the first page the running head is often the title itself.
    """
    if len(pages) < _RUNNING_FROM:
        return pages
    seen = Counter(key for page in pages for key in {_running_key(line) for line in _edges(page)})
    running = {key for key, count in seen.items() if count >= max(3, 0.4 * len(pages))}
    return [pages[0], *([line for line in page if not _is_running(line, page, running)] for page in pages[1:])]


def write_pages(pages: list[list[Line]], outline: Outline, builder: TextBuilder) -> None:
    """Write pages of lines as paragraphs and headings."""
    sizes = _heading_sizes(pages)
    for index, lines in enumerate(pages):
        builder.page()
        for position, group in enumerate(_groups(lines, index, outline, sizes)):
            text = "\n".join(line.text for line in group)
            level = _level(group, index, outline, sizes)
            if level:
                builder.heading(text, level)
            elif position == 0 and index and text[0].islower():
                builder.continuation(text)
            else:
                builder.paragraph(text)


def _same_baseline(previous: Line, line: Line) -> bool:
    if not (previous.size and line.size):
        return False
    gap = line.left - previous.right
    raised = abs(line.top - previous.bottom)
    return raised < 0.5 * max(previous.size, line.size) and -0.5 * previous.size < gap < 2 * previous.size


def _is_running(line: Line, page: list[Line], running: set[str]) -> bool:
    return line in _edges(page) and _running_key(line) in running


def _edges(page: list[Line]) -> list[Line]:
    return page[:2] + page[-2:]


def _running_key(line: Line) -> str:
    return _NUMBER.sub("#", line.text.casefold())


def _heading_sizes(pages: list[list[Line]]) -> list[float]:
    """The sizes that headings are set in, largest first: clearly above the size most of the text has."""
    weights: Counter[float] = Counter()
    for page in pages:
        for line in page:
            weights[line.size] += len(line.text)
    weights.pop(0, None)
    if not weights:
        return []
    body = weights.most_common(1)[0][0]
    return sorted((size for size in weights if size >= _HEADING_RATIO * body), reverse=True)


def _groups(lines: list[Line], page: int, outline: Outline, sizes: list[float]) -> Iterator[list[Line]]:
    """Lines gathered to paragraphs and headings."""
    pitch = _usual_pitch(lines)
    group: list[Line] = []
    for line in lines:
        if group and _breaks(group[-1], line, pitch, page, outline, sizes):
            yield group
            group = []
        group.append(line)
    if group:
        yield group


def _breaks(previous: Line, line: Line, pitch: float, page: int, outline: Outline, sizes: list[float]) -> bool:
    if outline.level_of(page, previous.text) or outline.level_of(page, line.text):
        return True
    if not (previous.size and line.size):
        return False
    if previous.size != line.size and (previous.size in sizes or line.size in sizes):
        return True
    step = previous.bottom - line.top
    if step < 0:  # back up the page: the next column goes on with the sentence, anything else begins something new
        return bool(_SENTENCE_END.search(previous.text)) or not line.text[0].islower()
    return step > _PARAGRAPH_PITCH * max(pitch, line.size)


def _usual_pitch(lines: list[Line]) -> float:
    steps = [above.bottom - below.top for above, below in pairwise(lines) if below.size]
    down = [step for step in steps if step > 0]
    return median(down) if down else 0.0


def _level(group: list[Line], page: int, outline: Outline, sizes: list[float]) -> int:
    """The heading level of a group of lines; 0 for a paragraph."""
    text = one_line(" ".join(line.text for line in group))
    if level := outline.level_of(page, text):
        return level
    if group[0].size in sizes and _reads_as_heading(text):
        return min(_MAX_LEVEL, sizes.index(group[0].size) + 1)
    return 0


def _reads_as_heading(text: str) -> bool:
    """Large type alone makes no heading: formulas, figures in the margin and mail addresses are set large too."""
    letters = sum(map(str.isalpha, text))
    starts_well = not text[0].islower() and text[0] not in "{}=+-<>|@#*"
    ends_well = not text.endswith((".", ",", ";", ":", "-"))
    enough = letters > max(2, 0.6 * len(text.replace(" ", "")))
    return starts_well and ends_well and enough and len(text) <= _HEADING_LIMIT and "@" not in text
