"""Processes and threads that read while one writes. `PILOTFISH_LONG=1` goes on for longer."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import queue
import random
import shutil
import signal
import threading
import traceback
from collections.abc import Callable
from functools import partial
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from indexes.encoding.base import EncodedQuery
from indexes.errors import LockedError
from indexes.limits import StoreLimits
from indexes.sparse import sparse
from indexes.store import Store, View
from indexes.writer import Batch, NewDocument
from rag import KnowledgeBase, Mode
from rag.retrieval.retriever import Retriever
from rag.retrieval.search import SearchOptions
from tests.indexes.conftest import DIMENSIONS, BagEncoder, make_document

LONG = os.environ.get("PILOTFISH_LONG") == "1"
pytestmark = [pytest.mark.process, pytest.mark.timeout(0 if LONG else 600)]
COMMITS = 1_500 if LONG else 40
READERS = 3
WORDS = ["amber", "birch", "cedar", "delta", "ember"]
PATIENCE = 240  # seconds until a process that does not answer has failed: a busy machine takes a minute

spawn = multiprocessing.get_context("spawn")


class BagStore(Store):
    def make_encoder(self, spec: str) -> BagEncoder:
        return BagEncoder()


class ReadingStore(BagStore):
    """One that never becomes the writer, not even to mend something."""

    def writer(self, *_: object, **__: object) -> NoReturn:
        raise AssertionError("a reader wants to write")


def write(path: Path, seed: int, done: Event, results: Queue[object]) -> None:
    """Commit many small generations, some in one run, some in runs of their own."""
    limits = StoreLimits(delta_least=10, exact_chunks=40, dead_least=10, buried_at_once=3, rows_at_once=7)
    generator = random.Random(seed)
    store = BagStore(
        path, notify=lambda line: results.put(AssertionError(f"the writer had to mend: {line}")), limits=limits
    )
    number, published = 0, 0
    while number < COMMITS:
        with store.writer() as opened:
            source = opened.register("/source")
            for _ in range(generator.randint(1, 8)):
                number += 1
                # The two always change together: whoever sees one of them without the other sees half a generation.
                made = [make_document(f"/{side}", f"{side} number{number}") for side in ("left", "right")]
                for _ in range(generator.randint(0, 6)):
                    texts = [" ".join(generator.choices(WORDS, k=3)) for _ in range(generator.randint(0, 4))]
                    made.append(make_document(f"/{generator.randint(1, 25)}", *texts))
                new = {document.uri: NewDocument(source, document, chunks, "") for document, chunks in made}
                removed = [f"/{key}" for key in generator.sample(range(1, 26), 3) if f"/{key}" not in new]
                opened.commit(Batch(list(new.values()), removed))
                assert opened.generation == published + 1
                published = opened.generation
    store.close()
    results.put(published)
    done.set()


def read(path: Path, done: Event, results: Queue[object]) -> None:
    """Look at everything, all the time, with one open store; report the generations seen."""
    try:
        store = ReadingStore(path)
        seen: list[int] = []
        finished = False
        while not finished:
            finished = done.is_set()  # then one more look
            with store.view() as view:
                check(view)
                seen.append(view.indexes.generation)
        assert seen == sorted(seen)
        store.close()
        results.put(seen)
    except BaseException as error:  # noqa: BLE001 - raised by the test
        results.put(AssertionError("".join(traceback.format_exception(error))))


def check(view: View) -> None:
    """Catalog, sparse and dense index hold the same chunks, and both halves of what changes together."""
    generation, mask = view.indexes.generation, view.mask({})
    texts = {chunk.id: chunk.text for chunk in view.reading.chunks_of_generation(0, generation)}
    halves = sorted(text.split() for text in texts.values() if "number" in text)
    assert generation == 0 or [half[0] for half in halves] == ["left", "right"]
    assert len({half[1] for half in halves}) <= 1
    for word in [*WORDS, *halves[0]] if halves else WORDS:
        found, _ = view.indexes.sparse.search([word], 1_000, mask)
        assert sorted(found.tolist()) == sorted(key for key, text in texts.items() if word in text.split())
    nearest, _ = view.nearest(np.ones(DIMENSIONS, np.float32), 1_000, mask)
    assert sorted(nearest.tolist()) == sorted(texts)


def test_every_read_is_of_one_published_generation(tmp_path: Path) -> None:
    BagStore(tmp_path / "kb", create=True).close()
    done, wrote, results = spawn.Event(), spawn.Queue(), spawn.Queue()
    writing = spawn.Process(target=write, args=(tmp_path / "kb", 1, done, wrote))
    readers = [spawn.Process(target=read, args=(tmp_path / "kb", done, results)) for _ in range(READERS)]
    for process in [*readers, writing]:
        process.start()
    try:
        published = answer(wrote)
        assert published >= COMMITS
        for _ in readers:
            seen = answer(results)
            assert seen[-1] == published
            assert len(set(seen)) > 3
    finally:
        for process in [*readers, writing]:
            process.kill()
            process.join()


def answer(results: Queue[object]) -> object:
    """What a process reports; its failure is this one's."""
    said = results.get(timeout=20 * PATIENCE if LONG else PATIENCE)
    if isinstance(said, BaseException):
        raise said
    return said


def hold(path: Path, held: Event, release: Event) -> None:
    """Be the writer until told otherwise."""
    with BagStore(path).writer():
        held.set()
        release.wait(PATIENCE)


@pytest.fixture
def holder(tmp_path: Path) -> Path:
    BagStore(tmp_path / "kb", create=True).close()
    return tmp_path / "kb"


def test_a_second_writer_is_told_who_writes_or_waits_its_turn(holder: Path) -> None:
    held, release = spawn.Event(), spawn.Event()
    first = spawn.Process(target=hold, args=(holder, held, release))
    first.start()
    try:
        assert held.wait(PATIENCE)
        store = BagStore(holder)
        with pytest.raises(LockedError, match=f"process {first.pid} on"), store.writer(timeout=0.1):
            pass
        threading.Timer(0.3, release.set).start()
        put(store, "patience")  # waits
        assert found(store, "patienc")
        store.close()
    finally:
        first.kill()
        first.join()


def test_a_killed_writer_leaves_no_lock(holder: Path) -> None:
    for number in range(3):
        held, never = spawn.Event(), spawn.Event()
        writing = spawn.Process(target=hold, args=(holder, held, never))
        writing.start()
        assert held.wait(PATIENCE)
        assert writing.pid is not None
        os.kill(writing.pid, signal.SIGKILL)
        writing.join()
        assert (holder / "writer.lock").exists()
        store = BagStore(holder)
        put(store, f"word{number}")
        assert found(store, f"word{number}")
        store.close()


def put(store: Store, text: str) -> None:
    with store.writer() as opened:
        document, chunks = make_document(f"/{text}", text)
        opened.commit(Batch([NewDocument(opened.register("/source"), document, chunks, "")]))


def found(store: Store, word: str) -> list[int]:
    with store.view() as view:
        ids: list[int] = view.indexes.sparse.search([word], 10, view.mask({}))[0].tolist()
    return ids


TOPICS = {"refunds": "Refunds are paid within {} days.", "parcels": "Parcels leave the warehouse after {} hours."}


def rewrite(folder: Path, number: int) -> None:
    """Change some documents, add one, and remove one."""
    for topic, sentence in TOPICS.items():
        (folder / f"{topic}.md").write_text(f"# {topic.title()}\n\n{sentence.format(number)}\n")
    (folder / f"note{number % 3}.md").write_text(f"# Note\n\nA note about topic {number} and nothing else.\n")
    (folder / f"note{(number + 1) % 3}.md").unlink(missing_ok=True)


def search(kb: KnowledgeBase, mode: Mode) -> None:
    for topic in TOPICS:
        hits = kb.search(f"how long until {topic}?", k=5, mode=mode, explain=mode is Mode.HYBRID)
        assert hits[0].title == topic.title()
        assert len({hit.chunk_id for hit in hits}) == len(hits)
        assert sum(hit.title == topic.title() for hit in hits) == 1  # one version of each document
        assert all(hit.text.split()[0] in {"Refunds", "Parcels", "A"} for hit in hits)


def ask(kb: KnowledgeBase) -> None:
    answer = kb.ask("Within how many days are refunds paid?")
    assert "Refunds are paid within" in answer.text
    assert all(citation.supported for citation in answer.citations)


def status(kb: KnowledgeBase) -> None:
    now = kb.status()
    assert now.documents == sum(source.documents for source in now.sources) in {3, 4, 5}


def test_a_reader_that_meets_a_sparse_index_written_anew_looks_again(
    holder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, reader = BagStore(holder), ReadingStore(holder)
    put(store, "amber")
    checked = sparse._checked

    def rebuild_first(path: Path, state: sparse.SparseState) -> Path:
        """Between the reader's look at the state and at the files that it names."""
        monkeypatch.setattr(sparse, "_checked", checked)
        index = sparse.SparseIndex(path)
        with reader.catalog.reading() as snapshot:
            index.rebuild(snapshot.chunks_of_generation(0, 1), state)
        return checked(path, state)

    monkeypatch.setattr(sparse, "_checked", rebuild_first)
    assert found(reader, "amber")
    store.close()
    reader.close()


def test_a_search_during_which_the_encoder_changes_is_made_with_the_new_one(
    tmp_path: Path, bag: BagEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "kb", create=True)
    for text in ("amber stone", "birch tree", "cedar wood", "delta river"):
        put(store, text)
    encode = bag.encode_query

    def change_meanwhile(text: str) -> EncodedQuery:
        encoded = encode(text)
        with store.writer() as opened:
            opened.change_encoder("bag-2")
        return encoded

    monkeypatch.setattr(bag, "encode_query", change_meanwhile)
    hits = Retriever(Store(store.path)).search("amber stone", SearchOptions(k=2, mode=Mode.DENSE)).hits
    assert [hits[0].text, round(hits[0].signals.cosine, 2)] == ["amber stone", 1]


def test_status_is_told_while_files_come_and_go(tmp_path: Path) -> None:
    kb = KnowledgeBase.open(tmp_path / "kb")
    stop = threading.Event()

    def churn() -> None:
        for number in itertools.count():
            folder = kb.path / "sparse" / f"segment{number % 3}"
            folder.mkdir()
            for name in "abcde":
                (folder / name).write_text("x")
            shutil.rmtree(folder)
            if stop.is_set():
                return

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        for _ in range(300):
            kb.status()
    finally:
        stop.set()
        thread.join()
        kb.close()


def test_threads_share_a_knowledge_base_whose_files_change(tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    rewrite(folder, 0)
    kb = KnowledgeBase.open(tmp_path / "kb")
    kb.index(folder)
    stop, failures, numbers = threading.Event(), queue.Queue[BaseException](), itertools.count(1)

    def index() -> None:
        rewrite(folder, next(numbers))
        assert not kb.index().failures

    def work(job: Callable[[], None]) -> None:
        try:
            while not stop.is_set():
                job()
        except BaseException as error:  # noqa: BLE001 - raised by the main thread
            failures.put(error)
            stop.set()

    jobs = [*(partial(search, kb, mode) for mode in Mode), partial(ask, kb), partial(status, kb), index]
    threads = [threading.Thread(target=work, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    stop.wait(120 if LONG else 4)
    while kb.status().generation <= 2 and not stop.is_set():  # on a busy machine
        stop.wait(1)
    stop.set()
    for thread in threads:
        thread.join()
    generation = kb.status().generation
    kb.close()
    if not failures.empty():
        raise failures.get()
    assert generation > 2
