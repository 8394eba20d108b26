"""XLSX and XLSM: the number formats, formulas, errors, merged cells and notes that its XML tells beside the values."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator, Mapping
from functools import lru_cache
from html import unescape

from lxml import etree

from connectors.errors import SourceError
from connectors.formats.limits import parse_xml
from connectors.formats.spreadsheets.marks import SheetMarks, area_of, cell_at, column_name
from connectors.formats.spreadsheets.number_formats import BUILT_IN, NumberFormat, number_format
from connectors.parsed import one_line

_WORKBOOK = "xl/workbook.xml"
_RELATED = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_RELATED_STRICT = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"
_THREADED = "[Threaded comment]"  # begins what an old program shows in place of a conversation
_MOST_FORMULA = 200  # characters of a formula that are shown

# The XML of a sheet has millions of cells, most of them without anything to tell: patterns pick out those that have.
# The values are read by another parser, which refuses damaged XML; a `<` inside a text is always written as an entity.
_STYLED = re.compile(rb"<(?:\w+:)?c r=[\"']([A-Z]{1,3})([0-9]{1,7})[\"'][^<>]*?\bs=[\"']([0-9]+)[\"']")
_TELLING = re.compile(
    rb"<(?:\w+:)?c\b(?=[^<>]*(?:\bt=[\"']e[\"']|>\s*<(?:\w+:)?f\b))([^<>/]*)>"
    rb"\s*(?:<(?:\w+:)?f\b(?P<formula>[^<>]*?)(?:/>|>(?P<text>[^<>]*)</(?:\w+:)?f>)\s*)?"
    rb"(?:<(?:\w+:)?v\b[^<>]*?(?:/>|>(?P<value>[^<>]*)</(?:\w+:)?v>))?"
)
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\b[^<>]*?\bref=[\"']([A-Z0-9:$]{1,24})[\"']")
_ROW_OR_CELL = re.compile(rb"<(?:\w+:)?(row|c)\b([^<>]*)")
_FIRST_CELL = re.compile(rb"<(?:\w+:)?c\b([^<>]*)")
_ATTRIBUTE = re.compile(rb"\b(r|t|si)=[\"']([^\"'<>]*)[\"']")


class ExcelXml:
    """The parts of a workbook, found as the program finds them: by their relationships."""

    def __init__(self, data: bytes) -> None:
        self._archive = zipfile.ZipFile(io.BytesIO(data))
        self._members = set(self._archive.namelist())
        related = self._related(_WORKBOOK)
        workbook = self._xml(_WORKBOOK)
        self._sheets: list[str] = []
        self._recalculates = False
        for element in workbook.iter() if workbook is not None else ():
            name = etree.QName(element).localname
            if name == "sheet":
                key = element.get(_RELATED) or element.get(_RELATED_STRICT) or ""
                self._sheets.append(related.get(key, ("", ""))[1])
            elif name == "calcPr":
                self._recalculates = element.get("fullCalcOnLoad") in {"1", "true"}
        styles = next((part for kind, part in related.values() if kind == "styles"), "xl/styles.xml")
        self._formats = _formats_of_styles(self._xml(styles))
        self._last: tuple[str, SheetMarks] = ("", SheetMarks())

    def marks(self, number: int) -> SheetMarks:
        """What the sheet at `number`, in the order of the workbook, says of its cells."""
        part = self._sheets[number] if number < len(self._sheets) else ""
        if part != self._last[0]:  # a hostile workbook shows one part as a thousand sheets
            self._last = part, self._marks_of(part) if part in self._members else SheetMarks()
        return self._last[1]

    def _marks_of(self, part: str) -> SheetMarks:
        marks = SheetMarks()
        xml = self._archive.read(part)
        cell = _FIRST_CELL.search(xml, max(0, xml.find(b"sheetData")))
        if cell and not cell[1].startswith(b" r="):
            xml = b"".join(_with_references(xml))
        if self._formats:
            _read_formats(xml, self._formats, marks)
        if any(sign in xml for sign in (b"<f", b":f", b'"e"', b"'e'")):
            _read_formulas(xml, marks, recalculates=self._recalculates)
        if b"mergeCell" in xml:
            areas = (area_of(found.decode()) for found in _MERGED.findall(xml))
            marks.merged = [area for area in areas if area is not None]
        for kind, target in sorted(self._related(part).values(), reverse=True):  # conversations before old notes
            if kind in {"comments", "threadedComment"}:
                self._read_notes(target, marks)
        return marks

    def _read_notes(self, part: str, marks: SheetMarks) -> None:
        root = self._xml(part)
        for element in root.iter() if root is not None else ():
            at = cell_at(element.get("ref", ""))
            if at is None or etree.QName(element).localname not in {"comment", "threadedComment"}:
                continue
            pieces = (piece for piece in element.iter() if etree.QName(piece).localname in {"t", "text"})
            text = one_line("".join(piece.text or "" for piece in pieces))
            told = marks.notes[at[0]].get(at[1])
            if text and not (told and text.startswith(_THREADED)):
                marks.notes[at[0]][at[1]] = f"{told}; {text}" if told else text

    def _related(self, part: str) -> dict[str, tuple[str, str]]:
        """The parts that a part refers to, by id: each with its kind."""
        folder, name = posixpath.split(part)
        root = self._xml(f"{folder}/_rels/{name}.rels")
        found = {}
        for element in root if root is not None else ():
            target = element.get("Target", "")
            where = target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"{folder}/{target}")
            found[element.get("Id", "")] = (element.get("Type", "").rpartition("/")[2], where)
        return found

    def _xml(self, part: str) -> etree._Element | None:
        if part not in self._members:
            return None
        try:
            return parse_xml(self._archive.read(part))
        except (SourceError, etree.XMLSyntaxError):
            return None


def _formats_of_styles(root: etree._Element | None) -> dict[bytes, NumberFormat]:
    """The number format of each style of cells by its number, where it has one that changes what is shown."""
    codes = {str(number): code for number, code in BUILT_IN.items()}
    found: dict[bytes, NumberFormat] = {}
    for element in root if root is not None else ():
        name = etree.QName(element).localname
        if name == "numFmts":
            codes |= {each.get("numFmtId", ""): each.get("formatCode", "") for each in element}
        elif name == "cellXfs":
            used = [number_format(codes.get(each.get("numFmtId", "0"), "")) for each in element]
            found = {b"%d" % at: each for at, each in enumerate(used) if each.code}
    return found


def _read_formats(xml: bytes, formats: Mapping[bytes, NumberFormat], marks: SheetMarks) -> None:
    row, found = b"", dict[int, NumberFormat]()
    for letters, number, style in _STYLED.findall(xml):
        if (code := formats.get(style)) is not None:
            if number != row:
                row, found = number, marks.formats[int(number) - 1]
            found[_column_of(letters)] = code


def _read_formulas(xml: bytes, marks: SheetMarks, *, recalculates: bool) -> None:
    """Keep the errors, and the formulas that no program has calculated.

    A program that cannot calculate stores nothing as their results; or zeros, and asks the next one to calculate.
    """
    shared: dict[bytes, str] = {}
    zeros: list[tuple[int, int, str]] = []
    has_results = False
    for found in _TELLING.finditer(xml):
        attributes = dict(_ATTRIBUTE.findall(found[1]))
        at = cell_at(attributes.get(b"r", b"").decode())
        if at is None:
            continue
        row, column = at
        value = found["value"] or b""
        if attributes.get(b"t") == b"e":
            marks.texts[row][column] = _decoded(value) or "#ERROR"
        if found["formula"] is None:
            continue
        formula = _decoded(found["text"] or b"")
        if group := dict(_ATTRIBUTE.findall(found["formula"])).get(b"si"):
            formula = shared.setdefault(group, formula)
        if not value and attributes.get(b"t") != b"str":
            marks.texts[row][column] = f"={formula[:_MOST_FORMULA]}"
            marks.uncalculated.append(at)
        elif value == b"0":
            zeros.append((row, column, f"={formula[:_MOST_FORMULA]}"))
        else:
            has_results = True
    if recalculates and not has_results:
        for row, column, formula in zeros:
            marks.texts[row][column] = formula
            marks.uncalculated.append((row, column))


def _decoded(text: bytes) -> str:
    return one_line(unescape(text.decode("utf-8", "replace")))


def _with_references(xml: bytes) -> Iterator[bytes]:
    """The XML of a sheet, each cell beginning with its place, which some programs leave to be counted."""
    row, column, done = 0, 0, 0
    for found in _ROW_OR_CELL.finditer(xml):
        told = dict(_ATTRIBUTE.findall(found[2])).get(b"r", b"")
        if found[1] == b"row":
            row, column = int(told) if told.isdigit() else row + 1, 0
            continue
        at = cell_at(told.decode("ascii", "replace"))
        column = at[1] + 1 if at else column + 1
        yield xml[done : found.start(2)]
        yield b' r="%s%d"' % (column_name(column - 1).encode(), row)
        done = found.start(2)
    yield xml[done:]


@lru_cache(maxsize=20_000)
def _column_of(letters: bytes) -> int:
    found = cell_at(f"{letters.decode()}1")
    return found[1] if found else 0
