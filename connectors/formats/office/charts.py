"""Charts of Office files, as the tables they draw."""

from __future__ import annotations

from lxml import etree

from connectors.formats.office.drawing_text import paragraph_text
from connectors.parsed import TextBuilder


def write_chart(space: etree._Element, builder: TextBuilder) -> None:
    """A chart as the table it draws."""
    for title in space.iterfind("{*}chart/{*}title/{*}tx/{*}rich"):
        builder.paragraph("\n".join(map(paragraph_text, title.iterfind("{*}p"))))
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
