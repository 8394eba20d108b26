from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Connection

from connectors.errors import ConfigurationError
from connectors.source import KnownDocument
from indexes import writer as writer_module
from indexes.catalog.catalog import Catalog
from indexes.catalog.schema import MIGRATIONS, SCHEMA_VERSION, open_engine
from indexes.errors import LockedError, NoKnowledgeBaseError, StoreError
from indexes.files import writer_lock
from indexes.sparse.sparse import SparseIndex
from indexes.store import Store, View
from indexes.writer import Batch, NewDocument, Writer
from tests.indexes.conftest import DIMENSIONS, BagEncoder, make_document


class Crash(BaseException):
    """Stands for the process dying: nothing may catch it."""


def put(store: Store, **texts: str) -> None:
    with store.writer() as writer:
        source = writer.register("/source")
        made = [make_document(f"/{name}", *text.split("\n")) for name, text in texts.items()]
        writer.commit(Batch([NewDocument(source, document, chunks, "stamp") for document, chunks in made]))


def remove(store: Store, *names: str) -> None:
    with store.writer() as writer:
        writer.commit(Batch(removed=[f"/{name}" for name in names]))


def texts(store: Store) -> set[str]:
    """Every text the catalog, the sparse and the dense index agree on."""
    with store.view() as view:
        generation = view.indexes.generation
        catalog = {chunk.id: chunk.text for chunk in view.reading.chunks_of_generation(0, generation)}
        assert sparse_ids(view, catalog.values()) == set(catalog)
        dense, _ = view.nearest(np.ones(DIMENSIONS, np.float32), 10_000, view.mask({}))
        assert set(dense.tolist()) == set(catalog)
        return set(catalog.values())


def sparse_ids(view: View, known: object) -> set[int]:
    from indexes.terms.analyzer import analyze

    terms = sorted({term for text in known for term in analyze(text)} | {"one", "two", "three", "old", "new"})  # type: ignore[attr-defined]
    return set(view.indexes.sparse.search(terms, 10_000, view.mask({}))[0].tolist())


def test_what_is_committed_is_found_everywhere(store: Store) -> None:
    put(store, a="one\ntwo", b="three")
    assert texts(store) == {"one", "two", "three"}


def test_a_changed_document_replaces_the_old_one(store: Store) -> None:
    put(store, a="old text")
    put(store, a="new text")
    assert texts(store) == {"new text"}


def test_a_removed_document_is_gone_from_every_index(store: Store) -> None:
    put(store, a="one", b="two")
    remove(store, "a")
    assert texts(store) == {"two"}


def test_nothing_is_embedded_twice(store: Store, bag: BagEncoder) -> None:
    put(store, a="one\ntwo", b="one")
    assert sorted(bag.texts) == ["one", "two"]
    put(store, a="one\ntwo\nthree", c="two")
    assert sorted(bag.texts) == ["one", "three", "two"]


def test_a_rename_in_one_run_embeds_nothing(store: Store, bag: BagEncoder) -> None:
    put(store, a="one")
    with store.writer() as writer:
        document, chunks = make_document("/renamed", "one")
        writer.commit(Batch([NewDocument(writer.register("/source"), document, chunks, "")], removed=["/a"]))
    assert bag.texts == ["one"]
    assert texts(store) == {"one"}


def test_what_is_known_is_what_was_committed(store: Store) -> None:
    put(store, a="one")
    with store.writer() as writer:
        document, _ = make_document("/a", "one")
        assert writer.known("/source") == {"/a": KnownDocument(document.revision, "stamp")}
        assert writer.known("/elsewhere") == {}


def test_newer_stamps_publish_nothing(store: Store) -> None:
    put(store, a="one")
    with store.writer() as writer:
        before = writer.generation
        writer.commit(Batch(stamps={"/a": "newer"}))
        assert writer.generation == before
        assert writer.known("/source")["/a"].stamp == "newer"


def test_an_open_view_stays_on_its_generation(store: Store) -> None:
    put(store, a="one")
    reader = Store(store.path)
    with reader.view() as view:
        put(store, b="two")
        remove(store, "a")
        assert [chunk.text for chunk in view.reading.chunks_of_generation(0, view.indexes.generation)] == ["one"]
        assert view.indexes.sparse.search(["one", "two"], 10, view.mask({}))[0].tolist() == [1]
    assert texts(reader) == {"two"}


STEPS: dict[str, tuple[type, str]] = {
    "before the rows": (Writer, "embed"),
    "after the rows": (Writer, "_publish"),
    "after the sparse index": (SparseIndex, "apply"),
    "before the purge": (Writer, "finish"),
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("change", ["add", "change", "remove"])
def test_a_crash_leaves_a_published_generation_and_the_next_run_completes_it(
    store: Store, bag: BagEncoder, monkeypatch: pytest.MonkeyPatch, step: str, change: str
) -> None:
    put(store, a="one", b="two")
    actions: dict[str, Callable[[], None]] = {
        "add": lambda: put(store, c="three"),
        "change": lambda: put(store, a="three"),
        "remove": lambda: remove(store, "a"),
    }
    before, after = (
        texts(store),
        {"add": {"one", "two", "three"}, "change": {"two", "three"}, "remove": {"two"}}[change],
    )
    owner, name = STEPS[step]
    original = getattr(owner, name)

    def crash(self: object, *arguments: object) -> None:
        if name in {"embed", "apply"}:
            original(self, *arguments)
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, crash)
        with pytest.raises(Crash) if (change, step) != ("remove", "before the rows") else pytest.MonkeyPatch.context():
            actions[change]()
    reopened = Store(store.path)
    assert texts(reopened) in (before, after)
    actions[change]()
    assert texts(reopened) == after
    assert len(bag.texts) == len(set(bag.texts))


@pytest.mark.parametrize("victim", ["sparse", "dense"])
def test_a_lost_index_is_rebuilt_from_the_catalog_without_embedding(store: Store, bag: BagEncoder, victim: str) -> None:
    put(store, a="one", b="two")
    remove(store, "b")
    embedded = len(bag.texts)
    shutil.rmtree(store.path / victim, ignore_errors=True)
    said: list[str] = []
    assert texts(Store(store.path, notify=said.append)) == {"one"}
    assert len(bag.texts) == embedded
    assert victim == "dense" or said == ["rebuilding the sparse index from the catalog"]


def test_a_damaged_sparse_index_is_rebuilt(store: Store) -> None:
    put(store, a="one")
    (meta,) = (store.path / "sparse").rglob("meta.json")
    meta.write_text("{}")
    assert texts(Store(store.path)) == {"one"}


def test_a_second_writer_is_told_who_holds_the_lock(store: Store) -> None:
    with (
        store.writer(),
        pytest.raises(LockedError, match=f"process {os.getpid()}"),
        writer_lock(store.path, timeout=0.05),
    ):
        pass


def test_a_writer_that_failed_frees_the_lock(store: Store) -> None:
    with pytest.raises(RuntimeError), store.writer():
        raise RuntimeError
    put(store, a="one")


def test_threads_share_a_store_while_it_is_written(store: Store) -> None:
    put(store, a="one")
    stop, failures = threading.Event(), []

    def read() -> None:
        try:
            while not stop.is_set():
                assert "one" in texts(store)
        except BaseException as error:  # noqa: BLE001 - reported by the main thread
            failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(8):
        put(store, b=f"two {number}")
    stop.set()
    for reader in readers:
        reader.join()
    assert not failures


def test_changing_the_encoder_keeps_the_texts_and_replaces_the_vectors(store: Store, bag: BagEncoder) -> None:
    put(store, a="one", b="two")
    with store.writer() as writer:
        assert writer.change_encoder("bag-2") == 2
    assert store.encoder.fingerprint == "bag-2"
    assert texts(store) == {"one", "two"}
    with store.view() as view:
        assert view.encoder == view.indexes.dense.encoder == "bag-2"


def test_an_interrupted_change_of_encoder_leaves_the_old_one(
    store: Store, bag: BagEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, a="one")
    with monkeypatch.context() as patch:
        patch.setattr(writer_module, "_describe_encoder", lambda *_: (_ for _ in ()).throw(Crash()))
        with pytest.raises(Crash), store.writer() as writer:
            writer.change_encoder("bag-2")
    reopened = Store(store.path)
    assert reopened.encoder.fingerprint == "bag-1"
    assert texts(reopened) == {"one"}


def test_another_encoder_under_the_same_name_is_noticed(store: Store, bag: BagEncoder) -> None:
    put(store, a="one")
    bag.fingerprint = "bag-of-another-version"
    with pytest.raises(StoreError, match="another version of the encoder") as raised:
        _ = Store(store.path).encoder
    assert "--encoder" in raised.value.hint


def test_a_newer_schema_is_refused(store: Store) -> None:
    with store.catalog.writing() as writing:
        writing.connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    store.close()
    with pytest.raises(StoreError, match="newer pilotfish") as raised:
        Store(store.path)
    assert "upgrade" in raised.value.hint


def test_an_older_schema_is_migrated_when_it_is_opened(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    import indexes.catalog.catalog as catalog_module

    put(store, a="one")
    store.close()

    def add_a_column(connection: Connection) -> None:
        connection.exec_driver_sql("ALTER TABLE sources ADD COLUMN colour TEXT NOT NULL DEFAULT 'blue'")

    with monkeypatch.context() as patch:
        patch.setattr(catalog_module, "MIGRATIONS", (*MIGRATIONS, add_a_column))
        patch.setattr(catalog_module, "SCHEMA_VERSION", SCHEMA_VERSION + 1)
        for _ in range(2):  # the second time there is nothing to do
            newer = Store(store.path)
            assert texts(newer) == {"one"}
            with newer.catalog.reading() as reading:
                assert reading.connection.exec_driver_sql("SELECT colour FROM sources").scalar_one() == "blue"
            newer.close()
    with pytest.raises(StoreError, match="newer pilotfish"):
        Store(store.path)


def test_a_catalog_that_is_not_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "catalog.sqlite").write_bytes(b"this is not a database, but long enough to look at" * 30)
    with pytest.raises(StoreError, match="not a database"):
        Store(tmp_path)


def test_the_database_of_another_program_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE bookmarks (url TEXT)")
    other.commit()
    other.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program: it has the tables bookmarks"):
        Store(tmp_path, create=True)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "name", ["what next?", "100%41 of # it", "a;b&mode=ro", "line\nbreak", "Grüße 你好", "x" * 200]
)
@pytest.mark.usefixtures("bag")
def test_a_folder_may_be_called_anything(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    with closing(Store(folder / ".rag", create=True)) as store:
        put(store, a="one")
    assert [each.name for each in tmp_path.iterdir()] == [name]
    Catalog(folder / ".rag" / "catalog.sqlite", create=False).close()
    frozen = open_engine(folder / ".rag" / "catalog.sqlite", frozen=True)
    with frozen.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM documents").scalar_one() == 1
    frozen.dispose()


@pytest.mark.parametrize("link", ["sources.json", "catalog.sqlite", "sparse/state.json", ".x.tmp", "writer.json"])
@pytest.mark.usefixtures("bag")
def test_nothing_is_written_through_a_link(tmp_path: Path, link: str) -> None:
    outside = tmp_path / "outside"
    outside.write_text("precious")
    with closing(Store(tmp_path / "kb", create=True)) as store:
        put(store, a="one")
    place = tmp_path / "kb" / link
    place.unlink(missing_ok=True)
    place.symlink_to(outside)
    with pytest.raises(StoreError, match="is a link"):
        Store(tmp_path / "kb", create=True)
    assert outside.read_text() == "precious"


def test_no_knowledge_base(tmp_path: Path) -> None:
    with pytest.raises(NoKnowledgeBaseError):
        Store(tmp_path / "nowhere")


def test_a_full_disk_leaves_the_published_generation(
    store: Store, bag: BagEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, a="one")
    with store.catalog.writing() as writing:
        pages = writing.connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    store.close()  # new connections get the limit

    import indexes.catalog.catalog as catalog_module

    original = catalog_module.open_engine

    def limited(path: Path, *, frozen: bool = False):  # type: ignore[no-untyped-def]
        from sqlalchemy import event

        engine = original(path, frozen=frozen)
        event.listen(
            engine, "connect", lambda connection, _: connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        )
        return engine

    with monkeypatch.context() as patch:
        patch.setattr(catalog_module, "open_engine", limited)
        full = Store(store.path)
        with pytest.raises(StoreError, match="full") as raised:
            put(full, b="\n".join(f"a long text number {n} " * 20 for n in range(50)))
        assert "free some space" in raised.value.hint
        full.close()
    assert texts(Store(store.path)) == {"one"}
    put(Store(store.path), b="two")
    assert texts(Store(store.path)) == {"one", "two"}


def test_filters(store: Store) -> None:
    with store.writer() as writer:
        source = writer.register("/source")
        batch = Batch()
        for year in range(2019, 2024):
            document, chunks = make_document(f"/{year}", f"report {year}", year=year, final=year < 2022, author="Ada")
            batch.documents.append(NewDocument(source, document, chunks, ""))
        writer.commit(batch)
    with store.view() as view:

        def matching(**filters: list[str]) -> list[int]:
            allowed = view.mask(filters).allowed
            assert allowed is not None
            return sorted(allowed.tolist())

        assert matching(year=["2020"]) == [2]
        assert matching(year=["2020", "2023.0"]) == [2, 5]
        assert matching(final=["true"]) == [1, 2, 3]
        assert matching(final=["false"], author=["Ada"]) == [4, 5]
        assert matching(author=["nobody"]) == []
        assert matching(uri=["/2019"]) == [1]
        with pytest.raises(ConfigurationError, match="unknown filter key 'colour'") as raised:
            matching(colour=["red"])
        assert "author, final" in raised.value.hint


def test_ids_are_never_used_again(store: Store) -> None:
    put(store, a="one")
    remove(store, "a")
    put(store, b="two")
    with store.view() as view:
        assert [chunk.id for chunk in view.reading.chunks_of_generation(0, view.indexes.generation)] == [2]


def test_the_dead_are_swept_out(store: Store) -> None:
    put(store, **{f"n{number}": f"text {number}" for number in range(30)})
    remove(store, *(f"n{number}" for number in range(29)))
    with store.catalog.reading() as reading:
        rows = reading.connection.exec_driver_sql("SELECT count(*) FROM chunks").scalar_one()
        vectors = reading.connection.exec_driver_sql("SELECT count(*) FROM vectors").scalar_one()
    assert (rows, vectors) == (1, 1)


def test_a_large_run_writes_a_dense_base(store: Store, bag: BagEncoder) -> None:
    put(store, a="\n".join(f"word{number}" for number in range(1_100)))
    assert list((store.path / "dense").glob("*.faiss"))
    remove_and_check = {f"word{number}" for number in range(1_100)}
    assert texts(Store(store.path)) == remove_and_check
    put(store, a="just one")
    assert texts(Store(store.path)) == {"just one"}


def test_the_sparse_index_and_catalog_survive_a_move(store: Store, tmp_path: Path) -> None:
    put(store, a="one")
    store.close()
    moved = tmp_path / "elsewhere"
    store.path.rename(moved)
    assert texts(Store(moved)) == {"one"}


def test_metadata_of_any_kind_is_kept_and_filters_go_on_working(store: Store) -> None:
    with store.writer() as writer:
        metadata = {"ratio": float("nan"), "limit": float("inf"), "huge": 10**40, 'a "quoted" $[0] key': "yes"}
        made = make_document("/odd", "one", **metadata)
        plain = make_document("/plain", "two", colour="red")
        source = writer.register("/source")
        writer.commit(Batch([NewDocument(source, *each, "") for each in (made, plain)]))
    with store.view() as view:

        def matching(key: str, value: str) -> list[int]:
            allowed = view.mask({key: [value]}).allowed
            assert allowed is not None
            return allowed.tolist()

        assert matching("colour", "red") == [2]
        assert matching("ratio", "nan") == matching("limit", "inf") == [1]
        assert matching('a "quoted" $[0] key', "yes") == [1]
        assert matching('a "quoted" $[0] key', "' OR 1=1 --") == []


def test_text_that_is_no_unicode_is_indexed_around_it(store: Store) -> None:
    with store.writer() as writer:
        document, chunks = make_document("/lone\udcff", "one \ud800 two", note="\udfff")
        writer.commit(Batch([NewDocument(writer.register("/source"), document, chunks, "")]))
        assert writer.find("/lone\udcff") is not None
    with store.view() as view:
        (chunk,) = view.reading.chunks_by_id([1]).values()
        assert (chunk.text, chunk.uri, chunk.metadata) == ("one ? two", "/lone?", {"note": "?"})
    assert texts(store) == {"one ? two"}


def test_what_died_does_not_come_back_with_the_encoder_of_its_time(store: Store) -> None:
    put(store, a="\n".join(f"word{number}" for number in range(600)), b="\n".join(f"old{n}" for n in range(600)))
    assert list((store.path / "dense").glob("*.faiss"))
    remove(store, "b")
    for spec in ("bag-2", "default"):
        with store.writer() as writer:
            writer.change_encoder(spec)
        assert texts(store) == {f"word{number}" for number in range(600)}
    assert texts(Store(store.path)) == {f"word{number}" for number in range(600)}


def test_a_catalog_put_back_from_a_backup_gets_indexes_of_its_own(store: Store, tmp_path: Path) -> None:
    put(store, a="one")
    store.close()
    shutil.copy(store.path / "catalog.sqlite", tmp_path / "backup")
    put(Store(store.path), b="\n".join(f"word{number}" for number in range(1_100)))
    assert list((store.path / "dense").glob("*.faiss"))
    for leftover in store.path.glob("catalog.sqlite*"):
        leftover.unlink()
    shutil.copy(tmp_path / "backup", store.path / "catalog.sqlite")
    put(Store(store.path), c="two")
    put(Store(store.path), d="three")
    assert texts(Store(store.path)) == {"one", "two", "three"}


def test_any_number_of_views_may_be_open(store: Store) -> None:
    put(store, a="one")
    with ExitStack() as views:
        assert {views.enter_context(store.view()).indexes.generation for _ in range(20)} == {1}


def test_who_holds_the_lock_need_not_be_writable(store: Store) -> None:
    (store.path / "writer.json").mkdir()
    put(store, a="one")
    assert texts(store) == {"one"}


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Make a folder refuse every write; permissions do, but not for root."""
    if os.geteuid() == 0:
        for options in (["--bind", str(folder)], ["-o", "remount,bind,ro"]):
            if subprocess.run(["mount", *options, str(folder)], capture_output=True, check=False).returncode:
                pytest.skip("root, and no mounting here")
        try:
            yield
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
    else:
        paths = [folder, *folder.rglob("*")]
        for path in paths:
            path.chmod(0o555 if path.is_dir() else 0o444)
        try:
            yield
        finally:
            for path in paths:
                path.chmod(0o755 if path.is_dir() else 0o644)


def test_a_folder_that_cannot_be_written_is_still_read(store: Store) -> None:
    put(store, a="one", b="two")
    store.close()
    with read_only(store.path):
        reader = Store(store.path)
        assert texts(reader) == {"one", "two"}
        with pytest.raises(StoreError) as raised:
            put(reader, c="three")
        assert "may write" in raised.value.hint
        reader.close()
    put(Store(store.path), c="three")
    assert texts(Store(store.path)) == {"one", "two", "three"}


def test_a_journal_is_never_passed_over_where_nothing_can_be_written(store: Store, tmp_path: Path) -> None:
    put(store, a="one")
    # As after kill -9: the journal holds what the database lacks.
    assert (store.path / "catalog.sqlite-wal").stat().st_size
    copy = tmp_path / "copy"
    shutil.copytree(store.path, copy, ignore=shutil.ignore_patterns("*-shm"))
    with read_only(copy):
        reader = Store(copy)
        assert texts(reader) == {"one"}
        with pytest.raises(StoreError) as raised:
            put(reader, b="two")
        assert "may write" in raised.value.hint
        reader.close()
    assert texts(Store(copy)) == {"one"}


@pytest.mark.parametrize("name", ["dense", "sparse"])
def test_a_folder_with_files_of_others_is_not_taken(tmp_path: Path, bag: BagEncoder, name: str) -> None:
    other = tmp_path / name / "novel.txt"
    other.parent.mkdir()
    other.write_text("The only copy.")
    with pytest.raises(StoreError) as refused:
        Store(tmp_path, create=True)
    assert refused.value.hint
    assert [other] == [path for path in tmp_path.rglob("*") if path.is_file()]
