"""The dense index: exact inner-product search in FAISS over the catalog's vectors of record.

On disk there is one base file, as of some generation. What was born or died since is read from the catalog when a
generation is loaded (the delta), so a small commit writes no index file at all, and a missing or outdated base costs
time, never truth. A loaded index is immutable: threads may share it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from indexes.catalog import Ids, Reading, Vectors
from indexes.files import write_atomically

FORMAT_VERSION = 1
_STATE = "state.json"
# A new base is written when the delta outgrows both: reading it at every start would cost more than a rewrite.
_DELTA_CHUNKS = 1_000
_DELTA_SHARE = 0.1
Scores = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class DenseState:
    """What the base file was built for; `size` (bytes) tells a truncated file."""

    file: str = ""
    encoder: str = ""
    generation: int = 0
    count: int = 0
    size: int = 0
    format: int = FORMAT_VERSION


@dataclass(frozen=True, slots=True)
class DenseIndex:
    """The vectors of one generation.

    `base` and `delta` are `IndexIDMap2(IndexFlatIP)`; `dead` are ids in `base` that died after it was written.
    """

    encoder: str
    dimensions: int
    generation: int
    base: Any
    base_generation: int
    delta: Any
    dead: Ids

    @property
    def count(self) -> int:
        """Live vectors."""
        return int(self.base.ntotal + self.delta.ntotal) - len(self.dead)

    def outgrown(self) -> bool:
        """Whether the base is worth rewriting."""
        pending = int(self.delta.ntotal) + len(self.dead)
        return bool(pending > max(_DELTA_CHUNKS, _DELTA_SHARE * self.base.ntotal))

    def search(self, query: Vectors, limit: int, allowed: Ids | None = None) -> tuple[Ids, Scores]:
        """Ids and cosines of the `limit` chunks nearest to `query` [dimensions], best first."""
        found = [
            _search(self.base, query, limit, self.dead, allowed),
            _search(self.delta, query, limit, _NO_IDS, allowed),
        ]
        ids = np.concatenate([part[0] for part in found])
        scores = np.concatenate([part[1] for part in found])
        order = np.lexsort((ids, -scores))[: max(0, limit)]
        return ids[order], scores[order]

    def scores(self, query: Vectors, ids: Ids) -> Scores:
        """The cosine of `query` and each of these chunks, in their order."""
        return self.vectors(ids) @ query if len(ids) else np.zeros(0, np.float32)

    def vectors(self, ids: Ids) -> Vectors:
        """The vectors [len(ids), dimensions] of these chunks; zeros for an id that is not here."""
        found = np.zeros((len(ids), self.dimensions), np.float32)
        for row, key in enumerate(ids.tolist()):
            for index in (self.delta, self.base):
                try:
                    found[row] = index.reconstruct(key)
                    break
                except RuntimeError:  # faiss: the key is not in this index
                    continue
        return found

    def save(self, folder: Path) -> DenseIndex:
        """Write everything as a new base, atomically; returns the index resting on it."""
        import faiss

        merged = _empty(self.dimensions)
        for index, dead in ((self.base, self.dead), (self.delta, _NO_IDS)):
            ids, rows = _contents(index)
            keep = ~np.isin(ids, dead)
            if keep.any():
                merged.add_with_ids(rows[keep], ids[keep])
        folder.mkdir(parents=True, exist_ok=True)
        data = faiss.serialize_index(merged).tobytes()
        state = DenseState(
            file=f"{self.encoder[:12]}-{self.generation}.faiss",
            encoder=self.encoder,
            generation=self.generation,
            count=merged.ntotal,
            size=len(data),
        )
        write_atomically(folder / state.file, data)
        write_atomically(folder / _STATE, json.dumps(asdict(state)).encode())
        for old in folder.glob("*.faiss"):
            if old.name != state.file:
                old.unlink(missing_ok=True)
        return replace(self, base=merged, base_generation=self.generation, delta=_empty(self.dimensions), dead=_NO_IDS)


def load_dense(
    folder: Path, reading: Reading, encoder: str, generation: int, previous: DenseIndex | None = None
) -> DenseIndex:
    """The dense index of `generation`: a base, and what was born and died since, read from the catalog.

    The base of `previous` is used again while the file on disk is still the same. (The catalog forgets the dead once
    a newer base is written, so an older base would bring deleted chunks back.)
    """
    dimensions = int(reading.setting("dimensions", "1"))
    state = read_state(folder)
    if previous is not None and previous.encoder == encoder and previous.base_generation == state.generation:
        base, base_generation = previous.base, previous.base_generation
    elif state.encoder == encoder and 0 < state.generation <= generation:
        base, base_generation = _load_base(folder, state, dimensions)
    else:
        base, base_generation = _empty(dimensions), 0
    ids, rows = reading.vectors_of_generation(encoder, base_generation, generation, dimensions)
    delta = _empty(dimensions)
    if len(ids):
        delta.add_with_ids(rows, ids)
    dead = reading.dead_chunks(base_generation, generation)
    dead = dead[np.isin(dead, _contents_ids(base))] if len(dead) else dead
    return DenseIndex(encoder, dimensions, generation, base, base_generation, delta, dead)


def read_state(folder: Path) -> DenseState:
    """The state recorded beside the base; the empty state when it is missing, damaged or of another version."""
    try:
        state = DenseState(**json.loads((folder / _STATE).read_bytes()))
    except (OSError, ValueError, TypeError):
        return DenseState()
    return state if state.format == FORMAT_VERSION else DenseState()


def discard(folder: Path) -> None:
    """Make sure that the base on disk is never used again."""
    (folder / _STATE).unlink(missing_ok=True)


_NO_IDS: Ids = np.empty(0, np.int64)


def _load_base(folder: Path, state: DenseState, dimensions: int) -> tuple[Any, int]:
    import faiss

    path = folder / state.file
    try:
        if path.stat().st_size == state.size:
            index = faiss.deserialize_index(np.frombuffer(path.read_bytes(), np.uint8))
            if index.d == dimensions and index.ntotal == state.count:
                return index, state.generation
    except (OSError, RuntimeError):
        pass  # a damaged cache: the catalog has everything
    return _empty(dimensions), 0


def _empty(dimensions: int) -> Any:
    import faiss

    return faiss.IndexIDMap2(faiss.IndexFlatIP(dimensions))


def _contents_ids(index: Any) -> Ids:
    import faiss

    ids: Ids = faiss.vector_to_array(index.id_map).astype(np.int64)
    return ids


def _contents(index: Any) -> tuple[Ids, Vectors]:
    import faiss

    flat = faiss.downcast_index(index.index)
    return _contents_ids(index), flat.reconstruct_n(0, flat.ntotal)


def _search(index: Any, query: Vectors, limit: int, dead: Ids, allowed: Ids | None) -> tuple[Ids, Scores]:
    limit = min(limit, int(index.ntotal) if allowed is None else min(int(index.ntotal), len(allowed)))
    if limit < 1:
        return _NO_IDS, np.empty(0, np.float32)
    import faiss

    parameters = None
    if allowed is not None:
        selector = faiss.IDSelectorBatch(np.setdiff1d(allowed, dead))
        parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
    elif len(dead):
        # faiss keeps a bare pointer to the inner selector: the name keeps it alive through the search.
        hidden = faiss.IDSelectorBatch(dead)
        visible = faiss.IDSelectorNot(hidden)
        parameters = faiss.SearchParameters(sel=visible)  # type: ignore[call-arg]
    # One query is a few megabytes to read: waking threads for it takes ten times as long as the search itself.
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        scores, ids = index.search(query.reshape(1, -1), limit, params=parameters)
    finally:
        faiss.omp_set_num_threads(threads)
    real = ids[0] >= 0  # faiss pads with -1
    return ids[0][real], scores[0][real]
