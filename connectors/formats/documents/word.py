"""DOCX: the body in document order, as it reads with all changes accepted, and what stands beside it.

Read directly from the XML: the numbers, changes, notes and equations are what a library for writing leaves out.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping

from lxml import etree

from connectors.formats.documents.opc import Package
from connectors.formats.grid import Cell, write_table
from connectors.formats.limits import check_zip, text_for
from connectors.formats.office.charts import write_chart
from connectors.formats.office.drawing_text import paragraph_text
from connectors.formats.office.numbering import BULLET
from connectors.formats.office.tables import head_rows
from connectors.formats.office.word.notes import Notes
from connectors.formats.office.word.numbering import Numbering
from connectors.formats.office.word.styles import MOST_OUTLINE, Styles
from connectors.formats.office.word.text import Line, LineReader
from connectors.formats.office.word.vocabulary import W, child, names, switch, value
from connectors.formats.titles import claimed_author, claimed_title
from connectors.parsed import Parsed, TextBuilder, one_line

_WRAPPERS = frozenset(f"{W}{name}" for name in ("sdt", "sdtContent", "ins", "moveTo", "customXml", "smartTag"))
_MOST_COLUMNS = 16_384
_EMBEDDED = frozenset({"oleObject", "package"})


def parse_docx(data: bytes) -> Parsed:
    """A Word document: headings and tables as blocks, notes after the paragraph that refers to them."""
    check_zip(data)
    builder = TextBuilder(text_for(len(data)))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        package = Package(archive, builder.leave_out)
        writer = _Writer(package, builder)
        body = child(package.read(package.main()), "body")
        if body is not None:
            writer.write(body)
        writer.write_margins()
        title = writer.title or claimed_title(package.property("title")) or builder.heading_title
        metadata = {
            "author": claimed_author(package.property("creator")),
            "subject": one_line(package.property("subject")),
        }
    return builder.build("docx", title, metadata)


class _Writer:
    def __init__(self, package: Package, builder: TextBuilder) -> None:
        self.title = ""
        self._builder = builder
        self._package = package
        self._relations = {relation.identity: relation for relation in package.relations(package.main())}
        self._styles = Styles(self._part("styles"))
        self._numbering = Numbering(self._part("numbering"), self._styles)
        self._notes = Notes({kind: self._part(kind) for kind in ("footnotes", "endnotes")}, self._part("settings"))
        self._comments = {
            comment.get(f"{W}id", ""): comment for comment in self._children(self._part("comments"), "comment")
        }
        self._reader = LineReader(self._styles, self._notes.mark, builder.leave_out)
        self._carried = ""  # text of paragraphs whose end was deleted: it goes on in the next one

    def write(self, container: etree._Element) -> None:
        """Write the paragraphs and tables of a container, through the wrappers that content controls and edits add."""
        for element in container.iterchildren(etree.Element):
            if element.tag == f"{W}p":
                self._paragraph(element)
            elif element.tag == f"{W}tbl":
                self._table(element)
            elif element.tag == f"{W}altChunk":
                self._builder.leave_out("a file that is included as it is")
            elif element.tag in _WRAPPERS:
                self.write(element)

    def write_margins(self) -> None:
        """Write each different header and footer once, at the end: they belong to no place in the text."""
        self._end_paragraph()
        seen: set[str] = set()
        for relation in self._relations.values():
            if relation.kind in {"header", "footer"}:
                text = "\n".join(self._texts(self._package.read(relation.part)))
                if text and text not in seen and not text.strip().isdigit():
                    seen.add(text)
                    self._builder.paragraph(text)
            elif relation.kind in _EMBEDDED:
                self._builder.leave_out("embedded objects")

    def _part(self, kind: str) -> etree._Element | None:
        part = next((relation.part for relation in self._relations.values() if relation.kind == kind), None)
        return self._package.read(part) if part is not None else None

    def _paragraph(self, element: etree._Element) -> None:
        line = self._reader.read(element)
        properties = names(element.find(f"{W}pPr"))
        if _has_no_end(properties):
            self._carried += line.text
            self._write_attached(line)
            return
        text, self._carried = self._carried + line.text, ""
        style = value(properties.get("pStyle"))
        if style in self._styles.titles and not self.title:
            self.title = one_line(text)
        label = self._label(properties, style)
        if level := self._level(properties, style):
            self._builder.heading(text if label in {None, BULLET} else f"{label} {text}", level)
        elif label is not None:
            self._builder.item(f"{label} {text}" if text.strip() else "")
        else:
            self._builder.paragraph(text)
        self._write_attached(line)

    def _write_attached(self, line: Line) -> None:
        for picture in line.pictures:
            self._builder.paragraph(picture)
        for part in line.parts:
            self._write_drawn(part)
        for box in line.boxes:
            self.write(box)
        for text in self._remarks(line):
            self._builder.paragraph(text)

    def _write_drawn(self, identity: str) -> None:
        relation = self._relations.get(identity)
        if relation is not None and relation.kind == "chart":
            write_chart(self._package.read(relation.part), self._builder)
        elif relation is not None and relation.kind == "diagramData":
            for paragraph in self._package.read(relation.part).iter("{*}p"):
                self._builder.item(paragraph_text(paragraph))

    def _remarks(self, line: Line) -> Iterator[str]:
        """The notes and comments of a line, each where it is referred to first."""
        for kind, identity in line.notes:
            note = self._notes.take(kind, identity)
            text = " ".join(self._texts(note)) if note is not None else ""
            if text.strip():
                yield f"{self._notes.name(kind, identity)}: {text.strip()}"
        for identity in line.comments:
            comment = self._comments.pop(identity, None)
            text = " ".join(self._texts(comment)) if comment is not None else ""
            if comment is not None and text.strip():
                author = one_line(comment.get(f"{W}author", ""))
                yield f"Comment ({author}): {text.strip()}" if author else f"Comment: {text.strip()}"

    def _level(self, properties: Mapping[str, etree._Element], style: str) -> int:
        own = value(properties.get("outlineLvl"))
        if own.isdecimal():
            return int(own) + 1 if int(own) < MOST_OUTLINE else 0
        return self._styles.levels.get(style, 0)

    def _label(self, properties: Mapping[str, etree._Element], style: str) -> str | None:
        """What stands before a paragraph of a list; None for one that is in none."""
        own = properties.get("numPr")
        number = value(own, "numId") or self._styles.numbers.get(style, "")
        if number in {"", "0"}:
            return BULLET if not number and style in self._styles.lists else None
        level = value(own, "ilvl") or self._styles.number_levels.get(style, "")
        place = int(level) if level.isdecimal() else self._numbering.level_of(number, style)
        label = self._numbering.label(number, place)
        return BULLET if label is None else label

    def _texts(self, container: etree._Element, nested: list[etree._Element] | None = None) -> Iterator[str]:
        """The lines of a cell, a note or a header, with what hangs on them. Tables in it go to `nested`, if given."""
        for element in container.iterchildren(etree.Element):
            if element.tag == f"{W}p":
                line = self._reader.read(element)
                properties = names(element.find(f"{W}pPr"))
                counts = line.text.strip() or not _has_no_end(properties)
                label = self._label(properties, value(properties.get("pStyle"))) if counts else None
                # A cell may hold its number alone.
                text = f"{label} {line.text}" if label and (line.text.strip() or label != BULLET) else line.text
                boxes = (text for box in line.boxes for text in self._texts(box))
                remarks = (f"({remark})" for remark in self._remarks(line))
                yield from filter(str.strip, (text, *line.pictures, *boxes, *remarks))
            elif element.tag == f"{W}tbl" and nested is not None:
                nested.append(element)
            elif element.tag in {f"{W}tbl", f"{W}tr", f"{W}tc", *_WRAPPERS}:
                yield from self._texts(element, nested)

    def _end_paragraph(self) -> None:
        """Write text that has no paragraph left to go on in."""
        self._builder.paragraph(self._carried)
        self._carried = ""

    def _table(self, table: etree._Element) -> None:
        self._end_paragraph()
        rows = [row for row in self._children(table, "tr") if child(row, "trPr", "del") is None]
        cells = [list(self._children(row, "tc")) for row in rows]
        if all(len(row) <= 1 for row in cells):  # a frame around text
            for row in cells:
                for cell in row:
                    self.write(cell)
            return
        nested: list[etree._Element] = []
        grid = self._grid(rows, cells, nested)
        marked = sum(1 for row in rows if switch(child(row, "trPr"), "tblHeader"))
        write_table(self._builder, grid, head_rows(grid, marked))
        for inner in nested:
            self._table(inner)

    def _grid(
        self, rows: list[etree._Element], cells: list[list[etree._Element]], nested: list[etree._Element]
    ) -> list[list[Cell]]:
        grid: list[list[Cell]] = []
        open_cells: dict[int, tuple[int, int]] = {}  # column → row and place of the cell that reaches down there
        for row, row_cells in zip(rows, cells, strict=True):
            found: list[Cell] = []
            column = _span(child(row, "trPr"), "gridBefore", 0)
            if column:
                found.append(Cell("", columns=column))
            for cell in row_cells:
                properties = child(cell, "tcPr")
                width = _span(properties, "gridSpan", 1)
                merge = child(properties, "vMerge")
                goes_on = merge is not None and merge.get(f"{W}val", "continue") != "restart"
                if goes_on and column in open_cells:
                    at, place = open_cells[column]
                    grid[at][place] = grid[at][place]._replace(rows=len(grid) - at + 1)
                elif value(properties, "hMerge") == "continue" and found:
                    found[-1] = found[-1]._replace(columns=found[-1].columns + width)
                else:
                    open_cells.pop(column, None)
                    if merge is not None:
                        open_cells[column] = (len(grid), len(found))
                    found.append(Cell(" ".join(self._texts(cell, nested)), columns=width))
                column += width
            grid.append(found)
        return grid

    def _children(self, element: etree._Element | None, name: str) -> Iterator[etree._Element]:
        """Children of a name, also those wrapped in content controls."""
        for found in element.iterchildren(etree.Element) if element is not None else ():
            if found.tag == f"{W}{name}":
                yield found
            elif found.tag in _WRAPPERS:
                yield from self._children(found, name)


def _has_no_end(properties: Mapping[str, etree._Element]) -> bool:
    """Whether the end of a paragraph was deleted or moved away, so that it goes on in the next one."""
    mark = properties.get("rPr")
    return mark is not None and any(child(mark, name) is not None for name in ("del", "moveFrom"))


def _span(properties: etree._Element | None, name: str, default: int) -> int:
    text = value(properties, name)
    return min(int(text[:6]), _MOST_COLUMNS) if text.isdecimal() else default
