"""The data passed between rooms: a source yields Documents, and the splitter cuts them into Chunks."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple

MetadataValue = str | int | float | bool
Metadata = Mapping[str, MetadataValue]

# Kinds of documents that are treated differently.
CODE = "code"
ROW = "row"
SCHEMA = "schema"

LEFT_OUT = "left_out"  # among the metadata: what of a file is not in the text


class BlockKind(StrEnum):
    """The kind of a stretch of a document's text. Anything outside all blocks is prose."""

    HEADING = "heading"
    TABLE = "table"
    CODE = "code"
    DEFINITION = "definition"


@dataclass(frozen=True, slots=True)
class DocumentName:
    """A name that people look for a document by: the label of a row, or a name that code defines or calls.

    Attributes:
        text: the name as it stands.
        role: `defines` or `calls` in code; in a row, the `table.column` that holds it.
        start: where it stands in the document's text.
    """

    text: str
    role: str
    start: int = 0


DEFINES = "defines"  # the roles of names in code
CALLS = "calls"
FILE_NAME = "file.name"  # the role of what a file is called


@dataclass(frozen=True, slots=True)
class Symbol:
    """The symbol that a chunk of code defines.

    Attributes:
        name: qualified, as people write it (`Cart.total`).
        kind: `function`, `method`, `class`, `module`, …
        signature: the stretch `text[start:end]` of the document's text that says how it is used; (0, 0) for none.
        docstring: the stretch that says what it does, comments above it included; (0, 0) for none.
    """

    name: str
    kind: str
    signature: tuple[int, int] = (0, 0)
    docstring: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Block:
    """A structural stretch `text[start:end]` of a document. Blocks are sorted by `start` and do not overlap.

    Attributes:
        level: the depth of a heading (1 = top) or of a definition (0 = the file itself).
        label: what a heading or definition contributes to the heading path, without `#` marks or underlines.
        header: the header row of a table, repeated as context for every piece of it.
        symbol: what a definition defines; None where its code belongs to what is around it, as in a namespace.
        parts: the definitions inside a definition, in order.
        cuts: where code may be cut: the offsets of statements, those of the outermost first.
    """

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    label: str = ""
    header: str = ""
    symbol: Symbol | None = None
    parts: tuple[Block, ...] = ()
    cuts: tuple[tuple[int, ...], ...] = ()


class Place(NamedTuple):
    """Where a stretch of text stands as the file's own program numbers it: row 14 of the sheet Prices.

    Attributes:
        start: where in the document's text it begins; it ends where the next one does.
        name: of the sheet, chapter or part; empty where there is one only.
        unit: what is counted (`row`, `paragraph`, `cell`, …); empty where the name says all.
        first: the number of its first line.
        last: the number of its last line. Every line has the next number, or all have the same.
    """

    start: int
    name: str = ""
    unit: str = ""
    first: int = 0
    last: int = 0

    def part(self, start: int, first: int, last: int) -> Place:
        """The part of it that begins at `start`, from one of its lines to another, from 0."""
        return self._replace(
            start=start, first=min(self.first + first, self.last), last=min(self.first + last, self.last)
        )


@dataclass(frozen=True, slots=True)
class Document:
    """One unit of a source: a file, a row, a code file.

    Attributes:
        uri: where it is, unique in a knowledge base (a file: its absolute path).
        title: what a person would call it; a file name when the content has no title.
        text: everything that can be found and quoted. For text formats it is the decoded file itself, so lines agree.
        kind: the format, in lower case (`markdown`, `pdf`, `csv`, …).
        revision: a hash of the content as read; equal revisions mean equal content.
        metadata: typed values for filters.
        context: a line that belongs to every chunk: the title when it was found *inside* the content, else empty,
            so that renaming a file changes no chunk.
        blocks: headings, tables and code, in order.
        pages: for paged formats, the offset in `text` where each page (or slide) starts; `pages[0] == 0`.
        names: what people may call it, or look it up by.
        places: where its text stands as the file's own program numbers it, in order.
        has_lines: whether the lines of `text` are those of the file, so that a person finds them there.
    """

    uri: str
    title: str
    text: str
    kind: str
    revision: str
    metadata: Metadata = field(default_factory=dict)
    context: str = ""
    blocks: tuple[Block, ...] = ()
    pages: tuple[int, ...] = ()
    names: tuple[DocumentName, ...] = ()
    places: tuple[Place, ...] = ()
    has_lines: bool = True

    def page_at(self, offset: int) -> int | None:
        """The 1-based page holding `offset`, or None where the format has no pages."""
        return bisect_right(self.pages, offset) if self.pages else None


@dataclass(frozen=True, slots=True)
class Location:
    """The place of a chunk in its document: `text[start:end]`, 1-based lines and pages (both ends inclusive).

    `symbol` is what it defines, where it is code; `query` the SQL that gave it, where it is the result of one; `places`
    are those of the document that it covers. Without `has_lines`, lines are those of the document's text alone.
    """

    start: int
    end: int
    line_start: int
    line_end: int
    page_start: int | None = None
    page_end: int | None = None
    headings: tuple[str, ...] = ()
    symbol: Symbol | None = None
    query: str = ""
    places: tuple[Place, ...] = ()
    has_lines: bool = True

    def __str__(self) -> str:
        """The location as people cite it, empty where the document is all there is to say.

        It is `lines 40-52`, `p. 3`, `Prices, row 14`, `Cart.total, lines 40-52`, the SQL, or the heading above.
        """
        if self.query:
            return self.query
        if self.spot:
            return self.spot if self.symbol is None else f"{self.symbol.name}, {self.spot}"
        return f"“{self.headings[-1]}”" if self.headings else ""

    @property
    def spot(self) -> str:
        """The lines, pages or places that a person can go to; empty where there are none."""
        if self.places:
            return _together(self.places)
        if self.page_start is not None and self.page_end is not None:
            return _span("p.", "pp.", self.page_start, self.page_end)
        return _span("line", "lines", self.line_start, self.line_end) if self.has_lines else ""

    @property
    def in_lines(self) -> bool:
        """Whether lines are where it is: the file has them, and nothing better."""
        return self.has_lines and not self.places and self.page_start is None

    def of(self, document: str) -> str:
        """The location with the document it is in, as people cite it: `refunds.md, line 12`."""
        where = str(self)
        return f"{document}, {where}" if where else document

    def part(self, text: str, start: int, end: int) -> Location:
        r"""Where `text[start:end]` stands, `text` being all that stands here; several pages stay as they are.

        Example:
            >>> part = Location(40, 53, 7, 8).part("one two\nthree", 8, 13)
            >>> (part.start, part.end, str(part))
            (48, 53, 'line 8')
        """
        first = self.line_start + _line_ends(text, 0, start)
        return replace(
            self,
            start=self.start + start,
            end=self.start + end,
            line_start=first,
            line_end=first + _line_ends(text, start, end),
            places=_places_between(self.places, text, self.start, start, end),
        )


def _places_between(places: tuple[Place, ...], text: str, offset: int, start: int, end: int) -> tuple[Place, ...]:
    """The places of `text[start:end]`, of those of `text`, which begins at `offset` of its document."""
    found = []
    ends = [*(place.start - offset for place in places[1:]), len(text)]
    for place, place_end in zip(places, ends, strict=False):
        place_start = max(place.start - offset, 0)
        first, last = max(start, place_start), min(end, place_end)
        if first < last:
            before = _line_ends(text, place_start, first)
            shown = text[first:last].rstrip()
            found.append(place.part(offset + first, before, before + _line_ends(shown, 0, len(shown))))
    return tuple(found)


def _together(places: Sequence[Place]) -> str:
    """Places as people cite them: `Prices, rows 5-21; Old prices, row 2`."""
    found: list[Place] = []
    for place in places:
        if found and (found[-1].name, found[-1].unit) == (place.name, place.unit):
            found[-1] = found[-1]._replace(last=max(found[-1].last, place.last))
        else:
            found.append(place)
    said = (
        ", ".join(filter(None, (each.name, each.unit and _span(each.unit, f"{each.unit}s", each.first, each.last))))
        for each in found
    )
    return "; ".join(dict.fromkeys(said))


def with_context(context: str, text: str) -> str:
    """What the indexes see of a chunk: its context, then its text."""
    return f"{context}\n{text}" if context else text


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage that fits the encoder's window.

    `text` is exactly `document.text[location.start:location.end]`. `context` (title, heading path, table header) is
    indexed and shown with it, and is never part of the quoted text.
    """

    text: str
    context: str
    location: Location

    @property
    def indexed_text(self) -> str:
        """What the indexes see: the context, then the text."""
        return with_context(self.context, self.text)


def _line_ends(text: str, start: int, end: int) -> int:
    return text.count("\n", start, end) + text.count("\r", start, end) - text.count("\r\n", start, end)


def _span(one: str, many: str, first: int, last: int) -> str:
    return f"{one} {first}" if first == last else f"{many} {first}-{last}"
