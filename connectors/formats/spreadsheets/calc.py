"""ODS: what each cell shows, which the file says in words beside the value."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import NamedTuple

from lxml import etree

from connectors.errors import SourceError
from connectors.formats.spreadsheets.marks import COLUMNS, ROWS, Area, SheetMarks
from connectors.parsed import one_line

_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_HINT = "open it in its program and save it again"
_VALUES = ("value", "date-value", "time-value", "boolean-value", "string-value")
_DURATION = re.compile(r"(-?)PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:[.,]\d+)?S)?$")
_ADDRESS = re.compile(r"\[\.?([^\[\]]*)\]")
_BLANKS = frozenset(f"{_TEXT}{name}" for name in ("s", "tab", "line-break"))
_MOST_FORMULA = 200  # characters of a formula that are shown


class Sheet(NamedTuple):
    """A sheet: its name, and its rows that hold something, each with its number from 0; `marks` grow with them."""

    name: str
    rows: list[tuple[int, list[str]]]
    marks: SheetMarks


def is_calc(members: set[str]) -> bool:
    """Whether an archive with these members is a workbook in OpenDocument format."""
    return "content.xml" in members and "xl/workbook.xml" not in members


def read_calc(data: bytes, room: int) -> Iterator[tuple[Sheet, bool]]:
    """The sheets of a workbook, one by one, with about `room` characters of cells; and whether there were more.

    Raises:
        SourceError: it is damaged or encrypted.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = set(archive.namelist())
        if "META-INF/manifest.xml" in members and b"encryption-data" in archive.read("META-INF/manifest.xml"):
            raise SourceError("encrypted workbook", hint="open it, remove the password, save it again")
        content = archive.read("content.xml")
    reader = _Reader(room)
    events = etree.iterparse(
        io.BytesIO(content),
        events=("start", "end"),
        tag=(f"{_TABLE}table", f"{_TABLE}table-row"),
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        yield from reader.sheets(events)
    except etree.XMLSyntaxError as error:
        raise SourceError(f"damaged: content.xml: {error.msg}", hint=_HINT) from None


class _Reader:
    def __init__(self, room: int) -> None:
        self._room = room
        self._row = 0
        self._is_cut = False

    def sheets(self, events: Iterator[tuple[str, etree._Element]]) -> Iterator[tuple[Sheet, bool]]:
        sheet: Sheet | None = None
        depth = 0
        for event, element in events:
            if element.tag == f"{_TABLE}table":
                depth += 1 if event == "start" else -1
                if event == "start" and depth == 1:
                    self._row = 0
                    sheet = Sheet(element.get(f"{_TABLE}name", ""), [], SheetMarks())
                elif event == "end" and not depth and sheet is not None:
                    yield sheet, self._is_cut
                    element.clear()
            elif event == "end" and depth == 1 and sheet is not None:
                if not self._is_cut:
                    self._read(element, sheet)
                element.clear()
                parent, before = element.getparent(), element.getprevious()
                if parent is not None and before is not None and before.tag == element.tag:
                    parent.remove(before)  # so that what is read takes no memory

    def _read(self, row: etree._Element, sheet: Sheet) -> None:
        repeats = _count(row, "number-rows-repeated", ROWS)
        cells: list[str] = []
        empty = 0
        for cell in row:
            if cell.tag not in {f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"}:
                continue
            count = _count(cell, "number-columns-repeated", COLUMNS)
            text = self._cell(cell, len(cells) + empty, sheet)
            if not text:
                empty += count
                continue
            count = min(count, max(1, self._room // (len(text) + 1)))
            cells += [""] * empty + [text] * count
            empty = 0
            self._room -= (len(text) + 1) * count
            if self._room <= 0 or len(cells) > COLUMNS:
                break
        if cells:
            for number in range(self._row, min(self._row + repeats, ROWS)):
                if number > self._row:
                    self._room -= sum(map(len, cells)) + len(cells)
                sheet.rows.append((number, cells))
                if self._room <= 0:
                    self._is_cut = True
                    break
        self._row += repeats

    def _cell(self, cell: etree._Element, column: int, sheet: Sheet) -> str:
        rows, columns = _count(cell, "number-rows-spanned", ROWS), _count(cell, "number-columns-spanned", COLUMNS)
        if rows > 1 or columns > 1:
            sheet.marks.merged.append(Area(self._row, column, self._row + rows - 1, column + columns - 1))
        if not len(cell) and not cell.attrib:
            return ""
        text = _shown(cell)
        formula = cell.get(f"{_TABLE}formula", "")
        if not text and formula and cell.get(f"{_OFFICE}value-type") != "string":
            sheet.marks.uncalculated.append((self._row, column))
            text = f"={_readable(formula)[:_MOST_FORMULA]}"
        for note in cell.iterchildren(f"{_OFFICE}annotation"):
            if told := one_line(" ".join(_text(each) for each in note.iter(f"{_TEXT}p"))):
                sheet.marks.notes[self._row][column] = told
        return text


def _shown(cell: etree._Element) -> str:
    """What a cell shows: a date in ISO form, otherwise its own words, or its value where a program wrote no words."""
    if date := cell.get(f"{_OFFICE}date-value", ""):
        day, _, clock = date.partition("T")
        return f"{day} {clock.split('.')[0]}" if clock.strip("0:.") else day
    if text := one_line(" ".join(_text(each) for each in cell.iterchildren(f"{_TEXT}p"))):
        return text
    value = next((told for name in _VALUES if (told := cell.get(f"{_OFFICE}{name}"))), "")
    kind = cell.get(f"{_OFFICE}value-type")
    if kind == "percentage":
        return f"{float(value) * 100:.15g}%"
    if kind == "time" and (found := _DURATION.match(value)):
        hours, minutes, seconds = (int(part or 0) for part in found.groups()[1:])
        return f"{found[1]}{hours:02d}:{minutes:02d}" + (f":{seconds:02d}" if seconds else "")
    if kind == "currency":
        return f"{value} {cell.get(f'{_OFFICE}currency', '')}".strip()
    return value.upper() if kind == "boolean" else one_line(value)


def _text(paragraph: etree._Element) -> str:
    """The words of a paragraph; runs of blanks and tabs are elements of their own."""
    pieces = []
    for event, element in etree.iterwalk(paragraph, events=("start", "end")):
        if event == "end":
            pieces.append(element.tail or "" if element is not paragraph else "")
        else:
            pieces.append(" " if element.tag in _BLANKS else element.text or "")
    return "".join(pieces)


def _count(element: etree._Element, name: str, most: int) -> int:
    value = element.get(f"{_TABLE}{name}", "1")
    return max(1, min(int(value), most)) if value.isdigit() and len(value) < 10 else 1  # noqa: PLR2004


def _readable(formula: str) -> str:
    """A formula as the program shows it: `of:=[.B2]*[.C2]` is `B2*C2`."""
    bare = formula.partition("=")[2] or formula
    return one_line(_ADDRESS.sub(lambda found: found[1].replace(":.", ":"), bare))
