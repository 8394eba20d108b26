"""A folder that is watched: thousands of commits of one document each, as cheap at the end as at the beginning."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from indexes.limits import StoreLimits
from indexes.store import Store
from indexes.writer import Batch, NewDocument
from tests.indexes.conftest import BagEncoder, make_document

COMMITS = 2_000 if os.environ.get("PILOTFISH_LONG") else 150
DOCUMENTS = 60
WORDS = [f"word{letter}{other}" for letter in "abcdefghijklm" for other in "nopqrstuvwxyz"]


# Everything that is reclaimed when there is enough of it is reclaimed several times here.
SMALL = StoreLimits(delta_least=40, dead_least=40)


def made(number: int, version: int) -> tuple[str, list[str]]:
    chosen = random.Random(f"{number} {version}")
    return f"/{number}", [" ".join(chosen.choices(WORDS, k=60)) for _ in range(chosen.randint(1, 8))]


def commit(store: Store, documents: list[tuple[str, list[str]]]) -> None:
    with store.writer() as writer:
        source = writer.register("/source")
        cut = [make_document(uri, *paragraphs) for uri, paragraphs in documents]
        writer.commit(Batch([NewDocument(source, document, chunks, "") for document, chunks in cut]))


def size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def written() -> int:
    """Bytes that this process has handed to the system so far."""
    lines = Path("/proc/self/io").read_text("ascii").splitlines()
    return int(next(line for line in lines if line.startswith("wchar")).split()[1])


def spent(step: Callable[[], None]) -> int:
    before = written()
    step()
    return written() - before


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="counts written bytes where Linux does")
@pytest.mark.timeout(1800)
def test_many_small_commits_cost_what_the_first_ones_did(tmp_path: Path, bag: BagEncoder) -> None:
    store = Store(tmp_path / "kb", create=True, limits=SMALL)
    versions = dict.fromkeys(range(DOCUMENTS), 0)
    commit(store, [made(number, 0) for number in versions])

    costs, most_files, most_bytes = [], 0, 0
    for number in range(COMMITS):
        versions[number % DOCUMENTS] = number + 1
        costs.append(spent(lambda: commit(store, [made(number % DOCUMENTS, number + 1)])))  # noqa: B023
        most_files = max(most_files, sum(1 for _ in store.path.rglob("*")))
        most_bytes = max(most_bytes, size(store.path / "sparse") + size(store.path / "dense"))
    store.close()

    fresh = Store(tmp_path / "fresh", create=True, limits=SMALL)
    commit(fresh, [made(number, version) for number, version in versions.items()])
    fresh.close()

    window = COMMITS // 5  # long enough for every kind of compaction to fall into it
    assert sum(costs[-window:]) <= 1.5 * sum(costs[:window])
    assert size(store.path) <= 1.5 * size(fresh.path)
    assert most_files < 150  # segments are merged, not piled up
    assert most_bytes < 4 * (size(fresh.path / "sparse") + size(fresh.path / "dense")) + 1_000_000
