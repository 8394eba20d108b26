"""ODT and ODP, read from `content.xml` and `styles.xml`: the format is small enough to need no library."""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Iterator
from typing import NamedTuple

from lxml import etree

from connectors.errors import SourceError
from connectors.formats.grid import Cell, write_table
from connectors.formats.limits import check_zip, parse_xml, text_for
from connectors.formats.office.equations import linear
from connectors.formats.office.numbering import BULLET, Counters
from connectors.formats.office.odf.styles import (
    DC,
    DRAW,
    FORM,
    META,
    OFFICE,
    PRESENTATION,
    STYLE,
    TABLE,
    TEXT,
    Styles,
    label,
    whole,
)
from connectors.formats.office.odf.text import HIDDEN, MOST_REPEAT, Line, LineReader
from connectors.formats.office.tables import head_rows
from connectors.formats.titles import claimed_author, claimed_title
from connectors.parsed import Parsed, TextBuilder, one_line

_MAX_COLUMNS = 16_384  # of a row, as in the programs that write the format
_NO_BODY = frozenset({f"{TEXT}tracked-changes", f"{TEXT}sequence-decls", f"{OFFICE}forms", f"{TEXT}number"})
_ROW_GROUPS = frozenset(f"{TABLE}{name}" for name in ("table-header-rows", "table-rows", "table-row-group"))
_MARGINS = ("header", "header-first", "header-left", "footer", "footer-first", "footer-left")
_CHART = "{urn:oasis:names:tc:opendocument:xmlns:chart:1.0}"


def parse_opendocument(data: bytes) -> Parsed:
    """An OpenDocument text or presentation: headings, lists and tables in order; a slide is a page."""
    check_zip(data)
    builder = TextBuilder(text_for(len(data)))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        content = parse_xml(archive.read("content.xml"), leave_out=builder.leave_out)
        meta = parse_xml(archive.read("meta.xml")) if "meta.xml" in names else None
        encrypted = (
            b"encryption-data" in archive.read("META-INF/manifest.xml") if "META-INF/manifest.xml" in names else 0
        )
        body = content.find(f"{OFFICE}body")
        if body is None:
            hint = "open it, remove the password, save it again" if encrypted else ""
            raise SourceError("encrypted document" if encrypted else "it has no body", hint=hint)
        shared = parse_xml(archive.read("styles.xml"), leave_out=builder.leave_out) if "styles.xml" in names else None
        writer = _Writer(archive, content, shared, builder)
        writer.write(body)
        if shared is not None:
            writer.write_margins(shared)
    pages = sum(1 for _ in body.iter(f"{DRAW}page"))
    metadata = {
        "author": claimed_author(_field(meta, f"{META}initial-creator"))
        or claimed_author(_field(meta, f"{DC}creator")),
        "pages": pages or None,
    }
    named = builder.first_heading if pages else builder.heading_title
    title = writer.title or claimed_title(_field(meta, f"{DC}title")) or named
    return builder.build("odp" if pages else "odt", title, metadata)


class _Place(NamedTuple):
    """Where in a list a paragraph stands: the style of the list, its level, its counters."""

    style: str
    level: int
    counters: Counters


class _Objects:
    """The documents embedded in another, each given once: a hostile file names one very often."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._names = set(archive.namelist())
        self._roots: dict[str, etree._Element | None] = {}

    def equation(self, name: str) -> str:
        """The formula that an object is; empty for one that is something else, and for one that was given."""
        root = self.take(name)
        if root is None or etree.QName(root).localname != "math":
            self._roots[name] = root
            return ""
        return linear(root)

    def take(self, name: str) -> etree._Element | None:
        """The root of an object, the first time that it is asked for."""
        if name not in self._roots:
            member = posixpath.normpath(posixpath.join(name, "content.xml"))
            self._roots[name] = parse_xml(self._archive.read(member)) if member in self._names else None
        root, self._roots[name] = self._roots[name], None
        return root


class _Writer:
    def __init__(
        self, archive: zipfile.ZipFile, content: etree._Element, shared: etree._Element | None, builder: TextBuilder
    ) -> None:
        self.title = ""
        self._builder = builder
        self._is_show = next(content.iter(f"{DRAW}page"), None) is not None
        self._objects = _Objects(archive)
        common = shared.find(f"{OFFICE}styles") if shared is not None else None
        self._styles = Styles(*(source for source in (common, content) if source is not None))
        controls = {}
        for box in content.iter(f"{FORM}checkbox"):
            controls.update({str(value): box for key, value in box.items() if str(key).endswith("id")})
        self._controls = controls
        self._reader = LineReader(self._styles, self._objects.equation, controls, builder.leave_out)
        self._outline = Counters()
        self._by_list: dict[str, Counters] = {}  # the counters of a list, by its identity
        self._by_style: dict[str, Counters] = {}  # those of the last list in a style

    def write(self, container: etree._Element) -> None:
        """Write what is in a container, in order."""
        for element in container.iterchildren(etree.Element):
            self._write_one(element)

    def _write_one(self, element: etree._Element) -> None:
        tag = str(element.tag)
        if tag in {f"{TEXT}p", f"{TEXT}h"}:
            self._paragraph(element, None)
        elif tag == f"{TEXT}list":
            self._list(element, None)
        elif tag == f"{TABLE}table":
            self._table(element)
        elif tag == f"{OFFICE}annotation":
            self._write_remarks(Line(comments=[element]))
        elif tag == f"{TEXT}section" and element.get(f"{TEXT}display") == "none":
            self._builder.leave_out(HIDDEN)
        elif tag.startswith(DRAW) and tag not in {f"{DRAW}page", f"{DRAW}page-thumbnail", f"{DRAW}text-box"}:
            self._shape(element)
        elif tag not in _NO_BODY:
            if tag == f"{DRAW}page":
                self._builder.page()
            self.write(element)

    def write_margins(self, shared: etree._Element) -> None:
        """Write each different header and footer once, at the end: they belong to no place in the text."""
        styles = Styles(shared)
        self._reader = LineReader(styles, self._objects.equation, self._controls, self._builder.leave_out)
        seen: set[str] = set()
        for page in shared.iter(f"{STYLE}master-page"):
            for name in _MARGINS:
                for margin in page.iterchildren(f"{STYLE}{name}"):
                    text = "\n".join(self._texts(margin)) if margin.get(f"{STYLE}display") != "false" else ""
                    if text and text not in seen and not text.strip().isdigit():
                        seen.add(text)
                        self._builder.paragraph(text)

    def _shape(self, shape: etree._Element) -> None:
        """A frame or a drawing outside a paragraph."""
        if shape.find(f"{TABLE}table") is not None:  # of a slide, beside the picture of it
            self.write(shape)
            return
        line = Line()
        line.text = self._reader.drawing(shape, line)
        for box in line.boxes:
            self.write(box)
        self._builder.paragraph(line.text)
        line.boxes = []
        self._write_attached(line)

    def _paragraph(self, element: etree._Element, place: _Place | None, *, first: bool = True) -> None:
        line = self._reader.read(element)
        if not self.title and self._styles.is_title(element.get(f"{TEXT}style-name", "")):
            self.title = one_line(line.text)
        mark = self._label(element, place) if first else ""
        shown = f"{mark} {line.text}" if mark and line.text.strip() else line.text
        if element.tag == f"{TEXT}h":
            level = whole(element.get(f"{TEXT}outline-level"), 1)
            self._builder.heading(line.text if mark == BULLET else shown, level)
        elif place is not None:
            self._builder.item(shown)
        elif self._is_show and _in_slide_title(element):
            self._builder.heading(line.text, 1)
        else:
            self._builder.paragraph(shown)
        self._write_attached(line)

    def _write_attached(self, line: Line) -> None:
        for picture in line.pictures:
            self._builder.paragraph(picture)
        for name in line.objects:
            self._write_object(name)
        for box in line.boxes:
            self.write(box)
        self._write_remarks(line)

    def _write_remarks(self, line: Line) -> None:
        for remark in self._remarks(line):
            self._builder.paragraph(remark)

    def _write_object(self, name: str) -> None:
        """A chart, as the table that it draws."""
        root = self._objects.take(name)
        chart = next(root.iter(f"{_CHART}chart"), None) if root is not None else None
        if chart is None:
            if root is not None:
                self._builder.leave_out("embedded objects")
            return
        for title in chart.iterchildren(f"{_CHART}title"):
            self._builder.paragraph("\n".join(self._texts(title)))
        for table in chart.iterchildren(f"{TABLE}table"):
            self._table(table)

    def _remarks(self, line: Line) -> Iterator[str]:
        """The notes and comments of a line."""
        for note in line.notes:
            mark = "".join(note.itertext(f"{TEXT}note-citation")).strip()
            text = "\n".join(text for body in note.iterchildren(f"{TEXT}note-body") for text in self._texts(body))
            kind = "Endnote" if note.get(f"{TEXT}note-class") == "endnote" else "Note"
            if text:
                yield f"{kind} {mark}: {text}" if mark else text
        for comment in line.comments:
            author = one_line("".join(comment.itertext(f"{DC}creator")))
            if text := " ".join(self._texts(comment)):
                yield f"Comment ({author}): {text}" if author else f"Comment: {text}"

    def _label(self, element: etree._Element, place: _Place | None) -> str:
        """What stands before a paragraph, counted; empty where nothing does."""
        if place is None and (element.tag != f"{TEXT}h" or element.get(f"{TEXT}is-list-header") == "true"):
            return ""
        written = element.find(f"{TEXT}number")
        if place is None:
            level = whole(element.get(f"{TEXT}outline-level"), 1)
            if level not in self._styles.outline:
                return "".join(written.itertext()).strip() if written is not None else ""
            place = _Place("", level, self._outline)
        levels = self._styles.levels(place.style) if place.style else self._styles.outline
        if place.style == "" and place.counters is not self._outline:
            levels = self._styles.levels(self._styles.list_of(element.get(f"{TEXT}style-name", "")))
        if (start := element.get(f"{TEXT}start-value")) is not None:
            place.counters.begin(place.level, whole(start, 1))
        counted = label(levels, place.level, place.counters)
        return "".join(written.itertext()).strip() if written is not None else counted

    def _list(self, element: etree._Element, outer: _Place | None) -> None:
        for item, place in self._items(element, outer):
            first = item.tag == f"{TEXT}list-item"
            for inner in item.iterchildren(etree.Element):
                if inner.tag in {f"{TEXT}p", f"{TEXT}h"}:
                    self._paragraph(inner, place, first=first)
                    first = False
                elif inner.tag == f"{TEXT}list":
                    self._list(inner, place)
                else:
                    self._write_one(inner)

    def _items(self, element: etree._Element, outer: _Place | None) -> Iterator[tuple[etree._Element, _Place]]:
        """The items of a list, and where they stand."""
        style = element.get(f"{TEXT}style-name", "") or (outer.style if outer else "")
        counters = outer.counters if outer else self._counters(element, style)
        place = _Place(style, outer.level + 1 if outer else 1, counters)
        for item in element.iterchildren(f"{TEXT}list-item", f"{TEXT}list-header"):
            if (start := item.get(f"{TEXT}start-value")) is not None:
                counters.begin(place.level, whole(start, 1))
            yield item, place

    def _counters(self, element: etree._Element, style: str) -> Counters:
        """The counters of an outermost list: its own, or those of the list that it goes on with."""
        identity = element.get("{http://www.w3.org/XML/1998/namespace}id", "")
        found = self._by_list.get(element.get(f"{TEXT}continue-list", ""))
        if found is None and element.get(f"{TEXT}continue-numbering") == "true":
            found = self._by_style.get(style)
        found = found or Counters()
        self._by_style[style] = found
        if identity:
            self._by_list[identity] = found
        return found

    def _texts(
        self, container: etree._Element, nested: list[etree._Element] | None = None, place: _Place | None = None
    ) -> Iterator[str]:
        """The lines of a cell, a note or a header, with what hangs on them. Tables in it go to `nested`, if given."""
        for element in container.iterchildren(etree.Element):
            if element.tag in {f"{TEXT}p", f"{TEXT}h"}:
                line = self._reader.read(element)
                first = place is None or element.getprevious() is None
                mark = self._label(element, place) if first and container.tag != f"{TEXT}list-header" else ""
                # A cell may hold its number alone.
                text = f"{mark} {line.text}" if mark and (line.text.strip() or mark != BULLET) else line.text
                boxes = (text for box in line.boxes for text in self._texts(box))
                remarks = (f"({remark})" for remark in self._remarks(line))
                yield from filter(str.strip, (text, *line.pictures, *boxes, *remarks))
            elif element.tag == f"{TEXT}list":
                for item, inner in self._items(element, place):
                    yield from self._texts(item, nested, inner)
            elif element.tag == f"{TABLE}table" and nested is not None:
                nested.append(element)
            elif element.tag not in _NO_BODY:
                yield from self._texts(element, nested)

    def _table(self, table: etree._Element) -> None:
        rows = list(_rows(table))
        cells = [list(row.iterchildren(f"{TABLE}table-cell")) for row, _ in rows]
        if all(len(row) <= 1 and not any(map(_repeats, row)) for row in cells):  # a frame around text
            for row in cells:
                for cell in row:
                    self.write(cell)
            return
        nested: list[etree._Element] = []
        grid = [list(self._cells(row, nested)) for row in cells]
        write_table(self._builder, grid, head_rows(grid, sum(is_head for _, is_head in rows)))
        for inner in nested:
            self._table(inner)

    def _cells(self, row: list[etree._Element], nested: list[etree._Element]) -> Iterator[Cell]:
        written = 0
        for cell in row:
            text = " ".join(self._texts(cell, nested))
            rows = whole(cell.get(f"{TABLE}number-rows-spanned"), 1)
            columns = whole(cell.get(f"{TABLE}number-columns-spanned"), 1)
            for _ in range(_repeats(cell) + 1):
                if written >= _MAX_COLUMNS:
                    self._builder.leave_out(f"columns beyond {_MAX_COLUMNS:,}")
                    return
                written += 1
                yield Cell(text, rows, columns)


def _rows(table: etree._Element, *, is_head: bool = False) -> Iterator[tuple[etree._Element, bool]]:
    """The rows of a table, but not those of tables in it, and whether they are its header."""
    for element in table.iterchildren(etree.Element):
        if element.tag == f"{TABLE}table-row":
            yield element, is_head
        elif element.tag in _ROW_GROUPS:
            yield from _rows(element, is_head=is_head or element.tag == f"{TABLE}table-header-rows")


def _repeats(cell: etree._Element) -> int:
    """How many times more a cell stands beside itself."""
    return min(whole(cell.get(f"{TABLE}number-columns-repeated"), 1), MOST_REPEAT) - 1


def _in_slide_title(element: etree._Element) -> bool:
    frame = next(element.iterancestors(f"{DRAW}frame"), None)
    return frame is not None and frame.get(f"{PRESENTATION}class") == "title"


def _field(meta: etree._Element | None, tag: str) -> str:
    found = next(meta.iter(tag), None) if meta is not None else None
    return one_line(found.text or "") if found is not None else ""
