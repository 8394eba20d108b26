"""DOCX: the body in document order, with text boxes, notes, headers and footers."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from lxml import etree

from connectors.formats.limits import check_zip, parse_xml, text_for
from connectors.formats.titles import claimed_author, claimed_title
from connectors.parsed import Parsed, TextBuilder, one_line

if TYPE_CHECKING:
    from docx.document import Document as WordDocument

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_MC_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_TITLE_LEVEL = 1
_MAX_OUTLINE = 9
_NOTES = (("footnotes", "footnoteReference"), ("endnotes", "endnoteReference"))


def parse_docx(data: bytes) -> Parsed:
    """A Word document: headings and tables as blocks, notes after the paragraph that refers to them."""
    import docx

    check_zip(data)
    document = docx.Document(io.BytesIO(data))
    writer = _Writer(document, text_for(len(data)))
    writer.write(document.element.body)
    writer.write_margins()
    properties = document.core_properties
    title = writer.title or claimed_title(properties.title) or writer.builder.heading_title
    metadata = {
        "author": claimed_author(properties.author),
        "subject": one_line(properties.subject),
    }
    return writer.builder.build("docx", title, metadata)


class _Writer:
    def __init__(self, document: WordDocument, most: int) -> None:
        self.builder = TextBuilder(most)
        self.title = ""
        self._document = document
        self._levels, self._titles, self._lists = _styles(document)
        self._notes = {reference: _notes(document, part, self.builder) for part, reference in _NOTES}

    def write(self, container: etree._Element) -> None:
        """Write the paragraphs and tables of a container, through the wrappers that content controls and edits add."""
        for element in container.iterchildren(etree.Element):
            if element.tag == f"{_W}p":
                self._paragraph(element)
            elif element.tag == f"{_W}tbl":
                rows = [[_cell(cell) for cell in _children(row, "tc")] for row in _children(element, "tr")]
                self.builder.table(rows)
            elif element.tag in {f"{_W}sdt", f"{_W}sdtContent", f"{_W}ins", f"{_W}customXml", f"{_W}smartTag"}:
                self.write(element)

    def write_margins(self) -> None:
        """Write each different header and footer once, at the end: they belong to no place in the text."""
        seen: set[str] = set()
        for relation in self._document.part.rels.values():
            if relation.is_external or not relation.reltype.endswith(("/header", "/footer")):
                continue
            root = parse_xml(relation.target_part.blob, leave_out=self.builder.leave_out)
            text = "\n".join(filter(None, (_text(p) for p in root.iter(f"{_W}p"))))
            if text and text not in seen and not text.strip().isdigit():
                seen.add(text)
                self.builder.paragraph(text)

    def _paragraph(self, element: etree._Element) -> None:
        text = _text(element)
        style = _value(element, "pPr/pStyle")
        level = self._level(element, style)
        if style in self._titles and not self.title:
            self.title = one_line(text)
        if level:
            self.builder.heading(text, level)
        elif element.find(f"{_W}pPr/{_W}numPr") is not None or style in self._lists:
            self.builder.item(f"- {text}" if text.strip() else "")
        else:
            self.builder.paragraph(text)
        for box in _boxes(element):
            self.write(box)
        for reference, notes in self._notes.items():
            for mark in element.iter(f"{_W}{reference}"):
                self.builder.paragraph(notes.get(mark.get(f"{_W}id", ""), ""))

    def _level(self, element: etree._Element, style: str) -> int:
        own = _value(element, "pPr/outlineLvl")
        if own.isdigit():
            return int(own) + 1 if int(own) < _MAX_OUTLINE else 0
        return self._levels.get(style, 0)


def _cell(cell: etree._Element) -> str:
    return " ".join(filter(None, (_text(paragraph) for paragraph in cell.iter(f"{_W}p"))))


def _styles(document: WordDocument) -> tuple[Mapping[str, int], frozenset[str], frozenset[str]]:
    """By style id: heading levels, the title styles, and the list styles; inherited from the styles they build on."""
    levels: dict[str, int] = {}
    titles, lists = set(), set()
    parents: dict[str, str] = {}
    for style in document.styles.element.iter(f"{_W}style"):
        identity, name = style.get(f"{_W}styleId", ""), _value(style, "name").lower()
        parents[identity] = _value(style, "basedOn")
        outline = _value(style, "pPr/outlineLvl")
        if name == "title":
            titles.add(identity)
            levels[identity] = _TITLE_LEVEL
        elif name.startswith("heading ") and name[8:].isdigit():
            levels[identity] = int(name[8:])
        elif outline.isdigit() and int(outline) < _MAX_OUTLINE:
            levels[identity] = int(outline) + 1
        elif name.startswith("list "):
            lists.add(identity)
    for identity in parents:
        line: dict[str, None] = {}  # of styles without a level, each the parent of the one before
        ancestor = identity
        while ancestor and ancestor not in levels and ancestor not in line:
            line[ancestor] = None
            ancestor = parents.get(ancestor, "")
        levels.update(dict.fromkeys(line, levels.get(ancestor, 0)))
    return levels, frozenset(titles), frozenset(lists)


def _notes(document: WordDocument, kind: str, builder: TextBuilder) -> dict[str, str]:
    """The text of every footnote or endnote by its id."""
    for relation in document.part.rels.values():
        if relation.reltype.endswith(f"/{kind}") and not relation.is_external:
            root = parse_xml(relation.target_part.blob, leave_out=builder.leave_out)
            return {
                note.get(f"{_W}id", ""): "\n".join(filter(None, (_text(p) for p in note.iter(f"{_W}p"))))
                for note in root.iterchildren(etree.Element)
            }
    return {}


def _text(element: etree._Element) -> str:
    """The visible text of a paragraph; text boxes in it are paragraphs of their own."""
    return "".join(_pieces(element))


def _pieces(element: etree._Element) -> Iterator[str]:
    walk = etree.iterwalk(element, events=("start",))
    for _, node in walk:
        if node.tag in {_MC_FALLBACK, f"{_W}txbxContent", f"{_W}pPr", f"{_W}rPr"}:
            walk.skip_subtree()
        elif node.tag == f"{_W}t":
            yield node.text or ""
        elif node.tag in {f"{_W}tab", f"{_W}ptab"}:
            yield "\t"
        elif node.tag in {f"{_W}br", f"{_W}cr"}:
            yield "\n"
        elif node.tag == f"{_W}noBreakHyphen":
            yield "-"


def _boxes(element: etree._Element) -> Iterator[etree._Element]:
    """The text boxes anchored in a paragraph, once each: Word stores a fallback copy of every one."""
    walk = etree.iterwalk(element, events=("start",))
    for _, node in walk:
        if node.tag == _MC_FALLBACK:
            walk.skip_subtree()
        elif node.tag == f"{_W}txbxContent":
            yield node
            walk.skip_subtree()


def _children(element: etree._Element, name: str) -> Iterator[etree._Element]:
    """Children of a name, also those wrapped in content controls."""
    for child in element.iterchildren(etree.Element):
        if child.tag == f"{_W}{name}":
            yield child
        elif child.tag in {f"{_W}sdt", f"{_W}sdtContent", f"{_W}ins", f"{_W}customXml"}:
            yield from _children(child, name)


def _value(element: etree._Element, path: str) -> str:
    found = element.find("/".join(f"{_W}{step}" for step in path.split("/")))
    return found.get(f"{_W}val", "") if found is not None else ""
