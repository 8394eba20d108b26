"""Calibration: from the score of a judge to a probability."""

from __future__ import annotations

from dataclasses import dataclass

from rag.judging.odds import probability


@dataclass(frozen=True, slots=True)
class Calibration:
    """A straight line from a score to log-odds (Platt, Probabilistic Outputs for SVMs, 1999).

    Example:
        >>> calibration = Calibration.around(0.5, slope=8.0)
        >>> calibration(0.75), calibration.probability(0.5), calibration.middle
        (2.0, 0.5, 0.5)
    """

    slope: float = 1.0
    intercept: float = 0.0

    @classmethod
    def around(cls, middle: float, slope: float) -> Calibration:
        """The line that is this steep and gives even odds to the score `middle`."""
        return cls(slope, -slope * middle)

    @property
    def middle(self) -> float:
        """The score with even odds."""
        return -self.intercept / self.slope

    def __call__(self, score: float) -> float:
        """The log-odds of a score, which may be log-odds itself."""
        return self.slope * score + self.intercept

    def probability(self, score: float) -> float:
        """The probability that has these log-odds."""
        return probability(self(score))
