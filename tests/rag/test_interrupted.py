"""`kill -9` during `rag index`, at several moments of a real process: nothing is lost, nothing is embedded twice."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from indexes.store import Store
from rag import KnowledgeBase

FILES = 48
# The command itself, publishing every 40 chunks instead of every thousand, so that there are moments to choose from.
COMMAND = [
    sys.executable,
    "-c",
    "import rag.synchroniser; rag.synchroniser.BATCH_CHUNKS = 40; from cli.main import run; run()",
]


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documents")
    for number in range(FILES):
        sections = [
            f"## Section {part}\n\n"
            + " ".join(f"In case {number}-{part} the clerk files form {number * 7 + word} again." for word in range(12))
            for part in range(4)
        ]
        (folder / f"file{number:02}.md").write_text(f"# File {number}\n\n" + "\n\n".join(sections))
    return folder


def start(kb: Path, documents: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, "--kb", str(kb), "index", str(documents), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def query(kb: Path, statement: str) -> int:
    """One number from the catalog; 0 while there is none."""
    try:
        with closing(sqlite3.connect(f"file:{kb / 'catalog.sqlite'}?mode=ro", uri=True)) as connection:
            return int(connection.execute(statement).fetchone()[0])
    except (sqlite3.OperationalError, TypeError):
        return 0


def generation(kb: Path) -> int:
    return query(kb, "SELECT value FROM settings WHERE key = 'generation'")


def vectors(kb: Path) -> int:
    return query(kb, "SELECT count(*) FROM vectors")


def pending(kb: Path) -> int:
    return query(kb, "SELECT coalesce(max(born), 0) FROM documents") - generation(kb)


MOMENTS: dict[str, Callable[[Path], bool]] = {
    "the catalog is there": lambda kb: (kb / "catalog.sqlite").exists(),
    "vectors are stored, nothing published": lambda kb: vectors(kb) > 0,
    "rows are written but not published": lambda kb: pending(kb) > 0,
    "one generation is published": lambda kb: generation(kb) >= 1,
    "several generations are published": lambda kb: generation(kb) >= 4,
}


def consistent_chunks(kb: Path) -> int:
    """How many chunks catalog, sparse and dense index hold, after checking that they hold the same."""
    store = Store(kb)
    with store.view() as view:
        catalog = {chunk.id for chunk in view.reading.chunks_of_generation(0, view.indexes.generation)}
        sparse = set(view.indexes.sparse.search(["clerk", "file", "section"], 10_000, view.mask({}))[0].tolist())
        one = np.ones(view.indexes.dense.dimensions, np.float32)
        dense = set(view.indexes.dense.search(one, 10_000)[0].tolist())
        assert catalog == sparse == dense
    store.close()
    return len(catalog)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_run_leaves_a_searchable_knowledge_base_that_the_next_run_completes(
    tmp_path: Path, documents: Path, moment: str
) -> None:
    kb = tmp_path / "kb"
    process = start(kb, documents)
    deadline = time.monotonic() + 120
    while not MOMENTS[moment](kb):
        assert process.poll() is None, f"the run ended before {moment}: {process.communicate()}"
        assert time.monotonic() < deadline, f"never saw: {moment}"
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    published, stored = generation(kb), vectors(kb)

    if published:
        assert consistent_chunks(kb) > 0
        with_hits = KnowledgeBase.open(kb, create=False)
        assert with_hits.search("which form does the clerk file?", k=3)
        with_hits.close()

    finished = start(kb, documents)
    output, errors = finished.communicate(timeout=240)
    assert finished.returncode == 0, errors
    report = json.loads(output)
    assert consistent_chunks(kb) == report["chunks"]["total"]
    assert query(kb, "SELECT count(*) FROM documents WHERE died IS NULL") == FILES
    # Every text was embedded once: what the killed run had stored was used.
    assert vectors(kb) == stored + report["embedded"]
    assert report["generation"] > published
