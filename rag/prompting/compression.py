"""Extractive compression: picks the whole sentences of passages that say most about a question, within a token budget.

Sentences of all passages compete for one budget. The worth of a sentence is the sum of its late interaction with the
question (its word pieces are encoded within their passage, so that "it" is near to what it means), its BM25, a share of
its neighbours' worth and of its passage's relevance, less a little for its length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from connectors.sentences import sentence_spans
from indexes.encoding.late import TOKEN_BYTES, maxsim
from rag.query.query import Query
from rag.text.bm25 import bm25
from rag.text.near_duplicates import Fingerprint
from rag.text.sentence_encoder import QueryVector, SentenceEncoder
from rag.text.words import leans_back, stop_stems, words

Floats = NDArray[np.float64]
Spans = tuple[tuple[int, int], ...]

# Found by benchmarks/compression.py. The optimum is flat: halving or doubling any one moves recall by a point or two.
_OF_RELEVANCE = 1.5
_OF_NEIGHBOUR = 0.3
_OF_LENGTH = 0.2
_MOST_SENTENCES = 400  # that compete: no two of them are to say the same, which takes comparing them all


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage to choose from. If `by_line` (code or a row), it is cut between lines, otherwise between sentences."""

    text: str
    relevance: float = 1.0
    by_line: bool = False

    @property
    def gap(self) -> str:
        """What stands for what is left out between two pieces."""
        return "\n[…]\n" if self.by_line else " […] "

    def spans(self) -> list[tuple[int, int]]:
        """Its sentences or lines, as characters."""
        return list(_lines(self.text)) if self.by_line else sentence_spans(self.text)

    def extract(self, kept: Spans) -> str:
        """What is kept of it, as one text."""
        return self.gap.join(self.text[start:end] for start, end in kept)


class Compressor:
    """Compresses the same passages for the same question into any number of tokens.

    A sentence that leans on the one before it ("It also …") brings that along where there is room for both. One that
    says nothing beyond those chosen is passed over.

    Args:
        question: what the sentences are to answer.
        passages: the most relevant first.
        count: the tokens of a text.
        encoder: without one, sentences are compared with the question by their words alone.
    """

    def __init__(
        self,
        question: str,
        passages: Sequence[Passage],
        count: Callable[[str], int],
        encoder: SentenceEncoder | None = None,
    ) -> None:
        self._passages = passages
        self._count = count
        self._sentences = [
            _Sentence(place, start, end, passage.text[start:end])
            for place, passage in enumerate(passages)
            for start, end in passage.spans()
        ]
        scores = sentence_worth(question, passages, [(s.passage, s.start, s.end) for s in self._sentences], encoder)
        scores -= _OF_LENGTH * np.log([1 + count(sentence.text) for sentence in self._sentences])
        self._best: list[int] = np.argsort(-scores, kind="stable")[:_MOST_SENTENCES].tolist()

    def within(self, room: int, overhead: Callable[[int], int] = lambda _: 0) -> list[Spans]:
        """For each passage the characters to keep, so that all takes about `room` tokens; nothing of some.

        `overhead` tells what the passage at a place takes before its first word.
        """
        chosen = _Choice(self._sentences, self._passages, room, self._count, overhead)
        for place in self._best:
            chosen.add(place)
        kept: list[list[_Sentence]] = [[] for _ in self._passages]
        for place in chosen.sorted():
            kept[self._sentences[place].passage].append(self._sentences[place])
        return [_joined(passage.text, of) for passage, of in zip(self._passages, kept, strict=True)]


@dataclass(frozen=True, slots=True)
class _Sentence:
    passage: int
    start: int
    end: int
    text: str


class _Choice:
    """The sentences chosen so far, and the room left."""

    def __init__(
        self,
        sentences: Sequence[_Sentence],
        passages: Sequence[Passage],
        room: int,
        count: Callable[[str], int],
        overhead: Callable[[int], int],
    ) -> None:
        self._sentences = sentences
        self._room = room
        self._count = count
        self._overhead = overhead
        self._gaps = [count(passage.gap) for passage in passages]
        self._chosen: set[int] = set()
        self._opened: set[int] = set()
        self._seen: list[Fingerprint] = []

    def sorted(self) -> list[int]:
        return sorted(self._chosen)

    def add(self, place: int) -> None:
        """Add a sentence with what it leans on, or alone, or not at all."""
        if place in self._chosen:
            return
        fingerprint = Fingerprint(self._sentences[place].text)
        if any(fingerprint.adds_nothing_to(other) for other in self._seen):
            return
        before = self._antecedent(place)
        for wanted in ([before, place], [place]) if before is not None else ([place],):
            cost = self._cost(wanted)
            if cost <= self._room:
                self._room -= cost
                self._chosen.update(wanted)
                self._opened.add(self._sentences[place].passage)
                self._seen += [Fingerprint(self._sentences[one].text) for one in wanted]
                return

    def _antecedent(self, place: int) -> int | None:
        before = place - 1
        if before < 0 or before in self._chosen or not leans_back(self._sentences[place].text):
            return None
        return before if self._sentences[before].passage == self._sentences[place].passage else None

    def _cost(self, wanted: Sequence[int]) -> int:
        """What it takes to add sentences that stand next to each other in one passage."""
        passage = self._sentences[wanted[0]].passage
        words = sum(self._count(self._sentences[place].text) for place in wanted)
        if passage not in self._opened:
            return words + self._overhead(passage)
        # A gap more where they stand alone, one less where they close one.
        around = self._chosen & {wanted[0] - 1, wanted[-1] + 1}
        beside = sum(self._sentences[place].passage == passage for place in around)
        return words + self._gaps[passage] * (1 - beside)


def sentence_worth(
    question: str,
    passages: Sequence[Passage],
    sentences: Sequence[tuple[int, int, int]],
    encoder: SentenceEncoder | None = None,
) -> Floats:
    """What each of `sentences` (passage, start, end) is worth for `question` but for its length, shape [sentences]."""
    texts = [passages[place].text[start:end] for place, start, end in sentences]
    own = bm25(Query.of(question).terms, texts)
    own /= max(float(own.max(initial=0.0)), 1e-9)
    if encoder is not None and texts:
        own += _likeness(question, passages, sentences, texts, encoder)
    relevance = np.array([passages[place].relevance for place, _, _ in sentences], dtype=np.float64)
    return own + _OF_NEIGHBOUR * _neighbour(own, [place for place, _, _ in sentences]) + _OF_RELEVANCE * relevance


def _neighbour(own: Floats, of: Sequence[int]) -> Floats:
    """For each sentence the greater worth of the two beside it: an answer often takes more than one."""
    same = np.diff(np.asarray(of, dtype=np.int64)) == 0
    best = np.zeros_like(own)
    best[1:] = np.where(same, own[:-1], 0.0)
    best[:-1] = np.maximum(best[:-1], np.where(same, own[1:], 0.0))
    return best


def _likeness(
    question: str,
    passages: Sequence[Passage],
    sentences: Sequence[tuple[int, int, int]],
    texts: Sequence[str],
    encoder: SentenceEncoder,
) -> Floats:
    """Late interaction of each sentence with the question; with an encoder without token vectors, the cosine."""
    query = encoder.encode_query(question)
    if not len(query.tokens):
        return np.asarray(encoder.encode(texts).vectors @ query.vector, dtype=np.float64)
    encoded = encoder.encode([passage.text for passage in passages]).tokens
    pieces = [np.array(encoder.spans(passage.text), dtype=np.int64).reshape(-1, 2) for passage in passages]
    codes = []
    for place, start, end in sentences:
        spans = pieces[place]
        first = int(np.searchsorted(spans[:, 0], start))
        last = int(np.searchsorted(spans[:, 0], end))
        codes.append(encoded[place][first * TOKEN_BYTES : last * TOKEN_BYTES])
    return maxsim(query.tokens, _weights(question, query, texts), codes).astype(np.float64)


def _weights(question: str, query: QueryVector, texts: Sequence[str]) -> NDArray[np.float32]:
    """What each word piece of the question counts for: the idf of its word among the sentences, none for stop words."""
    known = [frozenset(words(text)) for text in texts]
    weights = []
    for start, end in query.spans:
        stems = frozenset(words(question[start:end])) - stop_stems()
        frequency = sum(not stems.isdisjoint(of) for of in known)
        weights.append(np.log1p(len(texts) / (1 + frequency)) if stems else 0.0)
    if not any(weights):
        return np.ones(len(weights), dtype=np.float32)
    return np.array(weights, dtype=np.float32)


def shorten(
    text: str, question: str, room: int, count: Callable[[str], int], encoder: SentenceEncoder | None = None
) -> str:
    """The whole sentences of `text` that say most about `question`, in their order, in about `room` tokens.

    Example:
        >>> text = "It was founded in 1901. The warranty lasts two years. Its founder was a baker."
        >>> shorten(text, "How long is the warranty?", 8, lambda text: len(text.split()))
        'The warranty lasts two years.'
    """
    passage = Passage(text)
    (kept,) = Compressor(question, [passage], count, encoder).within(room)
    return passage.extract(kept)


def _joined(text: str, sentences: Sequence[_Sentence]) -> Spans:
    """The characters of the sentences; those of neighbours are one stretch, with what stands between them."""
    spans: list[tuple[int, int]] = []
    for sentence in sentences:
        if spans and not text[spans[-1][1] : sentence.start].strip():
            spans[-1] = (spans[-1][0], sentence.end)
        else:
            spans.append((sentence.start, sentence.end))
    return tuple(spans)


def _lines(text: str) -> Iterator[tuple[int, int]]:
    """The lines of `text` that say something, without their ends."""
    start = 0
    for line in text.splitlines(keepends=True):
        if line.strip():
            yield start, start + len(line.rstrip())
        start += len(line)
