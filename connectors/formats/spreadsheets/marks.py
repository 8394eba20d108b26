"""What a sheet says of its cells beside their values."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from connectors.formats.spreadsheets.number_formats import NumberFormat

_REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})$")
_MOST_NAMED = 5
ROWS, COLUMNS = 1_048_576, 16_384  # of a sheet, in the programs that write them


class Area(NamedTuple):
    """A block of cells that were merged into one; rows and columns count from 0, and both ends belong to it."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(slots=True)
class SheetMarks:
    """What a sheet says of its cells beside their values, by row and column, from 0.

    Attributes:
        formats: the number formats of cells that have one.
        texts: what stands in place of a value: an error, or a formula without a result.
        uncalculated: the cells whose formulas have no result, in order.
        notes: the notes and comments of cells.
        merged: the cells that are one.
    """

    formats: defaultdict[int, dict[int, NumberFormat]] = field(default_factory=lambda: defaultdict(dict))
    texts: defaultdict[int, dict[int, str]] = field(default_factory=lambda: defaultdict(dict))
    uncalculated: list[tuple[int, int]] = field(default_factory=list)
    notes: defaultdict[int, dict[int, str]] = field(default_factory=lambda: defaultdict(dict))
    merged: list[Area] = field(default_factory=list)


def column_name(column: int) -> str:
    """The name of a column, counted from 0.

    >>> column_name(0), column_name(27)
    ('A', 'AB')
    """
    name = ""
    column += 1
    while column:
        column, letter = divmod(column - 1, 26)
        name = chr(65 + letter) + name
    return name


def cell_at(reference: str) -> tuple[int, int] | None:
    """The row and column of a reference, from 0; None for what is no cell.

    >>> cell_at("AB12"), cell_at("A0")
    ((11, 27), None)
    """
    found = _REFERENCE.match(reference)
    if found is None or not 0 < int(found[2]) <= ROWS:
        return None
    column = 0
    for letter in found[1]:
        column = 26 * column + ord(letter) - 64
    return int(found[2]) - 1, column - 1


def area_of(reference: str) -> Area | None:
    """The area of a reference like `A2:C4`; None for a single cell, and for what is no area."""
    first, _, last = reference.partition(":")
    start, end = cell_at(first), cell_at(last)
    if start is None or end is None or not start < end or start[1] > end[1]:
        return None
    return Area(*start, *end)


def cell_names(sheet: str, cells: Iterable[tuple[int, int]]) -> Iterator[str]:
    """Some of the cells as people write them: `Prices!C2`."""
    for number, (row, column) in enumerate(cells):
        if number == _MOST_NAMED:
            yield "…"
            return
        yield f"{sheet}!{column_name(column)}{row + 1}"
