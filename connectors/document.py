"""The data passed between rooms: a source yields Documents, and the splitter cuts them into Chunks."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

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

    def page_at(self, offset: int) -> int | None:
        """The 1-based page holding `offset`, or None where the format has no pages."""
        return bisect_right(self.pages, offset) if self.pages else None


@dataclass(frozen=True, slots=True)
class Location:
    """The place of a chunk in its document: `text[start:end]`, 1-based lines and pages (both ends inclusive).

    `symbol` is what it defines, where it is code; `query` the SQL that gave it, where it is the result of one.
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

    def __str__(self) -> str:
        """The location as people cite it: `lines 40-52`, `p. 3`, `Cart.total, lines 40-52`, or the SQL."""
        if self.query:
            return self.query
        if self.page_start is not None and self.page_end is not None:
            place = _span("p.", "pp.", self.page_start, self.page_end)
        else:
            place = _span("line", "lines", self.line_start, self.line_end)
        return place if self.symbol is None else f"{self.symbol.name}, {place}"

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
        )


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
