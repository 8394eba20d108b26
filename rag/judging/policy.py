"""Policies: from a calibrated probability to a decision, by what its two errors cost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """Accepts where accepting is expected to cost less (Elkan, The Foundations of Cost-Sensitive Learning, 2001).

    Attributes:
        wrong: what it costs to accept what does not hold.
        missed: what it costs to reject what holds.

    Example:
        >>> Policy(wrong=1, missed=4).least, Policy(wrong=1, missed=1).accepts(0.4)
        (0.2, False)
    """

    wrong: float
    missed: float

    @property
    def least(self) -> float:
        """The probability from which on it accepts."""
        return self.wrong / (self.wrong + self.missed)

    def accepts(self, probability: float) -> bool:
        """Whether to act as if what is this likely holds."""
        return probability >= self.least
