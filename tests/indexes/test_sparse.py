from __future__ import annotations

import math
import random
from pathlib import Path

import numpy as np
import pytest
from rank_bm25 import BM25Okapi

from indexes.errors import StoreError
from indexes.sparse import Mask, SparseIndex, SparseReader, SparseState
from tests.indexes.conftest import stored

NOTHING = np.empty(0, np.int64)
WORDS = [f"word{letter}{other}" for letter in "abcdefgh" for other in "kmn"]


def build(path: Path, texts: dict[int, str], generation: int = 1) -> SparseReader:
    index = SparseIndex(path)
    if not index.state.folder:
        index.rebuild([], SparseState())
    index.apply((stored(key, text) for key, text in texts.items()), NOTHING, SparseState(generation))
    index.close()
    return SparseReader(path)


def found(reader: SparseReader, *terms: str, limit: int = 10, mask: Mask | None = None) -> list[int]:
    return reader.search(terms, limit, mask or Mask(10**6, NOTHING))[0].tolist()


def test_scores_agree_with_rank_bm25(tmp_path: Path) -> None:
    # Documents of at most 40 terms: beyond that tantivy rounds lengths to a byte.
    generator = random.Random(7)
    documents = [generator.choices(WORDS, k=generator.randint(3, 39)) for _ in range(200)]
    reader = build(tmp_path, {key: " ".join(words) for key, words in enumerate(documents, 1)})
    reference = BM25Okapi(documents, k1=1.2, b=0.75)
    ids = np.arange(1, 201, dtype=np.int64)
    for word in WORDS:
        frequency = reader.document_frequency(word)
        assert frequency == sum(word in document for document in documents)
        # The two differ in the idf alone: ours never turns negative.
        ours = reader.scores([word], ids) / math.log(1 + (200 - frequency + 0.5) / (frequency + 0.5))
        theirs = reference.get_scores([word]) / reference.idf[word]
        np.testing.assert_allclose(ours, theirs, rtol=1e-4)


def test_a_query_scores_the_sum_of_its_terms(tmp_path: Path) -> None:
    reader = build(tmp_path, {1: "red green", 2: "green blue blue", 3: "black"})
    ids = np.array([1, 2, 3], np.int64)
    total = reader.scores(["green", "blue"], ids)
    np.testing.assert_allclose(total, reader.scores(["green"], ids) + reader.scores(["blue"], ids), rtol=1e-5)
    assert total[2] == 0


def test_scores_of_given_chunks_equal_those_of_a_search(tmp_path: Path) -> None:
    reader = build(tmp_path, {key: f"common {'rare ' * (key % 3)}" for key in range(1, 40)})
    ids, scores = reader.search(["common", "rare"], 100, Mask(10, NOTHING))
    np.testing.assert_allclose(reader.scores(["common", "rare"], ids), scores, rtol=1e-6)


def test_a_term_in_every_document_of_a_tiny_corpus_still_finds_them(tmp_path: Path) -> None:
    assert sorted(found(build(tmp_path, {1: "cat", 2: "cat dog"}), "cat")) == [1, 2]


def test_an_unknown_word_finds_nothing(tmp_path: Path) -> None:
    reader = build(tmp_path, {1: "cat", 2: "dog"})
    assert found(reader, "zebra") == []
    assert found(reader) == []


def test_a_limit_beyond_the_corpus_returns_what_there_is(tmp_path: Path) -> None:
    assert len(found(build(tmp_path, {1: "cat", 2: "cat"}), "cat", limit=1_000)) == 2


def test_masks_act_inside_the_search(tmp_path: Path) -> None:
    reader = build(tmp_path, dict.fromkeys(range(1, 101), "cat"))
    only = np.array([77, 88], np.int64)
    assert sorted(found(reader, "cat", limit=2, mask=Mask(10, NOTHING, only))) == [77, 88]
    dead = np.arange(1, 100, dtype=np.int64)
    assert found(reader, "cat", limit=1, mask=Mask(10, dead)) == [100]
    assert found(reader, "cat", mask=Mask(10, NOTHING, NOTHING)) == []


def test_an_older_generation_does_not_see_newer_chunks(tmp_path: Path) -> None:
    build(tmp_path, {1: "cat"}, generation=1)
    reader = build(tmp_path, {2: "cat"}, generation=2)
    assert found(reader, "cat", mask=Mask(1, NOTHING)) == [1]
    assert sorted(found(reader, "cat", mask=Mask(2, NOTHING))) == [1, 2]


def test_applying_twice_leaves_one(tmp_path: Path) -> None:
    build(tmp_path, {1: "cat", 2: "cat"})
    assert sorted(found(build(tmp_path, {1: "cat", 2: "cat"}), "cat")) == [1, 2]


def test_deleted_chunks_are_gone(tmp_path: Path) -> None:
    build(tmp_path, {1: "cat", 2: "cat"})
    index = SparseIndex(tmp_path)
    index.apply([], np.array([1], np.int64), SparseState(2, purged=2))
    index.close()
    assert found(SparseReader(tmp_path), "cat") == [2]


def test_an_open_reader_keeps_its_view_while_the_writer_goes_on(tmp_path: Path) -> None:
    reader = build(tmp_path, {1: "cat"})
    index = SparseIndex(tmp_path)
    index.apply([stored(2, "cat")], np.array([1], np.int64), SparseState(2, purged=2))
    index.close()
    assert found(reader, "cat") == [1]


@pytest.mark.parametrize("victim", ["meta.json", "state.json"])
def test_a_damaged_index_comes_back_empty_to_be_rebuilt(tmp_path: Path, victim: str) -> None:
    build(tmp_path, {1: "cat"})
    (file,) = tmp_path.rglob(victim)
    file.write_bytes(b"{ not json")
    index = SparseIndex(tmp_path)
    assert index.state == SparseState()
    index.close()


def test_reading_where_there_is_no_index_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be read") as raised:
        SparseReader(tmp_path / "nowhere")
    assert "rag index" in raised.value.hint


def test_the_name_of_a_file_is_found(tmp_path: Path) -> None:
    index = SparseIndex(tmp_path)
    index.rebuild([], SparseState())
    chunk = stored(1, "nothing in common")
    named = type(chunk)(**{**{slot: getattr(chunk, slot) for slot in chunk.__slots__}, "title": "invoice-2023.pdf"})
    index.apply([named], NOTHING, SparseState(1))
    index.close()
    assert found(SparseReader(tmp_path), "invoic") == [1]
