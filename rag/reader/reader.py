"""The reader: one small model that reads a question or a claim together with a passage.

It tells whether the passage answers the question, and where, or what the passage is to the claim. Trained by
`scripts/train_reader.py`; `docs/reader.md` has its data, its figures and its limits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexes.encoding.base import Span, encodable
from indexes.encoding.batches import batches, padded
from indexes.encoding.graph import Floats, Inputs, Outputs
from indexes.encoding.wordpiece import WordPieces

RunAll = Callable[[Iterable[list[int]], Callable[[list[int]], Inputs], Callable[[list[int], Outputs], None]], None]
"""Runs batches: asks for the inputs of each (ids, mask and types, [n, t]), and hands on its outputs (judgements [n, 4]
and spans [n, t, 2], as `scripts/reader/network.py` has them)."""

MOST_FIRST = 64  # word pieces of a question or a claim
MOST_PASSAGE = 240  # of a passage: a longer one is read in windows
_STEP = 160  # word pieces from one window to the next
_LONGEST_SPAN = 40  # word pieces
_READ = 65_536  # characters of a text that are looked at
_BATCH_PIECES = 1_024  # word pieces in one batch
_LEAST_LIKELY = 0.01  # of the places that are told


@dataclass(frozen=True, slots=True)
class PassageReading:
    """What a passage is to a question.

    Attributes:
        answers: log-odds that it answers the question.
        span: log-odds of the best span to none.
        start: where that span begins in the passage, in characters.
        end: where it ends.
        begins: where what answers may begin, in characters, each with how likely it does; the likeliest first.
    """

    answers: float
    span: float
    start: int
    end: int
    begins: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class _Window:
    """A stretch of a passage beside a question or a claim: word pieces, and where each of the passage's stands."""

    pair: int
    pieces: list[int]
    second: int
    places: list[Span]


class Reader:
    """Reads pairs of texts. Threads may share one.

    Args:
        tokenizer: cuts texts into word pieces.
        run: the network.
    """

    def __init__(self, tokenizer: WordPieces, run: RunAll) -> None:
        self._tokenizer = tokenizer
        self._run = run
        self._first, self._last = (tokenizer.vocabulary[special] for special in ("[CLS]", "[SEP]"))

    def read(self, question: str, passages: Sequence[str]) -> list[PassageReading]:
        """What each passage is to the question; of a long one its best window counts."""
        found = [PassageReading(-np.inf, -np.inf, 0, 0)] * len(passages)  # every passage has a window
        for window, judged, spans in self._windows([(question, passage) for passage in passages]):
            reading = _reading(window, float(judged[0]), spans)
            found[window.pair] = max(found[window.pair], reading, key=lambda one: one.answers)
        return found

    def support(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float32]:
        """How likely a passage supports a claim, says nothing about it, contradicts it; [n, 3], from (claim, passage).

        Of a long passage the window that supports best counts.
        """
        found = np.zeros((len(pairs), 3), dtype=np.float32)
        found[:, 1] = 1
        for window, judged, _ in self._windows(pairs):
            odds = np.exp(judged[1:] - judged[1:].max())
            shares = odds / odds.sum()
            if shares[0] >= found[window.pair, 0]:
                found[window.pair] = shares
        return found

    def _windows(self, pairs: Sequence[tuple[str, str]]) -> list[tuple[_Window, Floats, Floats]]:
        """Every window of every pair, with its judgements [4] and spans [t, 2]."""
        windows = [window for number, pair in enumerate(pairs) for window in self._cut(number, *pair)]
        found: list[tuple[_Window, Floats, Floats]] = []

        def keep(batch: list[int], outputs: tuple[Floats, Floats]) -> None:
            found.extend(zip([windows[place] for place in batch], *outputs, strict=True))

        lengths = [len(window.pieces) for window in windows]
        self._run(batches(lengths, _BATCH_PIECES), lambda batch: _inputs([windows[place] for place in batch]), keep)
        return found

    def _cut(self, number: int, first: str, passage: str) -> Iterator[_Window]:
        asked = self._tokenizer.ids(encodable(first[:_READ]))[:MOST_FIRST]
        ids, places = self._tokenizer.encode(encodable(passage[:_READ]))
        for start in range(0, max(1, len(ids) - (MOST_PASSAGE - _STEP)), _STEP) if len(ids) > MOST_PASSAGE else (0,):
            stretch = slice(start, start + MOST_PASSAGE)
            pieces = [self._first, *asked, self._last, *ids[stretch], self._last]
            yield _Window(number, pieces, len(asked) + 2, places[stretch])


def _reading(window: _Window, answers: float, spans: Floats) -> PassageReading:
    count = len(window.places)
    if not count:
        return PassageReading(answers, -np.inf, 0, 0)
    own = spans[window.second : window.second + count]
    # [start, end]: no end before its start, and none too far behind.
    scores = own[:, None, 0] + own[None, :, 1]
    allowed = np.triu(np.ones_like(scores, dtype=bool)) & ~np.triu(np.ones_like(scores, dtype=bool), _LONGEST_SPAN)
    scores = np.where(allowed, scores, -np.inf)
    first, last = divmod(int(scores.argmax()), count)
    none = float(spans[0].sum())
    best = max(none, float(scores[first, last]))
    odds = np.exp(scores - best).sum(axis=1)
    shares = odds / (odds.sum() + np.exp(none - best))
    begins = [(window.places[place][0], float(shares[place])) for place in np.argsort(-shares, kind="stable").tolist()]
    return PassageReading(
        answers,
        float(scores[first, last]) - none,
        window.places[first][0],
        window.places[last][1],
        tuple(one for one in begins if one[1] >= _LEAST_LIKELY),
    )


def _inputs(batch: Sequence[_Window]) -> Inputs:
    ids = np.zeros((len(batch), padded(max(len(window.pieces) for window in batch))), dtype=np.int64)
    mask, types = np.zeros_like(ids), np.zeros_like(ids)
    for row, window in enumerate(batch):
        count = len(window.pieces)
        ids[row, :count] = window.pieces
        mask[row, :count] = 1
        types[row, window.second : count] = 1
    return [ids, mask, types]
