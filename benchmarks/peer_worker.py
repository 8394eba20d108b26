"""The process of one system that `peers.py` compares, run by the Python of the system's own virtual environment.

    PYTHON -m benchmarks.peer_worker SYSTEM versions|index|serve …

`index` brings the saved index of a folder up to date with the passages, or makes it; `serve` opens what was saved and
answers queries. Both speak JSON, an object a line.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.common import command_line, process_megabytes
from benchmarks.peer_systems import SYSTEMS, Passage, Place, System


def main() -> None:
    """Do one job; everything that others print goes to stderr."""
    parser = command_line(__doc__)
    parser.add_argument("system", choices=list(SYSTEMS))
    parser.add_argument("job", choices=["versions", "index", "serve"])
    parser.add_argument("--model", type=Path, required=True, help="the folder with the encoder's weights")
    parser.add_argument("--collection", type=Path, required=True, help="a BEIR folder")
    parser.add_argument("--passages", type=Path, required=True, help="JSON lines with id, document and text")
    parser.add_argument("--folder", type=Path, required=True, help="where the system keeps its index")
    parser.add_argument("--threads", type=int, required=True)
    given = parser.parse_args()
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)
        if hasattr(os, "sched_setaffinity"):  # also for what counts processors and not OMP_NUM_THREADS
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: given.threads])
        system = SYSTEMS[given.system](Place(given.model, given.collection, given.folder))
        for answer in _JOBS[given.job](system, given.passages):
            print(json.dumps(answer), file=answers, flush=True)


def versions(system: System, _passages: Path) -> Iterator[dict[str, Any]]:
    """The version of each package, all of them imported."""
    system.start()
    names = [*system.packages, *(["torch", "transformers", "sentence-transformers"] if "torch" in sys.modules else [])]
    found = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    yield {"python": platform.python_version(), **found}


def index(system: System, passages: Path) -> Iterator[dict[str, Any]]:
    """How long it took without imports and weights, and how many texts went through the encoder."""
    texts = [Passage(**json.loads(line)) for line in passages.read_text("utf-8").splitlines()]
    began = time.perf_counter()
    system.start()
    started, used = time.perf_counter(), time.process_time()
    embedded = _count_embedded()
    held = system.index(texts)
    yield {
        "start_s": started - began,
        "seconds": time.perf_counter() - started,
        "cpu_s": time.process_time() - used,
        "process_cpu_s": time.process_time(),
        "embedded": embedded(),
        "held": held,
        "peak_mb": process_megabytes("VmHWM"),
    }


def serve(system: System, _passages: Path) -> Iterator[dict[str, Any]]:
    """For each line `{"queries": […], "k": 10}` the documents of every query, its milliseconds, and those of processor.

    `process_cpu_s` is what the process has used since it began, its start included.
    """
    system.open()
    for line in sys.stdin:
        asked = json.loads(line)
        documents, spent, used = [], [], []
        for query in asked["queries"]:
            start, before = time.perf_counter(), time.process_time()
            found = system.search(query, asked["k"])
            spent.append((time.perf_counter() - start) * 1_000)
            used.append((time.process_time() - before) * 1_000)
            documents.append(list(dict.fromkeys(found)))  # each document at the rank of its best passage
        yield {
            "documents": documents,
            "ms": spent,
            "cpu_ms": used,
            "process_cpu_s": time.process_time(),
            "peak_mb": process_megabytes("VmHWM"),
        }


_JOBS = {"versions": versions, "index": index, "serve": serve}


def _count_embedded() -> Callable[[], int]:
    """Count from now on the texts that the encoder is given, whoever calls it; the result says how many."""
    counted = [0]

    def count(owner: Any, method: str) -> None:
        original = getattr(owner, method)

        def counting(self: Any, *positional: Any, **named: Any) -> Any:
            counted[0] += len((positional or [*named.values()])[0])  # texts, or the rows of a batch
            return original(self, *positional, **named)

        setattr(owner, method, counting)

    if "transformers" in sys.modules:
        from transformers.models.bert.modeling_bert import BertModel

        count(BertModel, "forward")
    else:
        from indexes.encoding.encoder import DefaultEncoder

        count(DefaultEncoder, "encode")
    return lambda: counted[0]


if __name__ == "__main__":
    main()
