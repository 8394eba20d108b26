"""XLSX, XLSB, XLS and ODS: each sheet becomes a heading with its tables."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import zip_longest
from xml.parsers import expat

from connectors.errors import SourceError
from connectors.formats.limits import check_zip, text_for
from connectors.formats.markup.delimited import is_header
from connectors.parsed import Parsed, TextBuilder

Value = int | float | str | bool | time | date | datetime | timedelta
_HEADER_LIMIT = 1000
_HEADER_ROWS = 3


def parse_sheets(data: bytes) -> Parsed:
    """A workbook: every sheet by name, cut at empty rows into tables, each with its header row."""
    from python_calamine import CalamineWorkbook, PasswordError

    if data.startswith(b"PK"):
        check_zip(data)
        _check_content(data)
    builder = TextBuilder(text_for(len(data)))
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(data)) as workbook:
            names = workbook.sheet_names
            for name in names:
                if not builder.room:
                    builder.leave_rest_out()
                    break
                rows = list(_fitting(workbook.get_sheet_by_name(name).iter_rows(), builder))
                if any(any(row) for row in rows):
                    builder.heading(name, 1)
                    _write_sheet(rows, builder)
    except PasswordError:
        raise SourceError("encrypted workbook", hint="open it, remove the password, save it again") from None
    return builder.build("spreadsheet", metadata={"sheets": len(names)})


def _check_content(data: bytes) -> None:
    """Raise `SourceError` where the content of an ODS file breaks off: calamine waits for its end for ever."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = set(archive.namelist())
        encrypted = "META-INF/manifest.xml" in members and b"encryption-data" in archive.read("META-INF/manifest.xml")
        if "content.xml" not in members or encrypted:
            return
        try:
            expat.ParserCreate().Parse(archive.read("content.xml"), True)
        except expat.ExpatError as error:
            raise SourceError(
                f"damaged: content.xml: {error}", hint="open it in its program and save it again"
            ) from None


def _write_sheet(rows: list[list[str]], builder: TextBuilder) -> None:
    header = ""
    for region in _regions(rows):
        body = region
        while len(body) > 1 and _filled(body[0]) == 1 < _filled(body[1]):
            builder.paragraph("".join(body[0]))  # a caption above the table
            body = body[1:]
        if is_header(body[0]) and (len(body) > 1 or not header):
            header = _header_line(body)
        builder.table(body, header)  # rows without a header of their own, after a gap, go on under the last one


def _filled(row: Sequence[str]) -> int:
    return sum(map(bool, row))


def _header_line(rows: Sequence[Sequence[str]]) -> str:
    """The header of a table as one line: a header of several rows (groups above columns) is joined column by column."""
    height = 1
    while height < min(_HEADER_ROWS, len(rows)) and _filled(rows[height - 1]) < _filled(rows[height]):
        if not is_header(rows[height]):
            break
        height += 1
    columns = zip_longest(*rows[:height], fillvalue="")
    names = (" ".join(filter(None, column)) for column in columns)
    return " | ".join(name for name in names if name)[:_HEADER_LIMIT]


def _regions(rows: list[list[str]]) -> Iterator[list[list[str]]]:
    region: list[list[str]] = []
    for row in [*rows, []]:
        if any(row):
            region.append(row)
        elif region:
            yield region
            region = []


def _fitting(rows: Iterable[list[Value]], builder: TextBuilder) -> Iterator[list[str]]:
    """The rows that there is room for: a file of a kilobyte can hold a sheet that says the same a million times."""
    taken, is_gap = 0, True
    for row in rows:
        cells = _row(row)
        if not cells and is_gap:  # of a gap of a million rows, one tells tables apart
            continue
        if taken > builder.room:
            builder.leave_rest_out()
            return
        is_gap = not cells
        taken += sum(map(len, cells)) + len(cells)
        yield cells


def _row(row: list[Value]) -> list[str]:
    if row.count("") == len(row):  # most rows of a sheet with a stray cell far out
        return []
    while row[-1] == "":
        row.pop()
    return ["" if value == "" else _shown(value) for value in row]


def _shown(value: Value) -> str:
    """A cell as a person would type it: no `.0` behind whole numbers, dates in ISO form."""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, datetime) and value.time() == time.min:
        return value.date().isoformat()
    return " ".join(str(value).split())
