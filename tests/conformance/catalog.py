"""What any catalog must do, whatever is behind it."""

from __future__ import annotations

import random
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from connectors.document import DocumentName, Location, Metadata, Place, Symbol
from connectors.errors import ConfigurationError
from connectors.source import KnownDocument
from indexes.catalog.filters import Condition
from indexes.catalog.reading import Ids
from indexes.catalog.rows import ChunkRow, DocumentRow
from indexes.encoding.late import TOKEN_BYTES
from indexes.terms.names import StoredName
from tests.conformance.naive import NaiveCatalog, meets

DIMENSIONS = 4
ANYWHERE = Location(0, 1, 1, 1)
ODD = "odd 'key' \"\\%_\n"
METADATA: list[Metadata] = [
    {},
    {"year": 2019, "date": "2019-12-31", "final": True, "author": "Ada"},
    {"year": 2020.5, "date": "2020-02-29", "final": False, "author": "ada"},
    {"year": "2021", "date": "2021-01-01", "author": "Ada Lovelace"},
    {"year": "unknown", "author": "", ODD: "%"},
    {"year": -3, "author": "Å", ODD: "a_b%c"},
    {"year": 10**40, "author": "10", ODD: "axb%c"},
    {"year": float("nan"), "author": "1e1", "id": 2**53},
    {"year": float("inf"), "author": "' OR 1=1 --", "id": 2**53 + 1},
    {"year": True, "author": "日本語", "id": "9007199254740993"},
    {"year": 0, "author": "x" * 10_000},
]
VALUES = [
    "2019",
    2020.5,
    2021,
    True,
    "true",
    "",
    "Ada",
    "a",
    "%",
    "_",
    "x",
    10.0,
    "unknown",
    -3,
    2**53 + 1,
    "日",
    "nan",
]
OPERATORS = ["=", "prefix", ">=", ">", "<=", "<"]


class CatalogConformance:
    """Subclass it, and say how a catalog is made and how it filters."""

    @abstractmethod
    def make(self, path: Path) -> Any: ...

    @abstractmethod
    def filtered(self, reading: Any, filters: Mapping[str, Condition], generation: int) -> Ids: ...

    @pytest.fixture
    def catalog(self, tmp_path: Path) -> Any:
        return self.make(tmp_path)

    # Transactions

    def test_a_failed_transaction_leaves_nothing(self, catalog: Any) -> None:
        with suppress(ZeroDivisionError), catalog.writing() as writing:
            add(writing, 1, "/a", "one")
            writing.set_setting("generation", "1")
            raise ZeroDivisionError
        with catalog.reading() as reading:
            assert (reading.generation(), reading.count_documents(1), reading.source_uris()) == (0, 0, {})
        with catalog.writing() as writing:
            assert writing.take_ids("next_chunk", 1) == 1

    def test_a_snapshot_does_not_move(self, catalog: Any) -> None:
        with catalog.reading() as reading:
            assert reading.generation() == 0
            with catalog.writing() as writing:
                add(writing, 1, "/a", "one")
                writing.set_setting("generation", "1")
            assert (reading.generation(), reading.count_documents(1)) == (0, 0)
        with catalog.reading() as reading:
            assert (reading.generation(), reading.count_documents(1)) == (1, 1)

    def test_a_setting_is_what_it_was_set_to_last(self, catalog: Any) -> None:
        with catalog.writing() as writing:
            assert (writing.setting("colour"), writing.setting("colour", "red")) == ("", "red")
            for value in ("blue", "", "grün"):
                writing.set_setting("colour", value)
                assert writing.setting("colour", "red") == value

    # Generations

    def test_a_generation_sees_what_was_born_and_has_not_died(self, catalog: Any) -> None:
        with catalog.writing() as writing:
            add(writing, 1, "/a", "one", "two")
            add(writing, 2, "/b", "three")
            assert writing.kill_documents(["/a", "/nowhere"], 3) == 2
            add(writing, 3, "/a", "four")
            seen = {g: [chunk.text for chunk in writing.chunks_of_generation(0, g)] for g in range(5)}
            assert seen == {
                0: [],
                1: ["one", "two"],
                2: ["one", "two", "three"],
                3: ["three", "four"],
                4: ["three", "four"],
            }
            assert [writing.count_chunks(g) for g in range(4)] == [0, 2, 3, 2]
            assert [writing.count_documents(g) for g in range(4)] == [0, 1, 2, 2]
            assert [writing.born_chunks(g, 3).tolist() for g in range(4)] == [[3, 4], [3, 4], [4], []]
            assert [writing.dead_chunks(g, 3).tolist() for g in range(4)] == [[1, 2], [1, 2], [1, 2], []]
            assert [writing.count_changed(g, 3) for g in range(4)] == [4, 4, 3, 0]

    def test_what_is_dead_does_not_die_again(self, catalog: Any) -> None:
        with catalog.writing() as writing:
            add(writing, 1, "/a", "one")
            assert [writing.kill_documents(["/a"], died) for died in (2, 3)] == [1, 0]
            assert writing.dead_chunks(2, 9).tolist() == []

    def test_generations_have_marks_and_the_unpublished_one_is_known(self, catalog: Any) -> None:
        with catalog.writing() as writing:
            assert (writing.mark(1), writing.pending_generation()) == ("", None)
            for number in (1, 2):
                writing.begin_generation(number)
                assert writing.pending_generation() == number
                writing.set_setting("generation", str(number))
                assert writing.pending_generation() is None
            assert writing.mark(1) != writing.mark(2)
            mark = writing.mark(2)
            writing.forget_generations({2})
            assert (writing.mark(1), writing.mark(2)) == ("", mark)

    # Documents and chunks

    def test_reserved_ids_never_come_again(self, catalog: Any) -> None:
        taken: list[int] = []
        for count in (3, 0, 5, 1):
            with catalog.writing() as writing:
                first = writing.take_ids("next_chunk", count)
                taken += range(first, first + count)
        assert taken == list(range(1, 10))
        with catalog.writing() as writing:
            add(writing, 1, "/a", "one")
            last = int(writing.born_chunks(0, 1).max())
            writing.kill_documents(["/a"], 2)
            writing.bury(2, 10)
            assert last not in taken
            assert writing.take_ids("next_chunk", 1) > last

    def test_places_come_back(self, catalog: Any) -> None:
        places = (Place(3, "Ünï, 1", "row", 5, 6), Place(7, "", "", 0, 0))
        locations = [
            Location(3, 9, 1, 2, headings=("A",), places=places, has_lines=False),
            Location(3, 9, 1, 2, has_lines=False),
            Location(3, 9, 1, 2, 4, 5, places=places),
        ]
        with catalog.writing() as writing:
            row = DocumentRow(7, writing.add_source("/s"), "/u", "title", "md", "de", "rev", "st", {}, 9, 3)
            writing.add_documents([row], 1)
            writing.add_chunks([ChunkRow(9 + n, 7, "text", "", at, b"\x00hash") for n, at in enumerate(locations)])
        with catalog.reading() as reading:
            found = reading.chunks_by_id([9, 10, 11])
            assert [found[key].location for key in sorted(found)] == locations

    def test_what_was_written_comes_back(self, catalog: Any) -> None:
        location = Location(3, 9, 1, 2, 4, 5, ("A", "ä → \U0001f41f", ""))
        metadata = {"a": 1, "b": 2.5, "c": True, "d": "x\x00\x1f'\"", "": "no name"}
        with catalog.writing() as writing:
            row = DocumentRow(7, writing.add_source("/s"), "/u", "title", "md", "de", "rev", "st", metadata, 9, 1)
            writing.add_documents([row], 1)
            writing.add_chunks([ChunkRow(9, 7, "text\r\n\x00end", "context", location, b"\x00hash")])
        with catalog.reading() as reading:
            found = reading.chunks_by_id([9, 10])
            assert set(found) == {9}
            chunk = found[9]
            assert (chunk.text, chunk.context, chunk.location) == ("text\r\n\x00end", "context", location)
            assert (chunk.uri, chunk.title, chunk.kind, chunk.language) == ("/u", "title", "md", "de")
            assert chunk.metadata == metadata
            assert chunk.indexed_text == "context\ntext\r\n\x00end"
            assert reading.find_document("/u", 1) == (1, KnownDocument("rev", "st"))
            assert reading.find_document("/u", 0) is reading.find_document("/v", 1) is None

    def test_a_symbol_comes_back(self, catalog: Any) -> None:
        symbol = Symbol("Cart.total", "method", (3, 20), (24, 40))
        location = Location(3, 90, 1, 2, headings=("cart", "Cart"), symbol=symbol)
        with catalog.writing() as writing:
            add(writing, 1, "/cart.py", "text", place=location)
        with catalog.reading() as reading:
            assert [chunk.location for chunk in reading.chunks_of_generation(0, 1)] == [location]

    def test_names_are_looked_up_as_people_type_them(self, catalog: Any) -> None:
        with catalog.writing() as writing:
            add(
                writing,
                1,
                "/a",
                "one",
                names=[DocumentName("17", "shop.id", 0), DocumentName("Café  Müller", "shop.name", 6)],
            )
            add(
                writing, 1, "/b", names=[DocumentName("cafe muller", "shop.name", 2), DocumentName("total", "calls", 9)]
            )
            add(writing, 2, "/c", "two", names=[DocumentName("CAFE MULLER", "shop.name")])
            writing.kill_documents(["/a"], 3)
        with catalog.reading() as reading:
            assert reading.has_names()
            found = [reading.named(["cafe muller", "17", "nobody"], generation) for generation in (0, 1, 2, 3)]
            assert [{key: [name.uri for name in names] for key, names in each.items()} for each in found] == [
                {},
                {"cafe muller": ["/a", "/b"], "17": ["/a"]},
                {"cafe muller": ["/a", "/b", "/c"], "17": ["/a"]},
                {"cafe muller": ["/b", "/c"]},
            ]
            assert found[1]["cafe muller"][0] == StoredName("Café  Müller", "shop.name", 6, "/a", range(1, 2))
            assert [(name.text, name.start) for name in reading.names_within("/a", 2)] == [
                ("17", 0),
                ("Café  Müller", 6),
            ]
            assert reading.names_within("/a", 3) == reading.names_within("/nowhere", 2) == []
        with catalog.writing() as writing:
            writing.bury(3, 10)
            assert writing.named(["17"], 2) == {}

    def test_what_is_known_can_be_asked_for_in_part(self, catalog: Any) -> None:
        with catalog.writing() as writing:
            assert not writing.has_names()
            source = add(writing, 1, "/a", "one")
            add(writing, 1, "/b", "two")
            add(writing, 2, "/c", "three")
            other = add(writing, 1, "/d", "four", source="/other")
            writing.kill_documents(["/b"], 2)
        with catalog.reading() as reading:
            assert [reading.count_known(source, generation) for generation in (0, 1, 2)] == [0, 2, 2]
            assert set(reading.known_among(source, 1, ["/a", "/b", "/c", "/d"])) == {"/a", "/b"}
            assert reading.known_among(other, 2, ["/d"]) == {"/d": KnownDocument("four", "stamp")}
            pages = [reading.known_uris(source, 2, after, 1) for after in (0, 1, 3)]
            assert [[uri for _, uri in page] for page in pages] == [["/a"], ["/c"], []]

    def test_a_document_may_have_no_chunks(self, catalog: Any) -> None:
        with catalog.writing() as writing:
            add(writing, 1, "/a")
            add(writing, 1, "/b", "one")
            assert (writing.count_documents(1), writing.count_chunks(1)) == (2, 1)
            assert writing.born_chunks(0, 1).tolist() == [1]
            assert writing.kill_documents(["/a"], 2) == 0
            assert (writing.bury(2, 10), writing.count_documents(2)) == (1, 1)

    def test_stamps_change_for_the_living_alone(self, catalog: Any) -> None:
        with catalog.writing() as writing:
            source = add(writing, 1, "/a", "one")
            writing.kill_documents(["/a"], 2)
            add(writing, 2, "/a", "two")
            writing.set_stamps({"/a": "newer", "/nowhere": "x"})
            assert [writing.known(source, g) for g in (0, 1, 2)] == [
                {},
                {"/a": KnownDocument("one", "stamp")},
                {"/a": KnownDocument("two", "newer")},
            ]

    def test_documents_move_with_their_folder(self, catalog: Any) -> None:
        uris = ["/a_b", "/a_b/c", "/a_b/c%d/e", "/axb/c", "/a_bc", "/A_B/c"]
        with catalog.writing() as writing:
            first, second = (writing.add_source(uri) for uri in ("/one", "/two"))
            assert (writing.add_source("/one"), first != second) == (first, True)
            for uri in uris:
                add(writing, 1, uri, "text", source="/one")
            writing.move_documents(first, second, "/a_b/")
            assert set(writing.known(second, 1)) == {"/a_b/c", "/a_b/c%d/e"}
            writing.move_documents(first, second, "/a_b")
            assert set(writing.known(second, 1)) == {"/a_b", "/a_b/c", "/a_b/c%d/e"}
            assert [(each.uri, each.documents, each.chunks) for each in writing.count_sources(1)] == [
                ("/one", 3, 3),
                ("/two", 3, 3),
            ]
            writing.move_documents(second, first, "/a_b")
            writing.drop_source(second)
            assert writing.source_uris() == {"/one": first}

    # Burials

    def test_the_dead_are_buried_some_at_a_time_and_their_graves_remembered(self, catalog: Any) -> None:
        with catalog.writing() as writing:
            for number in range(5):
                add(writing, 1, f"/{number}", f"text {number}", "shared")
            writing.kill_documents([f"/{number}" for number in range(4)], 2)
            writing.kill_documents(["/4"], 3)
            dead = writing.dead_chunks(0, 3).tolist()
            assert [writing.bury(2, 3) for _ in range(3)] == [3, 1, 0]
            assert writing.dead_chunks(0, 3).tolist() == dead == list(range(1, 11))
            assert writing.dead_chunks(2, 3).tolist() == [9, 10]
            assert set(writing.chunks_by_id(dead)) == {9, 10}
            writing.clear_graves(1)
            assert writing.dead_chunks(0, 3).tolist() == dead
            writing.clear_graves(2)
            assert writing.dead_chunks(0, 3).tolist() == [9, 10]

    def test_a_vector_lives_as_long_as_a_chunk_with_its_text(self, catalog: Any) -> None:
        with catalog.writing() as writing:
            add(writing, 1, "/a", "shared", "own")
            add(writing, 1, "/b", "shared")
            store_vectors(writing, "bag", "shared", "own")
            store_vectors(writing, "other", "own")
            for uri, missing in (("/a", {key("own")}), ("/b", {key("shared"), key("own")})):
                writing.kill_documents([uri], 2)
                writing.bury(2, 10)
                assert writing.missing_vectors("bag", [key("shared"), key("own")]) == missing
            assert writing.missing_vectors("other", [key("own")]) == {key("own")}

    # Vectors

    def test_vectors_are_kept_in_sixteen_bits_and_the_first_stays(self, catalog: Any) -> None:
        with catalog.writing() as writing:
            add(writing, 1, "/a", "one", "two", "one", "three")
            vectors = np.random.default_rng(0).standard_normal((2, DIMENSIONS)).astype(np.float32)
            writing.add_vectors("bag", [key("one"), key("two")], vectors, [codes("some"), b""])
            writing.add_vectors("bag", [key("one")], -vectors[:1], [codes("other")])
            ids, found = writing.vectors_by_id("bag", np.array([1, 2, 3, 4, 99]), DIMENSIONS)
            assert ids.tolist() == [1, 2, 3]
            np.testing.assert_array_equal(found, vectors[[0, 1, 0]].astype(np.float16).astype(np.float32))
            assert writing.tokens_by_id("bag", [3, 2, 1, 4]) == {1: codes("some"), 2: b"", 3: codes("some")}
            ids, found = writing.vectors_by_id("other", np.array([1]), DIMENSIONS)
            assert (ids.tolist(), found.shape) == ([], (0, DIMENSIONS))

    def test_what_is_not_encoded_is_known(self, catalog: Any) -> None:
        with catalog.writing() as writing:
            add(writing, 1, "/a", "one", "two", "three")
            add(writing, 2, "/b", "four")
            store_vectors(writing, "bag", "two")
            assert [found[0] for found in writing.unencoded_chunks("bag", 2, 0, 10)] == [1, 3, 4]
            assert writing.unencoded_chunks("bag", 1, 1, 10) == [(3, key("three"), "three")]
            assert [found[0] for found in writing.unencoded_chunks("bag", 2, 0, 2)] == [1, 3]
            assert [found[0] for found in writing.unencoded_chunks("bag", 2, 0, 9, tokens=True)] == [1, 3, 4]
            writing.drop_tokens()
            assert [found[0] for found in writing.unencoded_chunks("bag", 2, 0, 9, tokens=True)] == [1, 2, 3, 4]
            assert writing.missing_vectors("other", [key("two")]) == {key("two")}

    def test_sweeping_leaves_the_vectors_of_this_encoder_that_are_used(self, catalog: Any) -> None:
        with catalog.writing() as writing:
            add(writing, 1, "/a", "one")
            for encoder in ("bag", "other"):
                store_vectors(writing, encoder, "one", "unused")
            writing.sweep_vectors("bag")
            assert writing.missing_vectors("bag", [key("one"), key("unused")]) == {key("unused")}
            assert writing.missing_vectors("other", [key("one")]) == {key("one")}
            assert set(writing.tokens_by_id("bag", [1])) == {1}

    # Filters

    @pytest.mark.parametrize(
        ("filters", "matching"),
        [
            ({"year": 2019}, [1]),
            ({"year": "2019.0"}, [1]),
            ({"year": ["2019", 2021]}, [1, 3]),
            ({"year": []}, []),
            ({"year": {">=": 2020, "<": 2022}}, [2, 3]),
            ({"year": {">": [-4, 2019]}}, [2, 3, 6]),
            ({"year": True}, [9]),
            ({"year": "unknown"}, [4]),
            ({"date": {">=": "2020-01-01"}}, [2, 3]),
            ({"date": {"prefix": "2020-"}}, [2]),
            ({"date": {"prefix": ["2019", "2021"]}}, [1, 3]),
            ({"final": "true"}, [1]),
            ({"final": False}, [2]),
            ({"author": "Ada"}, [1]),
            ({"author": {"prefix": "Ada"}}, [1, 3]),
            ({"author": {"prefix": ""}}, list(range(1, 11))),
            ({"author": {"=": "Å", "prefix": "日"}}, [5, 9]),
            ({"author": "' OR 1=1 --"}, [8]),
            ({ODD: {"prefix": "a_b%"}}, [5]),
            ({ODD: "%"}, [4]),
            ({"id": 2**53}, [7]),  # no float tells these two apart
            ({"id": 2**53 + 1}, [8, 9]),
            ({"year": 10**40}, [6]),
            ({"year": 1e40}, [6]),
            ({"year": {}}, list(range(1, 11))),
            ({"year": {">": 0}, "final": "true"}, [1]),
            ({"uri": {"prefix": "/docs/1"}}, [1, 10]),
            ({"uri": ["/docs/1", "/docs/2"], "year": 2019}, [1]),
            ({"kind": "text", "title": "title 3"}, [3]),
            ({"title": {">": "title 8"}}, [9]),
            ({"language": "de"}, []),
            ({}, list(range(11))),
        ],
    )
    def test_filters_find(self, catalog: Any, filters: dict[str, Condition], matching: list[int]) -> None:
        fill(catalog)
        with catalog.reading() as reading:
            assert self.filtered(reading, filters, 1).tolist() == [number + 1 for number in matching]

    def test_filters_find_what_a_walk_through_all_documents_finds(self, catalog: Any) -> None:
        rows = fill(catalog)
        generator = random.Random(1)
        with catalog.reading() as reading:
            for _ in range(400):
                keys = generator.sample(["year", "date", "final", "author", ODD, "id", "uri", "title"], 2)
                filters = {
                    key: {
                        operator: generator.sample(VALUES, generator.randint(0, 2))
                        for operator in generator.sample(OPERATORS, generator.randint(0, 2))
                    }
                    for key in keys
                }
                expected = [row.first_chunk for row in rows if all(meets(row, *each) for each in filters.items())]
                assert self.filtered(reading, filters, 1).tolist() == expected, filters

    def test_filters_see_one_generation(self, catalog: Any) -> None:
        with catalog.writing() as writing:
            for generation, colour in ((1, "red"), (2, "blue")):
                writing.kill_documents(["/a"], generation)
                add(writing, generation, "/a", "one", metadata={"colour": colour})
            for generation, colour, found in ((1, "red", [1]), (1, "blue", []), (2, "red", []), (2, "blue", [2])):
                assert self.filtered(writing, {"colour": colour}, generation).tolist() == found

    def test_a_key_or_an_operator_that_does_not_exist_is_named(self, catalog: Any) -> None:
        fill(catalog)
        with catalog.reading() as reading:
            with pytest.raises(ConfigurationError, match="unknown filter key 'colour'") as raised:
                self.filtered(reading, {"year": 2019, "colour": "red"}, 1)
            assert "author" in raised.value.hint
            with pytest.raises(ConfigurationError, match="unknown operator"):
                self.filtered(reading, {"year": {"!=": 3}}, 1)

    # Histories

    @pytest.mark.parametrize("seed", range(10))
    def test_a_history_of_changes_leaves_what_a_dictionary_would_hold(self, catalog: Any, seed: int) -> None:
        naive = NaiveCatalog()
        for each in (catalog, naive):
            generator = random.Random(seed)
            with each.writing() as writing:
                for generation in range(1, 16):
                    change(writing, generator, generation)
        with catalog.reading() as reading, naive.reading() as expected:
            for generation in range(17):
                assert contents(reading, generation) == contents(expected, generation)


def add(
    writing: Any,
    born: int,
    uri: str,
    *texts: str,
    source: str = "/source",
    metadata: Metadata | None = None,
    names: Sequence[DocumentName] = (),
    place: Location = ANYWHERE,
) -> int:
    """Add a document with a chunk for each text; returns the id of its source."""
    key_of_source: int = writing.add_source(source)
    document, first = writing.take_ids("next_document", 1), writing.take_ids("next_chunk", len(texts))
    revision = " ".join(texts)
    row = DocumentRow(
        document, key_of_source, uri, uri, "text", "en", revision, "stamp", metadata or {}, first, len(texts), names
    )
    writing.add_documents([row], born)
    writing.add_chunks(ChunkRow(first + n, document, text, "", place, key(text)) for n, text in enumerate(texts))
    return key_of_source


def fill(catalog: Any) -> list[DocumentRow]:
    """One document of one chunk for each entry of `METADATA`."""
    with catalog.writing() as writing:
        source = writing.add_source("/source")
        rows = [
            DocumentRow(n, source, f"/docs/{n}", f"title {n}", "text", "en", "", "", metadata, n + 1, 1)
            for n, metadata in enumerate(METADATA)
        ]
        writing.add_documents(rows, 1)
        place = Location(0, 1, 1, 1)
        writing.add_chunks(ChunkRow(row.first_chunk, row.id, "text", "", place, key("text")) for row in rows)
    return rows


def codes(text: str) -> bytes:
    """The token vectors of some text: of one token."""
    return text.encode().ljust(TOKEN_BYTES, b"\0")


def store_vectors(writing: Any, encoder: str, *texts: str) -> None:
    """Store some vector and some token vectors for each text."""
    vectors = np.ones((len(texts), DIMENSIONS), np.float32)
    writing.add_vectors(encoder, [key(text) for text in texts], vectors, [codes(text) for text in texts])


def key(text: str) -> bytes:
    """What identifies a text."""
    return text.encode().ljust(16, b"\0")


def change(writing: Any, generator: random.Random, generation: int) -> None:
    """One generation of a random history."""
    uris = [f"/{number}" for number in range(8)]
    killed = generator.sample(uris, 3)
    writing.begin_generation(generation)
    writing.kill_documents(killed, generation)
    for uri in killed[:2]:
        texts = [f"text {generator.randint(0, 9)}" for _ in range(generator.randint(0, 3))]
        add(writing, generation, uri, *texts, source=generator.choice(["/one", "/two"]))
        encoded = [text for text in texts if generator.random() < 0.8]
        store_vectors(writing, generator.choice(["bag", "other"]), *dict.fromkeys(encoded))
    writing.set_stamps(dict.fromkeys(generator.sample(uris, 2), f"stamp {generation}"))
    if generator.random() < 0.3:
        writing.bury(generation - 2, 100)
    if generator.random() < 0.2:
        writing.clear_graves(generation - 4)
    if generator.random() < 0.2:
        writing.sweep_vectors("bag")


def contents(reading: Any, generation: int) -> list[object]:
    """Everything that can be asked about one generation."""
    ids = reading.born_chunks(0, generation)
    known, vectors = reading.vectors_by_id("bag", ids, DIMENSIONS)
    return [
        list(reading.chunks_of_generation(generation // 2, generation)),
        reading.count_documents(generation),
        reading.count_chunks(generation),
        reading.count_changed(generation // 3, generation),
        reading.count_sources(generation),
        [reading.known(source, generation) for source in sorted(reading.source_uris().values())],
        reading.born_chunks(generation // 2, generation).tolist(),
        reading.dead_chunks(generation // 3, generation).tolist(),
        (known.tolist(), vectors.tolist()),
        reading.tokens_by_id("bag", ids.tolist()),
        reading.unencoded_chunks("bag", generation, 3, 5),
    ]
