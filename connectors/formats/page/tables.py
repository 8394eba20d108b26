"""The tables of a page: which are tables and which arrange the page, and their cells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from lxml import html

from connectors.formats.grid import Cell, filled, write_table
from connectors.formats.page.inline import tags, text_below
from connectors.parsed import TextBuilder, one_line

_SECTIONS = ("thead", "tbody", "tfoot")
_MOST_SPANNED = 65_534  # rows and columns, as in browsers
_INSIDE_LAYOUT = tags("table p div ul ol h1 h2 h3 h4 pre form section article")
_MOST_INSIDE = 4  # such elements in the cell of a table
_MOST_HEADS = 5  # rows
_LONGEST_NESTED = 500  # characters of a table in a cell; a longer one is a part of the page
_LINES = tags("address blockquote caption center dd div dl dt figure h1 h2 h3 h4 h5 h6 hr li ol p pre td ul")


class Row(NamedTuple):
    """The cells of a row, whether it stands in the head of its table, and how many rows follow it in its section."""

    cells: list[html.HtmlElement]
    is_head: bool
    below: int


def read(table: html.HtmlElement) -> list[Row] | None:
    """The rows of a table; None where it arranges the page: a single row or column, or whole sections in its cells."""
    if table.get("role") in {"presentation", "none"}:
        return None
    rows = list(_rows(table))
    if len(rows) < 2 or max(len(row.cells) for row in rows) < 2:  # noqa: PLR2004
        return None
    return None if any(len(cell) and _holds_sections(cell) for row in rows for cell in row.cells) else rows


def write(table: html.HtmlElement, rows: list[Row], builder: TextBuilder) -> None:
    """Write a table: its caption, then its rows; several rows of heads become one."""
    caption = next(table.iterchildren("caption"), None)
    if caption is not None:
        builder.paragraph(one_line(text_below(caption, _LINES)))
    write_table(builder, _grid(rows), _heads(rows))


def _holds_sections(cell: html.HtmlElement) -> bool:
    inside = [element.tag for element in islice(cell.iter(*_INSIDE_LAYOUT), _MOST_INSIDE + 1)]
    if len(inside) > _MOST_INSIDE:
        return cell.tag == "td"
    nested = next(cell.iter("table"), None) if "table" in inside else None
    if nested is None:
        return False
    return nested.find(".//table") is not None or len(nested.text_content()) > _LONGEST_NESTED


def _rows(table: html.HtmlElement) -> Iterator[Row]:
    """The rows of a table as they are shown, its foot last."""
    sections: list[tuple[str, list[html.HtmlElement]]] = []
    for child in table.iterchildren("tr", *_SECTIONS):
        name = str(child.tag)
        if name != "tr":
            sections.append((name, list(child.iterchildren("tr"))))
        elif sections and sections[-1][0] == name:
            sections[-1][1].append(child)
        else:
            sections.append((name, [child]))
    for name, section in sorted(sections, key=lambda section: section[0] == "tfoot"):
        for number, row in enumerate(section, 1):
            yield Row(list(row.iterchildren("td", "th")), name == "thead", len(section) - number)


def _grid(rows: Iterable[Row]) -> Iterator[list[Cell]]:
    for row in rows:
        yield [
            Cell(_text(cell), min(_span(cell, "rowspan") or _MOST_SPANNED, row.below + 1), _span(cell, "colspan") or 1)
            for cell in row.cells
        ]


def _span(cell: html.HtmlElement, name: str) -> int:
    """How many rows or columns a cell spans; 0 for all that are left."""
    value = cell.get(name)
    if value is None:
        return 1
    digits = value.strip()[:6]
    return min(int(digits), _MOST_SPANNED) if digits.isascii() and digits.isdigit() else 1


def _text(cell: html.HtmlElement) -> str:
    """The text of a cell. A table in it is written on one line, with its rows set off."""
    if not len(cell):
        return cell.text or ""
    for nested in list(cell.iter("table")):
        parent = nested.getparent()
        if parent is not None:
            rows = filled(_grid(_rows(nested)), heads=0)
            line = "; ".join(", ".join(map(one_line, filter(str.strip, row))) for row in rows)
            whole = html.Element("div")
            whole.text, whole.tail = line, nested.tail
            parent.replace(nested, whole)
    return text_below(cell, _LINES)


def _heads(rows: list[Row]) -> int | None:
    """How many rows name the columns; None where the page does not say, 0 where heads name the rows."""
    count = 0
    for row in rows:
        if not row.is_head and not (row.cells and all(cell.tag == "th" for cell in row.cells)):
            break
        count += 1
    if count == 1 and len(title := rows[0].cells) == 1 and _span(title[0], "colspan") > 2:  # noqa: PLR2004
        return 1 if _has_heads(rows[1]) else None
    if count:
        return count if count < min(len(rows), _MOST_HEADS + 1) else 1
    return 0 if all(map(_has_heads, rows[:2])) else None


def _has_heads(row: Row) -> bool:
    return any(cell.tag == "th" for cell in row.cells)
