"""The support judge: does a passage support the claim of a sentence? Features → score → probability → policy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from connectors.sentences import sentence_spans
from indexes.encoding.late import unpack
from indexes.terms.analyzer import UNSPACED, WORD
from rag.judging.calibration import Calibration
from rag.judging.policy import Policy
from rag.text.quantities import Quantities, quantities, restated, without_list_mark
from rag.text.sentence_encoder import SentenceEncoder
from rag.text.words import negations, numbers, stop_stems, terms, words
from rag.verification.claims import Assertion, are_contrary, assertion, counted, numbered_names
from rag.verification.polarity import agree, differ, overstates
from rag.verification.proper_names import PassageNames, known

Floats = NDArray[np.float32]
Scores = NDArray[np.floating]

# Both errors cost the same: an invention passed, a fact marked as invented.
_SUPPORTED = Policy(wrong=1, missed=1)
_COSINE = 0.4  # what the cosine counts beside the alignment of words
_IN_PIECES = 0.5  # what a word counts that the encoder cuts into pieces: they align by spelling more than by sense
# What is left of a score, and its most, where the claim has a number, or a name, that the passage has nowhere: 5% of
# such claims are supported in WiCE and BEGIN for numbers, 8% for names.
_NUMBER_LEFT = 0.8
_NAME_LEFT = 0.9
_INVENTED = 0.92  # of the middle of the calibration: never enough
_DENIED_LEFT = 0.85  # what is left of a window's score that denies what the claim asserts, or the reverse
# How alike a sentence must be to be the claim's contrary: the share of the claim's words it has, and the cosine. A
# "not" takes from the cosine, so less will do where nearly all the words are there.
_CONTRARY_COVERAGE = 0.6
_CONTRARY_COSINE = 0.6
_CONTRARY_SHARE = 0.15  # of the words of the sentence: what a long one denies is mostly something else
_NEARLY_ALL = 0.8
_NEARLY_ALL_COSINE = 0.45
_QUOTED = 0.99  # the probability that a claim is supported which stands there word for word
_FEWEST_QUOTED = 4  # words of it
_UNIT = re.compile(rf"{UNSPACED}|{WORD}")
# Fitted by benchmarks/citations.py on its three sets, each weighing the same.
_BY_TOKENS = Calibration.around(0.585, slope=6.9)
_BY_VECTORS = Calibration.around(0.575, slope=8.4)
_BY_WORDS = Calibration.around(0.555, slope=6.5)


@dataclass(frozen=True, slots=True)
class Support:
    """How far a passage supports a claim; `passage[start:end]` is its best evidence, one sentence or two.

    `contradicts` tells that a sentence of the passage says the contrary in nearly the same words: another number, a
    "not" more or less, an opposite, the roles exchanged. Where it is False the passage may contradict all the same, in
    other words.
    """

    score: float
    probability: float
    start: int
    end: int
    contradicts: bool = False

    @property
    def holds(self) -> bool:
        """The policy: whether the claim counts as supported."""
        return _SUPPORTED.accepts(self.probability)


@dataclass(frozen=True, slots=True)
class _Claim:
    """A claim prepared once for many passages; `weights` are the weights of its word pieces, adding up to 1."""

    asserts: Assertion
    vector: Floats | None
    tokens: Floats | None
    weights: Floats


@dataclass(frozen=True, slots=True)
class _Passage:
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


class SupportJudge:
    """Judges claims against passages, and caches its work on each.

    The score of a window is how well the claim's content words align with the words of the window by their token
    vectors, and the cosine of the two; a claim's score is that of its best window, lowered where a number or a name of
    the claim is nowhere in the passage. Where an encoder has no token vectors, or where there is none, the share of the
    claim's content words that are in the window stands for the alignment. It reads words, not logic: who did what to
    whom it can tell only where a "by" or a "than" says so.

    Example:
        >>> judge = SupportJudge()
        >>> judge.judge("Refunds take 14 days.", "Please wait. A refund takes 14 days.").holds
        True
        >>> judge.judge("Refunds take 30 days.", "Please wait. A refund takes 14 days.").holds
        False
    """

    def __init__(self, encoder: SentenceEncoder | None = None) -> None:
        self._encoder = encoder
        self._claims: dict[str, _Claim] = {}
        self._passages: dict[tuple[str, str], _Passage] = {}
        self._spans: dict[str, list[tuple[int, int]]] = {}
        self._encoded: dict[str, tuple[Floats, Floats | None]] = {}

    def prepare(self, claims: Iterable[str], passages: Iterable[tuple[str, str]]) -> None:
        """Encode many claims, and passages with their contexts, at once: judging them is then quick."""
        sentences = [
            _unwrapped(passage[start:end])
            for passage, _ in dict.fromkeys(passages)
            for start, end in self._sentences(passage)
        ]
        self._encode([*claims, *sentences])

    def judge(self, claim: str, passage: str, context: str = "") -> Support:
        """How far `passage` supports `claim`; `context` (title, headings, table header) may supply words to it.

        What stands in the passage word for word is supported, whatever it looks like: code, say, or a row.
        """
        if (quoted := _verbatim(claim, passage)) is not None:
            return Support(1.0, _QUOTED, *quoted)
        ready, said = self._passage(passage, context), self._claim(restated(without_list_mark(claim), passage))
        if not ready.windows:
            return Support(0.0, 0.0, 0, 0)
        coverage, cosines, aligned = _coverage(said, ready), _cosines(said, ready), _aligned(said, ready)
        calibration, scores = _scores(coverage, cosines, aligned)
        # A sentence that denies a word that the claim asserts, or asserts one that the claim denies, counts for less.
        denying = [differ(said.asserts.polarity, its.polarity) for its in ready.sentences]
        scores = scores * np.where(_with_pairs(np.array(denying, dtype=np.float32)) > 0, _DENIED_LEFT, 1.0)
        best = int(scores.argmax())
        score = _lowered(float(scores[best]), said.asserts, ready, best, calibration)
        if any(overstates(said.asserts.polarity, sentence.polarity) for sentence in ready.within(best)):
            score = min(score, _INVENTED * calibration.middle)
        contrary = _contrary(said.asserts, ready, coverage, cosines)
        if contrary is not None:
            score, best = min(score, _INVENTED * calibration.middle), contrary
        return Support(score, calibration.probability(score), *ready.windows[best], contrary is not None)

    def _claim(self, claim: str) -> _Claim:
        if claim not in self._claims:
            vector, tokens = self._encode([claim])[0] if self._encoder else (None, None)
            weights = np.zeros(0, dtype=np.float32)
            if self._encoder is not None and tokens is not None:
                weights = _weights(claim, self._encoder.spans(claim)[: len(tokens)])
            self._claims[claim] = _Claim(assertion(claim), vector, tokens, weights)
        return self._claims[claim]

    def _passage(self, passage: str, context: str) -> _Passage:
        key = (passage, context)
        if key not in self._passages:
            self._passages[key] = self._prepare(passage, context)
        return self._passages[key]

    def _prepare(self, passage: str, context: str) -> _Passage:
        spans = self._sentences(passage)
        pairs = [(start, end) for (start, _), (_, end) in pairwise(spans)]
        texts = [passage[start:end] for start, end in spans]
        encoded = self._encode(list(map(_unwrapped, texts)))
        tokens = [each for _, each in encoded if each is not None]
        whole = f"{context}\n{passage}"
        counts = [len(each) for each in tokens]
        sentences = [assertion(text) for text in texts]
        return _Passage(
            windows=spans + pairs,
            sentences=sentences,
            vectors=np.stack([vector for vector, _ in encoded]) if encoded else None,
            tokens=np.concatenate(tokens) if tokens and len(tokens) == len(texts) else None,
            starts=np.cumsum([0, *counts[:-1]]),
            around=frozenset(terms(context)) if context else frozenset(),
            known=known(whole),
            folded=whole.casefold(),
            exact=quantities(whole, spelled=True),
            numbers=numbers(whole, spelled=True),
            numbered=numbered_names(whole),
            counted=counted(whole, digits=True),
            denies=bool(negations(whole)) or any(sentence.polarity.excepted for sentence in sentences),
        )

    def _sentences(self, passage: str) -> list[tuple[int, int]]:
        if passage not in self._spans:
            self._spans[passage] = sentence_spans(passage)
        return self._spans[passage]

    def _encode(self, texts: Sequence[str]) -> list[tuple[Floats, Floats | None]]:
        """The vector of each text and those of its word pieces, where the encoder gives any; nothing without one."""
        if self._encoder is None:
            return []
        new = [text for text in dict.fromkeys(texts) if text not in self._encoded]
        if new:
            encoded = self._encoder.encode(new)
            for text, vector, codes in zip(new, encoded.vectors, encoded.tokens, strict=True):
                self._encoded[text] = (vector, unpack(codes) if codes else None)
        return [self._encoded[text] for text in texts]


def _unwrapped(sentence: str) -> str:
    """The sentence as the answer would have it: where it was wrapped tells nothing, and it may be encoded already."""
    return " ".join(sentence.split())


def _verbatim(claim: str, passage: str) -> tuple[int, int] | None:
    """Where `claim` stands in `passage`, but for white space; None for less than a few words, which prove little."""
    pieces = claim.split()
    # Most claims do not stand there, and a pattern takes longer to make than to look for.
    if len(pieces) < _FEWEST_QUOTED or " ".join(pieces) not in " ".join(passage.split()):
        return None
    found = re.search(r"\s+".join(map(re.escape, pieces)), passage)
    return None if found is None else found.span()


def _weights(claim: str, spans: Sequence[tuple[int, int]]) -> Floats:
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


def _coverage(claim: _Claim, passage: _Passage) -> Floats:
    """The share of the claim's content words in each window or in what stands around the passage."""
    wanted = claim.asserts.terms
    singles = [sentence.terms | passage.around for sentence in passage.sentences]
    windows = [*singles, *(one | other for one, other in pairwise(singles))]
    return np.array([len(wanted & found) / max(1, len(wanted)) for found in windows], dtype=np.float32)


def _cosines(claim: _Claim, passage: _Passage) -> Floats | None:
    if claim.vector is None or passage.vectors is None:
        return None
    return _with_pairs(passage.vectors @ claim.vector)


def _aligned(claim: _Claim, passage: _Passage) -> Floats | None:
    """How well the claim's words align with those of each window: the weighted mean of their best cosines."""
    if claim.tokens is None or passage.tokens is None:
        return None
    best = np.maximum.reduceat(passage.tokens @ claim.tokens.T, passage.starts, axis=0)
    best = np.concatenate([best, np.maximum(best[:-1], best[1:])])
    aligned: Floats = best @ claim.weights
    return aligned


def _scores(coverage: Floats, cosines: Floats | None, aligned: Floats | None) -> tuple[Calibration, Scores]:
    """The score of every window, shape [windows]. Sentences come before pairs, so that a tie quotes the shorter."""
    if cosines is None:
        return _BY_WORDS, coverage
    if aligned is None:
        return _BY_VECTORS, (coverage + cosines) / 2
    return _BY_TOKENS, (aligned + _COSINE * cosines) / (1 + _COSINE)


def _with_pairs(values: Floats) -> Floats:
    """Values of sentences, and for each pair of neighbours the greater one."""
    return np.concatenate([values, np.maximum(values[:-1], values[1:])])


def _lowered(score: float, claim: Assertion, passage: _Passage, window: int, calibration: Calibration) -> float:
    """A score less what the claim invents: never enough to be supported."""
    most = _INVENTED * calibration.middle
    if claim.exact.missing_from(passage.exact) or _renumbered(claim, passage):
        score = min(score * _NUMBER_LEFT, most)
    if _names_another(claim, passage, window) or not all(_stands(word, passage.folded) for word in claim.code):
        score = min(score * _NAME_LEFT, most)
    if (
        claim.polarity.turned
        and not passage.denies
        and not any(agree(claim.polarity, s.polarity) for s in passage.sentences)
    ):
        score = min(score, most)
    return score


def _stands(word: str, text: str) -> bool:
    """Whether a word of code stands in the text by itself: `foo` does not in `foo-extra`."""
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text) is not None


def _names_another(claim: Assertion, passage: _Passage, window: int) -> bool:
    """Whether the claim has a name that the passage has nowhere.

    What has an acronym or a number in its name may be called by another, and a plain word may begin the claim: these
    count only where the window has yet another name in nearly the same words.
    """
    missing = [name for name in claim.names if not passage.known.has(name)]
    if not all(name.is_loose for name in missing):
        return True
    if claim.subject is not None and not passage.known.has(claim.subject):
        missing.append(claim.subject)
    if not missing:
        return False
    rest = claim.terms.difference(*(name.stems for name in missing))
    sentences = passage.within(window)
    if len(rest.intersection(frozenset().union(*(one.terms for one in sentences)))) < _CONTRARY_COVERAGE * len(rest):
        return False
    mine = known(claim.text)
    others = [name for one in sentences for name in (*one.names, one.subject) if name and not mine.has(name)]
    return any(name.is_loose or not other.is_code for other in others for name in missing)


def _renumbered(claim: Assertion, passage: _Passage) -> bool:
    """Whether the passage has a name, or a thing counted, with other numbers only: the F-16, and not the F-18."""
    if any(not several & passage.numbered.get(name, several) for name, several in claim.numbered.items()):
        return True
    return any(
        name in passage.counted and not several & (passage.numbers | passage.counted[name])
        for name, several in claim.counted.items()
    )


def _contrary(claim: Assertion, passage: _Passage, coverage: Floats, cosines: Floats | None) -> int | None:
    """The sentence that says the contrary of the claim in nearly the same words, if any."""
    for place in np.argsort(-coverage[: len(passage.sentences)], kind="stable").tolist():
        if coverage[place] < _CONTRARY_COVERAGE:
            return None
        least = _NEARLY_ALL_COSINE if coverage[place] >= _NEARLY_ALL else _CONTRARY_COSINE
        alike = cosines is None or cosines[place] >= least
        terms = passage.sentences[place].terms
        alike &= len(claim.terms & terms) >= _CONTRARY_SHARE * len(terms)
        if alike and _is_contrary(claim, passage.sentences[place], passage):
            return int(place)
    return None


def _is_contrary(claim: Assertion, sentence: Assertion, passage: _Passage) -> bool:
    said = quantities(claim.text, spelled=True)
    other_number = claim.exact.missing_from(passage.exact) and sentence.exact.missing_from(said)
    other_number |= _renumbered(claim, passage) and not claim.counted.keys().isdisjoint(sentence.terms)
    return other_number or are_contrary(claim, sentence)
