"""How fast an unchanged repository is brought up to date, as a work tree and as a bare clone.

    python benchmarks/code_sync.py
    python benchmarks/code_sync.py FOLDER --json

The code is that of FOLDER, else of Python's standard library without its tests and what was installed into it. It is
copied into a new git repository, and indexed once with the vectors of `static_encoder.py`, which are made
sooner than the real ones: where nothing changed none are made. Bytes are those of the files that are documents.

Then it is synchronised, each the median of three: nothing changed; every file has another time of modification, as
after a checkout, so that all must be read and compared (a bare clone has no times). Last comes one run after a pull
that changed one file of Python in a hundred and renamed as many.

Target: ≥ 5 MB/s scanned where nothing changed, and nothing embedded.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

from sqlalchemy import func, select

import indexes.store
from benchmarks.common import command_line
from benchmarks.static_encoder import StaticEncoder
from indexes.catalog.schema import attributes
from rag import IndexReport, KnowledgeBase

RUNS = 3
_SHARE = 100  # one file in so many is changed by the pull, and one renamed
_LEFT_OUT = shutil.ignore_patterns(
    "site-packages", "dist-packages", "test", "tests", "idle_test", "__pycache__", "*.so"
)

_ages = itertools.count(step=10)


def main() -> None:
    """Make the repository, index it, measure, print."""
    parser = command_line(__doc__, as_json=True)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(sysconfig.get_path("stdlib")), help="code")
    arguments = parser.parse_args()
    indexes.store.load_encoder = StaticEncoder.load  # type: ignore[attr-defined, assignment]
    with tempfile.TemporaryDirectory() as temporary:
        figures = measure(arguments.folder, Path(temporary))
    if arguments.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:<44}{value:>10,}")


def measure(code: Path, home: Path) -> dict[str, float]:
    """Every figure by name."""
    origin = home / "origin"
    shutil.copytree(code, origin, ignore=_LEFT_OUT)
    git(origin, "init", "--quiet", "--initial-branch=main")
    git(origin, "add", "--all")
    git(origin, "commit", "--quiet", "--message", "first")
    git(home, "clone", "--quiet", "origin", "tree")
    git(home, "clone", "--quiet", "--bare", "origin", "bare.git")
    figures: dict[str, float] = {}
    bases = {name: KnowledgeBase.open(home / f"kb of {name}") for name in ("tree", "bare.git")}
    for name, kb in bases.items():
        kb.index(home / name)
        figures[f"{name}: files"] = kb.status().documents
        figures[f"{name}: chunks"] = kb.status().chunks
        figures[f"{name}: MB"] = round(document_bytes(kb) / 1e6, 1)
        add(figures, f"{name}, unchanged", kb, [synchronised(kb) for _ in range(RUNS)])
    add(figures, "tree, all touched", bases["tree"], [touched(bases["tree"], home / "tree") for _ in range(RUNS)])
    change(origin)
    git(home / "tree", "pull", "--quiet")
    git(home / "bare.git", "fetch", "--quiet", "origin", "+main:main")
    for name, kb in bases.items():
        spent, report = synchronised(kb)
        figures[f"{name}, pulled: s"] = round(spent, 2)
        figures[f"{name}, pulled: changed"] = report.changed
        figures[f"{name}, pulled: renamed"] = report.removed
        figures[f"{name}, pulled: chunks added"] = report.chunks_added
        figures[f"{name}, pulled: embedded"] = report.embedded
        kb.close()
    return figures


def document_bytes(kb: KnowledgeBase) -> float:
    """The size of all documents, as their files have it."""
    with kb.reading() as reading:
        return float(reading.connection.scalar(select(func.sum(attributes.c.number)).where(attributes.c.key == "size")))


def synchronised(kb: KnowledgeBase) -> tuple[float, IndexReport]:
    """Seconds of a run, and its report."""
    start = time.perf_counter()
    report = kb.index()
    return time.perf_counter() - start, report


def touched(kb: KnowledgeBase, folder: Path) -> tuple[float, IndexReport]:
    """The same after every file got another time."""
    touch(folder)
    return synchronised(kb)


def add(figures: dict[str, float], name: str, kb: KnowledgeBase, runs: list[tuple[float, IndexReport]]) -> None:
    """The median run, and what all of them embedded."""
    spent = statistics.median(seconds for seconds, _ in runs)
    figures[f"{name}: s"] = round(spent, 3)
    figures[f"{name}: MB/s"] = round(document_bytes(kb) / 1e6 / spent, 1)
    figures[f"{name}: embedded"] = sum(report.embedded for _, report in runs)


def touch(folder: Path) -> None:
    """Give every file a time of its own, an hour or more ago."""
    when = time.time() - 3600 - next(_ages)
    for path in files(folder):
        os.utime(path, (when, when))


def change(origin: Path) -> None:
    """Commit a line more in one file of a hundred, and another name for the next one."""
    for number, path in enumerate(path for path in files(origin) if path.suffix == ".py"):
        if number % _SHARE == 0:
            with path.open("a", encoding="utf-8") as stream:
                stream.write("\n# one more line\n")
        elif number % _SHARE == 1:
            git(origin, "mv", str(path), str(path.with_name(f"renamed_{path.name}")))
    git(origin, "commit", "--quiet", "--all", "--message", "second")


def files(folder: Path) -> list[Path]:
    """The files of a work tree."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts)


def git(folder: Path, *arguments: str) -> None:
    """Run git in a folder, as somebody."""
    person = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    subprocess.run(["git", *person, *arguments], cwd=folder, check=True, stdout=sys.stderr)


if __name__ == "__main__":
    main()
