"""PPTX: each slide becomes a page, with its title as a heading, followed by its notes.

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
from connectors.formats.limits import check_zip, text_for
from connectors.formats.titles import claimed_author, claimed_title
from connectors.parsed import Parsed, TextBuilder

_TITLE = "0"  # the index of the placeholder that holds a slide's title


def parse_pptx(data: bytes) -> Parsed:
    """A PowerPoint presentation: text, tables, charts, diagrams and notes of every slide."""
    check_zip(data)
    builder = TextBuilder(text_for(len(data)))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        package = Package(archive, builder.leave_out)
        slides = _slides(package)
        for slide in slides:
            if not builder.room:
                builder.leave_rest_out()
                break
            builder.page()
            _write_slide(package, slide, builder)
        title, author = claimed_title(package.property("title")), claimed_author(package.property("creator"))
    found: dict[str, MetadataValue] = {"author": author, "pages": len(slides)}
    return builder.build("pptx", title or builder.first_heading, found)


def _slides(package: Package) -> list[str]:
    """The slides in the order they are shown."""
    main = package.main()
    parts = {relation.identity: relation.part for relation in package.relations(main) if relation.kind == "slide"}
    shown = (_relation(slide, "id") for slide in package.read(main).iterfind("{*}sldIdLst/{*}sldId"))
    return list(dict.fromkeys(parts[identity] for identity in shown if identity in parts))


def _write_slide(package: Package, slide: str, builder: TextBuilder) -> None:
    relations = list(package.relations(slide))
    charts = {relation.identity: relation.part for relation in relations if relation.kind == "chart"}
    shapes = list(_shapes(package.read(slide).iterfind("{*}cSld/{*}spTree")))
    title = next((shape for shape in shapes if _is_title(shape)), None)
    if title is not None:
        builder.heading("\n".join(_paragraphs(title)), 1)
    for shape in shapes:
        if shape is not title:
            _write_shape(package, shape, charts, builder)
    for relation in relations:
        if relation.kind == "diagramData":
            for paragraph in package.read(relation.part).iter("{*}p"):
                builder.item(_text(paragraph))
    for relation in relations:
        if relation.kind == "notesSlide":
            _write_notes(package.read(relation.part), builder)


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
            case "sp" | "graphicFrame":
                yield element


def _is_title(shape: etree._Element) -> bool:
    placeholder = shape.find("{*}nvSpPr/{*}nvPr/{*}ph")
    parent = shape.getparent()
    in_group = parent is not None and etree.QName(parent).localname == "grpSp"
    return placeholder is not None and placeholder.get("idx", _TITLE) == _TITLE and not in_group


def _write_shape(package: Package, shape: etree._Element, charts: Mapping[str, str], builder: TextBuilder) -> None:
    content = shape.find("{*}graphic/{*}graphicData")
    if content is None:
        _write_text(shape, builder)
        return
    for table in content.iterfind("{*}tbl"):
        rows = ([" ".join(_paragraphs(cell)) for cell in row.iterfind("{*}tc")] for row in table.iterfind("{*}tr"))
        builder.table(rows)
    for chart in content.iterfind("{*}chart"):
        if part := charts.get(_relation(chart, "id")):
            _write_chart(package.read(part), builder)


def _write_text(shape: etree._Element, builder: TextBuilder) -> None:
    paragraphs = [text for text in _paragraphs(shape) if text.strip()]
    if len(paragraphs) == 1:
        builder.paragraph(paragraphs[0])
        return
    for text in paragraphs:
        builder.item(text)


def _write_notes(notes: etree._Element, builder: TextBuilder) -> None:
    for shape in notes.iterfind("{*}cSld/{*}spTree/{*}sp"):
        placeholder = shape.find("{*}nvSpPr/{*}nvPr/{*}ph")
        if placeholder is not None and placeholder.get("type") == "body":
            builder.paragraph("\n".join(_paragraphs(shape)))
            return


def _write_chart(space: etree._Element, builder: TextBuilder) -> None:
    """A chart as the table it draws."""
    for title in space.iterfind("{*}chart/{*}title/{*}tx/{*}rich"):
        builder.paragraph("\n".join(map(_text, title.iterfind("{*}p"))))
    for plot in space.iterfind("{*}chart/{*}plotArea/*"):
        series = sorted(plot.iterfind("{*}ser"), key=_order)
        if any(one.find("{*}xVal") is not None for one in series):  # every series has points of its own
            for one in series:
                _write_points([one], "xVal", "yVal", builder)
        elif series:
            _write_points(series, "cat", "val", builder)


def _write_points(series: list[etree._Element], label: str, value: str, builder: TextBuilder) -> None:
    labels, columns = _points(series[0], label), [_points(one, value) for one in series]
    header = ["", *(next(iter(_points(one, "tx").values()), "") for one in series)]
    # The points themselves are counted: how many there are is told beside them, and need not be true.
    places = sorted({place for points in (labels, *columns) for place in points})
    rows = ([labels.get(place, ""), *(_number(points.get(place, "")) for points in columns)] for place in places)
    builder.table([header, *rows])


def _points(series: etree._Element, role: str) -> dict[int, str]:
    """Place → what a series has there as its label, its value or its name. Of labels in levels, the innermost."""
    source = series.find(f"{{*}}{role}")
    if source is None:
        return {}
    level = source.find(".//{*}lvl")
    points = (source if level is None else level).iter("{*}pt")
    return {int(point.get("idx", "0")): point.findtext("{*}v", "") for point in points}


def _order(series: etree._Element) -> int:
    order = series.find("{*}order")
    return int(order.get("val", "0")) if order is not None else 0


def _number(value: str) -> str:
    """A value as Python writes it; what is no number (`#N/A`), as it stands."""
    try:
        return str(float(value))
    except ValueError:
        return value


def _paragraphs(shape: etree._Element) -> list[str]:
    return [_text(paragraph) for paragraph in shape.iterfind("{*}txBody/{*}p")]


def _text(paragraph: etree._Element) -> str:
    """The text of a paragraph: of its runs and fields, and of its line breaks."""
    parts = paragraph.iter("{*}t", "{*}br")
    return "".join("\n" if etree.QName(part).localname == "br" else part.text or "" for part in parts)


def _relation(element: etree._Element, name: str) -> str:
    """The identity of the relation that an element names: an attribute with a namespace, beside others without one."""
    return next((str(value) for key, value in element.items() if str(key).endswith(f"}}{name}")), "")
