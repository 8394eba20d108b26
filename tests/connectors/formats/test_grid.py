from __future__ import annotations

import time
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.document import LEFT_OUT
from connectors.formats.grid import Cell, filled, write_table
from connectors.parsed import TextBuilder


def test_a_spanned_cell_stands_in_every_row_and_column_it_covers() -> None:
    rows = [
        [Cell("Route"), Cell("Day"), Cell("Departure"), Cell("Fare")],
        [Cell("Kiel - Oslo", rows=3), Cell("Mon"), Cell("14:00"), Cell("89")],
        [Cell("Wed"), Cell("15:30"), Cell("79")],
        [Cell("Fri"), Cell("18:15"), Cell("99")],
        [Cell("Rostock", rows=2), Cell("Mon"), Cell("07:45"), Cell("59")],
        [Cell("no service", columns=2), Cell("0")],
    ]
    assert filled(rows) == [
        ["Route", "Day", "Departure", "Fare"],
        ["Kiel - Oslo", "Mon", "14:00", "89"],
        ["Kiel - Oslo", "Wed", "15:30", "79"],
        ["Kiel - Oslo", "Fri", "18:15", "99"],
        ["Rostock", "Mon", "07:45", "59"],
        ["Rostock", "no service", "no service", "0"],
    ]


def test_a_block_of_rows_and_columns_is_filled() -> None:
    rows = [[Cell("a"), Cell("block", rows=2, columns=2), Cell("b")], [Cell("c"), Cell("d")], [Cell("e")]]
    rows[2] = [Cell("e"), Cell("f"), Cell("g"), Cell("h")]
    assert filled(rows) == [["a", "block", "block", "b"], ["c", "block", "block", "d"], ["e", "f", "g", "h"]]


def test_a_title_across_the_table_stands_once_and_goes_with_the_names_of_the_columns() -> None:
    rows = [[Cell("Fares 2025", columns=3)], [Cell("a"), Cell("b"), Cell("c")], [Cell("1"), Cell("2"), Cell("3")]]
    assert filled(rows) == [["Fares 2025 a", "b", "c"], ["1", "2", "3"]]
    assert filled([[Cell("Fares", columns=2)], [Cell("Adult"), Cell("10")]]) == [["Fares"], ["Adult", "10"]]
    assert filled(rows, heads=1) == [["Fares 2025"], ["a", "b", "c"], ["1", "2", "3"]]
    assert filled([*rows, [Cell("closed in May", columns=3)]])[-1] == ["closed in May"]


def test_several_rows_of_heads_give_every_column_its_whole_name() -> None:
    rows = [
        [Cell("Route", rows=2), Cell("Summer", columns=2), Cell("Winter", columns=2)],
        [Cell("adult"), Cell("child"), Cell("adult"), Cell("child")],
        [Cell("Kiel"), Cell("89"), Cell("40"), Cell("59"), Cell("30")],
    ]
    assert filled(rows, heads=2) == [
        ["Route", "Summer adult", "Summer child", "Winter adult", "Winter child"],
        ["Kiel", "89", "40", "59", "30"],
    ]


def test_spans_beyond_the_table_are_cut_to_it() -> None:
    rows = [[Cell("a", rows=1_000_000), Cell("b", columns=1_000_000)], [Cell("c"), Cell("d")]]
    assert filled(rows) == [["a", "b", "b"], ["a", "c", "d"]]
    assert filled([[Cell("a", -3, 0), Cell("b")], [Cell("c"), Cell("d")]]) == [["a", "b"], ["c", "d"]]
    assert filled([]) == []


def test_hostile_spans_cost_no_memory_and_are_told() -> None:
    long = "word " * 2_000
    rows = [[Cell(long, 1_000_000, 1_000_000)] for _ in range(3_000)] + [[Cell("x")] * 3_000]
    told: list[str] = []
    started = time.process_time()
    found = filled(rows, most=100_000, leave_out=told.append)
    assert time.process_time() - started < 5
    assert sum(len(cell) for row in found for cell in row) < 3_000 * len(long) + 3_000 + 200_000
    assert len(told) == 1
    assert found[-1][-1] == "x"


def test_many_columns_that_reach_far_down_are_bounded() -> None:
    rows = [[Cell("x", rows=65_534)] * 5_000] + [[Cell("y")] for _ in range(5_000)]
    told: list[str] = []
    found = filled(rows, most=1_000_000, leave_out=told.append)
    assert sum(map(len, found)) < 300_000
    assert told
    assert sum(row.count("y") for row in found) == 5_000


def test_what_is_left_out_is_told_by_the_text() -> None:
    builder = TextBuilder(2_000)
    wide = [[Cell("remark " * 20, columns=50), Cell("end")], [Cell(str(number)) for number in range(51)]]
    write_table(builder, wide)
    parsed = builder.build("html")
    assert "span more rows and columns" in str(parsed.metadata[LEFT_OUT])
    plain = TextBuilder(2_000)
    write_table(plain, [[Cell("a"), Cell("b", rows=2)], [Cell("c")]])
    assert (plain.build("html").text, plain.build("html").metadata) == ("a | b\nc | b", {})


@st.composite
def tilings(draw: st.DrawFn) -> tuple[list[list[Cell]], list[list[str]]]:
    """A rectangle cut into cells at random, as rows of cells, and the text that belongs in every place of it."""
    height, width = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    owner: dict[tuple[int, int], str] = {}
    rows: list[list[Cell]] = [[] for _ in range(height)]
    for row, column in product(range(height), range(width)):
        if (row, column) in owner:
            continue
        most_columns = next((c for c in range(column, width) if (row, c) in owner), width) - column
        spans = draw(st.integers(1, height - row)), draw(st.integers(1, most_columns))
        cell = Cell(f"{row}/{column}", *spans)
        rows[row].append(cell)
        owner.update({(row + r, column + c): cell.text for r in range(spans[0]) for c in range(spans[1])})
    begun = sorted({int(cell.text.split("/")[1]) for row in rows for cell in row})
    return rows, [[owner[row, column] for column in begun] for row in range(height)]


@given(tilings())
def test_every_rectangle_cut_into_cells_is_put_together(tiling: tuple[list[list[Cell]], list[list[str]]]) -> None:
    rows, expected = tiling
    for found, whole in zip(filled(rows, heads=1), expected, strict=True):
        assert found == whole or (found == whole[:1] and len(set(whole)) == 1)


@pytest.mark.parametrize("heads", [0, 1])
def test_tables_without_spans_stay_as_they_are(heads: int) -> None:
    rows = [[Cell("a"), Cell(""), Cell("b")], [Cell("c")], [], [Cell("d"), Cell("e"), Cell("f")]]
    assert filled(rows, heads=heads) == [[cell.text for cell in row] for row in rows]
