"""XLSX, XLSM, XLSB, XLS and ODS: each sheet becomes a heading with its tables, and every row keeps its number."""

from __future__ import annotations

import io
import zipfile
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

from connectors.errors import SourceError
from connectors.formats.grid import Cell, filled
from connectors.formats.limits import check_zip, text_for
from connectors.formats.markup.delimited import is_header
from connectors.formats.spreadsheets.calc import is_calc, read_calc
from connectors.formats.spreadsheets.excel_xml import ExcelXml
from connectors.formats.spreadsheets.marks import Area, SheetMarks, cell_names
from connectors.formats.spreadsheets.number_formats import NumberFormat, Value, number_format, shown
from connectors.parsed import Parsed, TextBuilder, one_line

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

_HEADER_LIMIT = 1000
_HEADER_ROWS = 3
_PLAIN = number_format("")


class _Row(NamedTuple):
    """A row that holds something, and its number from 0."""

    number: int
    cells: list[str]


def parse_sheets(data: bytes) -> Parsed:
    """A workbook: every sheet by name, cut at empty rows into tables, each with its header row.

    Cells say what they show. Hidden sheets and rows are read like others.
    """
    members: set[str] = set()
    if data.startswith(b"PK"):
        check_zip(data)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = set(archive.namelist())
    builder = TextBuilder(text_for(len(data)))
    count = _write_calc(data, builder) if is_calc(members) else _write_excel(data, members, builder)
    return builder.build("spreadsheet", metadata={"sheets": count})


def _write_calc(data: bytes, builder: TextBuilder) -> int:
    count = 0
    for sheet, is_cut in read_calc(data, builder.room):
        count += 1
        _write_sheet(sheet.name, [_Row(*row) for row in sheet.rows], sheet.marks, builder)
        if is_cut:
            builder.leave_rest_out()
    return count


def _write_excel(data: bytes, members: set[str], builder: TextBuilder) -> int:
    from python_calamine import CalamineWorkbook, PasswordError

    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(data)) as workbook:
            told = ExcelXml(data) if "xl/workbook.xml" in members else None
            for number, name in enumerate(workbook.sheet_names):
                if not builder.room:
                    builder.leave_rest_out()
                    break
                marks = told.marks(number) if told else SheetMarks()
                _write_sheet(name, list(_fitting(_rows(workbook, number, marks), builder)), marks, builder)
            return len(workbook.sheet_names)
    except PasswordError:
        raise SourceError("encrypted workbook", hint="open it, remove the password, save it again") from None


def _rows(workbook: CalamineWorkbook, sheet: int, marks: SheetMarks) -> Iterator[_Row]:
    """The rows of a sheet that hold something, each cell as it is shown."""
    last = -1
    for number, values in enumerate(workbook.get_sheet_by_index(sheet).iter_rows()):
        last = number
        texts = marks.texts.get(number)
        if texts is None and values.count("") == len(values):  # most rows of a sheet with a stray cell far out
            continue
        cells = _shown(values, marks.formats.get(number, {}))
        yield _Row(number, cells if texts is None else _with_texts(cells, texts))
    for number in sorted(number for number in marks.texts if number > last):  # that hold nothing but these
        yield _Row(number, _with_texts([], marks.texts[number]))


def _with_texts(cells: list[str], texts: Mapping[int, str]) -> list[str]:
    """The cells of a row with what stands in place of values: a sheet may end before those that have none."""
    cells += [""] * (max(texts) + 1 - len(cells))
    for column, text in texts.items():
        cells[column] = text
    return cells


def _shown(values: Sequence[Value], formats: Mapping[int, NumberFormat]) -> list[str]:
    cells = []
    for column, value in enumerate(values):
        numbers = formats.get(column, _PLAIN)
        if type(value) is float:
            cells.append(numbers[value])
        elif type(value) is str and not numbers.code:
            cells.append(value and one_line(value))
        else:
            cells.append(shown(value, numbers.code))
    return cells


def _fitting(rows: Iterable[_Row], builder: TextBuilder) -> Iterator[_Row]:
    """The rows that there is room for: a file of a kilobyte can hold a sheet that says the same a million times."""
    taken = 0
    for row in rows:
        if taken > builder.room:
            builder.leave_rest_out()
            return
        while not row.cells[-1]:
            row.cells.pop()
        taken += sum(map(len, row.cells)) + len(row.cells)
        yield row


def _write_sheet(name: str, rows: list[_Row], marks: SheetMarks, builder: TextBuilder) -> None:
    rows = _with_notes(rows, marks)
    if not rows:
        return
    builder.heading(name, 1)
    builder.place(one_line(name), "row")
    covering = _covering(rows, marks.merged, builder)
    header = ""
    for region in _regions(rows, marks.merged):
        body = _with_merged(region, covering, builder)
        while len(body) > 1 and _filled(body[0].cells) == 1 < _filled(body[1].cells):
            caption, *body = body
            builder.place(one_line(name), "row", caption.number + 1)
            builder.paragraph("".join(caption.cells))  # above the table
        cells = [row.cells for row in body]
        if is_header(cells[0]) and (len(body) > 1 or not header):
            header = _header_line(cells, _heads(body[0].number, covering))
        # Rows without a header of their own, after a gap, go on under the last one.
        builder.table(cells, header, numbers=[row.number + 1 for row in body])
    if marks.uncalculated:
        count = len(marks.uncalculated)
        named = ", ".join(cell_names(one_line(name), marks.uncalculated))
        builder.leave_out(f"the values of {count:,} formula{'s' * (count > 1)} never calculated: {named}")


def _with_notes(rows: list[_Row], marks: SheetMarks) -> list[_Row]:
    """The rows, with the notes of cells behind what the cells say; a cell may have nothing but a note."""
    if not marks.notes:
        return rows
    found = {row.number: list(row.cells) for row in rows}
    for number, notes in marks.notes.items():
        cells = found.setdefault(number, [])
        for column, text in notes.items():
            cells += [""] * (column + 1 - len(cells))
            cells[column] = f"{cells[column]} [note: {text}]".lstrip()
    return [_Row(number, found[number]) for number in sorted(found)]


def _regions(rows: list[_Row], merged: Sequence[Area]) -> Iterator[list[_Row]]:
    """The rows, cut where empty ones lie between, unless a merged cell covers these."""
    bridges = sorted((area.top, area.bottom) for area in merged if area.bottom > area.top)
    region: list[_Row] = []
    reach, following = -1, 0
    for row in rows:
        if region and row.number > region[-1].number + 1 and row.number > reach + 1:
            yield region
            region = []
        while following < len(bridges) and bridges[following][0] <= row.number:
            reach = max(reach, bridges[following][1])
            following += 1
        region.append(row)
    if region:
        yield region


def _covering(rows: list[_Row], merged: Sequence[Area], builder: TextBuilder) -> dict[int, list[Area]]:
    """The merged cells that reach into each row, from left to right."""
    found: dict[int, list[Area]] = {}
    numbers = [row.number for row in rows] if merged else []
    left = builder.room
    for area in sorted(merged, key=lambda area: area.left):
        for number in numbers[bisect_left(numbers, area.top) : bisect_right(numbers, area.bottom)]:
            found.setdefault(number, []).append(area)
            left -= 1
        if left < 0:  # they lie one upon another, as no program makes them
            builder.leave_out("the repeats of merged cells")
            return {}
    return found


def _with_merged(region: list[_Row], covering: Mapping[int, Sequence[Area]], builder: TextBuilder) -> list[_Row]:
    """The rows of a table, what merged cells say in every row and column that they cover."""
    numbers = [row.number for row in region]
    if not any(number in covering for number in numbers):
        return region
    begun: set[Area] = set()
    grid: list[list[Cell]] = []
    for position, (number, texts) in enumerate(region):
        cells: list[Cell] = []
        column = 0
        for area in covering.get(number, ()):
            if area.left < column:
                continue
            texts_before = texts[column : area.left]
            cells += map(Cell, texts_before)
            cells += [Cell("")] * (area.left - column - len(texts_before))
            column = area.right + 1
            if area not in begun:
                begun.add(area)
                text = texts[area.left] if area.top == number and area.left < len(texts) else ""
                cells.append(Cell(text, bisect_right(numbers, area.bottom) - position, column - area.left))
        grid.append([*cells, *map(Cell, texts[column:])])
    rows = filled(grid, heads=1, most=builder.room, leave_out=builder.leave_out)
    return [_Row(number, cells) for number, cells in zip(numbers, rows, strict=True) if any(cells)]


def _heads(row: int, covering: Mapping[int, Sequence[Area]]) -> int:
    """How many rows the merged cells of a header's first row make it."""
    heights = (max(area.bottom - row + 1, 1 + (area.right > area.left)) for area in covering.get(row, ()))
    return min(max(heights, default=1), _HEADER_ROWS)


def _filled(row: Sequence[str]) -> int:
    return sum(map(bool, row))


def _header_line(rows: Sequence[Sequence[str]], heads: int) -> str:
    """The header of a table as one line: one of several rows (groups above columns) is joined column by column."""
    height = 1
    while height < min(_HEADER_ROWS, len(rows)) and is_header(rows[height]):
        if height >= heads and _filled(rows[height - 1]) >= _filled(rows[height]):
            break
        height += 1
    columns = zip_longest(*rows[:height], fillvalue="")
    names = (" ".join(filter(None, dict.fromkeys(column))) for column in columns)
    return " | ".join(name for name in names if name)[:_HEADER_LIMIT]
