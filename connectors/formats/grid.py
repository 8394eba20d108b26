"""One grid for the tables of every format: a cell that spans others stands in every row and column it covers."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from connectors.parsed import TextBuilder, one_line

_SEPARATOR = 3  # characters that a cell takes in a line of text beside its own
_LEFT_OUT = "the repeats of cells that span more rows and columns than the size of the file makes likely"


class Cell(NamedTuple):
    """A cell as a format writes it, at the first of the rows and columns that it spans.

    A format that also writes the places a cell covers (`covered-table-cell`, `vMerge`) leaves those out of its rows.
    """

    text: str
    rows: int = 1
    columns: int = 1


class _Placed(NamedTuple):
    """A cell in one row: it covers the columns from `start` up to `end`, and stands in rows up to `last`."""

    start: int
    end: int
    last: int
    text: str


def write_table(builder: TextBuilder, rows: Iterable[Sequence[Cell]], heads: int | None = None) -> None:
    """Write a table to `builder` as `filled` makes it, no larger than there is room; 0 `heads` are no header."""
    # Half of the room is kept for what the cells say once, and for what follows.
    found = filled(rows, heads=heads, most=builder.room // 2, leave_out=builder.leave_out)
    builder.table(found, header="" if heads == 0 and len(found) > 1 else None)


def filled(
    rows: Iterable[Sequence[Cell]],
    *,
    heads: int | None = None,
    most: int = 2_000_000,
    leave_out: Callable[[str], None] | None = None,
) -> list[list[str]]:
    """The rows of a table, each cell in every row and column it spans. Rows end with their last cell.

    A cell across the whole table is a title or a remark, and stands once. A column in which no cell begins is none.
    The first `heads` rows become one, so that every column has its whole name; by default the first row, and, where
    that is a title across three columns or more, the one below.

    Spans are cut to the rows and columns there are. Beyond `most` characters of repeated text every cell stands once;
    `leave_out` is told of it.

    >>> filled([[Cell("Route", rows=2), Cell("Fare", columns=2)], [Cell("adult"), Cell("child")]], heads=2)
    [['Route', 'Fare adult', 'Fare child']]
    >>> filled([[Cell("Kiel", rows=1_000_000), Cell("Mon")], [Cell("Wed")]])
    [['Kiel', 'Mon'], ['Kiel', 'Wed']]
    """
    rows = list(rows)
    if not any(cell.rows > 1 or cell.columns > 1 for row in rows for cell in row):
        return _with_one_head([[cell.text for cell in row] for row in rows], heads or 1)
    placed, left = _place(rows, most)
    columns = sorted({cell.start for row in placed for cell in row})
    found: list[list[str]] = []
    titles = 0
    for row in placed:
        if _is_across(row, columns):
            titles += titles == len(found)
            found.append([row[0].text])
            continue
        texts: list[str] = []
        for cell in row:
            first = bisect_left(columns, cell.start)
            texts += [""] * (first - len(texts))
            covered = bisect_left(columns, cell.end) - first
            repeats = min(covered - 1, max(left, 0) // _cost(cell.text))
            left -= (covered - 1) * _cost(cell.text)
            texts += [cell.text] * (1 + repeats)
        found.append(texts)
    if left < 0 and leave_out is not None:
        leave_out(_LEFT_OUT)
    if heads is None:  # in a table of two columns the row below a title is as likely a name and its value
        heads = titles + 1 if len(columns) > 2 else 1  # noqa: PLR2004
    return _with_one_head(found, heads)


def _cost(text: str) -> int:
    return len(text) + _SEPARATOR


def _place(rows: Iterable[Sequence[Cell]], most: int) -> tuple[list[list[_Placed]], int]:
    """The cells of each row at their columns, those that span down from above among them, and what is left of `most`.

    A cell takes the first column that is free, and ends before the next one that is not.
    """
    placed: list[list[_Placed]] = []
    above: list[_Placed] = []  # cells that reach into the row, from left to right
    left = most
    for number, cells in enumerate(rows):
        left -= sum(_cost(cell.text) for cell in above)
        if left < 0:
            above = []
        row: list[_Placed] = []
        waiting = iter(above)
        following = next(waiting, None)
        column = 0
        for cell in cells:
            while following is not None and following.start <= column:
                row.append(following)
                column = following.end
                following = next(waiting, None)
            end = column + max(cell.columns, 1)
            if following is not None:
                end = min(end, following.start)
            row.append(_Placed(column, end, number + max(cell.rows, 1) - 1, cell.text))
            column = end
        if following is not None:
            row += [following, *waiting]
        placed.append(row)
        above = [cell for cell in row if cell.last > number] if left >= 0 else []
    return placed, left


def _is_across(row: Sequence[_Placed], columns: Sequence[int]) -> bool:
    """Whether one cell is all of a row, and the table has more columns."""
    return len(row) == 1 and len(columns) > 1 and row[0].start == 0 and row[0].end > columns[-1]


def _with_one_head(rows: list[list[str]], heads: int) -> list[list[str]]:
    """The rows, the first `heads` of them made one: in each column what they say there, from the top, each once."""
    heads = min(heads, len(rows))
    if heads < 2:  # noqa: PLR2004
        return rows
    width = max(map(len, rows[:heads]))
    names: list[dict[str, None]] = [{} for _ in range(width)]
    for row in rows[:heads]:
        for column, text in enumerate(row):
            names[column][one_line(text)] = None
    return [[" ".join(filter(None, name)) for name in names], *rows[heads:]]
