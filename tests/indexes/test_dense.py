from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
import pytest

from indexes.dense import DenseIndex, load_dense, read_state
from indexes.store import Batch, NewDocument, Store
from tests.indexes.conftest import DIMENSIONS, BagEncoder, make_document


def fill(store: Store, texts: dict[str, str]) -> None:
    with store.writer() as writer:
        source = writer.register("/source")
        made = {uri: make_document(uri, text) for uri, text in texts.items()}
        writer.commit(Batch([NewDocument(source, document, chunks, "") for document, chunks in made.values()]))


def load(store: Store, previous: DenseIndex | None = None) -> DenseIndex:
    with store.catalog.reading() as reading:
        return load_dense(store.path / "dense", reading, "bag-1", reading.generation(), previous)


@pytest.fixture
def store(tmp_path: Path, bag: BagEncoder) -> Store:
    return Store(tmp_path / "kb", create=True)


def test_search_is_exact(store: Store, bag: BagEncoder) -> None:
    fill(store, {f"/{n}": f"topic{n % 7} word{n}" for n in range(60)})
    dense = load(store)
    with store.catalog.reading() as reading:
        ids, vectors = reading.vectors_of_generation("bag-1", 0, 1, DIMENSIONS)
    flat = faiss.IndexFlatIP(DIMENSIONS)
    flat.add(vectors)
    query = bag.encode_query("topic3").vector
    scores, rows = flat.search(query.reshape(1, -1), 10)
    found, cosines = dense.search(query, 10)
    np.testing.assert_allclose(cosines, scores[0], atol=1e-6)
    assert set(found.tolist()) == set(ids[rows[0]].tolist())
    np.testing.assert_allclose(dense.scores(query, found), cosines, atol=1e-6)


def test_a_saved_base_and_its_delta_equal_the_whole(store: Store, bag: BagEncoder) -> None:
    fill(store, {f"/{n}": f"word{n} shared" for n in range(20)})
    load(store).save(store.path / "dense")
    fill(store, {"/3": "changed shared", "/new": "fresh shared"})
    with_base = load(store)
    assert with_base.base_generation == 1
    (store.path / "dense" / "state.json").unlink()
    whole = load(store)
    assert whole.base_generation == 0
    query = bag.encode_query("shared").vector
    for one, other in zip(with_base.search(query, 50), whole.search(query, 50), strict=True):
        np.testing.assert_array_equal(one, other)
    assert with_base.count == whole.count == 21


def test_an_older_base_never_brings_the_deleted_back(store: Store, bag: BagEncoder) -> None:
    """A long-lived reader holds a base whose dead the catalog has forgotten since."""
    fill(store, {f"/{n}": f"word{n} shared" for n in range(20)})
    load(store).save(store.path / "dense")
    reader = load(store)
    with store.writer() as writer:
        writer.commit(Batch(removed=["/1"]))
        load(store).save(store.path / "dense")
        with store.catalog.writing() as writing:
            writing.drop_dead(writer.generation)
    assert load(store, previous=reader).count == 19


def test_filters_act_inside_the_search(store: Store, bag: BagEncoder) -> None:
    fill(store, {f"/{n}": f"word{n} shared" for n in range(50)})
    dense = load(store)
    allowed = np.array([7, 11, 999], np.int64)
    found, _ = dense.search(bag.encode_query("shared").vector, 5, allowed)
    assert sorted(found.tolist()) == [7, 11]


@pytest.mark.parametrize("damage", ["truncate", "garbage", "missing"])
def test_a_damaged_base_costs_time_never_truth(store: Store, bag: BagEncoder, damage: str) -> None:
    fill(store, {f"/{n}": f"word{n}" for n in range(10)})
    load(store).save(store.path / "dense")
    file = store.path / "dense" / read_state(store.path / "dense").file
    if damage == "truncate":
        file.write_bytes(file.read_bytes()[:-9])
    elif damage == "garbage":
        file.write_bytes(b"\0" * file.stat().st_size)
    else:
        file.unlink()
    dense = load(store)
    assert dense.count == 10
    assert dense.search(bag.encode_query("word4").vector, 1)[0].tolist() == [5]


def test_nothing_indexed_finds_nothing(store: Store, bag: BagEncoder) -> None:
    found, scores = load(store).search(bag.encode_query("word").vector, 10)
    assert len(found) == len(scores) == 0


def test_an_unknown_id_scores_zero(store: Store, bag: BagEncoder) -> None:
    fill(store, {"/1": "word"})
    assert load(store).scores(bag.encode_query("word").vector, np.array([1, 12345])).tolist() == pytest.approx(
        [1, 0], abs=1e-2
    )
