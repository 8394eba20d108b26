"""Which sentences answer: what the reader says of each, and how near it is to the question."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.judging.logistic import LogisticModel
from rag.judging.odds import log_odds_of
from rag.llm.quoting.quotes import Quote
from rag.retrieval.hit import HitReading
from rag.text.words import terms

MODEL_FILE = Path(__file__).with_name("quoting.json")
ENOUGH = 0.6
"""What the chances of the sentences of an answer should add up to."""
ENOUGH_OPEN = 0.8
"""The same, where no phrase answers."""
MOST_SENTENCES = 4
_LEAST_CHANCE = 0.1
_LEAST_SHARE = 0.003  # of the places where the answer may begin: the logarithm needs some
_NAMED = 0.5  # of what a row is about
_WORDY = 5  # content words, beyond which more say nothing


def shares_of(found: Sequence[Quote], reading: HitReading) -> list[float]:
    """How likely what answers begins in each quote of the passage of `reading`; [quotes].

    What is read in a heading, or where a list is announced, stands behind it.
    """
    shares = [0.0] * len(found)
    for begin, chance in reading.begins:
        place = next((place for place, quote in enumerate(found) if begin < quote.end), None)
        while place is not None and found[place].is_heading and place + 1 < len(found):
            place += 1
        if place is not None:
            shares[place] += chance
    return shares


def features(quote: Quote, share: float, own: float, reading: HitReading) -> dict[str, float]:
    """What tells whether a quote answers.

    That its passage does, that what answers begins in it, how near it is to the question, and whether it says much.
    """
    return {
        "answers": log_odds_of(reading.answers),
        "begins": math.log(max(share, _LEAST_SHARE) / _LEAST_SHARE),
        "own": own,
        "wordy": min(len(terms(quote.text)), _WORDY) / _WORDY,
    }


def chances(
    found: Sequence[Quote], reading: HitReading, own: NDArray[np.float64], others: Collection[int] = ()
) -> list[float]:
    """How likely each quote of a passage answers, [quotes]; a heading never does, nor do `others`, which are places."""
    model = LogisticModel.read(MODEL_FILE)
    shares = shares_of(found, reading)
    return [
        0.0 if quote.is_heading or place in others else model.probability(features(quote, share, near, reading))
        for place, (quote, share, near) in enumerate(zip(found, shares, map(float, own), strict=True))
    ]


def of_other_rows(found: Sequence[Quote], question: str) -> frozenset[int]:
    """The places of the rows of tables that are about something else, where the question says what another is about.

    A row is about its first cell; the question says it where it has half of its words, and more than of any other.
    """
    asked = frozenset(terms(question))
    shares = {
        place: len(asked & about) / len(about)
        for place, quote in enumerate(found)
        if quote.row is not None and (about := frozenset(terms(quote.row)))
    }
    most = max(shares.values(), default=0.0)
    return frozenset(place for place, share in shares.items() if share < most) if most >= _NAMED else frozenset()


def enough(found: Sequence[float], share: float = ENOUGH) -> list[int]:
    """The places of the likeliest, until they add up to `share`; one at least, and few that are unlikely."""
    chosen: list[int] = []
    for place in sorted(range(len(found)), key=lambda place: -found[place]):
        likely = found[place] >= _LEAST_CHANCE
        if chosen and (not likely or len(chosen) == MOST_SENTENCES or sum(found[one] for one in chosen) >= share):
            break
        chosen.append(place)
    return chosen


def any_of(found: Iterable[float]) -> float:
    """How likely one of several quotes answers."""
    return 1 - math.prod(1 - chance for chance in found)
