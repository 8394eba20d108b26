"""A store is taken back only where nobody can miss it."""

from pathlib import Path

import pytest

from indexes.discarding import discard
from indexes.errors import LockedError, StoreError
from indexes.files import writer_lock
from indexes.store import Store
from indexes.writer import Batch, NewDocument
from tests.indexes.conftest import BagEncoder, make_document


def test_one_that_holds_nothing_goes(store: Store):
    assert discard(store)
    assert not store.path.exists()


def test_one_with_a_source_stays(store: Store):
    with store.writer() as writer:
        writer.register("/empty today")
    assert not discard(store)
    assert "/empty today" in store.path.joinpath("sources.json").read_text()


def test_one_that_was_there_before_stays(store: Store):
    assert not discard(Store(store.path))
    assert store.path.exists()


def test_files_of_others_stay(tmp_path: Path, bag: BagEncoder):
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / ".gitignore").write_text("*\n")
    assert not discard(Store(folder, create=True))
    assert (folder / ".gitignore").exists()
    late = Store(tmp_path / "kb", create=True)
    (late.path / "novel.txt").write_text("The only copy.")
    assert discard(late)
    assert [file.name for file in late.path.iterdir()] == ["novel.txt"]


def test_nothing_goes_while_another_writes(store: Store):
    with writer_lock(store.path, 0), pytest.raises(LockedError):
        discard(store)
    assert (store.path / "catalog.sqlite").exists()


def test_whoever_opened_it_meanwhile_is_told(store: Store):
    other = Store(store.path)
    assert discard(store)
    document, chunks = make_document("/a", "alpha")
    with pytest.raises(StoreError) as refused, other.writer() as writer:
        writer.commit(Batch([NewDocument(writer.register("/"), document, chunks, "")]))
    assert refused.value.hint
