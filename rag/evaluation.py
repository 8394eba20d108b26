"""Retrieval quality and speed, measured through the same KnowledgeBase that people use.

Two kinds of data set: a test collection in BEIR's layout, indexed for the occasion (`evaluate`), and questions over a
knowledge base of one's own (`evaluate_questions`).
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from connectors.errors import ConfigurationError, SourceError
from rag.beir import BeirCorpus, read_qrels, read_queries, read_records
from rag.metrics import Scores, mean_metrics
from rag.results import Hit, IndexReport, Mode

if TYPE_CHECKING:
    from rag.knowledge_base import KnowledgeBase
    from rag.synchroniser import Progress

MODES = (Mode.HYBRID, Mode.SPARSE, Mode.DENSE)
DEPTH = 100  # documents a ranking is read to
TIMED_HITS = 10  # what a person's search asks for
_FORM = 'each line is {"question": "…", "expected": "path or URI"} (or a list of them)'


@dataclass(frozen=True, slots=True)
class Step:
    """How far an evaluation is: `stage` is `index` or a mode, `done` counts documents or queries."""

    stage: str
    done: int
    total: int | None


OnProgress = Callable[[Step], None]


@dataclass(frozen=True, slots=True)
class IndexSpeed:
    """How fast the corpus was indexed: `docs` documents in `seconds`, `embedded` of their chunks embedded anew."""

    docs: int
    seconds: float
    embedded: int

    @property
    def docs_per_second(self) -> float:
        """Documents a second."""
        return self.docs / self.seconds if self.seconds > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The outcome of an evaluation.

    Attributes:
        dataset: the name of the folder or file.
        queries: how many queries were asked.
        metrics: mode → metric → mean over the queries.
        index: None when nothing was indexed for it.
        query_ms: `p50` and `p95` of a search for ten hits in the first of the modes, warm.
        notices: what a reader of the numbers must know, a sentence each.
    """

    dataset: str
    queries: int
    metrics: Mapping[str, Mapping[str, float]]
    index: IndexSpeed | None
    query_ms: Mapping[str, float]
    notices: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The object that `rag eval --json` prints."""
        index = self.index and {
            "docs": self.index.docs,
            "seconds": round(self.index.seconds, 3),
            "docs_per_second": round(self.index.docs_per_second, 1),
        }
        return {
            "dataset": self.dataset,
            "queries": self.queries,
            "metrics": {
                mode: {name: round(value, 4) for name, value in metrics.items()}
                for mode, metrics in self.metrics.items()
            },
            "index": index,
            "query_ms": {name: round(value, 2) for name, value in self.query_ms.items()},
        }


def evaluate(
    dataset: str | Path,
    *,
    split: str = "test",
    modes: Sequence[Mode] = MODES,
    depth: int = DEPTH,
    folder: str | Path | None = None,
    on_progress: OnProgress | None = None,
) -> Evaluation:
    """Index a BEIR folder, ask every judged query, and compare with the judgements.

    A document scores what its best chunk scores. A document with the query's own id is left out, as BEIR does.

    Args:
        dataset: a folder with `corpus.jsonl`, `queries.jsonl` and `qrels/SPLIT.tsv`.
        split: whose judgements to use.
        modes: the kinds of search to compare; the first one is timed.
        depth: how many documents of each ranking count.
        folder: where to keep the knowledge base, so that the next run embeds nothing; a temporary folder if None.
        on_progress: called after every document and query.

    Raises:
        SourceError: for a file that is missing or broken; the message has its name and line.
        ConfigurationError: `folder` holds something else.
    """
    home = Path(dataset)
    queries, qrels = read_queries(home), read_qrels(home, split)
    asked = {key: queries[key] for key in qrels if key in queries}
    if not asked:
        raise SourceError(f"{home}: no query of qrels/{split}.tsv is in queries.jsonl", hint="check the query ids")
    with indexed(home, folder, on_progress) as (kb, report):
        collection = _Collection(asked, {key: qrels[key] for key in asked}, own_ids=True)
        metrics = {str(mode): _measure(kb, collection, mode, depth, on_progress) for mode in modes}
        return Evaluation(
            dataset=home.resolve().name,
            queries=len(asked),
            metrics=metrics,
            index=IndexSpeed(report.added + report.changed + report.unchanged, report.seconds, report.embedded),
            query_ms=_time(kb, asked.values(), modes[0]),
            notices=tuple(_notices(qrels, queries, BeirCorpus(home).ids(), report)),
        )


def evaluate_questions(
    kb: KnowledgeBase,
    path: str | Path,
    *,
    modes: Sequence[Mode] = MODES,
    depth: int = DEPTH,
    on_progress: OnProgress | None = None,
) -> Evaluation:
    """Ask a knowledge base questions whose source is known.

    Args:
        kb: what to ask.
        path: a JSONL file with lines such as `{"question": "When are refunds paid?", "expected": "docs/refunds.md"}`.
            `expected` (one, or a list) is a document's URI, or a path from the current folder or the file's.
        modes: the kinds of search to compare; the first one is timed.
        depth: how many documents of each ranking count.
        on_progress: called after every query.

    Raises:
        SourceError: for a file that is missing or broken; the message has its name and line.
    """
    file = Path(path)
    collection, absent = _read_questions(kb, file)
    metrics = {str(mode): _measure(kb, collection, mode, depth, on_progress) for mode in modes}
    notice = f"{len(absent)} expected sources are not in this knowledge base: {', '.join(absent[:3])}"
    return Evaluation(
        dataset=file.name,
        queries=len(collection.queries),
        metrics=metrics,
        index=None,
        query_ms=_time(kb, collection.queries.values(), modes[0]),
        notices=(notice,) if absent else (),
    )


@dataclass(frozen=True, slots=True)
class _Collection:
    """Queries and judgements; with `own_ids`, a document with the query's own id is not a result."""

    queries: Mapping[str, str]
    qrels: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    own_ids: bool = False


@contextmanager
def indexed(
    dataset: Path, folder: str | Path | None = None, on_progress: OnProgress | None = None
) -> Iterator[tuple[KnowledgeBase, IndexReport]]:
    """A knowledge base of a BEIR folder's corpus, in `folder` or in a temporary one, and what indexing it did.

    Raises:
        SourceError: the corpus is missing or broken.
        ConfigurationError: `folder` holds something else.
    """
    from rag.knowledge_base import KnowledgeBase

    corpus = BeirCorpus(dataset)
    with tempfile.TemporaryDirectory(prefix="pilotfish-eval-", ignore_cleanup_errors=True) as temporary:
        kb = KnowledgeBase.open(folder or temporary)
        try:
            others = [known.uri for known in kb.status().sources if known.uri != corpus.uri]
            if others:
                raise ConfigurationError(
                    f"the knowledge base in {folder} already holds {others[0]}",
                    hint="measuring a collection needs a folder of its own",
                )
            report = kb.index(corpus, on_progress=on_progress and _tell_documents(on_progress))
            if report.failures:
                raise SourceError(report.failures[0].error, hint=report.failures[0].hint)
            yield kb, report
        finally:
            kb.close()


def _tell_documents(on_progress: OnProgress) -> Callable[[Progress], None]:
    return lambda progress: on_progress(Step("index", progress.documents, progress.total))


def _measure(
    kb: KnowledgeBase, collection: _Collection, mode: Mode, depth: int, on_progress: OnProgress | None
) -> dict[str, float]:
    run: dict[str, Scores] = {}
    hits = _hits_for(kb, depth)
    for done, (key, text) in enumerate(collection.queries.items(), 1):
        run[key] = _documents(kb, text, mode, depth, hits, without=key if collection.own_ids else None)
        if on_progress is not None:
            on_progress(Step(str(mode), done, len(collection.queries)))
    return mean_metrics(run, collection.qrels)


def _hits_for(kb: KnowledgeBase, depth: int) -> int:
    """How many hits usually hold `depth` documents, one of which may be left out: more where documents have chunks."""
    status = kb.status()
    crowding = 2 * status.chunks / max(1, status.documents) - 1
    return math.ceil((depth + 1) * max(1.0, crowding))


def _documents(kb: KnowledgeBase, query: str, mode: Mode, depth: int, k: int, without: str | None) -> dict[str, float]:
    """The best `depth` documents, each with the score of its best chunk; `k` is how many hits to try first."""
    while True:
        hits = kb.search(query, k, mode=mode)
        scores = _fold(hits, without)
        if len(scores) >= depth or len(hits) < k:
            return dict(list(scores.items())[:depth])
        k *= 2  # the hits crowd in a few documents: look further down


def _fold(hits: Iterable[Hit], without: str | None) -> dict[str, float]:
    """URI → the best score of its chunks; hits come best first, so the first one counts."""
    scores: dict[str, float] = {}
    for hit in hits:
        if hit.uri != without:
            scores.setdefault(hit.uri, hit.score)
    return scores


def _time(kb: KnowledgeBase, queries: Iterable[str], mode: Mode) -> dict[str, float]:
    spent = []
    for query in queries:
        start = time.perf_counter()
        kb.search(query, TIMED_HITS, mode=mode)
        spent.append((time.perf_counter() - start) * 1_000)
    return {"p50": float(np.percentile(spent, 50)), "p95": float(np.percentile(spent, 95))}


def _notices(
    qrels: Mapping[str, Mapping[str, int]], queries: Mapping[str, str], documents: set[str], report: IndexReport
) -> Iterator[str]:
    """What the judgements name and the collection lacks, and what was reused."""
    lost = [key for key in qrels if key not in queries]
    if lost:
        yield f"{len(lost)} judged queries are not in queries.jsonl and were left out: {', '.join(lost[:3])}"
    unknown = {key for judged in qrels.values() for key, grade in judged.items() if grade > 0} - documents
    if unknown:
        some = ", ".join(sorted(unknown)[:3])
        yield f"{len(unknown)} relevant documents are not in corpus.jsonl and count as missed: {some}"
    if report.unchanged:
        yield f"{report.unchanged} documents were indexed already: docs_per_second is not the speed of embedding"


def _read_questions(kb: KnowledgeBase, file: Path) -> tuple[_Collection, list[str]]:
    """The questions, and the expected sources that this knowledge base does not have."""
    queries: dict[str, str] = {}
    qrels: dict[str, dict[str, int]] = {}
    absent: list[str] = []
    for where, record in read_records(file):
        question, expected = record.get("question"), record.get("expected")
        names = [expected] if isinstance(expected, str) else expected
        if not isinstance(question, str) or not question.strip():
            raise SourceError(f"{where}: 'question' is {question!r}, not a text", hint=_FORM)
        if not isinstance(names, list) or not names or not all(isinstance(name, str) and name for name in names):
            raise SourceError(f"{where}: 'expected' is {expected!r}, not a path or URI", hint=_FORM)
        queries[where] = question
        found = {name: _resolve(kb, question, name, file) for name in names}
        absent += [name for name, uri in found.items() if uri is None]
        qrels[where] = {uri or name: 1 for name, uri in found.items()}
    if not queries:
        raise SourceError(f"{file} holds no questions", hint=_FORM)
    return _Collection(queries, qrels), absent


def _resolve(kb: KnowledgeBase, question: str, name: str, file: Path) -> str | None:
    """The URI of the indexed document that `name` means."""
    candidates = [name, str(Path(name).absolute()), str((file.absolute().parent / name).resolve())]
    hits = kb.search(question, 1, mode=Mode.DENSE, filters={"uri": candidates})
    return hits[0].uri if hits else None
