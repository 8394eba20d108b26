"""Rows of a column gathered to paragraphs, headings, captions, notes and tables."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from connectors.formats.documents.pages.captions import begins_listing, is_caption
from connectors.formats.documents.pages.columns import Row
from connectors.formats.documents.pages.line import PageLine, Style
from connectors.formats.documents.pages.table import table_at

_LONGEST_TITLE = 300
_LONGEST_STOP = 12  # characters: a stop, what closes behind it, and the mark of a note
_HEADING_RATIO = 1.08  # a heading is set at least this much larger than the body
_PARAGRAPH_PITCH = 1.35  # a paragraph ends where the next line is this much further down than lines usually are
_MAX_PITCH = 2.2
_HEADING_PITCH = 1.6  # headings of two lines stand apart, but not this far in terms of their size
_INDENT = 0.7  # of the size, by which the first line of a paragraph is set in
_PIECE = 8  # characters: shorter lines may be pieces of a formula
_SAME_SIZE = 0.6  # points by which the letters of one text may differ
# Brackets and quotes may close behind the stop.
_SENTENCE_END = re.compile(r"[.!?:;。！？…][\"'”’)\]]*(?:\s?\d{1,3})?$")
_NUMBER = re.compile(r"(?:[A-Z]|[\dIVX]+(?:\.\d+)*)[.)]?\s+(?=\w)")
_NO_LETTERS = re.compile(r"[\W_]+")
_LISTING = re.compile(r"\d{1,3}:(?:\s|$)")  # numbered lines of an algorithm


class Role(StrEnum):
    """What a group of lines is to the text that runs through a document."""

    BODY = "body"
    HEADING = "heading"
    ASIDE = "aside"  # captions, notes and what belongs to figures: beside the text, never in the middle of a sentence
    TABLE = "table"


@dataclass(slots=True)
class Group:
    """Lines of one page that belong together, with the column that they stand in."""

    page: int
    column: int
    lines: list[PageLine]
    role: Role = Role.BODY
    level: int = 0
    cells: list[list[str]] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Its lines as one text."""
        return " ".join(line.text for line in self.lines)


class Outline(NamedTuple):
    """A document's own table of contents: the level of each heading, by page index and then by normalised text."""

    levels: Mapping[int, Mapping[str, int]]

    def level_of(self, page: int, text: str) -> int | None:
        """The level of the heading `text` on a page, None when the outline does not name it."""
        titles = self.levels.get(page)
        if not titles or len(text) > _LONGEST_TITLE:
            return None
        level = titles.get(heading_key(text))
        if level is None and (number := _NUMBER.match(text)):  # which outlines often leave out
            level = titles.get(heading_key(text[number.end() :]))
        return level


class Fonts(NamedTuple):
    """The styles of a document: that of most of its text, and those that stand out from it."""

    body: Style
    prominent: frozenset[Style]


def ends_sentence(text: str) -> bool:
    """Whether a line ends with a stop; the mark of a note may stand behind it."""
    return bool(_SENTENCE_END.search(text[-_LONGEST_STOP:]))


def heading_key(text: str) -> str:
    """A heading as compared with the outline: letters and digits only."""
    return _NO_LETTERS.sub("", text.casefold())


def fonts_of(pages: Sequence[Sequence[Sequence[Row]]]) -> Fonts:
    """What most of the text is set in, and the styles that are larger, or as large and bold."""
    weights: dict[tuple[float, bool], int] = defaultdict(int)
    for page in pages:
        for column in page:
            for row in column:
                for line in row.pieces:
                    weights[line.size, line.bold] += len(line.text)
    styles = [Style(*style) for style in weights]
    body = max(styles, key=lambda style: weights[style] if style.size else 0)
    if not body.size:
        return Fonts(body, frozenset())
    found = [
        style
        for style in styles
        if style.size >= _HEADING_RATIO * body.size or (style.bold and not body.bold and style.size >= body.size)
    ]
    return Fonts(body, frozenset(found))


def groups_of(page: int, columns: Sequence[Sequence[Row]], fonts: Fonts, outline: Outline) -> Iterator[Group]:
    """The groups of a page, in reading order."""
    body = _body_size(columns, fonts)
    for place, rows in enumerate(columns):
        found = list(_column(page, place, rows, fonts, outline))
        _assign_roles(found, body)
        yield from found


def _body_size(columns: Sequence[Sequence[Row]], fonts: Fonts) -> float:
    """The size of the text on a page: references and appendices are often set in a smaller one of their own."""
    sizes: Counter[float] = Counter()
    for rows in columns:
        for row in rows:
            for line in row.pieces:
                sizes[line.size] += len(line.text)
    size, count = sizes.most_common(1)[0] if sizes else (fonts.body.size, 0)
    return size if size and 2 * count > sizes.total() else fonts.body.size


def _column(page: int, place: int, rows: Sequence[Row], fonts: Fonts, outline: Outline) -> Iterator[Group]:
    lines: list[PageLine] = []
    start = 0
    while start < len(rows):
        count, cells = table_at(rows, start)
        taken = [row.line for row in rows[start : start + count]]
        start += count
        if cells:
            yield from _paragraphs(page, place, lines, fonts, outline)
            yield Group(page, place, taken, Role.TABLE, cells=cells)
            lines = []
        else:
            lines += taken
    yield from _paragraphs(page, place, lines, fonts, outline)


def _paragraphs(page: int, column: int, lines: Sequence[PageLine], fonts: Fonts, outline: Outline) -> Iterator[Group]:
    pitch = _usual_pitch(lines)
    group: list[PageLine] = []
    for line in lines:
        if group and _breaks(group, line, pitch, page, fonts, outline):
            yield Group(page, column, group)
            group = []
        group.append(line)
    if group:
        yield Group(page, column, group)


def _breaks(group: Sequence[PageLine], line: PageLine, pitch: float, page: int, fonts: Fonts, outline: Outline) -> bool:
    previous = group[-1]
    if outline.level_of(page, previous.text) or outline.level_of(page, line.text):
        return True
    if not (previous.size and line.size):
        return bool(previous.size) != bool(line.size)  # a note along the margin is no part of the text beside it
    step = previous.base - line.base
    if _looks_different(previous, line, fonts):
        return True
    if line.style in fonts.prominent:
        return step > _HEADING_PITCH * line.size
    ended = ends_sentence(previous.text) and not previous.hyphen
    if not previous.hyphen and is_caption(line.text, clearly=not ended):
        return True
    if ended and line.left - previous.left > _INDENT * line.size and abs(previous.left - group[0].left) < line.size:
        return step > 0.5 * line.size
    if not ended and line.text[0].islower() and step < 3 * line.size:
        return False  # a formula or a tall line made room for itself in the middle of the sentence
    return step > _PARAGRAPH_PITCH * max(pitch, line.size) or step < 0


def _looks_different(previous: PageLine, line: PageLine, fonts: Fonts) -> bool:
    """Whether one of two lines is a heading by its looks, or both are set in sizes of their own."""
    if previous.size == line.size and previous.bold == line.bold:
        return False
    if previous.style in fonts.prominent or line.style in fonts.prominent:
        return True
    # The pieces of a formula are of any size.
    return abs(previous.size - line.size) > _SAME_SIZE and min(len(previous.text), len(line.text)) > _PIECE


def _usual_pitch(lines: Sequence[PageLine]) -> float:
    """How far apart lines of one paragraph are; steps of more than twice the letters' size are gaps between them."""
    steps = [(above.base - below.base, below.size) for above, below in pairwise(lines)]
    close = [step for step, size in steps if 0 < step <= _MAX_PITCH * size]
    return median(close) if close else 0.0


def _assign_roles(groups: Sequence[Group], body: float) -> None:
    listing = False
    for group in groups:
        if group.role is Role.TABLE:
            continue
        first = group.lines[0]
        caption = is_caption(first.text)
        size = max(group.lines[:40], key=lambda line: len(line.text)).size
        listing = bool(_LISTING.match(first.text)) or (listing and abs(size - body) > _SAME_SIZE)
        if caption or listing or abs(size - body) > _SAME_SIZE or not size:
            group.role = Role.ASIDE
        listing = listing or begins_listing(first.text)
