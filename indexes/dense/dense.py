"""The dense index: finds the chunks nearest to a query, with FAISS over the catalog's vectors of record.

On disk there is one base file, as of some generation. Later births and deaths (the delta) are read from the catalog
when a generation is loaded. So a small commit writes no index file at all, and a missing or outdated base costs time,
never correctness. A loaded index is immutable: threads may share it. It only finds candidates; their similarity is
computed from the vectors of record.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from indexes.catalog.reading import Ids, Reading, Vectors
from indexes.dense.base import Base, BaseState, empty_base, open_base, read_base_state

_LAST_BITS = 1e-6


@dataclass(frozen=True, slots=True)
class DenseIndex:
    """The vectors of one generation: those in `base` that are not `dead`, plus the `delta`.

    Attributes:
        state: what the base was built for; the empty state without one.
        base: the FAISS index as of `state.generation`.
        delta_ids: chunks born since, ascending, [n].
        delta: their vectors, [n, dimensions].
        dead: chunks that died since.
    """

    encoder: str
    generation: int
    state: BaseState
    base: Base
    delta_ids: Ids
    delta: Vectors
    dead: Ids

    def candidates(self, query: Vectors, limit: int, allowed: Ids | None = None) -> Ids:
        """Chunks among which are the `limit` nearest to `query` [dimensions]; more than that where the base guesses.

        Only chunks in `allowed` (ascending) where given, and as many as there are.
        """
        if limit < 1:
            return _NO_IDS
        return np.union1d(self._from_base(query, limit, allowed), self._from_delta(query, limit, allowed))

    def _from_base(self, query: Vectors, limit: int, allowed: Ids | None) -> Ids:
        if allowed is None:
            return self.base.search(query, limit, hidden=self.dead)
        return self.base.search(query, limit, allowed=np.setdiff1d(allowed, self.dead, assume_unique=True))

    def _from_delta(self, query: Vectors, limit: int, allowed: Ids | None) -> Ids:
        ids, rows = self.delta_ids, self.delta
        if allowed is not None:
            chosen = np.isin(ids, allowed, assume_unique=True)
            ids, rows = ids[chosen], rows[chosen]
        if len(ids) <= limit:
            return ids
        near = rows @ query
        least = np.partition(near, -limit)[-limit]
        # Of copies, which the product tells apart by their last bits at most, the oldest: so they stay the same ones,
        # however many are wanted.
        equal = np.flatnonzero(np.abs(near - least) <= _LAST_BITS)[:limit]
        return ids[np.union1d(np.flatnonzero(near > least + _LAST_BITS), equal)]


class BaseLostError(Exception):
    """The base file is missing or damaged."""


def load_dense(
    folder: Path, reading: Reading, generation: int, state: BaseState, previous: DenseIndex | None = None
) -> DenseIndex:
    """The dense index of `generation`: the base of `state`, and what was born and died since, read from the catalog.

    What `previous` holds is used again.

    Raises:
        BaseLostError: the base file is missing or damaged.
        DamagedError: a vector of record is not what was written.
    """
    encoder, dimensions = reading.setting("encoder"), reading.dimensions()
    dead = reading.dead_chunks(state.generation, generation)
    known = previous if previous is not None and (previous.encoder, previous.state) == (encoder, state) else None
    delta_ids = reading.born_chunks(state.generation, generation)
    if known is not None:
        kept = np.isin(known.delta_ids, delta_ids, assume_unique=True)
        new_ids = np.setdiff1d(delta_ids, known.delta_ids, assume_unique=True)
        ids, new = reading.vectors_by_id(encoder, new_ids, dimensions)
        delta_ids = np.concatenate([known.delta_ids[kept], ids])
        order = np.argsort(delta_ids)
        delta = np.concatenate([known.delta[kept], new])[order]
        return replace(known, generation=generation, delta_ids=delta_ids[order], delta=delta, dead=dead)
    base = open_base(folder, state, dimensions) if state.generation else empty_base(dimensions)
    if base is None:
        raise BaseLostError
    delta_ids, delta = reading.vectors_by_id(encoder, delta_ids, dimensions)
    return DenseIndex(encoder, generation, state, base, delta_ids, delta, dead)


def usable_state(folder: Path, reading: Reading, encoder: str, generation: int) -> BaseState:
    """The state of the base on disk when it is of this encoder and of this catalog's past, else the empty state."""
    state = read_base_state(folder, encoder)
    of_this_past = 0 < state.generation <= generation and state.mark == reading.mark(state.generation)
    return state if of_this_past else BaseState()


_NO_IDS: Ids = np.empty(0, np.int64)
