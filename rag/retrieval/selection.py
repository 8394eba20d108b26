"""Selects hits from candidates: how deep to look, copies folded, in an order that does not depend on `k`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count, takewhile

import numpy as np
import numpy.typing as npt

from indexes.catalog.reading import Ids, Vectors
from indexes.catalog.rows import StoredChunk
from indexes.terms.analyzer import QueryTerm
from rag.retrieval.deduplication import Foldable, Group, Passages, fold
from rag.retrieval.diversity import diversify

EVIDENCE_HITS = 8  # that an answer rests on, unless more or fewer are asked for
_DEEPER = (1, 4, 16)  # how much deeper the lists are read while copies leave too few hits


@dataclass(frozen=True, slots=True)
class HitSelection:
    """How to choose the best candidates.

    Attributes:
        k: how many hits there shall be.
        judged: how many a reranker is to read.
        pool: how deep each list is read at least.
        fold_copies: whether copies are folded.
        diversity: how much the hits have to differ.
    """

    k: int
    judged: int
    pool: int
    fold_copies: bool
    diversity: float

    @property
    def edge(self) -> int:
        """How deep each list is read whatever `k` is."""
        return max(self.pool, self.judged)

    def depths(self) -> Iterator[int]:
        """How deep to read the lists: as deep as the hits need, then deeper, as long as copies leave too few."""
        if not self.fold_copies:
            yield max(self.edge, self.k)
            return
        # Copies decide how deep a search goes. So that the first hits are the same, all go down the same steps.
        first = next(depth for depth in _steps(self.edge) if depth >= self.k)
        yield from (first * deeper for deeper in _DEEPER)


@dataclass(frozen=True, slots=True)
class Scored:
    """Candidates: chunks, unit vectors [n, dimensions], scores, and places in the list that ranks them higher."""

    ids: Ids
    vectors: Vectors
    score: npt.NDArray[np.float64]
    place: Ids


def tiers(place: Ids, edge: int) -> npt.NDArray[np.intp]:
    """The step in which each candidate is found: 0 for the best `edge` of a list, 1 for twice as many, and so on.

    Example:
        >>> tiers(np.array([1, 50, 51, 100, 101]), 50).tolist()
        [0, 0, 1, 1, 2]
    """
    deepest = int(place.max(initial=1))
    return np.searchsorted([*takewhile(lambda depth: depth < deepest, _steps(edge))], place)


def choose(
    found: Scored, choice: HitSelection, passages: Passages, matching: Callable[[StoredChunk], Iterable[QueryTerm]]
) -> list[Group]:
    """The best candidates, best first, copies folded; all of them where diversity is to choose among them."""
    depth = tiers(found.place, choice.edge)
    order = np.lexsort((found.ids, -found.score, depth)).tolist()
    wanted = len(order) if choice.diversity else max(choice.k, choice.judged)
    if not choice.fold_copies:
        return [Group(row) for row in order[:wanted]]
    return fold(Foldable(order, found.ids, found.vectors, depth), wanted, passages, matching)


def always_found(found: Scored, groups: Sequence[Group], choice: HitSelection) -> list[int]:
    """The rows of the first groups, those that a search of this query finds whatever `k` is."""
    return [group.row for group in groups if found.place[group.row] <= choice.edge]


def diversified(found: Scored, groups: list[Group], choice: HitSelection) -> list[Group]:
    """The groups in the order that diversity gives to those that are always found."""
    if not choice.diversity:
        return groups
    rows = always_found(found, groups, choice)
    shifts = diversify(found.score[rows], found.vectors[rows], choice.diversity)
    return [*(replace(groups[place], shift=why) for place, why in shifts), *groups[len(rows) :]]


def _steps(edge: int) -> Iterator[int]:
    return (edge << step for step in count())
