"""Measures retrieval quality and speed by running every query in every mode."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from rag.evaluation.collections.collection import Collection
from rag.evaluation.metrics import first_relevant, query_metrics, ranking
from rag.evaluation.outcome import Evaluation, Outcome
from rag.reranking.reranker import Reranked, Reranking
from rag.retrieval.hit import Hit, Mode
from rag.searchable import Searchable

MODES = (Mode.HYBRID, Mode.SPARSE, Mode.DENSE)
DEPTH = 100  # documents a ranking is read to
TIMED_HITS = 10  # what a person's search asks for
TIMED_QUERIES = 200
TIMED_RERANKED = 20  # of searches with a reranker, which take seconds


@dataclass(frozen=True, slots=True)
class Step:
    """Progress of an evaluation: `stage` is `index`, `questions` or a mode; `done` counts documents or queries."""

    stage: str
    done: int
    total: int | None


OnProgress = Callable[[Step], None]


@dataclass(frozen=True, slots=True)
class MeasuredSearches:
    """Searches one knowledge base, with or without a reranker, and records what the reranker did."""

    kb: Searchable
    reranking: Reranking | None = None
    reranked: list[Reranked] = field(default_factory=list)

    def hits(self, query: str, k: int, mode: Mode, *, fold: bool = False) -> Sequence[Hit]:
        """Unfolded, since each document is judged by itself."""
        found = self.kb.search(query, k, mode=mode, reranker=self.reranking, fold=fold)
        if found.reranked:
            self.reranked.append(found.reranked)
        return found.hits

    def notices(self) -> Iterator[str]:
        """How far the reranker came: where it did not reach all, another machine gives other numbers."""
        if not self.reranked:
            return
        reached, wanted = (
            np.mean([getattr(each, name) for each in self.reranked]) for name in ("scored", "candidates")
        )
        yield f"reranked by {self.reranked[0].model}: {reached:.1f} of {wanted:.1f} candidates a search"
        failures = [each.failure for each in self.reranked if each.failure]
        if failures:
            yield f"{len(failures)} of {len(self.reranked)} searches ran without the reranker: {failures[0]}"


def measure(
    searches: MeasuredSearches,
    collection: Collection,
    modes: Sequence[Mode],
    depth: int,
    seed: int,
    on_progress: OnProgress | None,
) -> Evaluation:
    """Run every query of `collection` in every mode, and time some of them; see `rag.evaluate` for the arguments."""
    status = searches.kb.status()
    notices = list(collection.notices)
    if collection.unanswerable:
        notices.append(
            f"{len(collection.unanswerable)} questions that nothing answers were left out: no order is right for them"
        )
    if status.tuning:
        notices.append("the knowledge base is tuned, so it looks better than it is on the questions used for tuning")
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
    searches: MeasuredSearches, collection: Collection, mode: Mode, depth: int, on_progress: OnProgress | None
) -> Iterator[tuple[str, Outcome]]:
    # How many hits usually hold `depth` documents, one of which may be left out: more where documents have chunks.
    status = searches.kb.status()
    crowding = 2 * status.chunks / max(1, status.documents) - 1
    hits = math.ceil((depth + 1) * max(1.0, crowding))
    names: dict[str, str] = {}  # a URI is kept once, however many rankings it is in
    for done, (key, text) in enumerate(collection.queries.items(), 1):
        scores = _documents(searches, text, mode, depth, hits, without=key if collection.own_ids else None)
        ranked = [names.setdefault(uri, uri) for uri in ranking(scores)]
        judged = collection.grades[key]
        values = np.array([scores[uri] for uri in ranked], np.float32)
        yield key, Outcome(query_metrics(ranked, judged), first_relevant(ranked, judged), tuple(ranked), values)
        if on_progress is not None:
            on_progress(Step(str(mode), done, len(collection.queries)))


def _documents(
    searches: MeasuredSearches, query: str, mode: Mode, depth: int, k: int, without: str | None
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


def _time(
    searches: MeasuredSearches, queries: Sequence[str], modes: Sequence[Mode], seed: int
) -> Mapping[str, list[float]]:
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
