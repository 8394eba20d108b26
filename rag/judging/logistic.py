"""Logistic models: what every judge makes of its features, read from a JSON file that a script of `scripts/` fits.

A file holds `coefficients` (an `intercept`, and one number a feature; or several such models by name), what they were
fitted on, and how well they did on what they had not seen.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rag.judging.odds import probability


@dataclass(frozen=True, slots=True)
class LogisticModel:
    """Features → log-odds → probability.

    Example:
        >>> model = LogisticModel(-1.0, {"quoted": 3.0, "stop word": -4.0})
        >>> model.contributions({"quoted": 0.5})
        {'start': -1.0, 'quoted': 1.5}
        >>> model.log_odds({"quoted": 0.5}), round(model.probability({"quoted": 0.5}), 3)
        (0.5, 0.622)
    """

    intercept: float
    coefficients: Mapping[str, float]

    @classmethod
    def read(cls, path: Path, name: str | None = None) -> LogisticModel:
        """The model of a file, or the one of this name where it holds several."""
        weights = dict(_fitted(path) if name is None else _fitted(path)[name])
        return cls(weights.pop("intercept"), weights)

    def contributions(self, features: Mapping[str, float]) -> dict[str, float]:
        """What each feature adds to the log-odds, after the `start`; a feature that is left out adds nothing."""
        return {"start": self.intercept} | {name: self.coefficients[name] * value for name, value in features.items()}

    def log_odds(self, features: Mapping[str, float]) -> float:
        """The sum of the contributions."""
        return sum(self.contributions(features).values())

    def probability(self, features: Mapping[str, float]) -> float:
        """The probability that has these log-odds."""
        return probability(self.log_odds(features))


@cache
def fingerprint(path: Path) -> str:
    """What tells the models of one file from others: what improves the one says nothing about the others."""
    return hashlib.blake2b(json.dumps(_fitted(path), sort_keys=True).encode(), digest_size=8).hexdigest()


@cache
def _fitted(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))["coefficients"]
