"""PPTX: each slide becomes a page, with its title as a heading, followed by its notes and comments.

Read directly from the XML: the usual library would add an image library and a spreadsheet writer, 26 MB in all.
Elements are matched in any namespace, because the strict variant of the format has its own namespaces.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping

from lxml import etree

from connectors.document import MetadataValue
from connectors.formats.documents.opc import Package
from connectors.formats.grid import Cell, write_table
from connectors.formats.limits import check_zip, text_for
from connectors.formats.office.charts import write_chart
from connectors.formats.office.drawing_text import paragraph_text, paragraph_texts
from connectors.formats.office.pictures import picture_text
from connectors.formats.office.tables import head_rows
from connectors.formats.titles import claimed_author, claimed_title
from connectors.parsed import Parsed, TextBuilder, one_line

_TITLE = "0"  # the index of the placeholder that holds a slide's title
_MOST_COLUMNS = 16_384
_EMBEDDED = frozenset({"oleObject", "package"})


def parse_pptx(data: bytes) -> Parsed:
    """A PowerPoint presentation: text, tables, charts, diagrams, notes and comments of every slide."""
    check_zip(data)
    builder = TextBuilder(text_for(len(data)))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        package = Package(archive, builder.leave_out)
        slides, authors = _slides(package), _comment_authors(package)
        for slide in slides:
            if not builder.room:
                builder.leave_rest_out()
                break
            builder.page()
            _write_slide(package, slide, authors, builder)
        title, author = claimed_title(package.property("title")), claimed_author(package.property("creator"))
    found: dict[str, MetadataValue] = {"author": author, "pages": len(slides)}
    return builder.build("pptx", title or builder.first_heading, found)


def _slides(package: Package) -> list[str]:
    """The slides in the order they are shown."""
    main = package.main()
    parts = {relation.identity: relation.part for relation in package.relations(main) if relation.kind == "slide"}
    shown = (_relation(slide, "id") for slide in package.read(main).iterfind("{*}sldIdLst/{*}sldId"))
    return list(dict.fromkeys(parts[identity] for identity in shown if identity in parts))


def _comment_authors(package: Package) -> Mapping[str, str]:
    """The names of those who wrote comments, by their identity."""
    return {
        author.get("id", ""): author.get("name", "")
        for relation in package.relations(package.main())
        if relation.kind in {"commentAuthors", "authors"}
        for author in package.read(relation.part).iter("{*}cmAuthor", "{*}author")
    }


def _write_slide(package: Package, slide: str, authors: Mapping[str, str], builder: TextBuilder) -> None:
    relations = list(package.relations(slide))
    charts = {relation.identity: relation.part for relation in relations if relation.kind == "chart"}
    shapes = list(_shapes(package.read(slide).iterfind("{*}cSld/{*}spTree")))
    title = next((shape for shape in shapes if _is_title(shape)), None)
    if title is not None:
        builder.heading("\n".join(_paragraphs(title, builder)), 1)
    for shape in shapes:
        if shape is not title:
            _write_shape(package, shape, charts, builder)
    for relation in relations:
        if relation.kind == "diagramData":
            for paragraph in package.read(relation.part).iter("{*}p"):
                builder.item(paragraph_text(paragraph, builder.leave_out))
    for relation in relations:
        if relation.kind == "notesSlide":
            _write_notes(package.read(relation.part), builder)
        elif relation.kind == "comments":
            _write_comments(package.read(relation.part), authors, builder)
        elif relation.kind in _EMBEDDED:
            builder.leave_out("embedded objects")


def _shapes(containers: Iterable[etree._Element]) -> Iterator[etree._Element]:
    """The shapes in a slide and in its groups, which nest to any depth."""
    pending = list(containers)[::-1]
    while pending:
        element = pending.pop()
        match etree.QName(element).localname:
            case "spTree" | "grpSp":
                pending += element.iterchildren(etree.Element, reversed=True)
            case "AlternateContent":  # what newer programs show, before what older ones do instead
                pending += element.iterfind("{*}Choice/*")
            case "sp" | "graphicFrame" | "pic":
                yield element


def _is_title(shape: etree._Element) -> bool:
    placeholder = shape.find("{*}nvSpPr/{*}nvPr/{*}ph")
    parent = shape.getparent()
    in_group = parent is not None and etree.QName(parent).localname == "grpSp"
    return placeholder is not None and placeholder.get("idx", _TITLE) == _TITLE and not in_group


def _write_shape(package: Package, shape: etree._Element, charts: Mapping[str, str], builder: TextBuilder) -> None:
    named = shape.find("./*/{*}cNvPr")
    if named is not None:
        builder.paragraph(picture_text(named))
    content = shape.find("{*}graphic/{*}graphicData")
    if content is None:
        _write_text(shape, builder)
        return
    for table in content.iterfind("{*}tbl"):
        grid = [list(_cells(row, builder)) for row in table.iterfind("{*}tr")]
        write_table(builder, grid, head_rows(grid))
    for chart in content.iterfind("{*}chart"):
        if part := charts.get(_relation(chart, "id")):
            write_chart(package.read(part), builder)


def _cells(row: etree._Element, builder: TextBuilder) -> Iterator[Cell]:
    """The cells that begin in a row; those that others cover are written too, and are none."""
    for cell in row.iterfind("{*}tc"):
        if not {"1", "true"} & {cell.get("hMerge", ""), cell.get("vMerge", "")}:
            yield Cell(" ".join(_paragraphs(cell, builder)), _span(cell, "rowSpan"), _span(cell, "gridSpan"))


def _span(cell: etree._Element, name: str) -> int:
    text = cell.get(name, "1")
    return min(int(text[:6]), _MOST_COLUMNS) if text.isdecimal() else 1


def _write_text(shape: etree._Element, builder: TextBuilder) -> None:
    paragraphs = [text for text in _paragraphs(shape, builder) if text.strip()]
    if len(paragraphs) == 1:
        builder.paragraph(paragraphs[0])
        return
    for text in paragraphs:
        builder.item(text)


def _write_notes(notes: etree._Element, builder: TextBuilder) -> None:
    for shape in notes.iterfind("{*}cSld/{*}spTree/{*}sp"):
        placeholder = shape.find("{*}nvSpPr/{*}nvPr/{*}ph")
        if placeholder is not None and placeholder.get("type") == "body":
            builder.paragraph("\n".join(_paragraphs(shape, builder)))
            return


def _write_comments(comments: etree._Element, authors: Mapping[str, str], builder: TextBuilder) -> None:
    """Comments and the replies to them, in the old form (`text`) and in the new one (`txBody`)."""
    for comment in comments.iter("{*}cm", "{*}reply"):
        lines = [one_line(text.text or "") for text in comment.iterfind("{*}text")]
        lines += _paragraphs(comment, builder)
        author = one_line(authors.get(comment.get("authorId", ""), ""))
        if text := " ".join(filter(str.strip, lines)):
            builder.paragraph(f"Comment ({author}): {text}" if author else f"Comment: {text}")


def _paragraphs(shape: etree._Element, builder: TextBuilder) -> list[str]:
    return list(paragraph_texts(shape.iterfind("{*}txBody/{*}p"), builder.leave_out))


def _relation(element: etree._Element, name: str) -> str:
    """The identity of the relation that an element names: an attribute with a namespace, beside others without one."""
    return next((str(value) for key, value in element.items() if str(key).endswith(f"}}{name}")), "")
