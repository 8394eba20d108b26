"""Retrieval quality and speed, measured through the same KnowledgeBase that people use.

A test collection is indexed for the occasion; questions are asked of a knowledge base of one's own. Everything that is
asked and expected is read and checked before anything is indexed.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from connectors.errors import ConfigurationError, SourceError
from rag.evaluation.beir import LAYOUT, BeirCorpus
from rag.evaluation.collection import Collection, Corpus, beir_collection, check_names, trec_collection
from rag.evaluation.measured import Evaluation, IndexSpeed, Outcome
from rag.evaluation.metrics import first_relevant, query_metrics, ranking
from rag.reranker import Reranking
from rag.results import Hit, IndexReport, Mode, Reranked

if TYPE_CHECKING:
    from rag.knowledge_base import KnowledgeBase
    from rag.llm import LLM
    from rag.synchroniser import Progress

MODES = (Mode.HYBRID, Mode.SPARSE, Mode.DENSE)
DEPTH = 100  # documents a ranking is read to
TIMED_HITS = 10  # what a person's search asks for
TIMED_QUERIES = 200
TIMED_RERANKED = 20  # of searches with a reranker, which take seconds


@dataclass(frozen=True, slots=True)
class Step:
    """How far an evaluation is: `stage` is `index`, `questions` or a mode; `done` counts documents or queries."""

    stage: str
    done: int
    total: int | None


OnProgress = Callable[[Step], None]


def evaluate(
    dataset: str | Path | Collection | None = None,
    *,
    kb: KnowledgeBase | None = None,
    topics: str | Path | None = None,
    qrels: str | Path | None = None,
    split: str = "test",
    modes: Sequence[Mode | str] = MODES,
    depth: int = DEPTH,
    folder: str | Path | None = None,
    seed: int = 0,
    reranking: Reranking | None = None,
    on_progress: OnProgress | None = None,
) -> Evaluation:
    """Ask queries whose answers are known, and measure what is found.

    A document scores what its best chunk scores. Of a BEIR folder, a document with the query's own id is left out, as
    BEIR does. Nothing is indexed before the queries, judgements and documents have been checked.

    Args:
        dataset: a BEIR folder; with `topics` and `qrels` a file or folder of TREC documents, or None for `kb` itself;
            with `kb` a file of questions (JSONL or CSV); or a collection that was read before.
        kb: the knowledge base to ask, where the questions are about one's own documents.
        topics: TREC topics, or a TSV or JSONL of queries.
        qrels: judgements, TREC's or BEIR's.
        split: whose judgements of a BEIR folder to use.
        modes: the kinds of search to compare.
        depth: how many documents of each ranking count.
        folder: where to keep the knowledge base, so that the next run embeds nothing; a temporary folder if None.
        seed: of the intervals, the tests and the queries that are timed.
        reranking: a reranker to search with, in every mode.
        on_progress: called after every document and query.

    Raises:
        SourceError: for a file that is missing or broken; the message has its name and line.
        ConfigurationError: `folder` holds something else, the reranker cannot be loaded, or the arguments do not fit
            together.
    """
    chosen = [Mode(mode) for mode in modes]
    if not chosen or depth < 1:
        raise ConfigurationError("there is nothing to measure", hint="name a mode, and a depth of at least 1")
    collection = (
        dataset
        if isinstance(dataset, Collection)
        else read_collection(dataset, kb=kb, topics=topics, qrels=qrels, split=split)
    )
    reranking = reranking and _loaded(reranking)
    if collection.corpus is None:
        if kb is None:
            raise ConfigurationError(f"{collection.name} needs a knowledge base", hint="hand it over as `kb`")
        return _measure(_Searches(kb, reranking), collection, chosen, depth, seed, on_progress)
    with _indexed(collection.corpus, folder, on_progress) as (made, report):
        speed = IndexSpeed(report.added + report.changed + report.unchanged, report.seconds, report.embedded)
        measured = _measure(_Searches(made, reranking), collection, chosen, depth, seed, on_progress)
        reused = (f"{report.unchanged} documents were indexed already: docs_per_second is not the speed of embedding",)
        return replace(measured, index=speed, notices=measured.notices + (reused if report.unchanged else ()))


def read_collection(
    dataset: str | Path | None,
    *,
    kb: KnowledgeBase | None = None,
    topics: str | Path | None = None,
    qrels: str | Path | None = None,
    split: str = "test",
) -> Collection:
    """What `evaluate` would ask and expect, read and checked.

    Raises:
        SourceError: for a file that is missing or broken; the message has its name and line.
        ConfigurationError: the arguments do not fit together.
    """
    from rag.evaluation.questions import questions_collection, read_questions, topics_collection

    check_names(_path(topics), _path(qrels))
    if topics is not None and qrels is not None and dataset is not None:
        return trec_collection(Path(dataset), Path(topics), Path(qrels))
    if dataset is not None and not Path(dataset).exists():
        raise SourceError(f"{dataset} is not there", hint=f"{LAYOUT}; a questions file is JSONL or CSV")
    if dataset is not None and Path(dataset).is_dir():
        return beir_collection(Path(dataset), split)
    if kb is None:
        raise ConfigurationError(
            f"{dataset or topics or 'nothing'} is asked of no knowledge base", hint="hand it over as `kb`"
        )
    if topics is not None and qrels is not None:
        return topics_collection(kb, Path(topics), Path(qrels))
    if dataset is None:
        raise ConfigurationError("there is no data set", hint="name a folder, a file of questions, or topics and qrels")
    file = Path(dataset)
    return questions_collection(kb, file.name, read_questions(file), near=file.absolute().parent)


def generate_questions(
    kb: KnowledgeBase,
    count: int,
    *,
    llm: LLM | object | str = "extractive",
    seed: int = 0,
    save: str | Path | None = None,
    on_progress: OnProgress | None = None,
) -> Collection:
    """Questions made from passages of `kb`, drawn at random, for `evaluate`.

    Args:
        kb: where the passages come from.
        count: how many questions.
        llm: who writes them, as for `ask`; `extractive` makes clozes, which are weaker and labelled so.
        seed: the same one draws the same passages from the same knowledge base.
        save: a JSONL file to keep them in, to be edited and asked again.
        on_progress: called after every question.

    Raises:
        SourceError: no passage is fit for a question.
        LLMError: the LLM failed.
    """
    from rag.evaluation.question_making import make_questions
    from rag.evaluation.questions import questions_collection, write_questions
    from rag.extractive import ExtractiveLLM
    from rag.llm_loading import as_llm, load_llm

    model = load_llm(llm) if isinstance(llm, str) else as_llm(llm)
    writer = None if isinstance(model, ExtractiveLLM) else model
    tell = None if on_progress is None else lambda done: on_progress(Step("questions", done, count))
    made = make_questions(kb, count, writer, seed, tell)
    if save is not None:
        write_questions(Path(save), made.questions)
    notices = [] if writer is None else [f"the questions were written by {model.name}, each from one passage"]
    notices.append(
        f"{made.overlap:.0%} of a question's words are in its passage; another document that answers counts as wrong"
    )
    if len(made.questions) < count:
        notices.append(f"only {len(made.questions)} questions of {count} could be made from {made.tried} passages")
    name = f"{len(made.questions)} {'clozes' if writer is None else 'generated questions'}"
    return questions_collection(kb, name, made.questions, near=Path.cwd(), notices=notices)


@contextmanager
def indexed(
    dataset: Path, folder: str | Path | None = None, on_progress: OnProgress | None = None
) -> Iterator[tuple[KnowledgeBase, IndexReport]]:
    """A knowledge base of a BEIR folder's corpus, in `folder` or in a temporary one, and what indexing it did.

    Raises:
        SourceError: the corpus is missing or broken.
        ConfigurationError: `folder` holds something else.
    """
    with _indexed(BeirCorpus(dataset), folder, on_progress) as made:
        yield made


@contextmanager
def _indexed(
    corpus: Corpus, folder: str | Path | None, on_progress: OnProgress | None
) -> Iterator[tuple[KnowledgeBase, IndexReport]]:
    from rag.knowledge_base import KnowledgeBase

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


def _loaded(reranking: Reranking) -> Reranking:
    """The same with its model loaded, so that what is wrong with it is said before minutes of indexing."""
    from rag.reranker_models import load_reranker

    if reranking.fallback or not isinstance(reranking.model, str):
        return reranking
    return replace(reranking, model=load_reranker(reranking.model))


@dataclass(frozen=True, slots=True)
class _Searches:
    """Searches of one knowledge base with or without a reranker, and what that did."""

    kb: KnowledgeBase
    reranking: Reranking | None = None
    reranked: list[Reranked] = field(default_factory=list)

    def hits(self, query: str, k: int, mode: Mode, *, fold: bool = False) -> Sequence[Hit]:
        """Unfolded, since each document is judged by itself."""
        found = self.kb.find_hits(query, k, mode, reranker=self.reranking, fold=fold)
        if found.reranked:
            self.reranked.append(found.reranked)
        return found.hits

    def notices(self) -> Iterator[str]:
        """How far the reranker came: where it did not reach all, another machine gives other numbers."""
        if not self.reranked:
            return
        reached, wanted = (
            np.mean([getattr(each, name) for each in self.reranked]) for name in ("reached", "candidates")
        )
        yield f"reranked by {self.reranked[0].model}: {reached:.1f} of {wanted:.1f} candidates a search"
        failures = [each.failure for each in self.reranked if each.failure]
        if failures:
            yield f"{len(failures)} of {len(self.reranked)} searches went without the reranker: {failures[0]}"


def _measure(
    searches: _Searches,
    collection: Collection,
    modes: Sequence[Mode],
    depth: int,
    seed: int,
    on_progress: OnProgress | None,
) -> Evaluation:
    status = searches.kb.status()
    notices = list(collection.notices)
    if collection.unanswerable:
        notices.append(
            f"{len(collection.unanswerable)} questions that nothing answers were left out: no order is right"
        )
    if status.tuning:
        notices.append("the knowledge base is tuned: on the questions it was tuned on, it looks better than it is")
    if status.documents <= depth:
        notices.append(f"there are only {status.documents} documents: Recall@100 says nothing about their order")
    outcomes = {str(mode): dict(_outcomes(searches, collection, mode, depth, on_progress)) for mode in modes}
    notices += searches.notices()
    return Evaluation(
        dataset=collection.name,
        split=collection.split,
        kind=collection.kind,
        identity=collection.identity,
        texts=collection.queries,
        outcomes=outcomes,
        timings_ms=_time(searches, list(collection.queries.values()), modes, seed),
        documents=status.documents,
        seed=seed,
        notices=tuple(notices),
    )


def _outcomes(
    searches: _Searches, collection: Collection, mode: Mode, depth: int, on_progress: OnProgress | None
) -> Iterator[tuple[str, Outcome]]:
    hits = _hits_for(searches.kb, depth)
    names: dict[str, str] = {}  # a URI is kept once, however many rankings it is in
    for done, (key, text) in enumerate(collection.queries.items(), 1):
        scores = _documents(searches, text, mode, depth, hits, without=key if collection.own_ids else None)
        ranked = [names.setdefault(uri, uri) for uri in ranking(scores)]
        judged = collection.grades[key]
        values = np.array([scores[uri] for uri in ranked], np.float32)
        yield key, Outcome(query_metrics(ranked, judged), first_relevant(ranked, judged), tuple(ranked), values)
        if on_progress is not None:
            on_progress(Step(str(mode), done, len(collection.queries)))


def _hits_for(kb: KnowledgeBase, depth: int) -> int:
    """How many hits usually hold `depth` documents, one of which may be left out: more where documents have chunks."""
    status = kb.status()
    crowding = 2 * status.chunks / max(1, status.documents) - 1
    return math.ceil((depth + 1) * max(1.0, crowding))


def _documents(
    searches: _Searches, query: str, mode: Mode, depth: int, k: int, without: str | None
) -> dict[str, float]:
    """The best `depth` documents, each with the score of its best chunk; `k` is how many hits to try first."""
    while True:
        hits = searches.hits(query, k, mode)
        scores = _fold(hits, without)
        if len(scores) >= depth or len(hits) < k:
            return dict(list(scores.items())[:depth])
        k *= 2  # the hits crowd in a few documents: look further down


def _fold(hits: Iterable[Hit], without: str | None) -> dict[str, float]:
    """URI → the best score of its chunks in trec_eval's precision; hits come best first, so the first one counts."""
    scores: dict[str, float] = {}
    for hit in hits:
        if hit.uri != without:
            scores.setdefault(hit.uri, float(np.float32(hit.score)))
    return scores


def _time(searches: _Searches, queries: Sequence[str], modes: Sequence[Mode], seed: int) -> Mapping[str, list[float]]:
    """Milliseconds of searches for ten hits, of the same random queries in every mode, taken in turns."""
    count = TIMED_RERANKED if searches.reranking else TIMED_QUERIES
    chosen = np.random.default_rng(seed).permutation(len(queries))[:count].tolist()
    spent: dict[str, list[float]] = {str(mode): [] for mode in modes}
    for place in chosen:
        for mode in modes:
            start = time.perf_counter()
            searches.hits(queries[place], TIMED_HITS, mode, fold=True)  # as people search
            spent[mode].append((time.perf_counter() - start) * 1_000)
    return spent


def _path(path: str | Path | None) -> Path | None:
    return None if path is None else Path(path)
