"""The index files of a knowledge base that somebody else wrote: native code never reads them, and nothing is lost."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import faiss
import pytest

from indexes.dense.base import BaseState, write_base
from indexes.errors import StoreError
from indexes.files import confirm_writer, file_digest, is_being_written, read_checked, write_checked, writer_lock
from indexes.limits import StoreLimits
from indexes.seals import seal_derived
from indexes.sparse.sparse import SparseIndex, SparseReader, SparseState, read_state
from indexes.store import Store
from indexes.writer import Batch, NewDocument
from tests.indexes.conftest import DIMENSIONS, BagEncoder, make_document, stored
from tests.indexes.test_store import read_only

LIMITS = StoreLimits(delta_least=5, delta_most=5)  # a dense base for a few chunks
open_store = partial(Store, limits=LIMITS)
NOT_YOURS = "rebuilding the sparse index from the catalog: you did not write it on this machine"
DENSE = "rebuilding the dense index from the catalog"


@pytest.fixture
def somebody_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], None]:
    """From the call on, the user is another one."""
    return lambda: monkeypatch.setenv("PILOTFISH_DATA", str(tmp_path / "somebody-else"))


@pytest.fixture
def made(tmp_path: Path, bag: BagEncoder) -> Path:
    """A knowledge base of thirty passages, with both indexes."""
    with_closed(open_store(tmp_path / "kb", create=True), fill)
    bag.texts.clear()
    return tmp_path / "kb"


@pytest.fixture
def read_by_faiss(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The SHA-256 of each file that FAISS is given to read."""
    digests: list[str] = []
    read = faiss.read_index

    def reading(path: str, *options: int) -> object:
        digests.append(file_digest(Path(path)))
        return read(path, *options)

    monkeypatch.setattr(faiss, "read_index", reading)
    return digests


def fill(store: Store) -> None:
    with store.writer() as writer:
        source = writer.register("/source")
        made = [make_document(f"/{number}", f"alpha {number} word{number % 5}") for number in range(30)]
        writer.commit(Batch([NewDocument(source, document, chunks, "") for document, chunks in made]))


def with_closed(store: Store, use: Callable[[Store], object]) -> None:
    use(store)
    store.close()


def answers(folder: Path, said: list[str] | None = None) -> list[object]:
    """What searches find, by words and by vectors."""
    store = open_store(folder, notify=[].append if said is None else said.append)
    found: list[object] = []
    with store.view() as view:
        for query in ("alpha 7", "word3", "zebra"):
            mask = view.mask({})
            ids, _ = view.indexes.sparse.search(query.split(), 10, mask)
            near, _ = view.nearest(store.encoder.encode_query(query).vector, 10, mask)
            found += [sorted(chunk.text for chunk in view.chunks(each).values()) for each in (ids, near)]
    store.close()
    return found


def plant_sparse(folder: Path) -> None:
    """What a stranger's own program writes: an index of this generation that finds every passage for other words."""
    state = SparseState(**read_checked(folder / "sparse" / "state.json"))
    index = SparseIndex(folder / "sparse", LIMITS)
    index.rebuild([stored(number, "zebra") for number in range(1, 31)], replace(state, files={}))
    assert SparseReader(folder / "sparse").document_frequency("zebra") == 30


def plant_dense(folder: Path) -> None:
    """The same for FAISS: the same passages, with each other's vectors."""
    (state_file,) = (folder / "dense").glob("*.json")
    state = BaseState(**read_checked(state_file))
    store = open_store(folder)
    with store.catalog.reading() as reading:
        encoder, generation = reading.setting("encoder"), reading.generation()
        write_base(folder / "dense", reading, encoder, generation, DIMENSIONS, BaseState(), LIMITS)
    store.close()
    index = faiss.read_index(str(folder / "dense" / state.file))
    vectors = index.index.reconstruct_n(0, index.ntotal)
    other = faiss.IndexIDMap(faiss.IndexFlatIP(DIMENSIONS))
    other.add_with_ids(vectors[::-1].copy(), faiss.vector_to_array(index.id_map))
    faiss.write_index(other, str(folder / "dense" / state.file))
    data = (folder / "dense" / state.file).read_bytes()
    values = read_checked(state_file) | {"size": len(data), "sha256": file_digest(folder / "dense" / state.file)}
    write_checked(state_file, values | {"seal": seal_derived("dense index", {**values, "seal": ""})})


def test_what_a_stranger_planted_is_never_read(
    made: Path, bag: BagEncoder, monkeypatch: pytest.MonkeyPatch, read_by_faiss: list[str]
) -> None:
    before = answers(made)
    with monkeypatch.context() as stranger:
        stranger.setenv("PILOTFISH_DATA", str(made.parent / "stranger"))
        plant_sparse(made)
        plant_dense(made)
        assert answers(made) != before  # the stranger's own program reads them
    planted = {file_digest(file) for file in (made / "dense").glob("*.faiss")}
    read_by_faiss.clear()
    said: list[str] = []
    assert answers(made, said) == before
    assert said == [NOT_YOURS, DENSE]
    assert planted.isdisjoint(read_by_faiss)
    assert not [text for text in bag.texts if text.startswith("alpha")]  # nothing is embedded for it
    said.clear()
    read_by_faiss.clear()
    assert answers(made, said) == before
    assert not said  # sealed: done once
    assert read_by_faiss


def test_where_nothing_can_be_written_they_are_made_for_the_process_alone(
    made: Path, somebody_else: Callable[[], None], read_by_faiss: list[str]
) -> None:
    before = answers(made)
    somebody_else()
    read_by_faiss.clear()
    files = {file: file_digest(file) for file in made.rglob("*") if file.is_file()}
    said: list[str] = []
    with read_only(made):
        assert answers(made, said) == before
    assert said == ["the sparse index can be neither used nor rebuilt: made one in a temporary folder"]
    assert not read_by_faiss
    assert {file: file_digest(file) for file in made.rglob("*") if file.is_file()} == files


def test_a_user_without_a_place_for_a_key_can_still_search(
    made: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = answers(made)
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("PILOTFISH_DATA", str(tmp_path / "file" / "below"))
    said: list[str] = []
    assert answers(made, said) == before
    assert said == [NOT_YOURS, DENSE]
    assert answers(made) == before


def sparse_files(folder: Path) -> Path:
    return folder / "sparse" / read_state(folder / "sparse").folder


@pytest.mark.parametrize("name", ["meta.json", "*.term", "*.fast"])
def test_one_changed_file_of_ones_own_index_is_noticed(made: Path, name: str) -> None:
    before = answers(made)
    (file, *_) = sparse_files(made).glob(name)
    if name == "meta.json":
        meta = json.loads(file.read_text())
        meta["segments"][0]["max_doc"] += 1_000_000
        file.write_text(json.dumps(meta))
    else:  # one that tantivy's own checksum does not give away
        (other, *_) = sparse_files(made).glob("*.idx")
        shutil.copyfile(other, file)
    said: list[str] = []
    assert answers(made, said) == before
    assert said == ["rebuilding the sparse index from the catalog"]


@pytest.mark.parametrize("named", ["../../../precious", "/precious", "..", {"a": 1}])
def test_tantivy_deletes_and_locks_nothing_elsewhere(made: Path, named: object) -> None:
    precious = made.parent / "precious"
    precious.write_text("mine")
    managed = sparse_files(made) / ".managed.json"
    named = str(precious) if named == "/precious" else named
    managed.write_text(json.dumps([*json.loads(managed.read_text()), named]))
    with_closed(open_store(made), fill)
    assert precious.read_text() == "mine"


def test_no_link_inside_the_index_is_followed(made: Path) -> None:
    lock = sparse_files(made) / ".tantivy-writer.lock"
    lock.unlink(missing_ok=True)
    lock.symlink_to(made.parent / "elsewhere")
    with_closed(open_store(made), fill)
    assert not (made.parent / "elsewhere").exists()


def test_a_writer_is_believed_while_it_holds_the_lock_and_has_confirmed(tmp_path: Path) -> None:
    assert not is_being_written(tmp_path)
    with writer_lock(tmp_path, 1):
        assert not is_being_written(tmp_path)
        confirm_writer(tmp_path)
        assert is_being_written(tmp_path)
        left = (tmp_path / "writer.json").read_bytes()
    (tmp_path / "writer.json").write_bytes(left)  # as a writer leaves it that is killed
    assert not is_being_written(tmp_path)
    with writer_lock(tmp_path, 1):
        assert not is_being_written(tmp_path)


def test_a_search_beside_a_writer_needs_no_seal_of_what_was_just_merged(made: Path) -> None:
    """Segments that tantivy merges by itself are sealed only when the writer closes."""
    before = answers(made)
    store = open_store(made)
    with store.writer() as writer:
        for number in range(12):  # tantivy merges eight
            document, chunks = make_document(f"/new{number}", f"beta {number}")
            writer.commit(Batch([NewDocument(writer.register("/source"), document, chunks, "")]))
            said: list[str] = []
            assert len(answers(made, said)) == len(before)
            assert not said
    store.close()
    said = []
    answers(made, said)
    assert not said


def test_the_state_of_a_killed_writer_is_not_believed_after_it_changed(made: Path) -> None:
    """A writer that dies after tantivy's commit, and before the seal of it, costs a rebuild and nothing else."""
    before = answers(made)
    index = SparseIndex(made / "sparse", LIMITS)
    writer = index._index.writer()  # type: ignore[union-attr]
    writer.delete_all_documents()
    writer.commit()
    writer.wait_merging_threads()
    said: list[str] = []
    assert answers(made, said) == before
    assert said == ["rebuilding the sparse index from the catalog"]


def test_what_a_killed_writer_left_can_be_searched_where_nothing_can_be_written(made: Path, tmp_path: Path) -> None:
    store = open_store(made)
    with store.writer() as writer:
        document, chunks = make_document("/late", "zebra crossing")
        writer.commit(Batch([NewDocument(writer.register("/source"), document, chunks, "")]))
        shutil.copytree(made, tmp_path / "left")  # as kill -9 leaves it: with a journal, and no file of its index
    store.close()
    (tmp_path / "left" / "catalog.sqlite-shm").unlink()
    assert (tmp_path / "left" / "catalog.sqlite-wal").stat().st_size
    files = {file: file_digest(file) for file in (tmp_path / "left").rglob("*") if file.is_file()}
    with read_only(tmp_path / "left"):
        said: list[str] = []
        found = answers(tmp_path / "left", said)
        assert found[4] == ["zebra crossing"]
        store = open_store(tmp_path / "left")
        with pytest.raises(StoreError), store.writer():
            pass
        with pytest.raises(StoreError), store.catalog.writing() as writing:
            writing.set_setting("lost", "in a copy")
        store.close()
    assert {file: file_digest(file) for file in (tmp_path / "left").rglob("*") if file.is_file()} == files
