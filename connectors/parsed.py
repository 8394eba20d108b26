"""The result of every parser, and the builder that most of them use."""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import NamedTuple

from connectors.document import LEFT_OUT, Block, BlockKind, DocumentName, Metadata, MetadataValue

_NO_METADATA: Metadata = MappingProxyType({})
# The line ends of Windows and of old Macs, of Word (a vertical tab) and of Unicode.
_LINE_ENDS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
# What no reader sees; a soft hyphen would cut the word that it is in.
_UNWANTED = re.compile("[\x00-\x08\x0e-\x1f\x7f\u00ad\ufeff\ufffe\uffff]")
_BULLETS = dict.fromkeys((0xF0A7, 0xF0B7, 0xF0D8, 0xF0FC), "•")  # where the Symbol and Wingdings fonts keep theirs
_BLANKS = re.compile(r"[^\S\n]+")  # of any width, no-break ones too, but no line end
_BLANK_LINES = re.compile(r"\n{3,}")
# A heading of a part names no document: on the passages of chapter 12, "Chapter 1" would be worse than none.
_PART = re.compile(
    r"(?:(?:chapter|section|part|appendix|kapitel|chapitre)\s+)?(?:\d+(?:\.\d+)*|[ivx]+)[\s.:)–-]"
    r"|(?:abstract|introduction|preface|(?:table of )?contents|summary|overview)$",
    re.IGNORECASE,
)
# Sections that say what part of a document they are, not what they are about: the heading above them names the whole.
_USUAL_SECTION = re.compile(
    r"(?:install(?:ation|ing)?|(?:basic )?usage|setup|set-up|requirements|prerequisites|getting started|quick ?start"
    r"|licen[cs]e|contributing|examples?|api(?: reference)?|change ?log|faq|references|bibliography|methods?|results"
    r"|discussion|background|related work|conclusions?|acknowledge?ments|appendix)$",
    re.IGNORECASE,
)
_BEGINNING, _BLANK_LINE = 300, 2  # characters
_HEADING_LIMIT = 200  # longer than this is a paragraph that someone made bold or gave a heading style
_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n|$)")


@dataclass(frozen=True, slots=True)
class Parsed:
    """The content of one file: its text, its true format, and what the parser found.

    `title` is a title found inside the content, else empty. `blocks`, `pages` and `names` are as in `Document`.
    """

    text: str
    kind: str
    title: str = ""
    metadata: Metadata = field(default_factory=lambda: _NO_METADATA)
    blocks: tuple[Block, ...] = ()
    pages: tuple[int, ...] = ()
    names: tuple[DocumentName, ...] = ()


class TextLine(NamedTuple):
    """One line without its end, and the offsets where it starts and where its text ends."""

    text: str
    start: int
    end: int


def clean(text: str) -> str:
    r"""`text` without what no reader sees: control characters, lone surrogates, odd line ends.

    >>> clean("soft\u00adware\r\nline")
    'software\nline'
    """
    if text.isprintable():  # nearly all cells of tables, and most lines
        return text
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _UNWANTED.sub("", _LINE_ENDS.sub("\n", text)).translate(_BULLETS)


def one_line(text: str) -> str:
    """`text` cleaned, with every run of white space made one space."""
    return " ".join(clean(text).split())


def lines_of(text: str) -> list[TextLine]:
    r"""The lines of `text` as Markdown counts them: by `\n`, `\r\n` or a lone `\r`.

    >>> [line.text for line in lines_of("a\r\nb\rc")]
    ['a', 'b', 'c']
    """
    found = []
    for match in _LINE.finditer(text):
        if match.start() == match.end():
            break
        line = match.group().rstrip("\r\n")
        found.append(TextLine(line, match.start(), match.start() + len(line)))
    return found


def heading_title(blocks: Iterable[Block]) -> str:
    """The heading that names the whole document, or nothing.

    It is the only one of the highest level, or begins the text and the next follows at once, or all others are parts
    (`1. Method`, `Installation`). Else the first of several sections is one like the others. The title goes with every
    passage: `Chapter 1` on passages of chapter 12 would be worse than none.
    """
    headings = [block for block in blocks if block.kind is BlockKind.HEADING]
    top = min((block.level for block in headings), default=0)
    highest = [block for block in headings if block.level == top]
    if not highest or _PART.match(highest[0].label):
        return ""
    first, others = highest[0], highest[1:]
    if others and first.start < _BEGINNING and others[0].start - first.end <= _BLANK_LINE:
        return first.label
    return first.label if all(_PART.match(other.label) or _USUAL_SECTION.match(other.label) for other in others) else ""


def parse_text(text: str) -> Parsed:
    """Plain text: the file itself, nothing assumed about it."""
    return Parsed(text, "text")


def parse_code(text: str) -> Parsed:
    """Source code and configuration: the file itself, one block in which lines matter."""
    blocks = (Block(BlockKind.CODE, 0, len(text)),) if text.strip() else ()
    return Parsed(text, "code", blocks=blocks)


class TextBuilder:
    """Writes a document's text piece by piece and keeps the offsets of its blocks and pages.

    >>> builder = TextBuilder()
    >>> builder.heading("Fruit", 1)
    >>> builder.table([["name", "price"], ["apple", "2"]])
    >>> builder.build("text").blocks[1].header
    'name | price'

    `most` is how many characters of text there may be. What is beyond is left out, and the metadata says so.
    """

    def __init__(self, most: int = sys.maxsize) -> None:
        self._most = most
        self._left_out: dict[str, None] = {}
        self._parts: list[str] = []
        self._length = 0
        self._tight = False
        self._blocks: list[Block] = []
        self._names: list[DocumentName] = []
        self._pages: list[int] = []
        self._new_pages = 0

    def paragraph(self, text: str) -> None:
        """Add prose, set off by a blank line."""
        if self._has_room():
            self._append(_tidy(text))

    def continuation(self, text: str) -> None:
        """Add the rest of the paragraph just added: a page or column ended in the middle of it."""
        self._tight = True
        self.item(text)

    def item(self, text: str) -> None:
        """Add one item of a list: items follow each other without blank lines."""
        if self._has_room():
            self._append(_tidy(text), tight=True)

    def heading(self, text: str, level: int) -> None:
        """Add a heading; one that is far too long to be one becomes a paragraph."""
        label = one_line(text)
        if len(label) > _HEADING_LIMIT:
            self.paragraph(text)
        elif label:
            start = self._append(label)
            self._blocks.append(Block(BlockKind.HEADING, start, self._length, level=max(1, level), label=label))

    def code(self, text: str) -> None:
        """Add text whose white space matters."""
        body = clean(text).strip("\n").rstrip()
        if body.strip():
            start = self._append(body)
            self._blocks.append(Block(BlockKind.CODE, start, self._length))

    def table(self, rows: Iterable[Sequence[str]], header: str | None = None) -> None:
        """Add a table, one line a row, cells set off by ` | `; the first row is its header unless one is given.

        Empty rows and columns go. What has a single column or row is a layout, not a table, and becomes paragraphs.
        """
        cells, width = _compact(list(self._fitting(rows)))
        if len(cells) < (1 if header else 2) or width < 2:  # noqa: PLR2004
            for row in cells:
                self.paragraph(" | ".join(cell for cell in row if cell))
            return
        lines = [" | ".join(row).rstrip(" |") for row in cells]
        start = self._append("\n".join(lines))
        self._blocks.append(Block(BlockKind.TABLE, start, self._length, header=lines[0] if header is None else header))

    def page(self) -> None:
        """Begin a new page: it starts where the next piece will."""
        self._new_pages += 1

    def leave_out(self, what: str) -> None:
        """Have the metadata say that something of the file is not in the text."""
        self._left_out[what] = None

    def embed(self, part: Parsed) -> None:
        """Add another parsed text with its blocks and names, as it stands."""
        body = part.text.rstrip()
        if body:
            offset = self._append(body)
            kept = self._length - offset
            self._blocks += (moved(block, offset, self._length) for block in part.blocks if block.start < kept)
            self._names += (replace(name, start=name.start + offset) for name in part.names if name.start < kept)
        if what := part.metadata.get(LEFT_OUT):
            self.leave_out(str(what))

    def build(self, kind: str, title: str = "", metadata: Mapping[str, MetadataValue | None] = _NO_METADATA) -> Parsed:
        """The finished result; metadata without a value is left out."""
        metadata = {**metadata, LEFT_OUT: "; ".join(self._left_out)}
        found = MappingProxyType({key: value for key, value in metadata.items() if value not in (None, "")})
        pages = (*self._pages, *[self._length] * self._new_pages)
        text, names = "".join(self._parts), tuple(self._names)
        blocks = tuple(block for block in self._blocks if block.start < block.end)
        return Parsed(text, kind, one_line(title), found, blocks, pages, names)

    @property
    def room(self) -> int:
        """How many characters of text there may still be."""
        return max(self._most - self._length, 0)

    def leave_rest_out(self) -> None:
        """Have the metadata say that there is as much text as there may be, and that more was left out."""
        self.leave_out(f"text beyond {self._most:,} characters, more than its size makes likely")

    @property
    def heading_title(self) -> str:
        """What `heading_title` makes of the headings so far."""
        return heading_title(self._blocks)

    @property
    def first_heading(self) -> str:
        """The first heading so far, which names a presentation: its first slide is its title page."""
        return next((block.label for block in self._blocks if block.kind is BlockKind.HEADING), "")

    def _has_room(self) -> bool:
        """Whether a piece may be added, before any work is done for it; if not, the metadata says so."""
        if not self.room:
            self.leave_rest_out()
        return self.room > 0

    def _fitting(self, rows: Iterable[Sequence[str]]) -> Iterator[list[str]]:
        """The rows of a table that there is room for, cleaned."""
        taken = 0
        for row in rows:
            if taken >= self.room:
                self.leave_rest_out()
                return
            cells = [one_line(cell) for cell in row]
            taken += sum(map(len, cells)) + len(cells)
            yield cells

    def _append(self, text: str, *, tight: bool = False) -> int:
        """Add `text` after the separator it needs, as far as it may grow; the offset where it starts."""
        if not text:
            return self._length
        separator = ("\n" if tight and self._tight else "\n\n") if self._length else ""
        start = self._length + len(separator)
        if start + len(text) > self._most:
            self.leave_rest_out()
            text = text[: max(self._most - start, 0)]
            separator = separator if text else ""
            start = self._length + len(separator)
        self._parts += (separator, text)
        self._length = start + len(text)
        self._tight = tight
        self._pages += [start if self._pages else 0] * self._new_pages
        self._new_pages = 0
        return start


def moved(block: Block, offset: int, limit: int) -> Block:
    """A block of a text that now begins at `offset` of another, which ends at `limit`."""
    symbol = block.symbol
    if symbol is not None:
        spans = (symbol.signature, symbol.docstring)
        signature, docstring = ((start + offset, end + offset) if end else (0, 0) for start, end in spans)
        symbol = replace(symbol, signature=signature, docstring=docstring)
    return replace(
        block,
        start=block.start + offset,
        end=min(block.end + offset, limit),
        symbol=symbol,
        parts=tuple(moved(part, offset, limit) for part in block.parts if part.start + offset < limit),
        cuts=tuple(tuple(place + offset for place in places if place + offset < limit) for places in block.cuts),
    )


def _tidy(text: str) -> str:
    """Spaces squeezed, line breaks kept, no more than one blank line in a row."""
    lines = (line.strip() for line in _BLANKS.sub(" ", clean(text)).split("\n"))
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip("\n")


def _compact(rows: list[list[str]]) -> tuple[list[list[str]], int]:
    """The rows without empty rows and columns, each up to its last filled cell, and how many columns there are.

    They are not made equally long: one row of very many cells would make all of them as long.
    """
    filled = [[column for column, cell in enumerate(row) if cell] for row in rows]
    kept = sorted(set().union(*filled))
    trimmed = [
        [row[column] for column in kept[: bisect_right(kept, columns[-1])]]
        for row, columns in zip(rows, filled, strict=True)
        if columns
    ]
    return trimmed, len(kept)
