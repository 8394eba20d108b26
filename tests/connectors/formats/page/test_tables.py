from __future__ import annotations

from pathlib import Path

import pytest

from connectors.document import LEFT_OUT, BlockKind
from connectors.formats import Parsed, parse
from connectors.formats.limits import text_for


def page(body: str) -> Parsed:
    return parse(f"<!DOCTYPE html><html><body>{body}</body></html>".encode(), Path("a.html"))


def test_cells_that_span_rows_and_columns_stay_in_their_columns() -> None:
    parsed = page(
        "<table><tr><th>Route<th>Day<th>Departure<th>Fare<tr><td rowspan=3>Kiel - Oslo<td>Mon<td>14:00<td>89"
        "<tr><td>Wed<td>15:30<td>79<tr><td>Fri<td>18:15<td>99"
        "<tr><td rowspan=2>Rostock<td>Mon<td>07:45<td>59<tr><td colspan=2>no service<td>0</table>"
    )
    assert parsed.text.splitlines() == [
        "Route | Day | Departure | Fare",
        "Kiel - Oslo | Mon | 14:00 | 89",
        "Kiel - Oslo | Wed | 15:30 | 79",
        "Kiel - Oslo | Fri | 18:15 | 99",
        "Rostock | Mon | 07:45 | 59",
        "Rostock | no service | no service | 0",
    ]
    (table,) = parsed.blocks
    assert (table.kind, table.header) == (BlockKind.TABLE, "Route | Day | Departure | Fare")


def test_rows_of_heads_name_each_column_and_a_caption_stands_above() -> None:
    parsed = page(
        "<table><caption>Table 1: Fares</caption><tfoot><tr><td>mean<td>70<td>35</tfoot>"
        "<thead><tr><th rowspan=2>Route<th colspan=2>Fare<tr><th>adult<th>child</thead>"
        "<tbody><tr><td rowspan=0>Kiel<td>89<td>40<tr><td colspan=2>closed</tbody></table>"
    )
    assert parsed.text.splitlines() == [
        "Table 1: Fares",
        "",
        "Route | Fare adult | Fare child",
        "Kiel | 89 | 40",
        "Kiel | closed | closed",
        "mean | 70 | 35",
    ]
    assert parsed.blocks[0].header == "Route | Fare adult | Fare child"


@pytest.mark.parametrize(
    ("rows", "header"),
    [
        ("<tr><th>Population<td>250,000<tr><th>Area<td>118", ""),
        ("<tr><th colspan=2>Kiel<tr><th>Population<td>250,000<tr><th>Area<td>118", "Kiel"),
        ("<tr><td colspan=3>Fares<tr><td>a<td>b<td>c<tr><td>1<td>2<td>3", "Fares a | b | c"),
        ("<tr><td>a<td>b<tr><td>1<td>2", "a | b"),
    ],
)
def test_the_header_is_what_names_the_columns(rows: str, header: str) -> None:
    assert page(f"<table>{rows}</table>").blocks[0].header == header


def test_a_table_in_a_cell_stays_in_its_row_and_is_written_once() -> None:
    parsed = page(
        "<table><tr><th>Port<th>Details<tr><td>Kiel<td>Quay 4 <table><tr><td>depth<td>9 m<tr><td>cranes<td>4</table>"
        "<tr><td>Oslo<td><ul><li>ferries<li>cruises</ul></table>"
    )
    assert parsed.text == "Port | Details\nKiel | Quay 4 depth, 9 m; cranes, 4\nOslo | ferries cruises"


def test_spans_without_end_cost_no_memory() -> None:
    body = "<tr><td rowspan=99999999 colspan=99999999>long text<td>y" * 3000
    parsed = page(f"<table>{body}</table>")
    assert len(parsed.text) < text_for(len(body)) + 2000  # and what is there once
    assert LEFT_OUT in parsed.metadata
    assert parsed.text.count("y") == 3000


@pytest.mark.parametrize("span", ["-1", "x", "", "٣", "1e9", "2.5"])
def test_odd_spans_are_one_or_what_they_begin_with(span: str) -> None:
    parsed = page(f"<table><tr><td colspan='{span}'>a<td>b<tr><td>c<td>d</table>")
    assert parsed.text == "a | b\nc | d"
