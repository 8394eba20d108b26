"""Tables: rows of pieces with wide gaps between them that stand below each other."""

from __future__ import annotations

import re
from collections.abc import Sequence

from connectors.formats.documents.pages.columns import Row
from connectors.formats.documents.pages.line import PageLine

_LEAST_ROWS = 3
_FAR = 3.2  # sizes between the baselines of two rows of one table
_FILLED = 0.55  # of its cells
_MOST_ROWS = 400
_LEADER = re.compile(r"(?:[.·…]\s?){3,}")  # of a table of contents


def table_at(rows: Sequence[Row], start: int) -> tuple[int, list[list[str]]] | None:
    """How many rows the table that begins with `rows[start]` has, and its cells; None where there is no table."""
    if len(rows[start].pieces) < 2:  # noqa: PLR2004
        return None
    end = _end(rows, start)
    body = rows[start:end]
    full = [row for row in body if len(row.pieces) > 1]
    if len(full) < _LEAST_ROWS:
        return None
    columns = _columns(full)
    if len(columns) < 2:  # noqa: PLR2004
        return None
    cells = _cells(body, columns)
    filled = sum(bool(cell) for row in cells for cell in row)
    text = [cell for row in cells for cell in row if cell]
    if filled < _FILLED * len(cells) * len(columns) or any(map(_LEADER.search, text)):
        return None
    return end - start, cells


def _end(rows: Sequence[Row], start: int) -> int:
    """Where a run of rows of several pieces ends; a single piece belongs to it where a cell goes on below itself."""
    end = start + 1
    last_full = start
    while end < min(len(rows), start + _MOST_ROWS):
        above, row = rows[end - 1].pieces, rows[end].pieces
        size = max(above[0].size, row[0].size)
        if above[0].base - row[0].base > _FAR * size:
            break
        if len(row) > 1:
            last_full = end
        elif not _goes_on(rows[last_full].pieces, row[0]) or end - last_full > 4:  # noqa: PLR2004
            break
        end += 1
    # What follows the last full row may be the rest of its cells, or the caption.
    while end - 1 > last_full and not _goes_on_closely(rows[end - 2].pieces, rows[end - 1].pieces[0]):
        end -= 1
    return end


def _goes_on(above: Sequence[PageLine], line: PageLine) -> bool:
    """Whether a line stands below one piece of the row above, and no wider than up to the next."""
    for place, piece in enumerate(above):
        limit = above[place + 1].left if place + 1 < len(above) else float("inf")
        if (
            abs(piece.left - line.left) < piece.size
            and line.right < limit
            and (place or line.right - line.left < 30 * line.size)
        ):
            return place > 0 or len(line.text) <= 2 * len(piece.text) + 8
    return False


def _goes_on_closely(above: Sequence[PageLine], line: PageLine) -> bool:
    return above[0].base - line.base < 1.5 * line.size and _goes_on(above, line)


def _columns(rows: Sequence[Row]) -> list[tuple[float, float]]:
    """The horizontal stretches that cells stand in, from the rows with the most pieces: heads may span columns."""
    most = max(len(row.pieces) for row in rows)
    stretches: list[tuple[float, float]] = []
    for left, right in sorted(
        (piece.left, piece.right) for row in rows if 2 * len(row.pieces) > most for piece in row.pieces
    ):
        if stretches and left < stretches[-1][1]:
            stretches[-1] = (stretches[-1][0], max(stretches[-1][1], right))
        else:
            stretches.append((left, right))
    return stretches


def _cells(rows: Sequence[Row], columns: Sequence[tuple[float, float]]) -> list[list[str]]:
    found: list[list[str]] = []
    for place, row in enumerate(rows):
        cells = [""] * len(columns)
        for piece in row.pieces:
            column = _column(piece, columns)
            cells[column] = f"{cells[column]} {piece.text}".strip()
        goes_on = found and not cells[0] and len(row.pieces) < len(rows[place - 1].pieces) and _is_close(rows, place)
        single = found and len(row.pieces) == 1 and _is_close(rows, place)
        if goes_on or single:
            found[-1] = [" ".join(filter(None, both)) for both in zip(found[-1], cells, strict=True)]
        else:
            found.append(cells)
    return found


def _is_close(rows: Sequence[Row], place: int) -> bool:
    above, line = rows[place - 1].pieces[0], rows[place].pieces[0]
    return above.base - line.base < 1.5 * line.size


def _column(piece: PageLine, columns: Sequence[tuple[float, float]]) -> int:
    """The first column that a piece stands in, or the nearest."""
    middle = (piece.left + piece.right) / 2
    for place, (left, right) in enumerate(columns):
        if piece.left < right and piece.right > left:
            return place
    return min(range(len(columns)), key=lambda place: abs(sum(columns[place]) / 2 - middle))
