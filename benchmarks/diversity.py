"""What diversity gains where records repeat, and what it costs where they do not.

    python benchmarks/diversity.py
    python benchmarks/diversity.py collections/ cranfield cisi perspectrum --keep /tmp/eval

Without a folder it makes a log, always the same: lines of 120 templates (ten services, twelve kinds of event) that
differ in their times, hosts, ids and numbers, some templates a hundred times as common as others. A query asks what
goes wrong in a service, or which services have one kind of trouble; each template that answers is an aspect of it. Of a
collection with `clusters.jsonl` (Perspectrum), the clusters of passages that say the same are the aspects.

Aspects found: the share of a query's aspects that ten hits show (subtopic recall: Zhai et al., 2003). alpha-nDCG: what
repeats an aspect gains half as much each time (Clarke et al., 2008). Differences are from no diversity, with their 95%
intervals over the queries. Copies are folded for the log, as they are for people, and not for a collection, each of
whose documents is judged by itself.
"""

from __future__ import annotations

import json
import math
import random
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.common import chosen_collections, command_line, interval, read_json_lines
from rag import KnowledgeBase
from rag.evaluation.collections.collection import beir_collection
from rag.evaluation.metrics import Judgements, ndcg
from rag.evaluator import indexed

WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7)
DEPTH = 10
READ = 30  # hits that nearly always hold ten documents
REPEATED = 0.5  # alpha: how much an aspect loses each time it is shown
LINES = 3_000
SEED = 7
RESAMPLES = 10_000
TIMED = 60  # queries, asked this often with and without folding:
ROUNDS = 3

SERVICES = {
    "payments": "charging cards",
    "mailer": "sending e-mail",
    "scheduler": "starting jobs",
    "gateway": "routing requests",
    "warehouse": "loading the data warehouse",
    "identity": "signing people in",
    "search": "answering searches",
    "backup": "copying volumes to the archive",
    "printing": "printing labels",
    "inventory": "counting stock",
}
TROUBLES = {
    "time out": "timed out after {number} ms waiting for {host} while {work}, request {id}",
    "run out of memory": "killed at {number} MB: out of memory while {work}, process {number}",
    "have a full disk": "no space left on device /dev/sd{letter}{digit}, {number} blocks wanted for {work}",
    "have an expired certificate": "certificate of {host} expired {number} hours ago, {work} refused",
    "reject a password": "wrong password for user u{number} from {host}, attempt {digit}",
    "lose connections": "connection to {host} reset by peer while {work}, {digit} retries left",
    "find corrupt data": "checksum mismatch in block {id}, {number} bytes are corrupt",
    "have a queue that is too long": "{number} entries are waiting in queue {id}, limit {number}, {work} slows down",
    "wait for a lock": "deadlock: transaction {id} waits for {id} since {number} ms",
}
ROUTINE = {
    "health": "health check passed in {number} ms on {host}",
    "reload": "configuration reloaded, {digit} keys changed, revision {id}",
    "worker": "worker {number} started for {work} on {host}",
}
OF_A_SERVICE = ("what goes wrong in {name}?", "{name} errors", "problems while {work}")
OF_A_TROUBLE = ("which services {name}?", "services that {name}")

Aspects = Mapping[str, str]
"""Document → the aspect that it shows; documents that show none are absent."""


@dataclass(frozen=True)
class Task:
    """Queries, what is relevant to each, and which aspect each document shows, where that is known."""

    name: str
    texts: Mapping[str, str]
    grades: Mapping[str, Judgements]
    aspects: Mapping[str, Aspects]
    fold: bool


def main() -> None:
    """Measure and print."""
    parser = command_line(__doc__, keep="the knowledge bases")
    parser.add_argument("folder", type=Path, nargs="?", help="a folder of BEIR folders; without it, the log")
    parser.add_argument("names", nargs="*", help="only these collections")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        if arguments.folder is None:
            homes = [Path(stack.enter_context(tempfile.TemporaryDirectory())) / "log"]
            write_log(homes[0])
        else:
            homes = chosen_collections(arguments)
        for home in homes:
            task = log_task(home) if arguments.folder is None else collection_task(home)
            with indexed(home, arguments.keep / home.name if arguments.keep else None) as (kb, _):
                report(task, {weight: measure(kb, task, weight) for weight in WEIGHTS})
                print(folding_cost(kb, list(task.texts.values())[:TIMED]) + "\n", flush=True)


def write_log(folder: Path) -> None:
    """A BEIR folder of which every document is a line of the log; `aspects.jsonl` has the template of each."""
    chance = random.Random(SEED)  # noqa: S311 (no secret)
    templates = [(service, kind) for service in SERVICES for kind in [*TROUBLES, *ROUTINE]]
    chance.shuffle(templates)
    weights = [1 / (1 + place) for place in range(len(templates))]
    folder.mkdir(parents=True)
    with (folder / "corpus.jsonl").open("w", encoding="utf-8") as corpus, (folder / "aspects.jsonl").open("w") as kinds:
        drawn = chance.choices(templates, weights, k=LINES - len(templates))
        for number, (service, kind) in enumerate(chance.sample([*templates, *drawn], k=LINES)):
            text = line(chance, number, service, kind)
            corpus.write(json.dumps({"_id": f"line{number}", "title": "", "text": text}) + "\n")
            kinds.write(json.dumps([f"line{number}", service, kind]) + "\n")
    with (folder / "queries.jsonl").open("w", encoding="utf-8") as queries:
        for key, text in log_queries().items():
            queries.write(json.dumps({"_id": key, "text": text}) + "\n")


def line(chance: random.Random, number: int, service: str, kind: str) -> str:
    """A line of the log, about twenty seconds after the one before."""
    seconds = 20 * number + chance.randrange(20)
    clock = f"2024-03-{1 + seconds // 86_400:02}T{seconds // 3_600 % 24:02}:{seconds // 60 % 60:02}:{seconds % 60:02}Z"
    level = "WARN" if kind in TROUBLES else "INFO"
    event = (TROUBLES | ROUTINE)[kind]
    while "{" in event:
        event = event.replace("{work}", SERVICES[service])
        for name, value in {
            "{number}": str(chance.randrange(100, 99_999)),
            "{digit}": str(chance.randrange(1, 10)),
            "{letter}": chance.choice("abcd"),
            "{id}": f"{chance.getrandbits(32):08x}",
            "{host}": f"10.{chance.randrange(9)}.{chance.randrange(99)}.{chance.randrange(255)}",
        }.items():
            event = event.replace(name, value, 1)
    return f"{clock} node{chance.randrange(1, 40):02} {service}[{chance.randrange(200, 9_999)}] {level} {event}"


def log_queries() -> dict[str, str]:
    """Query id, which begins with what is asked about, → query."""
    services = {
        f"{name}/{form}": text.format(name=name, work=work)
        for name, work in SERVICES.items()
        for form, text in enumerate(OF_A_SERVICE)
    }
    troubles = {f"{name}/{form}": text.format(name=name) for name in TROUBLES for form, text in enumerate(OF_A_TROUBLE)}
    return services | troubles


def log_task(folder: Path) -> Task:
    """What is asked of the log: the kinds of trouble of a service, or the services that have one kind."""
    lines = read_json_lines(folder / "aspects.jsonl")
    aspects: dict[str, dict[str, str]] = {}
    for key in log_queries():
        about = key.partition("/")[0]
        aspects[key] = {
            name: kind if service == about else service
            for name, service, kind in lines
            if kind in TROUBLES and about in (service, kind)
        }
    grades = {key: dict.fromkeys(shown, 1) for key, shown in aspects.items()}
    return Task("log", log_queries(), grades, aspects, fold=True)


def collection_task(home: Path) -> Task:
    """A collection's test queries, with the aspects that `clusters.jsonl` knows."""
    split = "test" if (home / "qrels" / "test.tsv").exists() else "dev"
    collection = beir_collection(home, split)
    aspects: dict[str, dict[str, str]] = defaultdict(dict)
    clusters = home / "clusters.jsonl"
    for record in map(json.loads, clusters.read_text().splitlines()) if clusters.exists() else ():
        if record["claim_id"] in collection.queries:
            for number, cluster in enumerate(record["clusters"]):
                aspects[record["claim_id"]].update(dict.fromkeys(cluster["pids"], str(number)))
    return Task(home.name, collection.queries, collection.grades, aspects, fold=False)


def measure(kb: KnowledgeBase, task: Task, weight: float) -> dict[str, list[float]]:
    """Measure → its value for each query."""
    found: dict[str, list[float]] = defaultdict(list)
    for key, text in task.texts.items():
        hits = kb.search(text, READ, fold=task.fold, diversity=weight)
        ranked = list(dict.fromkeys(hit.uri for hit in hits if hit.uri != key))[:DEPTH]
        found["nDCG@10"].append(ndcg(ranked, task.grades[key], DEPTH))
        if aspects := task.aspects.get(key):
            found["aspects found"].append(len({aspects[uri] for uri in ranked if uri in aspects}) / _reachable(aspects))
            found["alpha-nDCG@10"].append(alpha_ndcg(ranked, aspects))
    return found


def folding_cost(kb: KnowledgeBase, queries: Sequence[str]) -> str:
    """Medians over searches for ten hits with and without folding, taken in turns."""
    spent: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(ROUNDS):
        for query in queries:
            for fold, times in spent.items():
                start = time.process_time()
                kb.search(query, fold=fold)
                times.append((time.process_time() - start) * 1_000)
    folded, plain = (float(np.median(times)) for times in spent.values())
    added = float(np.median(np.subtract(spent[True], spent[False])))
    return f"folding: {folded:.1f} ms instead of {plain:.1f} ({folded / plain:.2f} times), {added:+.2f} ms a search"


def alpha_ndcg(ranked: Sequence[str], aspects: Aspects) -> float:
    """Discounted gain of the first ten, an aspect's gain halving with each repetition, over the best there can be.

    Example:
        >>> alpha_ndcg(["a1", "b1"], {"a1": "a", "a2": "a", "b1": "b"})
        1.0
        >>> round(alpha_ndcg(["a1", "a2"], {"a1": "a", "a2": "a", "b1": "b"}), 3)
        0.807
    """
    gain = _alpha_dcg([aspects.get(document) for document in ranked[:DEPTH]])
    left = Counter(aspects.values())
    ideal: list[str] = []
    while left and len(ideal) < DEPTH:
        shown = Counter(ideal)
        best = min(left, key=lambda aspect: shown[aspect])
        ideal.append(best)
        left -= Counter([best])
    return gain / _alpha_dcg(ideal)


def _alpha_dcg(shown: Iterable[str | None]) -> float:
    total, seen = 0.0, Counter[str]()
    for rank, aspect in enumerate(shown, 1):
        if aspect is not None:
            total += REPEATED ** seen[aspect] / math.log2(rank + 1)
            seen[aspect] += 1
    return total


def _reachable(aspects: Aspects) -> int:
    """How many aspects ten hits can show."""
    return min(DEPTH, len(set(aspects.values())))


def report(task: Task, found: Mapping[float, Mapping[str, Sequence[float]]]) -> None:
    """Print a table: a line for each weight, a column for each measure."""
    names = list(found[0.0])
    print(f"{task.name}, {len(task.texts)} queries")
    print(f"{'diversity':<12}" + "".join(f"{name:>34}" for name in names))
    for weight, values in found.items():
        cells = [_cell(np.array(values[name]), np.array(found[0.0][name]), bool(weight)) for name in names]
        print(f"{weight:<12}" + "".join(f"{cell:>34}" for cell in cells), flush=True)


def _cell(values: np.ndarray, plain: np.ndarray, differs: bool) -> str:
    if not differs:
        return f"{values.mean():.3f}" + " " * 25
    gain = values - plain
    low, high = interval(gain, RESAMPLES)
    return f"{values.mean():.3f} {gain.mean():+.3f} [{low:+.3f}, {high:+.3f}]"


if __name__ == "__main__":
    main()
