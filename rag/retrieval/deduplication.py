"""Folding: copies of one passage among the candidates become one hit that lists the other places.

`rag.text.near_duplicates` decides what is a copy, by the text alone; the vectors only show which pairs to compare.
A copy that contains a query word missing from the better one, for example in its heading, is a hit of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from indexes.catalog.reading import Ids, Vectors
from indexes.catalog.rows import StoredChunk
from indexes.store import View
from indexes.terms.analyzer import QueryTerm
from rag.retrieval.hit import DiversityShift
from rag.text.near_duplicates import Fingerprint

# Of copies with one line more, an eighth less, a heading or other capitals, 5 in 1,000 are below it, and 60 in 1,000
# where the text is a single sentence.
_AKIN = 0.85
_AT_ONCE = 512  # rows compared with all others at a time: 40 MB for twenty thousand candidates

Chunks = Mapping[int, StoredChunk]


@dataclass(frozen=True, slots=True)
class Group:
    """Candidates with the same content, by row: the one to show, the others by age, and what moved the hit."""

    row: int
    copies: tuple[int, ...] = ()
    shift: DiversityShift | None = None


@dataclass(frozen=True, slots=True)
class Foldable:
    """The properties of the candidates that folding needs.

    Attributes:
        order: their rows, best first.
        ids: the chunk of each row.
        vectors: their unit vectors, [rows, dimensions].
        tiers: how far down the lists each stands, in steps that do not depend on `k`; the order is by these first.
    """

    order: Sequence[int]
    ids: Ids
    vectors: Vectors
    tiers: npt.NDArray[np.intp]


class Passages:
    """The chunks of the candidates, each read once, when needed."""

    def __init__(self, view: View, ids: Ids) -> None:
        self._view = view
        self._ids = ids
        self._known: dict[int, StoredChunk] = {}

    def __call__(self, rows: Iterable[int]) -> Chunks:
        """Row → chunk, of these rows at least.

        Raises:
            DamagedError: the catalog has not all of them, or a row is not what was written.
        """
        if missing := [row for row in rows if row not in self._known]:
            stored = self._view.chunks(self._ids[missing])
            self._known.update((row, stored[int(self._ids[row])]) for row in missing)
        return self._known


def fold(
    found: Foldable,
    k: int,
    read: Callable[[Iterable[int]], Chunks],
    matching: Callable[[StoredChunk], Iterable[QueryTerm]],
) -> list[Group]:
    """The best `k` candidates that are no copies of better ones, best first, each with all its copies.

    Who is a copy of several belongs to the best of them, so a group does not change with `k`. The best ranked one is
    shown, and the oldest chunk among those that are the same to the letter and so rank alike.

    Args:
        found: the candidates.
        k: how many groups at most.
        read: gives the chunks of some rows.
        matching: gives the terms of the query that a chunk holds.
    """
    groups: list[Group] = []
    rest = list(found.order)
    while rest and len(groups) < k:
        heads = rest[: min(k - len(groups), _AT_ONCE)]
        akin = np.triu(found.vectors[heads] @ found.vectors[rest].T >= _AKIN, 1)
        pairs = _Pairs(rest, akin, read([*heads, *(rest[place] for place in np.flatnonzero(akin.any(axis=0)))]))
        groups += [_group(rows, found, pairs.chunks) for rows in pairs.groups(len(heads), matching)]
        rest = [row for place, row in enumerate(rest) if place >= len(heads) and place not in pairs.taken]
    return groups


class _Pairs:
    """Rows in order, the similar ones, and those taken as copies. A place is an index into `rows`."""

    def __init__(self, rows: Sequence[int], akin: npt.NDArray[np.bool_], chunks: Chunks) -> None:
        self.rows = rows
        self.akin = akin
        self.chunks = chunks
        self.taken: set[int] = set()
        places = np.union1d(np.flatnonzero(akin.any(axis=0)), np.flatnonzero(akin.any(axis=1))).tolist()
        self._prints = {place: Fingerprint(chunks[rows[place]].text) for place in places}
        # Thousands of lines of a log are akin, and few have the same numbers.
        self._by_figures: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for place, fingerprint in self._prints.items():
            self._by_figures[fingerprint.figures].append(place)

    def groups(self, heads: int, matching: Callable[[StoredChunk], Iterable[QueryTerm]]) -> Iterator[list[int]]:
        """Each of the first `heads` rows that is no copy of one before it, and its copies."""
        for place in range(heads):
            if place not in self.taken:
                yield [self.rows[place], *self._take_copies(place, matching)]

    def _take_copies(self, head: int, matching: Callable[[StoredChunk], Iterable[QueryTerm]]) -> Iterator[int]:
        if head not in self._prints:
            return
        mine, chunk = self._prints[head], self.chunks[self.rows[head]]
        for place in self._by_figures[mine.figures]:
            if place in self.taken or not self.akin[head, place] or not self._prints[place].is_copy_of(mine):
                continue
            other = self.chunks[self.rows[place]]
            if other.indexed_text == chunk.indexed_text or set(matching(other)) <= set(matching(chunk)):
                self.taken.add(place)
                yield self.rows[place]


def _group(rows: list[int], found: Foldable, chunks: Chunks) -> Group:
    """The group of these rows, best first."""
    best, ids = rows[0], found.ids
    same = [
        row
        for row in rows
        if chunks[row].indexed_text == chunks[best].indexed_text and found.tiers[row] == found.tiers[best]
    ]
    shown = min(same, key=lambda row: int(ids[row]))
    return Group(shown, tuple(sorted((row for row in rows if row != shown), key=lambda row: int(ids[row]))))
