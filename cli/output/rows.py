"""Prints rows of a database: as a table if it fits the width, else each row as a list."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rich import box
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from cli.output.terminal import one_line, stdout
from rag.sql import to_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.sql import Rows

_NARROW = 20  # a longer value may be broken into lines of this width
_BETWEEN = 3  # cells between two columns


def print_rows(rows: Rows, limit: int) -> None:
    """Print the first `limit` rows."""
    shown = rows.rows[:limit]
    needed = [_needed(position, name, shown) for position, name in enumerate(rows.columns)]
    if sum(needed) + _BETWEEN * len(needed) > stdout().width and len(needed) > 1:
        _print_lists(rows.columns, shown)
    else:
        stdout().print(_table(rows.columns, shown))


def _needed(position: int, name: str, rows: Sequence[Sequence[Any]]) -> int:
    """How wide a column has to be to be read with ease."""
    longest = max((cell_len(one_line(to_text(row[position]))) for row in rows), default=0)
    return max(cell_len(one_line(name)), min(longest, _NARROW))


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
    """The rows as a table; numbers to the right."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for position, name in enumerate(columns):
        values = [row[position] for row in rows if row[position] is not None]
        is_number = bool(values) and all(isinstance(value, int | float | Decimal) for value in values)
        table.add_column(Text(one_line(name)), justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(one_line(to_text(value))) for value in row))
    return table


def _print_lists(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Each row as lines of a name and a value."""
    width = min(max(cell_len(one_line(name)) for name in columns), stdout().width // 2)
    for row in rows:
        lines = Table.grid(padding=(0, 2))
        lines.add_column(style="dim", width=width, overflow="fold")
        lines.add_column(overflow="fold")
        for name, value in zip(columns, row, strict=True):
            lines.add_row(Text(one_line(name)), Text(one_line(to_text(value))))
        stdout().print(lines)
        stdout().print()
