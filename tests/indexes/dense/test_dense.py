from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from indexes.catalog.reading import Ids
from indexes.dense.base import BaseState, write_base
from indexes.dense.dense import BaseLostError, DenseIndex, load_dense, usable_state
from indexes.limits import StoreLimits
from indexes.store import Store
from indexes.writer import Batch, NewDocument
from tests.indexes.conftest import DIMENSIONS, BagEncoder, make_document

# A base, and an inverted file, already for some dozens of chunks.
SMALL = StoreLimits(delta_least=20, exact_chunks=100)


@pytest.fixture
def store(tmp_path: Path, bag: BagEncoder) -> Store:
    return Store(tmp_path / "kb", create=True, limits=SMALL)


def fill(store: Store, texts: dict[str, str]) -> None:
    with store.writer() as writer:
        source = writer.register("/source")
        made = [make_document(uri, text) for uri, text in texts.items()]
        writer.commit(Batch([NewDocument(source, document, chunks, "") for document, chunks in made]))


def load(store: Store, previous: DenseIndex | None = None) -> DenseIndex:
    with store.catalog.reading() as reading:
        generation = reading.generation()
        state = usable_state(store.path / "dense", reading, "bag-1", generation)
        return load_dense(store.path / "dense", reading, generation, state, previous)


def save(store: Store) -> BaseState:
    with store.catalog.reading() as reading:
        generation = reading.generation()
        state = usable_state(store.path / "dense", reading, "bag-1", generation)
        return write_base(store.path / "dense", reading, "bag-1", generation, DIMENSIONS, state, SMALL)


def nearest(store: Store, query: np.ndarray, limit: int, allowed: Ids | None = None) -> list[int]:
    """The exact answer, from every vector of record."""
    with store.catalog.reading() as reading:
        live = reading.born_chunks(0, reading.generation())
        ids, vectors = reading.vectors_by_id("bag-1", live if allowed is None else allowed, DIMENSIONS)
    return ids[np.argsort(-(vectors @ query), kind="stable")[:limit]].tolist()


def words(count: int, start: int = 0) -> dict[str, str]:
    return {f"/{n}": f"topic{n % 7} word{n} and some more" for n in range(start, start + count)}


@pytest.mark.parametrize("count", [15, 60, 400])
def test_the_nearest_are_among_the_candidates_whatever_the_structure(store: Store, bag: BagEncoder, count: int) -> None:
    fill(store, words(count))
    index = load(store)
    assert (index.state.count, bool(index.state.trained)) == (0 if count == 15 else count, count == 400)
    query = bag.encode_query("topic3 word40").vector
    assert set(nearest(store, query, 10)) <= set(index.candidates(query, 10).tolist())
    with store.view() as view:
        ids, cosines = view.nearest(query, 10, view.mask({}))
    assert ids.tolist() == nearest(store, query, 10)
    assert (np.diff(cosines) <= 0).all()


def test_a_base_and_its_delta_hold_what_is_alive_and_nothing_else(store: Store, bag: BagEncoder) -> None:
    fill(store, words(30))
    before = save(store)
    fill(store, {"/3": "changed shared", "/new": "fresh shared"})
    with store.catalog.reading() as reading:
        live = reading.born_chunks(0, reading.generation())
    index = load(store)
    assert index.state == before
    assert (len(index.delta_ids), index.dead.tolist()) == (2, [4])
    assert index.candidates(np.ones(DIMENSIONS, np.float32), 1_000).tolist() == live.tolist()


def test_a_reader_takes_over_what_it_has(store: Store, bag: BagEncoder) -> None:
    fill(store, words(30))
    first = load(store)
    fill(store, {"/3": "changed", "/new": "fresh"})
    second = load(store, previous=first)
    assert second.base is first.base
    fill(store, {"/3": "changed again"})
    third, anew = load(store, previous=second), load(store)
    np.testing.assert_array_equal(third.delta_ids, anew.delta_ids)
    np.testing.assert_array_equal(third.delta, anew.delta)


def test_a_base_grows_into_an_inverted_file_and_shrinks_back(store: Store, bag: BagEncoder) -> None:
    fill(store, words(60))
    assert not save(store).trained
    fill(store, words(200, start=60))
    assert save(store).trained == 260
    fill(store, words(200, start=300))
    grown = save(store)
    assert (grown.trained, grown.count) == (260, 460)  # the lists are kept, the new vectors added
    with store.writer() as writer:
        writer.commit(Batch(removed=[f"/{n}" for n in range(450)]))
    assert not save(store).trained
    assert load(store).base.ids.tolist() == nearest(store, np.zeros(DIMENSIONS), 100)


@pytest.mark.parametrize("damage", ["truncate", "flip", "missing"])
def test_a_damaged_base_is_noticed_and_made_anew(store: Store, bag: BagEncoder, damage: str) -> None:
    fill(store, words(300))
    embedded = len(bag.texts)
    file = store.path / "dense" / save(store).file
    harm: dict[str, Callable[[bytearray], bytes]] = {
        "truncate": lambda data: bytes(data[:-9]),
        "flip": lambda data: (
            bytes(data[: len(data) // 2]) + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :]
        ),
    }
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes(harm[damage](bytearray(file.read_bytes())))
    with pytest.raises(BaseLostError):
        load(store)
    said: list[str] = []
    reader = Store(store.path, notify=said.append, limits=SMALL)
    query = bag.encode_query("topic3 word40").vector
    with reader.view() as view:
        assert view.nearest(query, 10, view.mask({}))[0].tolist() == nearest(store, query, 10)
    assert said == ["rebuilding the dense index from the catalog"]
    assert load(store).state.count == 300
    assert len(bag.texts) == embedded
