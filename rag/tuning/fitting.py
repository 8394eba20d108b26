"""The fits of `rag tune`: ranking weights, a line through the log-odds of relevance, and a threshold.

There are four weights, two coefficients and one threshold. Each is held near its default: a few dozen questions can
move it only as far as many of them agree. Held-out questions, not this module, decide whether a fit is any good.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rag.evaluation.metrics import Judgements, ndcg
from rag.judging.calibration import Calibration
from rag.judging.fitting import fit_logistic, sigmoid
from rag.retrieval.ranking import RankedCandidates, Ranking

Floats = npt.NDArray[np.float64]

DEPTH = 10  # documents whose order counts
_FACTORS = tuple(
    2.0 ** (step / 2) for step in range(-8, 9)
)  # tried of every default weight: a sixteenth to sixteenfold
_SWEEPS = 4
_WEIGHT_PRIOR = 0.3  # nDCG, summed over the questions, that changing a weight e-fold has to bring

_SLOPE_SPREAD, _INTERCEPT_SPREAD = 0.5, 1.0  # standard deviations of what is expected before any question was asked
_STEEPEST = 4.0

_THRESHOLD_PRICE = 0.02  # share of the questions that moving it by one has to bring


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the grades of its judged documents (None if nothing answers it), and the result of its search."""

    text: str
    grades: Judgements | None
    candidates: RankedCandidates

    def documents(self, ranking: Ranking) -> list[str]:
        """The first ten documents, each where its best passage is."""
        found: dict[str, None] = {}
        for row in self.candidates.order(ranking).tolist():
            found.setdefault(self.candidates.uris[row])
            if len(found) == DEPTH:
                break
        return list(found)

    def hits(self, ranking: Ranking, count: int) -> list[tuple[str, float]]:
        """Document and log-odds of relevance of the first passages."""
        rows = self.candidates.order(ranking)[:count].tolist()
        return [(self.candidates.uris[row], float(self.candidates.odds[row])) for row in rows]

    def quality(self, ranking: Ranking) -> float:
        """nDCG@10."""
        return ndcg(self.documents(ranking), self.grades or {}, DEPTH)


@dataclass(frozen=True, slots=True)
class Judged:
    """The first passages of one question.

    Attributes:
        odds: log-odds of relevance, before any tuning, [passages].
        labels: 1 relevant, 0 not, NaN where nobody judged, [passages].
    """

    odds: Floats
    labels: Floats

    def chances(self, calibration: Calibration) -> Floats:
        """Probabilities of relevance, [passages]."""
        return sigmoid(calibration.slope * self.odds + calibration.intercept)

    def assumed(self, now: Calibration, share: float) -> Floats:
        """The labels; what nobody judged is relevant `share` times as often as the calibration `now` says."""
        return np.where(np.isnan(self.labels), share * self.chances(now), self.labels)


def fit_weights(
    questions: Sequence[Asked], default: Ranking, tell: Callable[[int, int], None] | None = None
) -> Ranking:
    """The weights that put the expected documents first, as far as that pays for leaving the defaults.

    Coordinate search: of one weight after another every step is tried, until none is better. What is made as large as
    possible is the sum of nDCG@10 over the questions, less the squared logarithms of the factors.

    Args:
        questions: with expected documents.
        default: what to start from.
        tell: hears how many steps of how many are done.
    """
    factors = dict.fromkeys(default.weights, 1.0)
    best = _worth(questions, default, factors)
    for sweep in range(_SWEEPS):
        before = best
        for place, name in enumerate(factors):
            if tell is not None:
                tell(sweep * len(factors) + place, _SWEEPS * len(factors))
            for factor in _FACTORS:
                tried = factors | {name: factor}
                worth = _worth(questions, default, tried)
                if worth > best + 1e-9:
                    factors, best = tried, worth
        if best == before:
            break
    return _scaled(default, factors)


def fit_calibration(questions: Sequence[Judged], now: Calibration, nonsense: float, ceiling: float) -> Calibration:
    """The line through the log-odds under which the labels are likeliest, as far as it pays for leaving none.

    What nobody judged is taken as half as often relevant as it is said to be now: midway between never, which would
    call a good hit wrong because the file names another source, and as often as now.

    Args:
        questions: their first passages.
        now: the calibration in use.
        nonsense: the highest log-odds that anything gets for a question without sense.
        ceiling: the log-odds that this must not come above.
    """
    odds = np.concatenate([question.odds for question in questions])
    labels = np.concatenate([question.assumed(now, 0.5) for question in questions])
    prior, precision = np.array([1.0, 0.0]), np.array([_SLOPE_SPREAD, _INTERCEPT_SPREAD]) ** -2.0
    slope, intercept = fit_logistic(np.column_stack([odds, np.ones(len(odds))]), labels, prior, precision).tolist()
    slope = min(max(slope, 1 / _STEEPEST), _STEEPEST)
    return Calibration(slope, min(intercept, ceiling - slope * nonsense))


def fit_threshold(right: Sequence[float], unanswerable: Sequence[float], now: float) -> float:
    """The log-odds that best part questions with an answer from questions without one.

    Args:
        right: of each answerable question, the highest log-odds of a passage of an expected source; -inf without one.
        unanswerable: of each unanswerable question, the highest log-odds of any passage.
        now: the threshold in use, which is left only for more than it costs.
    """
    seen = np.unique([odds for odds in (*right, *unanswerable) if math.isfinite(odds)])
    tried = [now, *((seen[1:] + seen[:-1]) / 2).tolist()]
    worth = [
        (np.mean(np.array(right) >= odds) + np.mean(np.array(unanswerable) < odds)) / 2
        - _THRESHOLD_PRICE * abs(odds - now)
        for odds in tried
    ]
    return float(tried[int(np.argmax(worth))])


def _worth(questions: Sequence[Asked], default: Ranking, factors: Mapping[str, float]) -> float:
    ranking = _scaled(default, factors)
    price = _WEIGHT_PRIOR * sum(math.log(factor) ** 2 for factor in factors.values())
    return sum(question.quality(ranking) for question in questions) - price


def _scaled(default: Ranking, factors: Mapping[str, float]) -> Ranking:
    return default.weighed({name: factors[name] * weight for name, weight in default.weights.items()})
