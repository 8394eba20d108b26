"""The support judge: does a passage say what a sentence claims? Features → score → probability → policy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from connectors.sentences import sentence_spans
from rag.sentence_encoder import SentenceEncoder
from rag.words import negations, numbers, terms

# Supported means at least as likely as not. Both errors cost the same: an invention passed, a fact marked as invented.
_ENOUGH = 0.5
# What is left of the score when the claim has a number, or a "not", and the passage has none such anywhere: 4% of such
# claims in WiCE and BEGIN are supported for numbers, 1% for denials.
_INVENTED = 0.5


@dataclass(frozen=True, slots=True)
class _Calibration:
    """Score → probability, 1 / (1 + exp(-slope * (score - middle)))."""

    slope: float
    middle: float

    def probability(self, score: float) -> float:
        return 1.0 / (1.0 + math.exp(-self.slope * (score - self.middle)))


# Fitted by benchmarks/citations.py on WiCE and BEGIN, each weighing the same.
_WITH_ENCODER = _Calibration(slope=8.4, middle=0.575)
_BY_WORDS = _Calibration(slope=6.5, middle=0.555)


@dataclass(frozen=True, slots=True)
class Support:
    """How far a passage supports a claim; `passage[start:end]` is its best evidence, one sentence or two."""

    score: float
    probability: float
    start: int
    end: int

    @property
    def holds(self) -> bool:
        """The policy: whether the claim counts as supported."""
        return self.probability >= _ENOUGH


@dataclass(frozen=True, slots=True)
class _Passage:
    """A passage made ready once for many claims. `windows` are its sentences and its pairs of neighbours."""

    windows: list[tuple[int, int]]
    terms: list[frozenset[str]]
    vectors: NDArray[np.float32] | None
    numbers: frozenset[str]
    denies: bool


class SupportJudge:
    """Judges claims against passages; keeps what it has worked out of each passage.

    The score of a window is the share of the claim's content words in it, averaged with the cosine of the two when
    there is an encoder; a claim's score is that of its best window, halved when the passage lacks one of its numbers
    or denies nothing where the claim does. It reads words, not logic: who did what to whom it cannot tell.

    Example:
        >>> judge = SupportJudge()
        >>> judge.judge("Refunds take 14 days.", "Please wait. A refund takes 14 days.").holds
        True
        >>> judge.judge("Refunds take 30 days.", "Please wait. A refund takes 14 days.").holds
        False
    """

    def __init__(self, encoder: SentenceEncoder | None = None) -> None:
        self._encoder = encoder
        self._calibration = _WITH_ENCODER if encoder else _BY_WORDS
        self._passages: dict[tuple[str, str], _Passage] = {}

    def judge(self, claim: str, passage: str, context: str = "") -> Support:
        """How far `passage` supports `claim`; `context` (title, headings, table header) may supply words to it."""
        ready = self._ready(passage, context)
        scores = self._scores(claim, ready)
        if not scores.size:
            return Support(0.0, 0.0, 0, 0)
        best = int(scores.argmax())
        score = float(scores[best])
        if numbers(claim) - ready.numbers or (negations(claim) and not ready.denies):
            score *= _INVENTED
        return Support(score, self._calibration.probability(score), *ready.windows[best])

    def _scores(self, claim: str, passage: _Passage) -> NDArray[np.float64]:
        """The score of every window, shape [windows]. Sentences come before pairs, so that a tie quotes the shorter."""
        wanted = set(terms(claim))
        coverage = np.array([len(wanted & found) / max(1, len(wanted)) for found in passage.terms])
        if self._encoder is None or passage.vectors is None or not coverage.size:
            return coverage
        (vector,) = self._encoder.encode([claim]).vectors
        cosines: NDArray[np.float32] = passage.vectors @ vector
        return (coverage + cosines) / 2

    def _ready(self, passage: str, context: str) -> _Passage:
        key = (passage, context)
        if key not in self._passages:
            self._passages[key] = self._prepare(passage, context)
        return self._passages[key]

    def _prepare(self, passage: str, context: str) -> _Passage:
        spans = sentence_spans(passage)
        pairs = [(start, end) for (start, _), (_, end) in pairwise(spans)]
        windows = spans + pairs
        around = set(terms(context)) if context else set()
        found = [frozenset(around.union(terms(passage[start:end]))) for start, end in windows]
        vectors = self._vectors([passage[start:end] for start, end in spans])
        whole = f"{context}\n{passage}"
        return _Passage(windows, found, vectors, numbers(whole, spelled=True), bool(negations(whole)))

    def _vectors(self, sentences: list[str]) -> NDArray[np.float32] | None:
        """The vectors of all windows; a pair's is the mean of its two, which saves encoding everything twice."""
        if self._encoder is None or not sentences:
            return None
        single = self._encoder.encode(sentences).vectors
        pairs = single[:-1] + single[1:]
        pairs /= np.maximum(np.linalg.norm(pairs, axis=1, keepdims=True), 1e-9)
        return np.concatenate([single, pairs])
