"""How the words of a claim align with the sentences of a passage, alone and in pairs of neighbours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from indexes.terms.analyzer import UNSPACED, WORD
from indexes.terms.quantities import Quantities
from rag.text.words import stop_stems, words
from rag.verification.claims import Assertion
from rag.verification.proper_names import PassageNames

Floats = NDArray[np.float32]

_COSINE = 0.4  # what the cosine counts beside the alignment of words
_IN_PIECES = 0.5  # what a word counts that the encoder cuts into pieces: they align by spelling more than by sense
_UNIT = re.compile(rf"{UNSPACED}|{WORD}")


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim prepared once for many passages.

    `spans` are the characters of its word pieces, and `weights` what each counts for, adding up to 1.
    """

    asserts: Assertion
    vector: Floats | None
    tokens: Floats | None
    spans: Sequence[tuple[int, int]]
    weights: Floats


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage prepared once for many claims. `windows` are its sentences and its pairs of neighbours."""

    windows: list[tuple[int, int]]
    sentences: list[Assertion]
    vectors: Floats | None
    tokens: Floats | None
    starts: NDArray[np.int64]
    around: frozenset[str]
    known: PassageNames
    folded: str
    exact: Quantities
    numbers: frozenset[str]
    numbered: dict[str, frozenset[str]]
    counted: dict[str, frozenset[str]]
    denies: bool

    def within(self, window: int) -> list[Assertion]:
        """The sentences of a window."""
        first = window % len(self.sentences)
        return self.sentences[first : first + 1 + (window >= len(self.sentences))]

    def around_window(self, window: int) -> tuple[int, int]:
        """Where a window stands with the sentence before it and the one behind it."""
        count = len(self.sentences)
        first = window % count
        last = first + (window >= count)
        return self.windows[max(0, first - 1)][0], self.windows[min(count - 1, last + 1)][1]


def alignment(claim: Claim, passage: Passage) -> tuple[str, NDArray[np.floating]]:
    """How well the claim aligns with every window, and by what: `tokens`, `vectors` or `words`.

    By its word pieces' best cosines and the cosine of the two texts, where the encoder has vectors of word pieces; else
    by the share of the claim's content words that are there. Sentences come before pairs: a tie quotes the shorter.
    """
    coverage = covered(claim, passage)
    if claim.vector is None or passage.vectors is None:
        return "words", coverage
    alike = with_pairs(passage.vectors @ claim.vector)
    if claim.tokens is None or passage.tokens is None:
        return "vectors", (coverage + alike) / 2
    best = np.maximum.reduceat(passage.tokens @ claim.tokens.T, passage.starts, axis=0)
    best = np.concatenate([best, np.maximum(best[:-1], best[1:])])
    # Not by `@`: of a few numbers, its kernel for some processors tells of invalid values where there are none.
    weighed = (best * claim.weights).sum(axis=1)
    return "tokens", (weighed + _COSINE * alike) / (1 + _COSINE)


def covered(claim: Claim, passage: Passage) -> Floats:
    """The share of the claim's content words in each window or in what stands around the passage."""
    wanted = claim.asserts.terms
    singles = [sentence.terms | passage.around for sentence in passage.sentences]
    windows = [*singles, *(one | other for one, other in pairwise(singles))]
    return np.array([len(wanted & found) / max(1, len(wanted)) for found in windows], dtype=np.float32)


def with_pairs(values: Floats) -> Floats:
    """Values of sentences, and for each pair of neighbours the greater one."""
    return np.concatenate([values, np.maximum(values[:-1], values[1:])])


def piece_weights(claim: str, spans: Sequence[tuple[int, int]]) -> Floats:
    """What each word piece of a claim counts for: one for each content word, half for one in pieces; in all 1."""
    units = [(match.start(), match.end()) for match in _UNIT.finditer(claim)]
    contents = [not stop_stems().issuperset(words(claim[start:end])) for start, end in units]
    found = np.zeros(len(spans), dtype=np.float32)
    for wanted in (contents, [True] * len(units)):  # every word counts where there are only stop words
        _fill(found, spans, [unit for unit, counts in zip(units, wanted, strict=True) if counts])
        if total := found.sum():
            weighted: Floats = found / total
            return weighted
    return np.full(len(spans), 1 / max(1, len(spans)), dtype=np.float32)


def _fill(weights: Floats, spans: Sequence[tuple[int, int]], units: Sequence[tuple[int, int]]) -> None:
    place = 0
    for start, end in units:
        while place < len(spans) and spans[place][1] <= start:
            place += 1
        last = place
        while last < len(spans) and spans[last][0] < end:
            last += 1
        pieces = last - place
        weights[place:last] = 1.0 if pieces == 1 else _IN_PIECES / max(1, pieces)
        place = last
