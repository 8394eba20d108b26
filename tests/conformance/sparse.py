"""What any sparse index must do, whatever is behind it."""

from __future__ import annotations

import random
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest

from connectors.document import Location, Symbol
from indexes.catalog.reading import Ids
from indexes.catalog.rows import StoredChunk
from indexes.errors import StoreError
from indexes.sparse.sparse import Mask, Scores, SparseState
from tests.conformance.damage import damaged_copies
from tests.conformance.naive import NaiveSparseIndex, NaiveSparseReader
from tests.indexes.conftest import stored

NOTHING = np.empty(0, np.int64)
EVERYTHING = Mask(10**6, NOTHING)
WORDS = [f"word{letter}{other}" for letter in "abcdefgh" for other in "kmn"]
SHARES = (0.001, 0.01, 0.1, 0.5, 0.9, 0.99)


class Writer(Protocol):
    """The writable side."""

    state: SparseState

    def rebuild(self, chunks: Iterable[StoredChunk], state: SparseState) -> None: ...
    def apply(self, add: Iterable[StoredChunk], delete: Ids, state: SparseState) -> None: ...
    def close(self) -> None: ...


class Reader(Protocol):
    """A frozen view of what was last committed."""

    size: int

    def document_frequency(self, term: str) -> int: ...
    def search(self, terms: Sequence[str], limit: int, mask: Mask) -> tuple[Ids, Scores]: ...
    def scores(self, terms: Sequence[str], ids: Ids) -> Scores: ...


class SparseConformance:
    """Subclass it, and say how an index at a path is opened for writing and for reading."""

    @abstractmethod
    def writer(self, path: Path) -> Writer: ...

    @abstractmethod
    def reader(self, path: Path) -> Reader: ...

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        path = tmp_path / "sparse"
        index = self.writer(path)
        index.rebuild([], SparseState())
        index.close()
        return path

    def apply(self, path: Path, texts: dict[int, str], dead: Iterable[int] = (), generation: int = 1) -> Reader:
        index = self.writer(path)
        chunks = [stored(key, text) for key, text in texts.items()]
        index.apply(chunks, np.array(list(dead), np.int64), SparseState(generation, purged=generation))
        index.close()
        return self.reader(path)

    # What is found

    def test_an_unknown_word_finds_nothing(self, path: Path) -> None:
        reader = self.apply(path, {1: "cat", 2: "dog"})
        assert found(reader, "zebra") == found(reader) == []

    def test_an_empty_index_finds_nothing(self, path: Path) -> None:
        reader = self.reader(path)
        assert (reader.size, reader.document_frequency("cat"), found(reader, "cat")) == (0, 0, [])
        assert reader.scores(["cat"], np.array([1])).tolist() == [0]

    def test_a_term_in_every_chunk_of_a_tiny_corpus_still_finds_them(self, path: Path) -> None:
        assert sorted(found(self.apply(path, {1: "cat", 2: "cat dog"}), "cat")) == [1, 2]

    @pytest.mark.parametrize("limit", [-1, 0, 1, 2, 1_000])
    def test_a_limit_is_kept_and_one_beyond_the_corpus_returns_what_there_is(self, path: Path, limit: int) -> None:
        assert len(found(self.apply(path, {1: "cat", 2: "cat"}), "cat", limit=limit)) == min(2, max(0, limit))

    def test_the_name_of_a_file_is_found_unless_the_content_names_it(self, path: Path) -> None:
        index = self.writer(path)
        named = [replace(stored(key, "nothing in common"), title="invoice-2023.pdf") for key in (1, 2)]
        named[1] = replace(named[1], context="about invoice-2023.pdf")
        index.apply([*named, stored(3, "invoice")], NOTHING, SparseState(1))
        index.close()
        reader, naive = self.reader(path), naive_reader(path, [*named, stored(3, "invoice")])
        assert_same(reader, naive, ["invoic"], 10, EVERYTHING)
        assert reader.document_frequency("invoic") == 2  # in bodies

    def test_a_term_of_any_script_is_found(self, path: Path) -> None:
        texts = {1: "naïve Häuser", 2: "東京都", 3: "مرحبا بالعالم", 4: "5,120 don't v1.2.3", 5: "x" * 500}
        reader, naive = self.apply(path, texts), naive_reader(path, [stored(key, text) for key, text in texts.items()])
        for _, fields in naive.chunks.values():
            for term in fields["body"]:
                assert_same(reader, naive, [term], 10, EVERYTHING)

    # Scores

    def test_scores_are_those_of_the_formula(self, path: Path) -> None:
        reader, naive = (
            self.apply(path, corpus(200)),
            naive_reader(path, [stored(*each) for each in corpus(200).items()]),
        )
        ids = np.arange(1, 201, dtype=np.int64)
        for terms in ([WORDS[0]], WORDS[:3], [WORDS[5], WORDS[5]], [*WORDS[3:9], "unknown"]):
            np.testing.assert_allclose(reader.scores(terms, ids), naive.scores(terms, ids), rtol=1e-5)
            assert reader.document_frequency(terms[0]) == naive.document_frequency(terms[0])

    def test_scores_of_long_chunks_are_those_of_the_formula_but_for_rounded_lengths(self, path: Path) -> None:
        texts = corpus(60, longest=600)
        reader, naive = self.apply(path, texts), naive_reader(path, [stored(key, text) for key, text in texts.items()])
        ids = np.arange(1, 61, dtype=np.int64)
        np.testing.assert_allclose(reader.scores(WORDS[:3], ids), naive.scores(WORDS[:3], ids), rtol=0.08)

    def test_scores_of_given_chunks_equal_those_of_a_search(self, path: Path) -> None:
        reader = self.apply(path, corpus(100))
        ids, scores = reader.search(WORDS[:4], 100, EVERYTHING)
        np.testing.assert_allclose(reader.scores(WORDS[:4], ids), scores, rtol=1e-6)
        assert (np.diff(scores) <= 0).all()
        shuffled = np.random.default_rng(0).permutation(ids)
        by_id = dict(zip(ids.tolist(), scores, strict=True))
        np.testing.assert_allclose(reader.scores(WORDS[:4], shuffled), [by_id[key] for key in shuffled], rtol=1e-6)

    def test_chunks_without_the_term_and_chunks_that_are_not_there_score_nothing(self, path: Path) -> None:
        reader = self.apply(path, {1: "cat", 2: "dog"})
        assert (reader.scores(["cat"], np.array([1, 2, 999])) > 0).tolist() == [True, False, False]
        assert reader.scores([], np.array([1, 2])).tolist() == [0, 0]
        assert reader.scores(["cat"], NOTHING).tolist() == []

    # Fields of code

    @pytest.mark.parametrize("prose", [0, 3, 300])
    def test_scores_of_code_are_those_of_its_fields_however_much_prose_there_is(self, path: Path, prose: int) -> None:
        chunks = [stored(key + 100, text) for key, text in corpus(prose).items()] + code_chunks()
        index = self.writer(path)
        index.rebuild(chunks, SparseState(1))
        index.close()
        reader, naive = self.reader(path), naive_reader(path, chunks)
        ids = np.array([chunk.id for chunk in chunks], np.int64)
        for terms in (["get"], ["user", "user"], ["get_user_nam"], ["getusernam"], ["shop"], ["whom", WORDS[0], "int"]):
            np.testing.assert_allclose(reader.scores(terms, ids), naive.scores(terms, ids), rtol=1e-5)
            assert_same(reader, naive, terms, 10, EVERYTHING)

    @pytest.mark.parametrize("term", ["get_user_nam", "getusernam"])
    def test_a_definition_is_above_what_says_its_name_more_often(self, path: Path, term: str) -> None:
        index = self.writer(path)
        index.rebuild([stored(key + 100, text) for key, text in corpus(50).items()] + code_chunks(), SparseState(1))
        index.close()
        assert found(self.reader(path), term)[0] == 1

    def test_the_parts_of_a_name_count_for_more_than_words_in_the_text(self, path: Path) -> None:
        named = code_chunks()[0]
        other = code_chunk(4, named.text, 900, replace(code_chunks()[2].location.symbol, signature=(0, 0)))
        index = self.writer(path)
        index.rebuild([named, other], SparseState(1))
        index.close()
        assert np.diff(self.reader(path).scores(["get", "user", "name"], np.array([4, 1])))[0] > 0

    def test_prose_scores_the_same_with_the_fields_of_code_and_without(self, path: Path) -> None:
        before = self.apply(path, corpus(200))
        ids = np.arange(1, 201, dtype=np.int64)
        scores = before.scores(WORDS[:4], ids)
        unlike = replace(code_chunks()[0], text="", title="")
        for generation in (2, 3):  # code comes, and goes
            index = self.writer(path)
            gone = ids[:0] if generation == 2 else np.array([unlike.id])
            unlike = replace(unlike, id=1_000)
            index.apply([unlike] if generation == 2 else [], gone, SparseState(generation, purged=generation))
            index.close()
        # One empty passage among 200 changes idf and mean length by as little as this.
        np.testing.assert_allclose(self.reader(path).scores(WORDS[:4], ids), scores, rtol=0.02)

    # Masks

    @pytest.mark.parametrize("share", SHARES)
    @pytest.mark.parametrize("kind", ["allowed", "dead", "both"])
    def test_masks_act_inside_the_search(self, path: Path, share: float, kind: str) -> None:
        texts = corpus(1_000)
        reader, naive = self.apply(path, texts), naive_reader(path, [stored(key, text) for key, text in texts.items()])
        generator = np.random.default_rng(round(share * 1_000))
        allowed, dead = (np.flatnonzero(generator.random(1_000) < share) + 1 for _ in range(2))
        mask = Mask(10, dead if kind != "allowed" else NOTHING, allowed if kind != "dead" else None)
        for limit in (1, 10, 2_000):
            assert_same(reader, naive, WORDS[:2], limit, mask)

    def test_a_mask_that_hides_the_best(self, path: Path) -> None:
        # The 900 best are hidden: a search that looked at the top alone would come back with nothing.
        texts = {key: "cat" if key <= 900 else "cat and many other words" for key in range(1, 1_001)}
        reader, naive = self.apply(path, texts), naive_reader(path, [stored(key, text) for key, text in texts.items()])
        best, rest = np.arange(1, 901), np.arange(901, 1_001)
        for mask in (Mask(10, best), Mask(10, NOTHING, rest), Mask(10, best[::2], np.union1d(best[::2], rest))):
            assert_same(reader, naive, ["cat"], 5, mask)

    def test_an_empty_mask_and_one_larger_than_the_index(self, path: Path) -> None:
        reader = self.apply(path, dict.fromkeys(range(1, 11), "cat"))
        assert found(reader, "cat", mask=Mask(10, NOTHING, NOTHING)) == []
        assert sorted(found(reader, "cat", mask=Mask(10, NOTHING, np.arange(1, 100_000)))) == list(range(1, 11))
        assert sorted(found(reader, "cat", mask=Mask(10, np.arange(3, 100_000)))) == [1, 2]
        assert found(reader, "cat", mask=Mask(10, np.arange(1, 100_000))) == []

    def test_chunks_not_yet_born_are_invisible(self, path: Path) -> None:
        self.apply(path, corpus(50), generation=1)
        reader = self.apply(path, {key + 50: text for key, text in corpus(500).items()}, generation=2)
        for allowed in (None, np.arange(1, 551), np.arange(40, 60)):
            before = found(reader, *WORDS[:6], limit=1_000, mask=Mask(1, np.array([7]), allowed))
            assert before
            assert set(before) <= set(range(1, 51)) - {7}
            assert len(found(reader, *WORDS[:6], limit=1_000, mask=Mask(2, NOTHING, allowed))) > len(before)

    # Changes

    def test_applying_twice_leaves_one(self, path: Path) -> None:
        self.apply(path, {1: "cat", 2: "cat"})
        reader = self.apply(path, {1: "cat", 2: "cat"})
        assert sorted(found(reader, "cat")) == [1, 2]
        assert reader.size == 2

    def test_deleting_takes_away_and_what_is_not_there_is_no_error(self, path: Path) -> None:
        self.apply(path, {1: "cat", 2: "cat"})
        for _ in range(2):
            assert found(self.apply(path, {}, dead=[1, 999], generation=2), "cat") == [2]

    def test_what_was_deleted_can_come_back(self, path: Path) -> None:
        self.apply(path, {1: "cat", 2: "cat"})
        self.apply(path, {}, dead=[1], generation=2)
        assert sorted(found(self.apply(path, {1: "cat dog"}, generation=3), "cat")) == [1, 2]
        assert found(self.apply(path, {1: "dog"}, dead=[1], generation=4), "cat") == [2]

    def test_a_chunk_added_again_is_what_it_was_last(self, path: Path) -> None:
        self.apply(path, {1: "cat"})
        reader = self.apply(path, {1: "dog"}, generation=2)
        assert (found(reader, "cat"), found(reader, "dog")) == ([], [1])

    @pytest.mark.parametrize("seed", range(3))
    def test_a_history_of_changes_leaves_what_a_fresh_index_holds(self, path: Path, seed: int) -> None:
        generator = random.Random(seed)
        live: dict[int, str] = {}
        for generation in range(1, 15):
            added = {key: text for key, text in corpus(60, seed=generation).items() if generator.random() < 0.3}
            dead = [key for key in live if generator.random() < 0.2]
            live = {key: text for key, text in live.items() if key not in dead} | added
            reader = self.apply(path, added, dead, generation)
            for word in WORDS[::5]:
                assert sorted(found(reader, word, limit=100)) == sorted(
                    key for key in live if word in live[key].split()
                )

    def test_a_rebuilt_index_holds_just_these(self, path: Path) -> None:
        self.apply(path, {1: "cat", 2: "cat"})
        index = self.writer(path)
        index.rebuild([stored(3, "cat")], SparseState(7, purged=7))
        index.close()
        assert found(self.reader(path), "cat") == [3]
        assert self.writer(path).state.generation == 7

    def test_an_open_reader_keeps_its_view_while_the_writer_goes_on(self, path: Path) -> None:
        reader = self.apply(path, corpus(50))
        before = reader.search(WORDS, 100, EVERYTHING)
        for generation in range(2, 8):
            self.apply(path, {generation * 100: "wordak"}, dead=[generation], generation=generation)
        index = self.writer(path)
        index.rebuild([stored(1, "cat")], SparseState(8))
        index.close()
        after = reader.search(WORDS, 100, EVERYTHING)
        np.testing.assert_array_equal(before, after)
        assert found(self.reader(path), *WORDS, limit=100) == []

    # Files

    def test_state_and_content_survive_reopening(self, path: Path) -> None:
        state = SparseState(5, "mark", purged=3)
        index = self.writer(path)
        index.apply([stored(1, "cat")], NOTHING, state)
        index.close()
        reopened = self.writer(path)
        assert replace(reopened.state, folder="", files={}, seal="") == state
        reopened.close()
        assert found(self.reader(path), "cat") == [1]

    def test_where_there_is_no_index_the_reader_says_so_and_the_writer_starts_with_an_empty_state(
        self, tmp_path: Path
    ) -> None:
        with pytest.raises(StoreError, match="cannot be read") as raised:
            self.reader(tmp_path / "nowhere")
        assert "rag index" in raised.value.hint
        assert self.writer(tmp_path / "nowhere").state == SparseState()

    def test_a_damaged_file_is_never_answered_from(self, path: Path, tmp_path: Path) -> None:
        self.apply(path, corpus(80))
        right = self.apply(path, {}, dead=range(1, 9), generation=2).search(WORDS[:5], 100, EVERYTHING)
        noticed = 0
        for harm, copied in damaged_copies(path, tmp_path / "copies"):
            try:
                answer = self.reader(copied).search(WORDS[:5], 100, EVERYTHING)
            except StoreError:
                assert self.writer(copied).state == SparseState(), f"to be rebuilt: {harm}"
                noticed += 1
            else:  # not every file has a part in searching
                np.testing.assert_array_equal(answer, right, err_msg=harm)
        assert noticed


def corpus(count: int, longest: int = 39, seed: int = 7) -> dict[int, str]:
    """Chunks of random words; up to 40 of them, tantivy keeps lengths exactly."""
    generator = random.Random(seed)
    return {key: " ".join(generator.choices(WORDS, k=generator.randint(3, longest))) for key in range(1, count + 1)}


def code_chunks() -> list[StoredChunk]:
    """A definition in two chunks, and another function that calls it more often than it says its own name."""
    text = 'def get_user_name(key: int) -> str:\n    """Say whom a key stands for."""\n    return names[key]'
    calls = "def greet():\n" + "    print(get_user_name(1), get_user_name(2))  # get user name\n" * 3
    head = Symbol("Users.get_user_name", "method", (900, 935), (940, 973))
    return [
        code_chunk(1, text, 900, head),
        code_chunk(2, "return names.default", 1_000, replace(head, signature=(0, 0), docstring=(0, 0))),
        code_chunk(3, calls, 1_100, Symbol("greet", "function", (1_100, 1_112))),
    ]


def code_chunk(key: int, text: str, start: int, symbol: Symbol) -> StoredChunk:
    """A chunk of a file in the folder `shop`."""
    location = Location(start, start + len(text), 1, 3, symbol=symbol)
    return replace(stored(key, text), uri="/src/shop/users.py", title="users.py", kind="code", location=location)


def found(reader: Reader, *terms: str, limit: int = 10, mask: Mask = EVERYTHING) -> list[int]:
    """Ids, best first."""
    return reader.search(terms, limit, mask)[0].tolist()


def naive_reader(path: Path, chunks: Sequence[StoredChunk]) -> NaiveSparseReader:
    """The plainest index of these chunks."""
    beside = path.with_name("naive")
    NaiveSparseIndex(beside).rebuild(chunks, SparseState(1))
    return NaiveSparseReader(beside)


def assert_same(reader: Reader, naive: NaiveSparseReader, terms: Sequence[str], limit: int, mask: Mask) -> None:
    """The same scores in the same order, each that of its chunk; chunks of equal score may change places."""
    ids, scores = reader.search(terms, limit, mask)
    _, expected = naive.search(terms, limit, mask)
    np.testing.assert_allclose(scores, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(naive.scores(terms, ids), scores, rtol=1e-5, atol=1e-6)
    every, _ = naive.search(terms, naive.size, mask)
    assert len(set(ids.tolist())) == len(ids)
    assert set(ids.tolist()) <= set(every.tolist())
