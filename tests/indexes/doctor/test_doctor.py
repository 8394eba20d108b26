"""Each kind of damage is made for real, found by its own check alone, and mended."""

from __future__ import annotations

import itertools
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexes.doctor.doctor import examine
from indexes.doctor.repair import repair
from indexes.encoding.base import Encoded, EncodedQuery
from indexes.errors import LockedError, StoreError
from indexes.files import writer_lock
from indexes.limits import StoreLimits
from indexes.store import Store
from indexes.writer import Batch, NewDocument, Writer
from tests.indexes.conftest import BagEncoder, make_document
from tests.indexes.test_store import read_only

NAMES = (
    "disk",
    "catalog",
    "lock",
    "generation",
    "documents",
    "attributes",
    "names",
    "chunks",
    "vectors",
    "tokens",
    "orphans",
    "encoder",
    "sparse",
    "dense",
)
TEXTS = {f"d{number}": [f"alpha {number}", f"beta {number} {number % 3}", f"gamma {number % 5}"] for number in range(8)}

open_store = partial(Store, limits=StoreLimits(delta_least=5, delta_most=5))  # a dense base for a few chunks


class TokenEncoder(BagEncoder):
    """Also makes token vectors: one for each text, of its own."""

    def encode(self, texts: Sequence[str]) -> Encoded:
        return Encoded(super().encode(texts).vectors, [bytes([len(text)]) * 32 for text in texts])

    def encode_query(self, text: str) -> EncodedQuery:
        return EncodedQuery(self._vector(text), np.ones((1, 64), np.float32), [(0, len(text))])


@pytest.fixture
def encoder(monkeypatch: pytest.MonkeyPatch) -> TokenEncoder:
    encoder = TokenEncoder()
    monkeypatch.setattr("indexes.store.load_encoder", lambda _: encoder)
    return encoder


@pytest.fixture
def store(tmp_path: Path, encoder: TokenEncoder) -> Iterator[Store]:
    """A few documents, some of them changed and removed, and a dense base for most of them."""
    store = open_store(tmp_path / "kb", create=True)
    index(store)
    with store.writer() as writer:
        document, chunks = make_document("/d1", "delta", year=2)
        writer.commit(Batch([NewDocument(writer.register("/source"), document, chunks, "")], removed=["/d2"]))
    yield store
    store.close()


def index(store: Store) -> None:
    """What `rag index` does: embed what lacks a vector, then read what is not known."""
    with store.writer() as writer:
        writer.mend()
        source = writer.register("/source")
        known = writer.known("/source")
        made = [
            make_document(f"/{name}", *texts, year=2000 + place, shelf="a" if place % 2 else "b")
            for place, (name, texts) in enumerate(TEXTS.items())
            if f"/{name}" not in known and (not known or name != "d2")
        ]
        writer.commit(Batch([NewDocument(source, document, chunks, "stamp") for document, chunks in made]))


def answers(store: Store, said: list[str] | None = None) -> object:
    """What searches give, whatever the ids."""
    opened = open_store(store.path, notify=[].append if said is None else said.append)
    found: list[object] = []
    with opened.view() as view:
        for query in ("alpha 3", "beta 5 2", "gamma 1", "delta"):
            for filters in ({}, {"shelf": "a"}, {"year": {">=": 2004}}):
                mask = view.mask(filters)
                ids, _ = view.indexes.sparse.search(query.split(), 50, mask)
                near, cosines = view.nearest(opened.encoder.encode_query(query).vector, 50, mask)
                stored = view.reading.chunks_by_id([*ids.tolist(), *near.tolist()])
                tokens = view.tokens(np.sort(near))
                found.append({(stored[key].uri, stored[key].text) for key in ids.tolist()})
                found += [
                    (stored[key].uri, stored[key].text, tokens[key], round(float(cosine), 4))
                    for key, cosine in sorted(
                        zip(near.tolist(), cosines, strict=True), key=lambda pair: stored[pair[0]].text
                    )
                ]
    opened.close()
    return found


def failed(store: Store) -> set[str]:
    opened = open_store(store.path)
    found = examine(opened)
    opened.close()
    assert all(check.hint for check in found.checks if not check.ok)
    return {check.name for check in found.checks if not check.ok}


def sql(statement: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        with closing(sqlite3.connect(folder / "catalog.sqlite")) as connection:
            assert connection.execute(statement).rowcount > 0
            connection.commit()

    return damage


def flip(pattern: str, at: float = 0.5) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        for path in folder.glob(pattern):
            # In place: to shorten a file, if only for a moment, kills whoever has it mapped into memory.
            with path.open("r+b") as file:
                offset = int(at * (path.stat().st_size - 1))
                file.seek(offset)
                (byte,) = file.read(1)
                file.seek(offset)
                file.write(bytes([byte ^ 1]))

    return damage


def cut(pattern: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        for path in folder.glob(pattern):
            path.write_bytes(path.read_bytes()[:-7])

    return damage


def delete(pattern: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        for path in folder.glob(pattern):
            path.unlink()

    return damage


CATALOG: dict[str, tuple[Callable[[Path], None], str]] = {
    "a title": (sql("UPDATE documents SET title = 'other' WHERE uri = '/d3'"), "documents"),
    "a title that is no text": (sql("UPDATE documents SET title = CAST(x'ff' AS TEXT) WHERE uri = '/d3'"), "documents"),
    "the place of chunks": (sql("UPDATE documents SET first_chunk = first_chunk + 3 WHERE uri = '/d3'"), "documents"),
    "no source": (sql("UPDATE documents SET source_id = 99 WHERE uri = '/d3'"), "documents"),
    "a passage": (sql("UPDATE chunks SET text = 'other' WHERE text = 'alpha 3'"), "chunks"),
    "a passage that is no text": (sql("UPDATE chunks SET text = CAST(x'ff' AS TEXT) WHERE text = 'alpha 3'"), "chunks"),
    "a location": (sql("UPDATE chunks SET location = '[]' WHERE text = 'alpha 3'"), "chunks"),
    "a passage lost": (sql("DELETE FROM chunks WHERE text = 'alpha 3'"), "chunks"),
    "a name": (sql("UPDATE names SET text = 'other' WHERE normal = 'name of d3'"), "documents"),
    "a name that is not found": (sql("UPDATE names SET normal = 'other' WHERE normal = 'name of d3'"), "documents"),
    "a name lost": (sql("DELETE FROM names WHERE normal = 'name of d3'"), "documents"),
    "a name of nothing": (sql("INSERT INTO names VALUES ('name of d3', 'test.name', 999, 0, 'a')"), "attributes"),
    "a name of nothing, with forms": (
        lambda folder: (
            sql("INSERT INTO names VALUES ('lantern', 'test.name', 999, 0, 'Lantern')")(folder),
            sql("INSERT INTO name_forms VALUES ('=lantern', 'lantern')")(folder),
        ),
        "attributes",
    ),
    "a form": (sql("UPDATE name_forms SET form = 'other' WHERE form = '=d3 name of'"), "names"),
    "a form of another name": (sql("UPDATE name_forms SET normal = 'other' WHERE form = '=d3 name of'"), "names"),
    "a form lost": (sql("DELETE FROM name_forms WHERE form = 'd3'"), "names"),
    "all forms lost": (sql("DELETE FROM name_forms"), "names"),
    "a form of nothing": (sql("INSERT INTO name_forms VALUES ('lantern', 'lantern')"), "names"),
    "a column lost": (sql("DELETE FROM name_roles"), "names"),
    "an attribute": (sql("UPDATE attributes SET text = 'c' WHERE key = 'shelf'"), "attributes"),
    "an attribute lost": (sql("DELETE FROM attributes WHERE key = 'year'"), "attributes"),
    "an attribute of nothing": (sql("INSERT INTO attributes VALUES (999, 'shelf', 'a', NULL)"), "attributes"),
    "a vector": (
        sql("UPDATE vectors SET vector = zeroblob(48) WHERE rowid = (SELECT max(rowid) FROM vectors)"),
        "vectors",
    ),
    "a vector cut": (
        sql("UPDATE vectors SET vector = substr(vector, 3) WHERE rowid = (SELECT max(rowid) FROM vectors)"),
        "vectors",
    ),
    "vectors lost": (sql("DELETE FROM vectors WHERE rowid % 2"), "vectors"),
    "token vectors": (
        sql("UPDATE token_vectors SET codes = zeroblob(32) WHERE rowid = (SELECT max(rowid) FROM token_vectors)"),
        "tokens",
    ),
    "token vectors cut": (
        sql("UPDATE token_vectors SET codes = substr(codes, 2) WHERE rowid = (SELECT max(rowid) FROM token_vectors)"),
        "tokens",
    ),
    "token vectors lost": (sql("DELETE FROM token_vectors"), "tokens"),
    "a vector of nothing": (
        sql("INSERT INTO vectors SELECT zeroblob(16), encoder, vector, 1 FROM vectors LIMIT 1"),
        "orphans",
    ),
    "another encoder's vector": (
        sql("INSERT INTO vectors SELECT text_hash, 'other', vector, 1 FROM vectors LIMIT 1"),
        "orphans",
    ),
}
DERIVED: dict[str, tuple[Callable[[Path], None], str]] = {
    "the state": (flip("sparse/state.json"), "sparse"),
    "no state": (delete("sparse/state.json"), "sparse"),
    "postings": (flip("sparse/*/*.idx"), "sparse"),
    "terms": (flip("sparse/*/*.term", 0.1), "sparse"),
    "ids": (flip("sparse/*/*.fast", 0.1), "sparse"),
    "no postings": (delete("sparse/*/*.idx"), "sparse"),
    "no meta.json": (delete("sparse/*/meta.json"), "sparse"),
    "another past": (sql("UPDATE generations SET mark = 'other'"), "sparse"),
    "the base": (flip("dense/*.faiss"), "dense"),
    "the base cut": (cut("dense/*.faiss"), "dense"),
    "no base": (delete("dense/*.faiss"), "dense"),
    "the state of the base": (flip("dense/*.json"), "dense"),
    "nothing of the base": (delete("dense/*"), "dense"),
}
# What else goes with it.
CONSEQUENCES = {
    "a passage lost": {"orphans"},
    "another past": {"dense"},
    "a name that is not found": {"names"},
    "a name lost": {"names"},
}


@pytest.mark.parametrize("kind", CATALOG | DERIVED)
def test_damage_is_found_by_its_own_check_and_mended(store: Store, encoder: TokenEncoder, kind: str) -> None:
    damage, name = (CATALOG | DERIVED)[kind]
    before = answers(store)
    assert failed(store) == set()
    damage(store.path)
    assert failed(store) == {name} | CONSEQUENCES.get(kind, set())

    encoder.texts.clear()
    opened = open_store(store.path)
    assert repair(opened, 0)
    opened.close()
    assert not encoder.texts
    assert failed(store) == ({"vectors", "tokens"} if name in ("vectors", "tokens") else set())

    index(store)
    assert failed(store) == set()
    assert answers(store) == before
    if name in ("attributes", "names", "orphans", "sparse", "dense"):
        assert not encoder.texts


def test_a_healthy_store_passes_every_check(store: Store) -> None:
    found = examine(store)
    assert tuple(check.name for check in found.checks) == NAMES
    assert all(check.ok and check.detail and not check.hint for check in found.checks)
    assert repair(store, 0) == ()
    assert failed(store) == set()


def test_an_empty_store_passes_every_check(tmp_path: Path, encoder: TokenEncoder) -> None:
    assert failed(open_store(tmp_path / "empty", create=True)) == set()


def test_without_token_vectors_none_are_expected(tmp_path: Path, bag: BagEncoder) -> None:
    index(store := open_store(tmp_path / "none made", create=True))
    assert failed(store) == set()
    index(store := open_store(tmp_path / "none kept", create=True, late=False))
    assert failed(store) == set()


def test_token_vectors_that_should_not_be_kept_are_dropped(store: Store) -> None:
    sql("UPDATE settings SET value = 'off' WHERE key = 'late'")(store.path)
    assert failed(store) == {"orphans"}
    assert repair(store, 0)
    assert failed(store) == set()


def test_an_interrupted_run_is_finished(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    class Crash(BaseException):
        pass

    def crash(_writer: Writer, _born: int) -> None:
        raise Crash

    document, chunks = make_document("/new", "epsilon")
    with monkeypatch.context() as patched, suppress(Crash), store.writer() as writer:
        patched.setattr(Writer, "_publish", crash)
        writer.commit(Batch([NewDocument(writer.register("/source"), document, chunks, "")]))
    assert failed(store) == set()
    assert any("the next `rag index` publishes it" in check.detail for check in examine(store).checks)
    sql("UPDATE documents SET title = 'other' WHERE uri = '/new' OR uri = '/d3'")(store.path)
    assert failed(store) == {"documents"}
    forgot, finished = repair(store, 0)
    assert "/new" in forgot
    assert "/d3" in forgot
    assert "finishing generation" in finished
    assert failed(store) == set()


def test_of_two_documents_with_one_uri_the_newer_stays(store: Store) -> None:
    before = store.catalog
    sql("UPDATE documents SET uri = '/d4' WHERE uri = '/d3'")(store.path)
    assert failed(store) == {"documents"}
    assert repair(store, 0)
    with before.reading() as reading:
        assert set(reading.known(1, reading.generation())) == {"/d0", "/d1", "/d4", "/d5", "/d6", "/d7"}


def test_several_kinds_of_damage_are_mended_at_once(store: Store, encoder: TokenEncoder) -> None:
    before = answers(store)
    for kind in ("no source", "a passage", "an attribute", "a vector cut", "token vectors", "a vector of nothing"):
        CATALOG[kind][0](store.path)
    delete("sparse/state.json")(store.path)
    flip("dense/*.faiss")(store.path)
    opened = open_store(store.path)
    repair(opened, 0)
    assert failed(store) == {"vectors", "tokens"}
    index(store)
    assert failed(store) == set()
    assert answers(store) == before


def test_what_was_dropped_is_embedded_although_others_wrote_meanwhile(store: Store) -> None:
    before = answers(store)
    sql("DELETE FROM vectors WHERE rowid % 2")(store.path)
    reader = open_store(store.path)
    repair(store, 0)
    with reader.view():
        pass
    flip("sparse/state.json")(store.path)
    with open_store(store.path).view():  # a search mends the sparse index, and embeds nothing
        pass
    index(store)
    assert failed(store) == set()
    assert answers(store) == before
    with reader.view() as view, store.view() as fresh:
        query = np.ones(24, np.float32)
        assert (
            view.nearest(query, 50, view.mask({}))[0].tolist() == fresh.nearest(query, 50, fresh.mask({}))[0].tolist()
        )


def test_a_writer_at_work_is_named_and_left_alone(store: Store) -> None:
    with writer_lock(store.path, 0):
        lock = next(check for check in examine(store).checks if check.name == "lock")
        assert lock.ok
        assert "is being written by another process" in lock.detail
        with pytest.raises(LockedError):
            repair(store, 0)


def test_another_encoder_of_that_name_is_told(store: Store, encoder: TokenEncoder) -> None:
    encoder.fingerprint = "bag-9"
    assert failed(store) == {"encoder"}


def test_look_up_tables_of_the_catalog_are_mended(store: Store) -> None:
    before = answers(store)
    store.close()
    catalog = store.path / "catalog.sqlite"
    catalog.write_bytes(re.sub(rb"(?<!/d3)/d3(?!/d3)", b"/e3", catalog.read_bytes()))  # the URI in its index only
    assert failed(store) == {"catalog"}
    assert repair(open_store(store.path), 0)
    assert failed(store) == set()
    assert answers(store) == before


def test_a_catalog_that_is_no_database_is_one_failing_check(store: Store) -> None:
    store.close()
    catalog = store.path / "catalog.sqlite"
    data = bytearray(catalog.read_bytes())
    assert data[4096 * 4 : 4096 * 5] != bytes(4096)
    data[4096 * 4 : 4096 * 5] = bytes(4096)
    catalog.write_bytes(data)
    assert failed(store) == {"catalog"}
    assert repair(open_store(store.path), 0) == ()


@pytest.fixture
def copy(store: Store, tmp_path: Path) -> Callable[[], Path]:
    """A fresh copy of the store, at another path."""
    store.close()
    numbers = itertools.count()

    def make() -> Path:
        return Path(shutil.copytree(store.path, tmp_path / f"copy {next(numbers)}"))

    return make


@pytest.mark.slow
@pytest.mark.parametrize("damage", [flip, cut, delete])
@pytest.mark.parametrize("index", ["sparse", "dense"])
def test_a_search_mends_a_damaged_index_and_says_so(
    store: Store, encoder: TokenEncoder, copy: Callable[[], Path], index: str, damage: Callable[..., Any]
) -> None:
    before = answers(store)
    encoder.texts.clear()
    files = [
        file.relative_to(store.path)
        for file in (store.path / index).rglob("*")
        if file.is_file() and file.stat().st_size
    ]
    rebuilt = 0
    for file in files:
        path = copy()
        damage(str(file))(path)
        said: list[str] = []
        opened = open_store(path, notify=said.append)
        assert answers(opened, said) == before, file
        with opened.writer():  # as the next `rag index` does: a lost state of the dense index only costs a search time
            pass
        assert answers(opened, said) == before, file
        assert said in ([], [f"rebuilding the {index} index from the catalog"]), file
        rebuilt += len(said)
        assert failed(opened) == set(), file
        opened.close()
    assert rebuilt
    assert not encoder.texts


def test_where_nothing_can_be_written_a_damaged_dense_index_is_passed_over(store: Store) -> None:
    before = answers(store)
    store.close()
    flip("dense/*.faiss")(store.path)
    with read_only(store.path):
        assert answers(store) == before
        assert failed(store) >= {"dense"}
    assert answers(store) == before


def test_where_nothing_can_be_written_a_sparse_index_is_made_elsewhere(store: Store) -> None:
    before = answers(store)
    store.close()
    flip("sparse/state.json")(store.path)
    files = sorted(store.path.rglob("*"))
    said: list[str] = []
    with read_only(store.path):
        opened = open_store(store.path, notify=said.append)
        assert answers(opened, said) == before
        opened.close()
    assert said == ["the sparse index can be neither used nor rebuilt: made one in a temporary folder"]
    assert sorted(store.path.rglob("*")) == files


def test_a_store_works_at_another_path(store: Store, encoder: TokenEncoder, copy: Callable[[], Path]) -> None:
    before = answers(store)
    encoder.texts.clear()
    said: list[str] = []
    opened = open_store(copy(), notify=said.append)
    assert answers(opened, said) == before
    assert failed(opened) == set()
    assert not said
    assert not encoder.texts


def test_indexes_of_another_store_are_noticed(store: Store, encoder: TokenEncoder, tmp_path: Path) -> None:
    before = answers(store)
    other = open_store(tmp_path / "other", create=True)
    with other.writer() as writer:
        for name in ("a", "b"):
            document, chunks = make_document(f"/{name}", *(f"zeta {number}" for number in range(9)))
            writer.commit(Batch([NewDocument(writer.register("/elsewhere"), document, chunks, "")]))
    other.close()
    store.close()
    for part in ("sparse", "dense"):
        shutil.rmtree(store.path / part)
        shutil.copytree(other.path / part, store.path / part)
    assert failed(store) == {"sparse", "dense"}
    said: list[str] = []
    assert answers(store, said) == before
    assert said == ["rebuilding the sparse index from the catalog", "rebuilding the dense index from the catalog"]


def flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :]


def in_look_up_table(data: bytes, place: int) -> bool:
    """Whether this byte is in a page of one of SQLite's index b-trees, as the page's first byte tells."""
    return data[place - place % 4096] in (0x02, 0x0A)


@pytest.mark.slow
def test_a_flipped_bit_of_the_catalog_never_gives_a_wrong_answer(store: Store, copy: Callable[[], Path]) -> None:
    before = found(store)
    data = (store.path / "catalog.sqlite").read_bytes()
    places = list(range(77, len(data), len(data) // 200))
    hints = []
    for place in places:
        path = copy()
        (path / "catalog.sqlite").write_bytes(flipped(data, place))
        try:
            assert found(open_store(path)) == before, place
        except StoreError as error:
            hints.append(f"{error} {error.hint}")
    assert len(places) > 90
    assert len(hints) > 10
    assert not [hint for hint in hints if "rag doctor" not in hint and "rag --kb" not in hint]


def test_a_look_up_table_that_leads_astray_is_found(store: Store, copy: Callable[[], Path]) -> None:
    """A search trusts those of the catalog: only an examination compares them with the rows."""
    store.close()
    data = (store.path / "catalog.sqlite").read_bytes()
    rowid = next(place for place in range(len(data) - 40, 0, -1) if in_look_up_table(data, place) and data[place] > 2)
    path = copy()
    (path / "catalog.sqlite").write_bytes(flipped(data, rowid))
    assert failed(open_store(path)) == {"catalog"}
    assert repair(open_store(path), 0)
    assert failed(open_store(path)) == set()


def found(store: Store) -> list[object]:
    """What searches without filters give, and rank by."""
    opened = open_store(store.path, notify=str)
    ranked: list[object] = []
    with opened.view() as view:
        for query in ("alpha 3", "beta 5 2", "gamma 1", "delta"):
            near, cosines = view.nearest(opened.encoder.encode_query(query).vector, 50, view.mask({}))
            # Not the scores of BM25: they count what has died until an index is made anew.
            ids, _ = view.indexes.sparse.search(query.split(), 50, view.mask({}))
            ranked += [near.tolist(), cosines.tolist(), view.tokens(np.sort(near)), view.chunks(near)]
            ranked += [set(ids.tolist()), view.chunks(ids)]
    opened.close()
    return ranked
