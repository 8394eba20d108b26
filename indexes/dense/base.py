"""The base of the dense index: one immutable FAISS file, exact while that is fast, then an inverted file of codes.

The structure and its parameters were chosen by `benchmarks/dense.py`. Codes of two bits a dimension: Gao and Long,
"RaBitQ: Quantizing High-Dimensional Vectors with a Theoretical Error Bound" (SIGMOD 2024), https://arxiv.org/abs/2405.12497.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from indexes.catalog.reading import Ids, Reading, Vectors
from indexes.files import (
    file_digest,
    is_own_state,
    make_folder,
    read_checked,
    state_seal,
    write_atomically,
    write_checked,
)
from indexes.limits import StoreLimits

FORMAT_VERSION = 4
_SEALED = "dense index"

# The inverted file: 2 · sqrt(n) lists, of which three in ten are looked through; two bits a dimension.
_LISTS_PER_ROOT = 2
_PROBED_SHARE = 0.3
_PROBED_LEAST = 100_000  # vectors looked through where there are so many: 3 ms
_CODE_BITS = 2
_HIDDEN_AFTERWARDS = 1_000
_OVERFETCH = 3  # candidates looked up exactly for each one wanted
_LEAST_CANDIDATES = 150
_TRAINING_PER_LIST = 40
_RETRAIN_FACTOR = 4  # the lists are made anew when there are this many times more or fewer vectors


@dataclass(frozen=True, slots=True)
class BaseState:
    """What a base file was built for, its size in bytes and its SHA-256, and the seal of whoever wrote it.

    `trained` is the number of vectors for which the lists were made, 0 for an exact base.
    """

    file: str = ""
    encoder: str = ""
    generation: int = 0
    mark: str = ""
    count: int = 0
    trained: int = 0
    size: int = 0
    sha256: str = ""
    format: int = FORMAT_VERSION
    seal: str = ""


@dataclass(frozen=True, slots=True)
class Base:
    """A FAISS index by chunk id: `IndexIDMap(IndexFlatIP)`, or `IndexIVFRaBitQ`."""

    index: Any
    exact: bool

    @property
    def ids(self) -> Ids:
        """Every id in it, ascending."""
        import faiss

        if self.exact:
            found = faiss.vector_to_array(self.index.id_map)
        else:
            lists = self.index.invlists
            parts = [
                faiss.rev_swig_ptr(lists.get_ids(number), lists.list_size(number)).copy()
                for number in range(self.index.nlist)
                if lists.list_size(number)
            ]
            found = np.concatenate(parts) if parts else np.empty(0, np.int64)
        ids: Ids = np.sort(found.astype(np.int64))
        return ids

    def search(self, query: Vectors, limit: int, *, hidden: Ids | None = None, allowed: Ids | None = None) -> Ids:
        """Candidates for the `limit` nearest, none of them `hidden`, all of them `allowed` where given.

        As many as there are up to `limit`, and more where the base is not exact.
        """
        import faiss

        wanted = min(int(self.index.ntotal), limit if self.exact else max(_OVERFETCH * limit, _LEAST_CANDIDATES))
        if wanted < 1:
            return np.empty(0, np.int64)
        if allowed is not None:
            if len(allowed) <= wanted:
                return allowed
            # What a filter lets through may be anywhere, and only that costs time: all lists are looked through.
            with _selector(allowed) as selector:
                return self._search(query, wanted, selector, everywhere=True)
        if hidden is None or len(hidden) <= _HIDDEN_AFTERWARDS:
            # Asking for as many more finds the same, and spares looking each vector up among the hidden.
            hidden = np.empty(0, np.int64) if hidden is None else hidden
            found = self._search(query, min(int(self.index.ntotal), wanted + len(hidden)))
            return found[~np.isin(found, hidden)]
        with _selector(hidden) as selector:
            return self._search(query, wanted, faiss.IDSelectorNot(selector))

    def _search(self, query: Vectors, wanted: int, selector: Any = None, *, everywhere: bool = False) -> Ids:
        import faiss

        arguments = {"sel": selector} if selector is not None else {}
        if self.exact:
            parameters = faiss.SearchParameters(**arguments)
        else:
            lists = self.index.nlist
            share = 1.0 if everywhere else max(_PROBED_SHARE, min(1.0, _PROBED_LEAST / int(self.index.ntotal)))
            parameters = faiss.SearchParametersIVF(nprobe=math.ceil(share * lists), **arguments)  # type: ignore[call-arg]
        # One query is little work: waking threads for it takes ten times as long as the search itself.
        with _one_thread():
            _, ids = self.index.search(query.reshape(1, -1), wanted, params=parameters)
        found: Ids = ids[0][ids[0] >= 0]  # faiss pads with -1
        if len(found) < wanted and not (self.exact or everywhere):
            return self._search(query, wanted, selector, everywhere=True)
        return found


def empty_base(dimensions: int) -> Base:
    """A base without vectors."""
    import faiss

    return Base(faiss.IndexIDMap(faiss.IndexFlatIP(dimensions)), exact=True)


def read_base_state(folder: Path, encoder: str) -> BaseState:
    """The state recorded beside the base of an encoder; the empty one when there is none that can be used.

    What somebody else wrote cannot: FAISS is native code, and a file made for it could do anything.
    """
    try:
        state = BaseState(**read_checked(folder / f"{_stem(encoder)}.json"))
    except (OSError, ValueError, TypeError):
        return BaseState()
    usable = (state.format, state.encoder) == (FORMAT_VERSION, encoder) and is_own_state(_SEALED, asdict(state))
    return state if usable else BaseState()


def open_base(folder: Path, state: BaseState, dimensions: int, *, mapped: bool = True) -> Base | None:
    """The base that `state` describes, mapped into memory; None when the file is missing or damaged."""
    import faiss

    path = folder / state.file
    try:
        if path.stat().st_size != state.size or file_digest(path) != state.sha256:
            return None
        index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC if mapped else 0)
    except (OSError, RuntimeError):
        return None
    if (index.d, index.ntotal) != (dimensions, state.count):
        return None
    return Base(index, exact=not state.trained)


def write_base(
    folder: Path,
    reading: Reading,
    encoder: str,
    generation: int,
    dimensions: int,
    previous: BaseState,
    limits: StoreLimits,
) -> BaseState:
    """Write the base of `generation`, made of `previous` and what was born and died since; returns its state.

    Readers go on with the file they have until they load the new state.

    Raises:
        OSError: the disk refuses.
    """
    import faiss

    ids = reading.born_chunks(0, generation)
    with _one_thread():  # another core has the rest of the run to do; faiss's own threads would spin for it
        old = open_base(folder, previous, dimensions, mapped=False) if previous.generation else None
        if old is not None and _fits(previous, len(ids), limits.exact_chunks):
            index, trained = old.index, previous.trained
            dead = reading.dead_chunks(previous.generation, generation)
            if len(dead):
                index.remove_ids(faiss.IDSelectorBatch(dead))
            added = reading.born_chunks(previous.generation, generation)
        else:
            trained = len(ids) if len(ids) > limits.exact_chunks else 0
            index = _train(reading, encoder, ids, dimensions) if trained else empty_base(dimensions).index
            added = ids
        for start in range(0, len(added), limits.vectors_held):
            page_ids, vectors = reading.vectors_by_id(encoder, added[start : start + limits.vectors_held], dimensions)
            index.add_with_ids(vectors, page_ids)
    make_folder(folder)
    data: Any = faiss.serialize_index(index)
    state = BaseState(
        file=f"{_stem(encoder)}-{generation}.faiss",
        encoder=encoder,
        generation=generation,
        mark=reading.mark(generation),
        count=index.ntotal,
        trained=trained,
        size=data.nbytes,
        sha256=hashlib.sha256(data).hexdigest(),
    )
    state = replace(state, seal=state_seal(_SEALED, asdict(state)))
    write_atomically(folder / state.file, memoryview(data))
    write_checked(folder / f"{_stem(encoder)}.json", asdict(state))
    _remove(path for path in folder.glob(f"{_stem(encoder)}-*") if path.name != state.file)
    return state


def discard_others(folder: Path, state: BaseState) -> None:
    """Remove every file of the folder but the base that `state` describes; for the empty state, everything."""
    keep = {state.file, f"{_stem(state.encoder)}.json"}
    _remove(path for path in folder.glob("*") if path.name not in keep)


def _remove(paths: Iterable[Path]) -> None:
    for path in list(paths):
        with suppress(OSError):  # one that stays costs space and no more; the next run tries again
            path.unlink(missing_ok=True)


def _stem(encoder: str) -> str:
    return hashlib.blake2b(encoder.encode(), digest_size=6).hexdigest()


def _fits(state: BaseState, count: int, exact: int) -> bool:
    """Whether the structure of a base is still the right one for so many vectors."""
    if not state.trained:
        return count <= exact
    return count > exact and state.trained / _RETRAIN_FACTOR < count < state.trained * _RETRAIN_FACTOR


def _train(reading: Reading, encoder: str, ids: Ids, dimensions: int) -> Any:
    """An empty inverted file whose lists and codes suit these chunks."""
    import faiss

    lists = max(1, round(_LISTS_PER_ROOT * math.sqrt(len(ids))))
    rng = np.random.default_rng(0)
    sample_ids = np.sort(rng.permutation(ids)[: lists * _TRAINING_PER_LIST])
    _, sample = reading.vectors_by_id(encoder, sample_ids, dimensions)
    sample = rng.permutation(sample)
    quantizer = faiss.IndexFlatIP(dimensions)
    clustering = faiss.Clustering(dimensions, lists)
    clustering.niter = 10
    clustering.spherical = True
    clustering.train(sample, quantizer)
    index = faiss.IndexIVFRaBitQ(quantizer, dimensions, lists, faiss.METRIC_INNER_PRODUCT, True, _CODE_BITS)
    index.train(sample)
    # The index outlives this function, and takes its quantiser along.
    quantizer.this.disown()  # type: ignore[attr-defined]
    index.own_fields = True
    return index


@contextmanager
def _selector(ids: Ids) -> Iterator[Any]:
    """What tells FAISS which ids (ascending, at least one) to look at: one bit for every id up to the largest."""
    import faiss

    marked = np.zeros((int(ids[-1]) // 8 + 1) * 8, dtype=bool)
    marked[ids] = True
    bitmap = np.packbits(marked, bitorder="little")  # faiss keeps a bare pointer: the name keeps it alive meanwhile
    yield faiss.IDSelectorBitmap(bitmap)  # type: ignore[call-arg, arg-type]


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let FAISS work in the calling thread alone."""
    import faiss

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
