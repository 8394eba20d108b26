"""From signals to a probability: a logistic model of relevance, fitted by `scripts/fit_relevance.py`.

A fused score orders the hits of one query; only this probability can be compared with a threshold. It means: of all
passages with these signals for their question, the share that people judged to answer it. It was fitted on English
questions over articles, abstracts and code. The judgements behind it mark answer sentences and are strict, so a passage
on the subject that lacks the answer gets less than a reader might give it. The coefficients are in `relevance.json`,
readable, with the data they were fitted on and their quality on unseen sets. They hold for the default encoder:
another encoder spreads its cosines differently.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from rag.judging.logistic import LogisticModel
from rag.judging.odds import probability
from rag.judging.policy import Policy

MODEL_FILE = Path(__file__).with_name("relevance.json")
DEFAULT_MIN_RELEVANCE = Policy(wrong=1, missed=4).least
"""Below it a hit is no evidence, and an answer abstains rather than rest on it (the trade-off: `docs/decisions.md`)."""

_WITH_LATE = LogisticModel.read(MODEL_FILE, "with_late")
_WITHOUT_LATE = LogisticModel.read(MODEL_FILE, "without_late")
_SHORTEST = 150  # characters: what is shorter is judged as if it were this long, or a good short answer loses


@dataclass(frozen=True, slots=True)
class Features:
    """The inputs of the relevance model; none depends on the other hits of the query.

    Attributes:
        cosine: cosine of query and chunk vectors.
        late: idf-weighted mean of the best token cosines; None without token vectors.
        coverage: share of the query's idf mass that occurs in the chunk.
        length: characters of the chunk as indexed.
    """

    cosine: float
    late: float | None
    coverage: float
    length: int


def relevance(features: Features) -> float:
    """P(relevant), in [0, 1].

    Example:
        >>> strong = relevance(Features(cosine=0.7, late=0.8, coverage=0.9, length=800))
        >>> weak = relevance(Features(cosine=0.1, late=0.5, coverage=0.0, length=800))
        >>> strong > 0.7 > 0.1 > weak
        True
    """
    return probability(sum(log_odds(features).values()))


def log_odds(features: Features) -> dict[str, float]:
    """What each input adds to the log-odds of relevance; the sum gives the probability."""
    return (_WITHOUT_LATE if features.late is None else _WITH_LATE).contributions(inputs(features))


def inputs(features: Features) -> dict[str, float]:
    """The model's inputs by name.

    A long passage is about more than the question, which dilutes its vector: the same cosine means more of it. Fitted
    freely on cosine, log(length) and their product, the model used the product alone.
    """
    found = {
        "cosine*log(length)": features.cosine * math.log(max(_SHORTEST, features.length)),
        "coverage": features.coverage,
    }
    return found if features.late is None else {**found, "late": features.late}
