"""ODT and ODP, read from `content.xml`: the format is small enough to need no library."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

from lxml import etree

from connectors.errors import SourceError
from connectors.formats.limits import check_zip, parse_xml, text_for
from connectors.formats.titles import claimed_author, claimed_title
from connectors.parsed import Parsed, TextBuilder, one_line

_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_DRAW = "{urn:oasis:names:tc:opendocument:xmlns:drawing:1.0}"
_PRESENTATION = "{urn:oasis:names:tc:opendocument:xmlns:presentation:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_META = "{urn:oasis:names:tc:opendocument:xmlns:meta:1.0}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_MAX_COLUMNS = 16_384  # of a row, as in the programs that write the format
_MAX_REPEAT = 100  # cells and spaces are run-length encoded: a hostile count must not become that much text


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
    body = content.find(f"{_OFFICE}body")
    if body is None:
        hint = "open it, remove the password, save it again" if encrypted else ""
        raise SourceError("encrypted document" if encrypted else "it has no body", hint=hint)
    _write(body, builder)
    pages = sum(1 for _ in body.iter(f"{_DRAW}page"))
    metadata = {
        "author": claimed_author(_field(meta, f"{_META}initial-creator"))
        or claimed_author(_field(meta, f"{_DC}creator")),
        "pages": pages or None,
    }
    named = builder.first_heading if pages else builder.heading_title
    title = _titled(content, body) or claimed_title(_field(meta, f"{_DC}title")) or named
    return builder.build("odp" if pages else "odt", title, metadata)


def _write(root: etree._Element, builder: TextBuilder) -> None:
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, element in walk:
        if event == "end":
            continue
        tag = element.tag
        if tag == f"{_DRAW}page":
            builder.page()
        elif tag in {f"{_TEXT}tracked-changes", f"{_OFFICE}annotation", f"{_TEXT}sequence-decls"}:
            walk.skip_subtree()
        elif tag == f"{_TEXT}h":
            level = element.get(f"{_TEXT}outline-level", "1")
            builder.heading(_text(element), int(level) if level.isdigit() else 1)
            walk.skip_subtree()
        elif tag == f"{_TEXT}p":
            _paragraph(element, builder)
            walk.skip_subtree()
        elif tag == f"{_TABLE}table":
            builder.table(_rows(element, builder))
            walk.skip_subtree()


def _paragraph(element: etree._Element, builder: TextBuilder) -> None:
    text = _text(element)
    if next(element.iterancestors(f"{_TEXT}list-item"), None) is not None:
        builder.item(f"- {text}" if text.strip() else "")
    elif _in_slide_title(element):
        builder.heading(text, 1)
    else:
        builder.paragraph(text)
    for inside in (f"{_DRAW}text-box", f"{_TEXT}note-body"):
        for box in _outermost(element, inside):
            _write(box, builder)


def _outermost(element: etree._Element, tag: str) -> Iterator[etree._Element]:
    """The elements of a kind below one, without those in them: they are written with what they are in."""
    walk = etree.iterwalk(element, events=("start",))
    for _, found in walk:
        if found.tag == tag:
            yield found
            walk.skip_subtree()


def _in_slide_title(element: etree._Element) -> bool:
    frame = next(element.iterancestors(f"{_DRAW}frame"), None)
    return frame is not None and frame.get(f"{_PRESENTATION}class") == "title"


def _rows(table: etree._Element, builder: TextBuilder) -> Iterator[list[str]]:
    for row in table.iter(f"{_TABLE}table-row"):
        cells: list[str] = []
        for cell in row.iterchildren(f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
            text = " ".join(filter(None, (_text(paragraph) for paragraph in cell.iter(f"{_TEXT}p", f"{_TEXT}h"))))
            cells += [text] * _count(cell, f"{_TABLE}number-columns-repeated")
            if len(cells) > _MAX_COLUMNS:
                builder.leave_out(f"columns beyond {_MAX_COLUMNS:,}")
                break
        yield cells


def _text(element: etree._Element) -> str:
    return "".join(_pieces(element))


def _pieces(root: etree._Element) -> Iterator[str]:
    """The text of a paragraph; notes, comments and text boxes in it are not part of its sentence."""
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, element in walk:
        if event == "start":
            if element.tag in {f"{_TEXT}note", f"{_OFFICE}annotation", f"{_DRAW}text-box"}:
                walk.skip_subtree()
                continue
            if element.tag == f"{_TEXT}s":
                yield " " * _count(element, f"{_TEXT}c")
            elif element.tag == f"{_TEXT}tab":
                yield "\t"
            elif element.tag == f"{_TEXT}line-break":
                yield "\n"
            yield element.text or ""
        elif element is not root:
            yield element.tail or ""


def _count(element: etree._Element, attribute: str) -> int:
    value = element.get(attribute, "1")
    return min(int(value), _MAX_REPEAT) if value.isdigit() else 1


def _titled(content: etree._Element, body: etree._Element) -> str:
    """The first paragraph set in the style called Title, or in one derived from it."""
    style = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
    derived = {
        s.get(f"{style}name") for s in content.iter(f"{style}style") if s.get(f"{style}parent-style-name") == "Title"
    }
    titles = {"Title", *derived}
    found = (_text(p) for p in body.iter(f"{_TEXT}p", f"{_TEXT}h") if p.get(f"{_TEXT}style-name") in titles)
    return one_line(next(found, ""))


def _field(meta: etree._Element | None, tag: str) -> str:
    found = next(meta.iter(tag), None) if meta is not None else None
    return one_line(found.text or "") if found is not None else ""
