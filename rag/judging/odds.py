"""Probabilities and their log-odds."""

from __future__ import annotations

import math

_SURE = 1 - 1e-9


def probability(odds: float) -> float:
    """The probability that has these log-odds.

    >>> probability(0.0)
    0.5
    """
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, odds))))


def log_odds_of(chance: float) -> float:
    """The log-odds of a probability between 0 and 1, the inverse of `probability`.

    >>> log_odds_of(0.5)
    0.0
    """
    return math.log(chance / (1 - chance))


def named_odds(odds: float, chance: float) -> float:
    """What is added to the log-odds `odds` where being named makes a passage relevant by itself, with `chance`.

    The passage is relevant for its words or for being named, which are taken for independent.

    >>> round(probability(0.0 + named_odds(0.0, 0.5)), 3), named_odds(0.0, 0.0)
    (0.75, 0.0)
    """
    if chance <= 0:
        return 0.0
    return log_odds_of(1 - (1 - min(probability(odds), _SURE)) * (1 - chance)) - min(odds, log_odds_of(_SURE))
