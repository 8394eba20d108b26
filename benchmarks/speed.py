"""Start-up, search and re-index times on a knowledge base of 5,000 chunks from 5,000 files.

    python benchmarks/speed.py
    python benchmarks/speed.py --keep /tmp/speed --json

The files are pieces of the standard library's source, so the same text is there on every machine. The first run
embeds them (a minute or two of CPU); `--keep` reuses them. Commands are timed as whole processes, five times, and the
median counts: they include the interpreter's start. On a busy machine every number is too high.

Targets: cold search ≤ 1.5 s, warm search p95 ≤ 40 ms, help ≤ 0.3 s, re-index ≤ 3 s with nothing embedded.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from benchmarks.common import command_line, kept_in
from rag import KnowledgeBase

FILES = 5_000
LINES = 12  # a file: what surely fits one chunk
RUNS = 5
QUERIES = (
    "how are temporary files removed",
    "parse a date from a string",
    "what happens when a socket times out",
    "convert bytes to text with an encoding",
    "wait for a thread to finish",
    "read the header of a zip archive",
    "compare two sequences and show the differences",
    "where is the default event loop created",
)


def main() -> None:
    """Build or reuse the knowledge base, measure, print."""
    parser = command_line(__doc__, keep="files and knowledge base", as_json=True)
    arguments = parser.parse_args()
    with kept_in(arguments.keep) as keep:
        figures = measure(keep)
    if arguments.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:<24}{value:>10}")


def measure(home: Path) -> dict[str, float]:
    """Every figure by name: seconds, or milliseconds where the name says so."""
    files, store = home / "files", home / "kb"
    _write_files(files)
    with_kb = ["--kb", str(store)]
    _run([*with_kb, "index", str(files)])
    kb = KnowledgeBase.open(store, create=False)
    chunks = kb.status().chunks
    start = time.perf_counter()
    report = kb.index()
    reindex = time.perf_counter() - start
    warm = sorted(_search_times(kb))
    kb.close()
    return {
        "chunks": chunks,
        "cold_search_s": _median([*with_kb, "search", QUERIES[0]]),
        "warm_search_p50_ms": round(statistics.median(warm) * 1_000, 1),
        "warm_search_p95_ms": round(warm[int(0.95 * len(warm))] * 1_000, 1),
        "help_s": _median(["--help"]),
        "reindex_s": round(reindex, 2),
        "reindex_embedded": report.embedded,
    }


def _write_files(folder: Path) -> None:
    if folder.exists():
        return
    folder.mkdir(parents=True)
    for number, piece in enumerate(islice(_pieces(), FILES)):
        (folder / f"{number:04}.txt").write_text(piece, encoding="utf-8")


def _pieces() -> Iterator[str]:
    """Distinct stretches of `LINES` lines of the standard library that are not blank."""
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("[a-z]*/*.py")):
        if "site-packages" in path.parts or "test" in path.parts:
            continue
        lines = [line for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
        for start in range(0, len(lines), LINES):
            yield "\n".join([f"# {path.stem}, piece {start // LINES}", *lines[start : start + LINES]])


def _search_times(kb: KnowledgeBase) -> Iterator[float]:
    kb.search(QUERIES[0])  # loads the indexes and the encoder
    for _ in range(25):
        for query in QUERIES:
            start = time.perf_counter()
            kb.search(query, 10)
            yield time.perf_counter() - start


def _median(arguments: list[str]) -> float:
    spent = []
    for _ in range(RUNS):
        start = time.perf_counter()
        _run(arguments)
        spent.append(time.perf_counter() - start)
    return round(statistics.median(spent), 2)


def _run(arguments: list[str]) -> None:
    rag = Path(sys.executable).with_name("rag")
    subprocess.run([str(rag), *arguments], check=True, capture_output=True)


if __name__ == "__main__":
    main()
