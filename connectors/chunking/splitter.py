"""Splits Documents into Chunks: passages that fit the encoder's window and respect the structure of the text."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from connectors.chunking.code_blocks import Divider
from connectors.chunking.packing import Region, Ruler, Tokenizer
from connectors.chunking.symbol_words import in_words
from connectors.document import Block, BlockKind, Chunk, Document, Location, Place, Symbol
from connectors.errors import ConfigurationError

__all__ = ["Splitter", "Tokenizer"]

_SEPARATOR = " > "
_DEEPEST = 9  # heading levels; deeper ones count as this, so that a path stays short
_LONGEST_LABEL = 300  # characters of a heading in a heading path
_SMALLEST_WINDOW = 16  # word pieces; one character may be several of them
_PATH_SHARE = 5  # the title and heading path take at most a fifth of the window,
_CONTEXT_SHARE = 3  # and a third together with the header row of a table
# Between whole words the ruler is exact for a tokenizer that splits at white space, and nearly so for any other. Within
# a sixteenth of the window a chunk is tokenised again to be sure; doing so for all would double the time.
_SLACK = 16
_HEADER_SEARCH = 256  # characters after the start of a table in which its header row is looked for

_DEEPEST_INDENTATION = 200  # characters

_VISIBLE = re.compile(r"\S")


@dataclass(frozen=True, slots=True)
class _Context:
    """The context indexed with a chunk, its size in word pieces, and whether it is complete."""

    text: str
    pieces: int
    is_whole: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Heading:
    """`is_carried`: the label covers the whole line, so a context with the label can replace the line."""

    block: Block
    level: int
    label: str
    is_carried: bool


@dataclass(frozen=True, slots=True)
class _Section:
    """A stretch of text under one heading path, with its tables and code.

    Of a stretch of code, `symbol` is what it defines, `named` is where its text says so, and `again` is the context of
    the chunks that do not.
    """

    start: int
    end: int
    headings: tuple[str, ...]
    context: _Context
    blocks: tuple[Block, ...]
    symbol: Symbol | None = None
    named: int = 0
    again: _Context | None = None


@dataclass(frozen=True, slots=True)
class _Table:
    """`header_at` is the offset of its header row in the text (-1: none); `context` repeats that row."""

    block: Block
    header_at: int
    context: _Context


class Splitter:
    """Cuts documents into chunks of about `target` word pieces that never exceed `window`, their context included.

    Every character that is not white space is in exactly one chunk, save a heading line whose label says all of it:
    that stands in the context of the chunks below it and not in their text, so that no word is encoded twice. A
    heading with no text of its own stays with the text that follows; at the end of a document it is a chunk. Sections
    are never merged. A line ends with a line feed, a carriage return, or both.

    Raises:
        ConfigurationError: when `window` is under 16, or `target` is not between 1 and `window`.
    """

    def __init__(self, tokenizer: Tokenizer, *, window: int = 254, target: int = 200) -> None:
        if window < _SMALLEST_WINDOW or not 1 <= target <= window:
            raise ConfigurationError(
                f"chunks of {target} word pieces cannot be made for a window of {window}",
                hint=f"use a window of at least {_SMALLEST_WINDOW} and a target between 1 and the window",
            )
        self._tokenizer = tokenizer
        self._window = window
        self._target = target

    def split(self, document: Document) -> list[Chunk]:
        """The chunks of a document, in order; none when it holds only white space."""
        passages = _Passages(document, self._tokenizer, window=self._window, target=self._target)
        sections = _Outline(document, self._tokenizer, share=self._window // _PATH_SHARE).sections()
        return [chunk for section in sections for chunk in passages.of(section)]


class _Outline:
    """The sections of a document, in order, each with its heading path and the context for that path."""

    def __init__(self, document: Document, tokenizer: Tokenizer, *, share: int) -> None:
        self._document = document
        self._tokenizer = tokenizer
        self._share = share
        self._title = _one_line(document.context)
        self._path: list[_Heading] = []
        self._waiting: list[_Heading] = []  # headings with no text after them yet

    def sections(self) -> Iterator[_Section]:
        text, start = self._document.text, 0
        blocks: list[Block] = []
        for block in self._document.blocks:
            if block.kind is not BlockKind.HEADING:
                blocks.append(block)
                continue
            if _VISIBLE.search(text, start, block.start):
                yield self._section(start, block.start, blocks)
            blocks, start = [], block.end
            self._open(block)
        if _VISIBLE.search(text, start):
            yield self._section(start, len(text), blocks)
        elif self._waiting:
            self._path = [heading for heading in self._path if heading not in self._waiting]
            yield self._section(start, len(text), blocks)

    def _open(self, block: Block) -> None:
        line = self._document.text[block.start : block.end]
        label = _one_line(block.label)
        level = min(block.level, _DEEPEST)
        while self._path and self._path[-1].level >= level:
            self._path.pop()
        heading = _Heading(block, level, label, _letters(label) == _letters(line))
        self._path.append(heading)
        self._waiting.append(heading)

    def _section(self, start: int, end: int, blocks: list[Block]) -> _Section:
        """The section whose text is `[start:end]`, taking in front of it the headings its context does not say."""
        context, said = self._context()
        unsaid = (heading.block.start for heading in self._waiting if heading not in said or not heading.is_carried)
        start = min(unsaid, default=start)
        self._waiting = []
        labels = tuple(heading.label for heading in self._path if heading.label)
        return _Section(start, end, labels, context, tuple(blocks))

    def _context(self) -> tuple[_Context, list[_Heading]]:
        """Title and heading path, less its middle where they are too long, and the headings said in full."""
        said = [heading for heading in self._path if heading.label]
        is_repeated = said and said[0].label.casefold() == self._title.casefold()
        title = [] if is_repeated or not self._title else [self._title]
        while True:
            parts = title + [heading.label for heading in said]
            context = _fitted(_SEPARATOR.join(parts), self._share, self._tokenizer)
            if context.is_whole:
                return context, said
            if len(parts) == 1:
                return context, []
            if len(said) > 1:
                del said[0 if title or not said[2:] else 1]
            else:
                title = []


class _Passages:
    """Cuts the sections of one document into chunks, checking each against the window as it will be indexed."""

    def __init__(self, document: Document, tokenizer: Tokenizer, *, window: int, target: int) -> None:
        self._document = document
        self._tokenizer = tokenizer
        self._window = window
        self._target = target
        self._ruler = Ruler(document.text, tokenizer)
        self._lines = _LineCounter(document.text)
        self._places = _PlaceFinder(document)

    def of(self, section: _Section) -> Iterator[Chunk]:
        start, blocks = section.start, iter(section.blocks)
        plain: list[Block] = []
        for block in blocks:
            if block.kind is not BlockKind.DEFINITION:
                plain.append(block)
                continue
            yield from self._cut(replace(section, start=start, end=block.start, blocks=tuple(plain)))
            for stretch in self._divided(block, section):
                yield from self._cut(stretch)
            start, plain = block.end, []
        yield from self._cut(replace(section, start=start, blocks=tuple(plain)))

    def _divided(self, block: Block, above: _Section) -> Iterator[_Section]:
        """The definitions inside a block of code as sections of their own."""
        language = str(self._document.metadata.get("code_language", ""))
        share = self._window // _PATH_SHARE

        @cache
        def context(labels: tuple[str, ...], symbol: Symbol | None) -> _Context:
            path = _path_context((above.context.text, *labels), share, self._tokenizer)
            return _with_line(path, in_words(symbol, language) if symbol else "", share, self._tokenizer)

        def room(path: tuple[Block, ...]) -> int:
            return self._window - context(_labels(path), path[-1].symbol).pieces

        divider = Divider(self._document.text, self._ruler, target=self._target, limit=room)
        for stretch in divider.divide(block):
            said = (part for part in stretch.path if not stretch.start <= _head(part) < stretch.end)
            code = Block(BlockKind.CODE, stretch.start, stretch.end, cuts=block.cuts)
            yield _Section(
                stretch.start,
                stretch.end,
                above.headings + tuple(_one_line(part.label) for part in stretch.path if part.label),
                context(_labels(said), stretch.symbol),
                (code,),
                stretch.symbol,
                _head(stretch.path[-1]),
                context(_labels(stretch.path), stretch.symbol),
            )

    def _cut(self, section: _Section) -> Iterator[Chunk]:
        text, again = self._document.text, section.again or section.context
        tables = [self._table(block, section.context) for block in section.blocks if block.kind is BlockKind.TABLE]
        for start, end, blocks in self._regions(section, tables):
            limit = self._window - max(section.context.pieces, again.pieces)
            region = Region(text, self._ruler, (start, end), blocks, target=self._target, limit=limit)
            position = start
            while visible := _VISIBLE.search(text, position, end):
                first, context = visible.start(), section.context if position == start else again
                chunk, position = self._chunk(region, first, _context_at(first, tables) or context, section)
                yield chunk

    def _table(self, block: Block, above: _Context) -> _Table:
        header = block.header.strip()
        found = self._document.text.find(header, block.start, block.start + len(header) + _HEADER_SEARCH)
        short = _fitted(header, self._window // _CONTEXT_SHARE - above.pieces, self._tokenizer)
        if not above.text:
            return _Table(block, found, short)
        text = f"{above.text}\n{short.text}" if short.text else above.text
        return _Table(block, found, _Context(text, len(self._tokenizer.spans(text)), is_whole=short.is_whole))

    def _regions(self, section: _Section, tables: list[_Table]) -> Iterator[tuple[int, int, list[Block]]]:
        """The section, cut where a chunk must not mix a table with other text because its header row is context."""
        limit = self._window - section.context.pieces
        places = {section.end}
        for table in tables:
            if table.header_at < 0:
                places |= {table.block.start, table.block.end}
            elif self._ruler.count(table.block.start, table.block.end) > limit:
                places.add(table.block.end)
        start, blocks = section.start, iter(section.blocks)
        block = next(blocks, None)
        for end in sorted(places):
            inside = []
            while block and block.end <= end:
                inside.append(block)
                block = next(blocks, None)
            yield start, end, inside
            start = end

    def _chunk(self, region: Region, start: int, context: _Context, section: _Section) -> tuple[Chunk, int]:
        """The chunk whose first letter is at `start`, and where the next may begin."""
        begin = start if section.again is None else _indented(self._document.text, start)
        limit = self._window - context.pieces
        cut = region.cut(start, limit)
        while True:
            end = start + len(self._document.text[start:cut].rstrip())
            if section.again is not None and end <= section.named:  # long comments above: the name comes later
                context = section.again
            pieces = self._pieces(begin, end, context)
            if pieces <= self._window or end == start + 1:
                passage = self._document.text[begin:end]
                return Chunk(passage, context.text, self._location(begin, end, section)), cut
            # Rare: the pieces of a word that was cut, or of a new neighbour, are not those it had in the whole text.
            counted = min(limit, self._ruler.count(start, cut))
            limit = max(1, min(counted - 1, counted * self._window // pieces))
            cut = region.cut(start, limit) if counted > 1 else (start + end) // 2

    def _pieces(self, start: int, end: int, context: _Context) -> int:
        """How many word pieces the chunk `[start:end]` is indexed as; at least enough to know whether it fits."""
        text = self._document.text
        measured = self._ruler.count(start, end) + context.pieces
        cuts_no_word = not text[max(start - 1, 0) : start].strip() and not text[end : end + 1].strip()
        if cuts_no_word and measured <= self._window - self._window // _SLACK:
            return measured
        passage = text[start:end]
        return len(self._tokenizer.spans(f"{context.text}\n{passage}" if context.text else passage))

    def _location(self, start: int, end: int, section: _Section) -> Location:
        document = self._document
        symbol = section.symbol
        if symbol is not None:  # with those stretches of its signature and docstring that are in `[start:end]`
            signature, docstring = (_shared(part, start, end) for part in (symbol.signature, symbol.docstring))
            symbol = replace(symbol, signature=signature, docstring=docstring)
        first, last = self._lines.at(start), self._lines.at(end - 1)
        return Location(
            start=start,
            end=end,
            line_start=first,
            line_end=last,
            page_start=document.page_at(start),
            page_end=document.page_at(end - 1),
            headings=section.headings,
            symbol=symbol,
            places=self._places.between(start, end, first, last),
            has_lines=document.has_lines,
        )


class _LineCounter:
    """The line numbers of increasing offsets, without a list of all lines."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._offset = 0
        self._line = 1

    def at(self, offset: int) -> int:
        ends = [self._text.count(end, self._offset, offset) for end in ("\n", "\r", "\r\n")]
        self._line += ends[0] + ends[1] - ends[2]
        self._offset = offset
        return self._line


class _PlaceFinder:
    """The places of stretches of text: each counts its lines from where it begins."""

    def __init__(self, document: Document) -> None:
        self._places = document.places
        lines = _LineCounter(document.text)
        self._lines = [lines.at(place.start) for place in self._places]

    def between(self, start: int, end: int, first: int, last: int) -> tuple[Place, ...]:
        """The places of the stretch `[start:end]` of the text, which are its lines from `first` to `last`."""
        at = max(0, bisect_right(self._places, start, key=lambda place: place.start) - 1)
        found = []
        while at < len(self._places) and self._places[at].start < end:
            following = self._lines[at + 1] - 1 if at + 1 < len(self._lines) else last
            place, line = self._places[at], self._lines[at]
            begin = max(start, place.start)
            found.append(place.part(begin, max(first - line, 0), min(last, max(following, line)) - line))
            at += 1
        return tuple(found)


def _indented(text: str, start: int) -> int:
    """Where the line of `start` begins, if only its indentation stands between: the lines below keep theirs, too."""
    before = text[max(0, start - _DEEPEST_INDENTATION) : start]
    begin = start - len(before) + len(before.rstrip(" \t"))
    return begin if text[max(0, begin - 1) : begin] in {"", "\n", "\r"} else start


def _context_at(position: int, tables: Sequence[_Table]) -> _Context | None:
    """The context of a chunk that begins inside a table, below its header row."""
    index = bisect_right(tables, position, key=lambda table: table.block.start) - 1
    if index < 0 or not tables[index].header_at < position < tables[index].block.end:
        return None
    return tables[index].context


def _head(block: Block) -> int:
    """Where the name of a definition is said: in its signature."""
    return block.start if block.symbol is None else block.symbol.signature[0]


def _labels(path: Iterable[Block]) -> tuple[str, ...]:
    """The names of definitions. That of a file is left out: it is not in the content, and may change without it."""
    return tuple(_one_line(block.label) for block in path if block.level and block.label)


def _path_context(path: Sequence[str], pieces: int, tokenizer: Tokenizer) -> _Context:
    """The path as one line, less its outermost parts where it is too long."""
    parts = [part for part in path if part]
    while True:
        context = _fitted(_SEPARATOR.join(parts), pieces, tokenizer)
        if context.is_whole or len(parts) == 1:
            return context
        del parts[0]


def _with_line(context: _Context, line: str, pieces: int, tokenizer: Tokenizer) -> _Context:
    """A context and a line below it, up to the last word of that which fits."""
    added = _fitted(line, pieces, tokenizer)
    if not added.text:
        return context
    text = f"{context.text}\n{added.text}" if context.text else added.text
    return _Context(text, context.pieces + added.pieces, is_whole=context.is_whole and added.is_whole)


def _shared(span: tuple[int, int], start: int, end: int) -> tuple[int, int]:
    first, last = max(span[0], start), min(span[1], end)
    return (first, last) if first < last else (0, 0)


def _one_line(label: str) -> str:
    return " ".join(label[: 2 * _LONGEST_LABEL].split())[:_LONGEST_LABEL]


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def _fitted(text: str, pieces: int, tokenizer: Tokenizer) -> _Context:
    """The text, up to the last whole word within `pieces` word pieces."""
    spans = tokenizer.spans(text) if text else []
    if len(spans) <= pieces:
        return _Context(text, len(spans), is_whole=True)
    head = text[: spans[pieces][0]] if pieces > 0 else ""
    if not head[-1:].isspace():
        head = (head.rsplit(None, 1) or [""])[0]
    return _Context(head.rstrip(), len(tokenizer.spans(head)), is_whole=False)
