"""Heavier rerankers: their protocol, their time budget, and the handling of failures.

A reranker reads the question and a passage with a model made for that. Such a model is too slow to read everything
indexed, so it judges only the best candidates of the ranking (`rag.retrieval.retriever`), in batches, until its time is
up. `rag.reranking.models` loads the ones that sentence-transformers runs.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from connectors.errors import ConfigurationError, PilotfishError

BATCH = 8  # passages at once: a budget can end only between batches, and larger ones gain nothing on a CPU
_HINT = "search without it, or allow that with --fallback"


class RerankerError(PilotfishError):
    """A reranker failed while judging, or returned something that is not a score."""


class Reranker(Protocol):
    """Judges passages with its own model. Threads may share one."""

    @property
    def name(self) -> str:
        """What a person calls it."""
        ...

    def score(self, query: str, passages: Sequence[str]) -> Sequence[float]:
        """How well each passage answers the query, in its order: more is better, on a scale of the model's own."""
        ...


@dataclass(frozen=True, slots=True)
class Reranking:
    """A reranker and its limits.

    Attributes:
        model: a folder or name of a model, `cross-encoder:` or `multi-vector:` before it where its configuration does
            not tell; or any object that is a `Reranker`.
        depth: how many of the best candidates it judges.
        seconds: how long it may take for one query; the first batch is always judged. Loading does not count.
        fallback: keep the ranking as it was when the reranker cannot be loaded or fails, instead of failing.
    """

    model: str | Reranker
    depth: int = 20
    seconds: float = 5.0
    fallback: bool = False

    def __post_init__(self) -> None:
        """Refuse a budget in which nothing can be judged.

        Raises:
            ConfigurationError: `depth` is below 1, or `seconds` is not above 0.
        """
        if self.depth < 1:
            raise ConfigurationError(
                f"a rerank depth of {self.depth} leaves nothing to judge", hint="choose at least 1, or no reranker"
            )
        if not self.seconds > 0:
            raise ConfigurationError(
                f"a reranker cannot judge anything in {self.seconds} seconds", hint="choose more than 0, or no reranker"
            )


@dataclass(frozen=True, slots=True)
class Reranked:
    """What a reranker did for one search.

    Attributes:
        model: which one.
        candidates: how many it was to judge.
        scored: how many it judged in its time.
        failure: why it judged none, where it could not be loaded or failed; empty otherwise.
    """

    model: str
    candidates: int
    scored: int
    failure: str = ""


class TimedReranker:
    """A loaded reranker with its time budget, or the reason why it could not be loaded."""

    def __init__(self, options: Reranking, reranker: Reranker | None, failure: str = "") -> None:
        self.depth = options.depth
        self._name = reranker.name if reranker else str(options.model)
        self._options = options
        self.reranker = reranker
        self._failure = failure

    def judge(self, query: str, passages: Sequence[str]) -> tuple[list[float], Reranked]:
        """The scores of the first passages, as many as there is time for, and what is to be told about it.

        Raises:
            RerankerError: the reranker failed, and no fallback was asked for.
        """
        scores: list[float] = []
        failure = self._failure
        if self.reranker is not None:
            try:
                scores = _within(self._options.seconds, self.reranker, query, passages)
            except RerankerError as error:
                if not self._options.fallback:
                    raise
                failure = str(error)
        return scores, Reranked(self._name, len(passages), len(scores), failure)


class Rerankers:
    """The rerankers of a knowledge base, each loaded once, on first use."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loaded: dict[str, Reranker] = {}

    def judge(self, options: Reranking) -> TimedReranker:
        """The judge that `options` describe.

        Raises:
            ConfigurationError: it cannot be loaded, and no fallback was asked for.
        """
        try:
            return TimedReranker(options, self._reranker(options.model))
        except ConfigurationError as error:
            if not options.fallback:
                raise
            return TimedReranker(options, None, str(error))

    def _reranker(self, model: str | Reranker) -> Reranker:
        if not isinstance(model, str):
            return model
        from rag.reranking.models import load_reranker

        with self._lock:  # also while it is loaded: a second thread waits for the model instead of loading another
            if model not in self._loaded:
                self._loaded[model] = load_reranker(model)
            return self._loaded[model]


def _within(seconds: float, reranker: Reranker, query: str, passages: Sequence[str]) -> list[float]:
    """The scores of the first passages: of one batch, and of every further one that can be expected to end in time."""
    start = time.perf_counter()
    scores: list[float] = []
    longest = 0.0
    while len(scores) < len(passages):
        began = time.perf_counter()
        if scores and began - start + longest > seconds:
            break
        scores += _checked(reranker, query, passages[len(scores) : len(scores) + BATCH])
        longest = max(longest, time.perf_counter() - began)
    return scores


def _checked(reranker: Reranker, query: str, passages: Sequence[str]) -> list[float]:
    try:
        scores = [float(score) for score in reranker.score(query, passages)]
    except Exception as error:  # whatever a model raises: out of memory, a shape, a server that has gone
        reason = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
        raise RerankerError(f"the reranker {reranker.name} failed: {reason}", hint=_HINT) from error
    if len(scores) != len(passages) or not all(map(math.isfinite, scores)):
        what = f"{len(scores)} scores for {len(passages)} passages" if len(scores) != len(passages) else "no number"
        raise RerankerError(f"the reranker {reranker.name} failed: it gave {what}", hint=_HINT)
    return scores
