from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from indexes.catalog.reading import Ids, Vectors
from indexes.dense.base import BaseState
from indexes.dense.dense import usable_state
from indexes.encoding.base import Encoded
from indexes.limits import StoreLimits
from indexes.sparse.sparse import Mask, Scores
from indexes.store import Store
from indexes.writer import Batch, NewDocument
from tests.conformance.dense import DIMENSIONS, OLD, VECTORS, DenseConformance
from tests.conformance.naive import NaiveDense
from tests.indexes.conftest import BagEncoder, make_document


class TableEncoder(BagEncoder):
    """The n-th vector of a table for the text "n"."""

    dimensions = DIMENSIONS

    def encode(self, texts: Sequence[str]) -> Encoded:
        return Encoded(VECTORS[[int(text) for text in texts]], [])


class TableStore(Store):
    def make_encoder(self, spec: str) -> TableEncoder:
        return TableEncoder()


class OpenStore:
    """The dense index of a store."""

    def __init__(self, folder: Path) -> None:
        self._store = TableStore(folder, notify=lambda _: None)

    def nearest(self, query: Vectors, limit: int, allowed: Ids | None = None) -> tuple[Ids, Scores]:
        with self._store.view() as view:
            return view.nearest(query, limit, Mask(view.indexes.generation, np.empty(0, np.int64), allowed))

    def cosines(self, query: Vectors, ids: Ids) -> Scores:
        with self._store.view() as view:
            return view.cosines(query, ids)

    def close(self) -> None:
        self._store.close()


class StoreConformance(DenseConformance):
    """Attributes:
    base_least: chunks above which the first commit writes a base.
    exact_most: vectors up to which a base is exact.
    """

    inside = "dense"
    base_least = 20
    exact_most = 10**6

    @classmethod
    def build(cls, folder: Path, old: Vectors, new: Vectors, dead: Ids) -> None:
        limits = StoreLimits(exact_chunks=cls.exact_most, delta_least=cls.base_least)
        store = TableStore(folder, create=True, limits=limits)
        put(store, range(len(old)))
        store.close()
        store = TableStore(folder, limits=replace(limits, delta_least=10**6, delta_most=10**6))
        put(store, range(len(old), len(old) + len(new)), [f"/{key}" for key in dead.tolist()])
        store.close()

    def open(self, folder: Path) -> OpenStore:
        return OpenStore(folder)


def put(store: Store, rows: range, removed: Sequence[str] = ()) -> None:
    with store.writer() as writer:
        source = writer.register("/source")
        made = [make_document(f"/{row + 1}", str(row)) for row in rows]
        writer.commit(Batch([NewDocument(source, *each, "") for each in made], list(removed)))


def base(folder: Path) -> BaseState:
    with Store(folder).catalog.reading() as reading:
        return usable_state(folder / "dense", reading, "bag-1", reading.generation())


class TestDelta(StoreConformance):
    base_least = 10**6

    def test_there_is_no_base(self, folder: Path) -> None:
        assert not base(folder).count


class TestExactBase(StoreConformance):
    def test_the_base_is_exact(self, folder: Path) -> None:
        assert (base(folder).count, base(folder).trained) == (OLD, 0)


class TestInvertedFile(StoreConformance):
    exact_most = 1_000
    least_recall = 0.95
    least_recall_of_the_farthest = 0.6  # the codes cannot tell apart what is all about equally far

    def test_the_base_is_an_inverted_file(self, folder: Path) -> None:
        assert base(folder).trained == base(folder).count == OLD


class TestNaive(DenseConformance):
    @classmethod
    def build(cls, folder: Path, old: Vectors, new: Vectors, dead: Ids) -> None:
        NaiveDense(folder).write(old, new, dead)

    def open(self, folder: Path) -> NaiveDense:
        return NaiveDense(folder)
