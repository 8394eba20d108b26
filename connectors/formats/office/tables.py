"""The header rows of a table of a text document."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.formats.grid import Cell

_MOST = 4


def head_rows(rows: Sequence[Sequence[Cell]], marked: int = 0) -> int | None:
    """How many rows are the header: those marked as such, or as many as its cells reach down where groups are above.

    None where nothing tells.

    >>> head_rows([[Cell("Route", rows=2), Cell("Fare", columns=2)], [Cell("adult"), Cell("child")], [Cell("Kiel")]])
    2
    """
    if 0 < marked < len(rows):
        return min(marked, _MOST)
    first = rows[0] if rows else ()
    reach = max((cell.rows for cell in first), default=1)
    grouped = any(cell.columns > 1 and cell.rows < reach for cell in first)
    return reach if grouped and 1 < reach < min(len(rows), _MOST) else None
