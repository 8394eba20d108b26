"""PPTX: a slide is a page, its title a heading, its notes after it."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any

from connectors.document import MetadataValue
from connectors.formats.limits import check_zip, parse_xml
from connectors.parsed import Parsed, TextBuilder, one_line

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_GENERIC = frozenset({"powerpoint presentation", "presentation", "slide 1", "title", "untitled"})


def parse_pptx(data: bytes) -> Parsed:
    """A PowerPoint presentation: text, tables, charts, diagrams and notes of every slide."""
    import pptx

    check_zip(data)
    presentation = pptx.Presentation(io.BytesIO(data))
    builder = TextBuilder()
    for slide in presentation.slides:
        builder.page()
        _write_slide(slide, builder)
    properties = presentation.core_properties
    claimed = one_line(properties.title)
    title = claimed if claimed.lower() not in _GENERIC else ""
    found: dict[str, MetadataValue] = {"author": one_line(properties.author), "pages": len(presentation.slides)}
    return builder.build("pptx", title or builder.heading_title, found)


def _write_slide(slide: Any, builder: TextBuilder) -> None:
    title = slide.shapes.title
    if title is not None and title.has_text_frame:
        builder.heading(title.text_frame.text, 1)
    for shape in _flattened(slide.shapes):
        if title is None or shape.shape_id != title.shape_id:
            _write_shape(shape, builder)
    for relation in slide.part.rels.values():
        if not relation.is_external and relation.reltype.endswith("/diagramData"):
            diagram = parse_xml(relation.target_part.blob)
            for paragraph in diagram.iter(f"{_A}p"):
                builder.item("".join(text.text or "" for text in paragraph.iter(f"{_A}t")))
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        builder.paragraph(slide.notes_slide.notes_text_frame.text)


def _flattened(shapes: Iterable[Any]) -> Iterator[Any]:
    """The shapes with those inside groups, which nest to any depth."""
    pending = list(shapes)[::-1]
    while pending:
        shape = pending.pop()
        if hasattr(shape, "shapes"):
            pending += list(shape.shapes)[::-1]
        else:
            yield shape


def _write_shape(shape: Any, builder: TextBuilder) -> None:
    if shape.has_text_frame:
        _write_text(shape.text_frame, builder)
    elif getattr(shape, "has_table", False):
        builder.table([[cell.text for cell in row.cells] for row in shape.table.rows])
    elif getattr(shape, "has_chart", False):
        _write_chart(shape.chart, builder)


def _write_text(frame: Any, builder: TextBuilder) -> None:
    paragraphs = [paragraph.text for paragraph in frame.paragraphs if paragraph.text.strip()]
    if len(paragraphs) == 1:
        builder.paragraph(paragraphs[0])
        return
    for text in paragraphs:
        builder.item(text)


def _write_chart(chart: Any, builder: TextBuilder) -> None:
    """A chart as the table it draws."""
    if chart.has_title and chart.chart_title.has_text_frame:
        builder.paragraph(chart.chart_title.text_frame.text)
    for plot in chart.plots:
        series = list(plot.series)
        header = ["", *(one.name for one in series)]
        values = zip(plot.categories, *(one.values for one in series), strict=False)
        builder.table([header, *([str(cell if cell is not None else "") for cell in row] for row in values)])
