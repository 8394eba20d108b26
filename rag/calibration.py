"""From signals to a probability: a logistic model of relevance, fitted by `scripts/fit_relevance.py`.

The coefficients are in `relevance.json`, readable, one number a feature. A fused score orders the hits of one query;
only this probability may be compared with a threshold.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

MODEL_FILE = Path(__file__).with_name("relevance.json")
DEFAULT_MIN_RELEVANCE = 0.3  # below it a hit is no evidence: an answer abstains rather than rest on it


@dataclass(frozen=True, slots=True)
class Features:
    """What the judgement rests on; none depends on the other hits of the query.

    Attributes:
        cosine: cosine of query and chunk vectors.
        late: idf-weighted mean of the best token cosines; None without token vectors.
        coverage: share of the query's idf mass that occurs in the chunk.
        bm25: BM25 score as a share of what a chunk saturated with every query term would get.
    """

    cosine: float
    late: float | None
    coverage: float
    bm25: float


def relevance(features: Features) -> float:
    """P(relevant), in [0, 1].

    Example:
        >>> strong = relevance(Features(cosine=0.8, late=0.8, coverage=1.0, bm25=0.6))
        >>> weak = relevance(Features(cosine=0.05, late=0.3, coverage=0.0, bm25=0.0))
        >>> strong > 0.5 > 0.1 > weak
        True
    """
    weights = _model()["with_late" if features.late is not None else "without_late"]
    score = weights["intercept"] + sum(weights[name] * value for name, value in named(features).items())
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, score))))


def named(features: Features) -> dict[str, float]:
    """The model's inputs by name: the features, and one product that tells agreement from coincidence."""
    inputs = {
        "cosine": features.cosine,
        "coverage": features.coverage,
        "bm25": features.bm25,
        "cosine*coverage": features.cosine * features.coverage,
    }
    return inputs if features.late is None else {**inputs, "late": features.late}


@cache
def _model() -> Mapping[str, Mapping[str, float]]:
    model: Mapping[str, Mapping[str, float]] = json.loads(MODEL_FILE.read_text())["coefficients"]
    return model
