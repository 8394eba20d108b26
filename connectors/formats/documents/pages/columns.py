"""The order in which people read the lines of a page: band by band, in each column by column, whoever drew them how."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

from connectors.formats.documents.pages.line import PageLine, joined

_LEAST_GAP = 0.5  # of the size of the letters
_LEAST_ROWS = 3  # that a gap between columns is beside
_MOST_COLUMNS = 8
_MOST_WEIGHT = 30  # characters of a line that count for a gap: text weighs more than the labels of a figure
_MOST_PIECES = 200  # of a row: a hostile page may have all its words in one
_NEAR = 40  # pieces, from the top down, among which the next one to the right is looked for
_PROSE_LETTERS = 12  # a line of a column has about this many characters at the least; cells of tables have fewer
_FILLED = 0.55  # of the width of its column
_MOST_SWITCHES = 3  # from one side of a gap to the other, in the order of drawing, where columns are drawn as such


class Row(NamedTuple):
    """What stands on one baseline of a column, from left to right; more than one piece where the gaps are wide."""

    pieces: tuple[PageLine, ...]

    @property
    def line(self) -> PageLine:
        """All of it as one line."""
        line = self.pieces[0]
        for piece in self.pieces[1:]:
            line = joined(line, piece)
        return line if len(self.pieces) == 1 else line._replace(gaps=len(self.pieces) - 1)


class _Piece(NamedTuple):
    """A piece of a line and its place in the order of drawing."""

    line: PageLine
    drawn: int


def reading_order(lines: Sequence[PageLine]) -> list[list[Row]]:
    """The columns of a page in reading order, each as rows from the top down; turned text comes last."""
    upright = [_Piece(line, drawn) for drawn, line in enumerate(join_pieces(lines))]
    turned = [piece.line for piece in upright if not piece.line.size]
    upright = [piece for piece in upright if piece.line.size]
    upright.sort(key=lambda piece: -piece.line.base)
    columns = [_rows(region) for region in _regions(upright, _MOST_COLUMNS)]
    return [*columns, *([[Row((line,)) for line in turned]] if turned else [])]


def join_pieces(lines: Sequence[PageLine]) -> list[PageLine]:
    """Pieces drawn one after the other on one baseline made one: extraction breaks at superscripts and new fonts."""
    found: list[PageLine] = []
    for line in lines:
        if found and _adjoin(found[-1], line):
            line = joined(found.pop(), line)  # noqa: PLW2901
        found.append(line)
    return found


def _adjoin(first: PageLine, second: PageLine) -> bool:
    if not (first.size and second.size):
        return False
    gap, size = second.left - first.right, max(first.size, second.size)
    return abs(second.base - first.base) < 0.5 * size and -0.5 * first.size < gap < 0.7 * min(first.size, second.size)


def _regions(pieces: list[_Piece], columns: int) -> Iterator[list[_Piece]]:
    """The parts of a page that are read one after the other, each of a single column; all from the top down."""
    gap = _gap(pieces) if columns > 1 else None
    if gap is None:
        yield pieces
        return
    pending: list[_Piece] = []
    for band in _bands(pieces, gap):
        left = [piece for piece in band if piece.line.right <= gap + 1]
        right = [piece for piece in band if piece.line.right > gap + 1]
        sides = [list(_regions(side, columns // 2)) for side in (left, right)] if left and right else []
        if sides and _are_columns(left, right, [*sides[0], *sides[1]]):
            if pending:
                yield pending
                pending = []
            yield from (region for side in sides for region in side)
        else:
            pending += band
    if pending:
        yield pending


def _gap(pieces: list[_Piece]) -> float | None:
    """Where the gap runs down the page that the most text is beside; `pieces` are sorted from the top down."""
    edges: list[tuple[float, int]] = []
    bases = [-piece.line.base for piece in pieces]
    last = max((piece.line.left for piece in pieces), default=0.0)
    for place, (line, _) in enumerate(pieces):
        other = _neighbour(line, pieces, bases, place) if line.right < last else None
        if other is not None and other.left - line.right > _LEAST_GAP * line.size:
            weight = min(len(line.text), len(other.text), _MOST_WEIGHT)
            edges += ((line.right, weight), (other.left, -weight))
    weight = most = 0
    best: float | None = None
    edges.sort()
    for (place_, change), (following, _) in pairwise(edges):
        weight += change
        if weight > most and following - place_ > 1:
            most, best = weight, (place_ + following) / 2
    return best if most >= _LEAST_ROWS * _PROSE_LETTERS else None


def _neighbour(line: PageLine, pieces: list[_Piece], bases: list[float], place: int) -> PageLine | None:
    """The next piece to the right of a line, among the few that stand beside it."""
    nearest = None
    start = bisect_left(bases, -line.base - line.size, 0, place)
    for other, _ in pieces[max(start, place - _NEAR) : place + _NEAR]:
        if line.base - other.base > line.size:
            break
        if other.left >= line.right - 1 and (nearest is None or other.left < nearest.left):
            nearest = other
    return nearest


def _bands(pieces: list[_Piece], gap: float) -> Iterator[list[_Piece]]:
    """The pieces between those that cross the gap, and these themselves, from the top down."""
    band: list[_Piece] = []
    crosses = False
    for piece in pieces:
        now = piece.line.left < gap - 1 and piece.line.right > gap + 1
        if band and now != crosses:
            yield band
            band = []
        band.append(piece)
        crosses = now
    if band:
        yield band


def _are_columns(left: list[_Piece], right: list[_Piece], regions: list[list[_Piece]]) -> bool:
    """Whether both sides of a gap are columns of text; the alternative are the cells of a table, or labels."""
    if min(len(left), len(right)) < _LEAST_ROWS:
        return False
    sides = sorted([(piece.drawn, 0) for piece in left] + [(piece.drawn, 1) for piece in right])
    switches = sum(first[1] != second[1] for first, second in pairwise(sides))
    if switches <= _MOST_SWITCHES and all(_usual_length(side) >= _PROSE_LETTERS for side in (left, right)):
        return True
    return all(_is_prose(region) for region in regions)


def _is_prose(region: list[_Piece]) -> bool:
    """Whether lines fill the width of their column, as those of a paragraph do."""
    width = max(piece.line.right for piece in region) - min(piece.line.left for piece in region)
    full = sum(len(line.text) for line, _ in region if line.right - line.left > _FILLED * width)
    enough = 2 * full >= sum(len(piece.line.text) for piece in region)
    return enough and len(region) >= _LEAST_ROWS and _usual_length(region) >= _PROSE_LETTERS


def _usual_length(region: list[_Piece]) -> int:
    """How long the line is that the middle letter stands in: the many labels of a figure count little."""
    lengths = sorted(len(piece.line.text) for piece in region)
    return lengths[bisect_left(list(accumulate(lengths)), sum(lengths) / 2)]


def _rows(pieces: list[_Piece]) -> list[Row]:
    """Rows of pieces on about one baseline, from the top down."""
    rows: list[Row] = []
    row: list[PageLine] = []
    for piece in pieces:
        line = piece.line
        if row and not _beside(row, line):
            rows.append(_row(row))
            row = []
        row.append(line)
    if row:
        rows.append(_row(row))
    return rows


def _beside(row: list[PageLine], line: PageLine) -> bool:
    """Whether a line stands beside all pieces of a row, or above or below one of them as an index does."""
    first = row[0]
    if abs(first.base - line.base) > first.size + line.size or len(row) >= _MOST_PIECES:
        return False  # as nearly always, and quickly told
    widest = max(row, key=lambda piece: piece.size)
    if abs(widest.base - line.base) > 0.45 * max(widest.size, line.size):
        return False
    return all(
        line.left >= piece.right - 0.5 * piece.size or line.right <= piece.left + 0.5 * piece.size for piece in row
    )


def _row(pieces: list[PageLine]) -> Row:
    if len(pieces) == 1:
        return Row((pieces[0],))
    return Row(tuple(join_pieces(sorted(pieces, key=lambda line: line.left))))
