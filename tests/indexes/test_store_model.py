"""Any history of changes to a store leaves what a dictionary of documents would hold, in every index.

Thresholds are so low here that dense bases, inverted files, rebuilt sparse indexes and burials come with dozens of
chunks. `PILOTFISH_LONG=1` tries a thousand histories.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import func, select

from connectors.document import Metadata
from connectors.errors import ConfigurationError
from connectors.source import KnownDocument
from indexes.catalog.filters import Condition
from indexes.catalog.rows import DocumentRow
from indexes.catalog.schema import attributes, chunks, documents, generations, graves, names, token_vectors, vectors
from indexes.dense.dense import usable_state
from indexes.encoding.base import Encoded, EncodedQuery
from indexes.encoding.late import TOKEN_BYTES
from indexes.limits import StoreLimits
from indexes.store import Store, View
from indexes.terms.analyzer import analyze
from indexes.writer import Batch, NewDocument, text_hash
from tests.conformance.naive import meets
from tests.indexes.conftest import BagEncoder, make_document

LONG = os.environ.get("PILOTFISH_LONG") == "1"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(0 if LONG else 300)]
WORDS = ["amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "haven"]
SOURCES = ["/one", "/two"]
ENCODERS = ["bag-1", "bag-2"]
SMALL = StoreLimits(
    delta_least=9,
    exact_chunks=30,
    vectors_held=16,
    dead_least=5,
    embedded_at_once=4,
    texts_held=6,
    buried_at_once=3,
    indexed_at_once=4,
    rows_at_once=7,
    bound_at_once=5,
)

paragraphs = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)
contents = st.lists(paragraphs, max_size=8)
metadata = st.fixed_dictionaries(
    {},
    optional={
        "number": st.integers(-3, 12) | st.sampled_from([2.5, "7", "seven"]),
        "date": st.dates().map(str),
        "flag": st.booleans(),
        "odd 'key' \"\\%_": st.sampled_from(["", "%", "a_b", "ÄÖ", "x" * 50]),
    },
)
uris = st.integers(0, 11).map(lambda number: f"/one/{number}")
conditions: dict[str, st.SearchStrategy[Condition]] = {
    "number": st.integers(-3, 12)
    | st.sampled_from(["seven", "7", ["2.5", 3]])
    | st.fixed_dictionaries({">=": st.integers(-3, 12)}, optional={"<": st.floats(0, 12)}),
    "date": st.fixed_dictionaries({">": st.dates().map(str)}) | st.just({"prefix": ["1", "20"]}),
    "flag": st.booleans() | st.just("true"),
    "odd 'key' \"\\%_": st.sampled_from(["", "%", {"prefix": "a_"}, {"prefix": "Ä"}]),
    "uri": st.just({"prefix": "/one/1"}) | st.lists(uris),
    "unheard of": st.just(1),
}
filters = st.lists(st.sampled_from(sorted(conditions)), max_size=2, unique=True).flatmap(
    lambda keys: st.fixed_dictionaries({key: conditions[key] for key in keys})
)


class TokenEncoder(BagEncoder):
    """With as many token vectors as a text has characters."""

    def encode(self, texts: Sequence[str]) -> Encoded:
        return Encoded(super().encode(texts).vectors, [tokens(self.fingerprint, text) for text in texts])

    def encode_query(self, text: str) -> EncodedQuery:
        return EncodedQuery(super().encode_query(text).vector, np.ones((1, 64), np.float32), ["any"])


def tokens(fingerprint: str, text: str) -> bytes:
    return f"{fingerprint}{text}".encode().ljust(TOKEN_BYTES, b".") * len(text)


@dataclass(frozen=True)
class Expected:
    """A live document."""

    texts: list[str]
    metadata: Metadata
    known: KnownDocument

    def matches(self, uri: str, wanted: Mapping[str, Condition]) -> bool:
        row = DocumentRow(0, 0, uri, uri, "text", "en", "", "", self.metadata, 0, 0)
        return all(meets(row, key, condition) for key, condition in wanted.items())


@dataclass(frozen=True)
class Held:
    """A view left open, and what it answered at first."""

    view: View
    answers: Any


@pytest.mark.parametrize("made", [0, 2])
def test_the_next_run_makes_the_token_vectors_that_an_interrupted_one_did_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: int
) -> None:
    encoder = TokenEncoder()
    monkeypatch.setattr("indexes.store.load_encoder", lambda _: encoder)
    store = Store(tmp_path / "kb", create=True, late=False, limits=StoreLimits(embedded_at_once=2))
    with store.writer() as opened:
        source = opened.register("/source")
        opened.commit(Batch([NewDocument(source, *make_document("/a", *WORDS), "")]))

    def interrupt(done: int, left: int) -> None:
        if left == len(WORDS) - made:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), store.writer() as opened:
        opened.keep_tokens(True, interrupt)
    with store.writer() as opened:
        assert opened.mend() == len(WORDS) - made
        opened.commit(Batch([NewDocument(source, *make_document("/b", "another"), "")]))
    with store.view() as view:
        ids = view.reading.born_chunks(0, view.indexes.generation)
        assert len(view.tokens(ids)) == len(WORDS) + 1
    store.close()


class StoreMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.cleanup = ExitStack()
        patch = self.cleanup.enter_context(pytest.MonkeyPatch.context())
        self.encoders = {spec: TokenEncoder(spec) for spec in ENCODERS}
        patch.setattr("indexes.store.load_encoder", lambda spec: self.encoders[spec])
        self.path = Path(self.cleanup.enter_context(tempfile.TemporaryDirectory())) / "kb"
        self.spec, self.keeps_tokens = "bag-1", True
        self.live: dict[str, Expected] = {}
        self.held: list[Held] = []
        self.stamp = 0

    @initialize(keep=st.booleans())
    def create(self, keep: bool) -> None:
        self.keeps_tokens = keep
        self.store = Store(self.path, create=True, encoder="bag-1", late=keep, notify=self.fail, limits=SMALL)
        self.reader = Store(self.path, notify=self.fail, limits=SMALL)
        with self.store.writer() as opened:
            self.sources = [opened.register(uri) for uri in SOURCES]

    def teardown(self) -> None:
        self.cleanup.close()
        if hasattr(self, "store"):
            self.store.close()
            self.reader.close()

    # Changes

    @rule(added=st.lists(st.tuples(uris, contents, metadata), min_size=1, max_size=6, unique_by=lambda each: each[0]))
    def put(self, added: list[tuple[str, list[str], Metadata]]) -> None:
        self.commit([(added, [])])

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        self.commit([([], data.draw(self.some_live()))])

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def rename(self, data: st.DataObject) -> None:
        moved = data.draw(self.some_live())
        added = [(f"{uri}+", self.live[uri].texts, self.live[uri].metadata) for uri in moved]
        assert self.commit([(added, moved)]) == []

    @rule(
        batches=st.lists(
            st.tuples(
                st.lists(st.tuples(uris, contents, metadata), max_size=3, unique_by=lambda each: each[0]),
                st.lists(uris, max_size=2, unique=True),
            ),
            min_size=2,
            max_size=4,
        )
    )
    def put_and_remove_in_one_run(self, batches: list[tuple[list[tuple[str, list[str], Metadata]], list[str]]]) -> None:
        self.commit(batches)

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def touch(self, data: st.DataObject) -> None:
        self.stamp += 1
        touched = data.draw(self.some_live())
        with self.store.writer() as opened:
            opened.commit(Batch(stamps={uri: str(self.stamp) for uri in touched}))
        for uri in touched:
            known = KnownDocument(self.live[uri].known.revision, str(self.stamp))
            self.live[uri] = Expected(self.live[uri].texts, self.live[uri].metadata, known)

    @rule()
    def compact(self) -> None:
        with self.store.writer():
            pass

    @rule(lost=st.sets(st.sampled_from(["sparse", "dense"]), min_size=1))
    def lose_and_rebuild_indexes(self, lost: set[str]) -> None:
        self.reopen()
        for name in lost:
            shutil.rmtree(self.path / name, ignore_errors=True)
        said: list[str] = []
        mended = Store(self.path, notify=said.append, limits=SMALL)
        with mended.writer():
            pass
        mended.close()
        assert {line.split()[2] for line in said} <= lost
        self.expect_embedded({})

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.reader.close()
        self.store, self.reader = (Store(self.path, notify=self.fail, limits=SMALL) for _ in range(2))

    @rule(spec=st.sampled_from(ENCODERS))
    def change_encoder(self, spec: str) -> None:
        with self.store.writer() as opened:
            embedded = opened.change_encoder(spec)
        texts = self.texts() if spec != self.spec else set()
        self.spec = spec
        assert embedded == len(texts)
        self.expect_embedded({spec: texts})

    @rule(keep=st.booleans())
    def keep_tokens(self, keep: bool) -> None:
        with self.store.writer() as opened:
            embedded = opened.keep_tokens(keep)
        texts = self.texts() if keep and not self.keeps_tokens else set()
        self.keeps_tokens = keep
        assert embedded == len(texts)
        self.expect_embedded({self.spec: texts})

    def commit(self, batches: Sequence[tuple[Sequence[tuple[str, list[str], Metadata]], list[str]]]) -> list[str]:
        """Commit batches of (documents, removed) in one run; returns the texts that were embedded."""
        self.stamp += 1
        available, embedded = self.texts(), []
        with self.store.writer() as opened:
            for added, removed in batches:
                made = [(*make_document(uri, *texts, **values), texts, values) for uri, texts, values in added]
                committed = opened.commit(
                    Batch(
                        [
                            NewDocument(self.sources[0], document, found, str(self.stamp))
                            for document, found, *_ in made
                        ],
                        removed,
                    )
                )
                gone = {document.uri for document, *_ in made} | set(removed)
                assert committed.chunks_removed == sum(len(self.live[uri].texts) for uri in gone & set(self.live))
                self.live = {uri: old for uri, old in self.live.items() if uri not in gone}
                for document, _, texts, values in made:
                    self.live[document.uri] = Expected(texts, values, KnownDocument(document.revision, str(self.stamp)))
                new = {text for _, texts, _ in added for text in texts} - available
                assert committed.embedded == len(new)
                embedded += new
                available |= new
        self.expect_embedded({self.spec: set(embedded)})
        return embedded

    def expect_embedded(self, expected: Mapping[str, set[str]]) -> None:
        """Check which texts were embedded since this was last called, each of them once."""
        for spec, encoder in self.encoders.items():
            assert sorted(encoder.texts) == sorted(expected.get(spec, set()))
            encoder.texts.clear()

    # Questions

    @precondition(lambda self: len(self.held) < 3)
    @rule(use_reader=st.booleans())
    def hold_a_view(self, use_reader: bool) -> None:
        store = self.reader
        if not use_reader:
            store = Store(self.path, notify=self.fail, limits=SMALL)
            self.cleanup.callback(store.close)
        view = self.cleanup.enter_context(store.view())
        self.held.append(Held(view, self.answers(view)))

    @rule(wanted=filters, query=st.lists(st.sampled_from(WORDS), min_size=1, max_size=3), limit=st.integers(1, 40))
    def search(self, wanted: dict[str, Condition], query: list[str], limit: int) -> None:
        unknown = {
            key for key in wanted if key != "uri" and not any(key in each.metadata for each in self.live.values())
        }
        with self.reader.view() as view:
            if unknown:
                with pytest.raises(ConfigurationError, match="unknown filter key"):
                    view.mask(wanted)
                return
            mask = view.mask(wanted)
            found = self.by_id(view)
        allowed = {key: text for key, (uri, text) in found.items() if self.live[uri].matches(uri, wanted)}
        assert wanted == {} or mask.allowed.tolist() == sorted(allowed)
        terms = analyze(" ".join(query))
        matching = {key for key, text in allowed.items() if set(terms) & set(analyze(text))}
        encoder = self.encoders[self.spec]
        vector = encoder.encode_query(" ".join(query)).vector
        with self.reader.view() as view:
            ids, scores = view.indexes.sparse.search(terms, limit, mask)
            assert set(ids.tolist()) <= matching
            assert len(ids) == len(set(ids.tolist())) == min(limit, len(matching))
            np.testing.assert_allclose(view.indexes.sparse.scores(terms, ids), scores, rtol=1e-5)
            ids, cosines = view.nearest(vector, limit, mask)
        keys = np.array(sorted(allowed), np.int64)
        expected = self.rounded([allowed[key] for key in keys]) @ vector
        best = np.sort(expected)[::-1][:limit]
        np.testing.assert_allclose(cosines, best, atol=1e-5)
        np.testing.assert_allclose(expected[np.searchsorted(keys, ids)], cosines, atol=1e-5)
        assert len(set(ids.tolist())) == len(ids)

    # What always holds

    @invariant()
    def every_index_holds_what_is_alive(self) -> None:
        if not hasattr(self, "reader"):
            return
        with self.reader.view() as view:
            generation = view.indexes.generation
            found = self.by_id(view)
            assert Counter(found.values()) == Counter(
                (uri, text) for uri, each in self.live.items() for text in each.texts
            )
            assert view.reading.count_documents(generation) == len(self.live)
            assert view.reading.count_chunks(generation) == len(found)
            assert view.reading.known(self.sources[0], generation) == {
                uri: each.known for uri, each in self.live.items()
            }
            assert [(each.uri, each.documents, each.chunks) for each in view.reading.count_sources(generation)] == [
                ("/one", len(self.live), len(found)),
                ("/two", 0, 0),
            ]
            mask = view.mask({})
            for word in WORDS:
                ids = view.indexes.sparse.search(analyze(word), 1_000, mask)[0]
                assert sorted(ids.tolist()) == sorted(key for key, (_, text) in found.items() if word in text.split())
            nearest, _ = view.nearest(np.ones(self.encoders[self.spec].dimensions, np.float32), 1_000, mask)
            assert sorted(nearest.tolist()) == sorted(found)
            ids, stored = view.reading.vectors_by_id(self.spec, np.array(sorted(found), np.int64), stored_dimensions)
            assert ids.tolist() == sorted(found)
            np.testing.assert_array_equal(stored, self.rounded([found[key][1] for key in ids]))
            codes = view.reading.tokens_by_id(self.spec, sorted(found))
            kept = {key: tokens(self.spec, text) for key, (_, text) in found.items()} if self.keeps_tokens else {}
            assert codes == kept

    @invariant()
    def nothing_is_left_over(self) -> None:
        if not hasattr(self, "store"):
            return
        count = sum(len(each.texts) for each in self.live.values())
        hashes = {text_hash(text) for text in self.texts()}
        with self.store.catalog.reading() as snapshot:
            sizes = [
                snapshot.connection.scalar(select(func.count()).select_from(table))
                for table in (documents, chunks, names, attributes)
            ]
            assert sizes == [
                len(self.live),
                count,
                len(self.live),
                sum(len(each.metadata) for each in self.live.values()),
            ]
            for table, kept in ((vectors, hashes), (token_vectors, hashes if self.keeps_tokens else set())):
                assert {
                    tuple(row) for row in snapshot.connection.execute(select(table.c.text_hash, table.c.encoder))
                } == {(key, self.spec) for key in kept}
            generation = snapshot.generation()
            state = usable_state(self.path / "dense", snapshot, self.spec, generation)
            assert set(snapshot.connection.scalars(select(generations.c.number))) <= {generation, state.generation}
            buried = list(snapshot.connection.scalars(select(graves.c.died)))
            assert all(died > state.generation > 0 for died in buried)
            assert snapshot.setting("embedding") == ""

    @invariant()
    def a_view_never_changes(self) -> None:
        for held in self.held:
            assert self.answers(held.view) == held.answers

    # Tools

    def fail(self, line: str) -> None:
        raise AssertionError(f"nothing should have to be mended: {line}")

    def some_live(self) -> st.SearchStrategy[list[str]]:
        return st.lists(st.sampled_from(sorted(self.live)), min_size=1, max_size=8, unique=True)

    def texts(self) -> set[str]:
        return {text for each in self.live.values() for text in each.texts}

    def rounded(self, texts: Sequence[str]) -> np.ndarray:
        """The vectors of record of texts."""
        made = [self.encoders[self.spec].encode_query(text).vector for text in texts]
        return np.array(made, np.float16).astype(np.float32).reshape(-1, stored_dimensions)

    @staticmethod
    def by_id(view: View) -> dict[int, tuple[str, str]]:
        found = view.reading.chunks_of_generation(0, view.indexes.generation)
        return {chunk.id: (chunk.uri, chunk.text) for chunk in found}

    def answers(self, view: View) -> Any:
        """Everything that a view can be asked, as plain data."""
        mask = view.mask({})
        query = self.encoders[view.encoder].encode_query("amber birch").vector
        return (
            view.indexes.generation,
            view.encoder,
            self.by_id(view),
            [array.tolist() for array in view.indexes.sparse.search(["amber", "birch"], 50, mask)],
            [array.tolist() for array in view.nearest(query, 50, mask)],
            view.mask({"uri": {"prefix": "/one/1"}}).allowed.tolist(),  # type: ignore[union-attr]
        )


stored_dimensions = BagEncoder.dimensions

TestStore = StoreMachine.TestCase
TestStore.settings = settings(
    max_examples=1_000 if LONG else 25,
    stateful_step_count=30 if LONG else 12,
    deadline=None,
    derandomize=not LONG,
    suppress_health_check=list(HealthCheck),
)
