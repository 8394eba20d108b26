"""CSV, TSV and JSON lines: files of records, kept verbatim."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path

from connectors.document import Block, BlockKind, Place
from connectors.parsed import Parsed

_SEPARATORS = ",;\t|"
_RECORD_LIMIT = 64 * 1024  # where a record has not ended by then, there is a stray quote or no table
_HEADER_LIMIT = 1000  # a longer header would fill the context of every piece
_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+$")
_VALUE = re.compile(r"[-+]?[$€£]?\d[\d.,:/ -]*%?|true|false", re.IGNORECASE)


def parse_csv(text: str, path: Path) -> Parsed:
    """A table whose header row is its first full record, unless that record already holds values.

    Records with a single filled cell before it are a caption, not part of the table.
    """
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    separator = separator_of(first_record(text, start), path)
    while start < end:
        record = first_record(text, start)
        cells = cells_of(record, separator) if len(record) < _RECORD_LIMIT else []
        after = start + len(record)
        rest = (
            after + len(text[after : after + _HEADER_LIMIT]) - len(text[after : after + _HEADER_LIMIT].lstrip("\r\n"))
        )
        if len(cells) < 2 or sum(map(bool, cells)) > 1 or rest >= end:  # noqa: PLR2004
            header = record.strip() if is_header(cells) and len(record) <= _HEADER_LIMIT else ""
            blocks = (Block(BlockKind.TABLE, start, end, header=header),)
            return Parsed(text, "csv", blocks=blocks, places=_rows_of_lines(text))
        start = rest
    return Parsed(text, "csv")


def _rows_of_lines(text: str) -> tuple[Place, ...]:
    """The rows as a spreadsheet program numbers them, where cells of several lines make lines another count."""
    if '"' not in text:
        return ()
    found: list[Place] = []
    start = row = lines = 0
    quoted, is_run = False, False
    for match in _LINE.finditer(text):
        lines += 1
        quoted ^= match[0].count('"') % 2 == 1
        if quoted:
            continue
        row += 1
        if lines == 1 and is_run:
            found[-1] = found[-1]._replace(last=row)
        else:
            found.append(Place(start, "", "row", row, row))
        is_run, start, lines = lines == 1, match.end(), 0
    return tuple(found) if len(found) > 1 and not quoted else ()  # one quote too many makes no rows


def parse_jsonl(text: str) -> Parsed:
    """JSON lines: a table without a header, so that it is cut between records."""
    blocks = (Block(BlockKind.TABLE, 0, len(text)),) if text.strip() else ()
    return Parsed(text, "jsonl", blocks=blocks)


def is_header(cells: Sequence[str]) -> bool:
    """Whether a row names its columns: it holds words, not mostly numbers and dates.

    >>> is_header(["country", "2019", "population"]), is_header(["5", "3.1 %", "Norway"])
    (True, False)
    """
    filled = [cell.strip() for cell in cells if cell.strip()]
    return bool(filled) and 2 * sum(_VALUE.fullmatch(cell) is not None for cell in filled) < len(filled)


def first_record(text: str, start: int = 0) -> str:
    r"""The CSV record at `start`: up to the first line end outside quotes.

    >>> first_record('"a\nb",c\n1,2')
    '"a\nb",c'
    """
    quoted = False
    window = text[start : start + _RECORD_LIMIT]
    for match in re.finditer(r'["\r\n]', window):
        if match.group() == '"':
            quoted = not quoted
        elif not quoted:
            return window[: match.start()]
    return window


def cells_of(record: str, separator: str) -> list[str]:
    """The cells of a CSV record, unquoted and stripped; where its quotes make no sense, what is between separators.

    >>> cells_of('1, "a, b"', ",")
    ['1', 'a, b']
    """
    try:
        row = next(csv.reader([record], delimiter=separator, skipinitialspace=True), [])
    except csv.Error:
        row = record.split(separator)
    return [cell.strip() for cell in row]


def separator_of(record: str, path: Path = Path()) -> str:
    """The separator that the first record has most of, outside quotes; a .tsv file's is the tab."""
    if path.suffix.lower() in {".tsv", ".tab"} and "\t" in record:
        return "\t"
    bare = re.sub(r'"[^"]*"', "", record)
    return max(_SEPARATORS, key=bare.count)
