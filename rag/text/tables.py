"""What a passage says, piece by piece: sentences, and rows of tables with the columns that their cells are under."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connectors.document import CODE, ROW, SCHEMA
from connectors.formats.markup.delimited import cells_of, first_record, is_header, separator_of
from connectors.sentences import sentence_spans

_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")
_RULE = re.compile(r"[\s|:+=-]*-[\s|:+=-]*")  # between a header and the rows below it
_BAR = re.compile(r"(?<!\\)\|")
_SPACED_BAR = re.compile(r"\s\|(?:\s|$)")
_DELIMITED = "csv"
_AS_WRITTEN = frozenset({"", CODE, ROW, SCHEMA, "text", "markdown", "rst", "org", "json", "jsonl", "xml"})
"""Kinds of documents in which a spaced bar may be anything, unless a rule or bars at the edges make it a table's."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """A line of a table, at `start` to `end` of its text: what stands under which column, both as written.

    The column is empty where nobody named it. A row without cells is a header, or the rule below one.
    """

    start: int
    end: int
    cells: tuple[tuple[str, str], ...]

    @property
    def said(self) -> tuple[str, ...]:
        """Each cell with its column; a cell alone says nothing."""
        return tuple(f"{column}: {value}" if column else value for column, value in self.cells)

    def says(self, claim: str) -> bool:
        """Whether `claim` is some of its cells with their columns, in order, between semicolons."""
        left = f"{claim}; "
        for cell in self.said:
            left = left.removeprefix(f"{cell}; ")
        return not left


def sentences_and_rows(text: str, context: str, kind: str) -> list[tuple[int, int, TableRow | None]]:
    """Where the sentences of a passage begin and end, and the rows of its tables, in reading order.

    Args:
        text: the passage.
        context: title, headings and table header above it, as in `table_rows`.
        kind: of its document; empty where that is not known.
    """
    rows = table_rows(text, context, kind)
    begins, ends = [row.start for row in rows], [row.end for row in rows]
    beside = [
        (start, end, None)
        for start, end in sentence_spans(text)
        if bisect_left(begins, end) == bisect_right(ends, start)
    ]
    return sorted([*beside, *((row.start, row.end, row) for row in rows)], key=lambda one: one[:2])


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    end: int
    cells: tuple[str, ...]
    is_rule: bool
    is_edged: bool


def table_rows(text: str, context: str, kind: str) -> list[TableRow]:
    r"""The rows of the tables in a passage, in order.

    Args:
        text: the passage.
        context: what stands above it, the title first; its last line is the header of a table that begins before it.
        kind: of its document: lines between commas are rows in a CSV file alone.

    Example:
        >>> [row.cells for row in table_rows("| fee | days |\n|---|---|\n| late | 14 |", "", "markdown")]
        [(), (), (('fee', 'late'), ('days', '14'))]
    """
    separator = separator_of(first_record(text)) if kind == _DELIMITED else ""
    title, _, rest = context.partition("\n")
    last = rest.rpartition("\n")[2]
    above = _cells(last, separator) if last != title else ()
    rows: list[TableRow] = []
    for lines in _runs(text, separator):
        is_certain = separator or kind not in _AS_WRITTEN or lines[0].is_edged
        if is_certain or any(line.is_rule for line in lines[:2]):
            rows += _table(lines, above if not text[: lines[0].start].strip() else ())
    return rows


def _runs(text: str, separator: str) -> Iterator[list[_Line]]:
    """Lines with cells, as far as no other stands between them."""
    run: list[_Line] = []
    for start, record in _records(text, separator):
        line = record.strip()
        cells = _cells(line, separator)
        if cells:
            first = start + record.index(line)
            run.append(_Line(first, first + len(line), cells, bool(_RULE.fullmatch(line)), line.startswith("|")))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _records(text: str, separator: str) -> Iterator[tuple[int, str]]:
    """Where the lines of a text begin, and the lines; in a CSV file a quoted cell may have line ends."""
    if not separator:
        yield from ((found.start(), found[0]) for found in _LINE.finditer(text))
        return
    start = 0
    while start < len(text):
        record = first_record(text, start)
        if record.strip():
            yield start, record
        start += len(record) + 1


def _table(lines: Sequence[_Line], above: Sequence[str]) -> Iterator[TableRow]:
    """The rows of a run of lines; none where nothing says what is in their columns."""
    names, body = tuple(above), list(lines)
    ruled = len(lines) > 1 and lines[1].is_rule
    if ruled or len(names) < len(lines[0].cells):
        if len(lines) == 1 or not (ruled or is_header(lines[0].cells)):
            return
        names, body = lines[0].cells, list(lines[1:])
        yield TableRow(lines[0].start, lines[0].end, ())
    for line in body:
        named = zip((*names, *[""] * len(line.cells)), line.cells, strict=False)
        yield TableRow(line.start, line.end, () if line.is_rule else tuple(cell for cell in named if cell[1]))


def _cells(line: str, separator: str) -> tuple[str, ...]:
    """What a line has between bars, or between `separator`s; nothing where it has none of these."""
    line = line.strip()
    if separator:
        found = cells_of(line, separator)
    elif line.startswith("|"):
        found = _BAR.split(line[1:].removesuffix("|"))
    else:
        found = _SPACED_BAR.split(line)
    return tuple(" ".join(cell.split()) for cell in found) if len(found) > 1 else ()
