"""Tables: rows of pieces with wide gaps between them that stand below each other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from connectors.formats.documents.pages.captions import is_caption
from connectors.formats.documents.pages.columns import Row
from connectors.formats.documents.pages.line import PageLine, joined

_LEAST_ROWS = 3
_FAR = 3.2  # sizes between the baselines of two rows of one table
_FILLED = 0.55  # of its cells
_MOST_ROWS = 400
_CLOSE = 1.5  # sizes between two lines of one cell
_WRAPPED = 18  # characters of a cell that goes on below
_LONG, _WIDE = 40, 2.0  # characters of a cell beside which a gap has to be of this many sizes
_SECTION = re.compile(r"\d+(?:\.\d+)*\.?|[A-Z](?:\.\d+)*\.?|[IVX]+\.")
_LEADER = re.compile(r"(?:[.·…]\s?){3,}")  # of a table of contents


def table_at(rows: Sequence[Row], start: int) -> tuple[int, list[list[str]]]:
    """How many rows from `rows[start]` on are a table or surely none, and the cells of the table, if it is one."""
    if not _has_cells(rows[start]):
        return 1, []
    end = _end(rows, start)
    body = rows[start:end]
    most = max(len(row.pieces) for row in body)
    full = [row for row in body if len(row.pieces) > 1 and 2 * len(row.pieces) >= most]
    columns = _columns(full)
    if len(full) < _LEAST_ROWS or len(columns) < 2:  # noqa: PLR2004
        return end - start, []
    cells = _cells(body, columns)
    text = [cell for row in cells for cell in row if cell]
    if len(text) < _FILLED * len(cells) * len(columns) or any(map(_LEADER.search, text)):
        return end - start, []
    return end - start, cells


def _end(rows: Sequence[Row], start: int) -> int:
    """Where a run of rows of several pieces ends; a single piece belongs to it where a cell goes on below itself."""
    end = start + 1
    last_full = start
    while end < min(len(rows), start + _MOST_ROWS):
        above, row = rows[end - 1].pieces, rows[end].pieces
        size = max(above[0].size, row[0].size)
        if above[0].base - row[0].base > _FAR * size or _is_other_size(above, row) or is_caption(row[0].text):
            break
        if _has_cells(rows[end]):
            last_full = end
        elif not _goes_on(rows[last_full].pieces, row[0]) or end - last_full > 4:  # noqa: PLR2004
            break
        end += 1
    # What follows the last full row may be the rest of its cells, or the caption.
    while end - 1 > last_full and not _goes_on_closely(rows[end - 2].pieces, rows[end - 1].pieces[0]):
        end -= 1
    return end


def _has_cells(row: Row) -> bool:
    """Whether the gaps of a row are those between cells; a justified line and a bold beginning have gaps as well."""
    pieces = row.pieces
    if len(pieces) == 1:
        return False
    if len(pieces) == 2 and _SECTION.fullmatch(pieces[0].text) and (pieces[0].bold or pieces[1].text[0].isalpha()):  # noqa: PLR2004
        return _gap(pieces) > _WIDE * pieces[0].size
    return max(len(piece.text) for piece in pieces) <= _LONG or _gap(pieces) > _WIDE * pieces[0].size


def _gap(pieces: Sequence[PageLine]) -> float:
    return max(second.left - first.right for first, second in pairwise(pieces))


def _is_other_size(above: Sequence[PageLine], row: Sequence[PageLine]) -> bool:
    """Whether two rows have no piece of one size: the second is a heading, or the text below one."""
    return min(abs(first.size - second.size) for first in above for second in row) > 1.5  # noqa: PLR2004


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
    return above[0].base - line.base < _CLOSE * line.size and _goes_on(above, line)


def _columns(rows: Sequence[Row]) -> list[tuple[float, float]]:
    """The horizontal stretches that cells stand in."""
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
    above: list[PageLine | None] = []
    for row in rows:
        pieces: list[PageLine | None] = [None] * len(columns)
        for piece in row.pieces:
            column = _column(piece, columns)
            before = pieces[column]
            pieces[column] = piece if before is None else joined(before, piece)
        cells = ["" if piece is None else piece.text for piece in pieces]
        if found and _continues(above, pieces, columns):
            found[-1] = [" ".join(filter(None, both)) for both in zip(found[-1], cells, strict=True)]
        else:
            found.append(cells)
        above = pieces
    return found


def _continues(
    above: Sequence[PageLine | None], pieces: Sequence[PageLine | None], columns: Sequence[tuple[float, float]]
) -> bool:
    """Whether a row holds second lines of the cells of the row above."""
    upper, lines = [piece for piece in above if piece], [piece for piece in pieces if piece]
    if upper[0].base - lines[0].base > _CLOSE * lines[0].size:
        return False
    if pieces[0] is None and 2 * len(lines) <= len(columns) and len(lines) < len(upper):
        return True
    first = pieces[0]
    if len(lines) == 1 or (
        first is not None and above[0] is not None and (first.text[0] == "(" or first.text[0].islower())
    ):
        return True
    return any(
        piece is not None
        and before is not None
        and piece.text[0].islower()
        and len(before.text) >= _WRAPPED
        and before.right > left + 0.8 * (right - left)
        for before, piece, (left, right) in zip(above, pieces, columns, strict=True)
    )


def _column(piece: PageLine, columns: Sequence[tuple[float, float]]) -> int:
    """The first column that a piece stands in, or the nearest."""
    middle = (piece.left + piece.right) / 2
    for place, (left, right) in enumerate(columns):
        if piece.left < right and piece.right > left:
            return place
    return min(range(len(columns)), key=lambda place: abs(sum(columns[place]) / 2 - middle))
