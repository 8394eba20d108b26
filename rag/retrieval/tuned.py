"""The tuning of a knowledge base as stored in its catalog, with the evidence for it.

`rag.tuning` writes it, and searches use it. A stored setting is accepted only if its numbers are in range. One that is
damaged, was fitted for another encoder or another version of the ranking, or is somebody else's, is ignored.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar

from indexes.catalog.reading import Reading
from indexes.catalog.writing import Writing
from indexes.seals import is_derived_sealed, seal_derived
from rag.judging.calibration import Calibration
from rag.judging.odds import log_odds_of
from rag.retrieval.relevance import DEFAULT_MIN_RELEVANCE

SETTING, SEAL_SETTING = "tuning", "tuning_seal"  # its key in the catalog, and that of what proves who made it
WEIGHTS = ("sparse", "late", "feedback", "hubness")  # what can be tuned; each is relative to the cosine

_VERSION = 1
_LONGEST = 10_000  # characters: what is longer was not written here
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_NAME = re.compile(r"[\w@ ,-]{1,60}")
_COUNT = 10**9
_HEAVIEST = 100.0
_STEEPEST, _FARTHEST = 10.0, 20.0
_FAR = 1_000.0  # what an interval of a weighted mean stays within

Value = TypeVar("Value")


class TunedPart(StrEnum):
    """The three parts that are tuned independently."""

    WEIGHTS = "weights"
    CALIBRATION = "calibration"
    THRESHOLD = "threshold"


@dataclass(frozen=True, slots=True)
class TuningEvidence:
    """Why a part was changed.

    Attributes:
        when: the date.
        fitted, held_out: how many questions it was fitted on, and tested on.
        metric: what was compared.
        before, after: its mean over the questions held out.
        low, high: 95% interval of the difference.
    """

    when: str
    fitted: int
    held_out: int
    metric: str
    before: float
    after: float
    low: float
    high: float

    def __str__(self) -> str:
        """As a person reads it."""
        return (
            f"{self.metric} {self.before:.3f} → {self.after:.3f}, on {self.held_out} questions held out "
            f"({self.fitted} fitted, {self.when})"
        )


@dataclass(frozen=True, slots=True)
class Tuning:
    """What differs from the defaults; None is the default.

    Attributes:
        weights: of each of `WEIGHTS` in the ranking.
        calibration: what is done to the log-odds of relevance.
        threshold: below which log-odds, before calibration, a hit is no evidence. Kept so, it lets through the same
            passages whatever the calibration.
        evidence: of each part that was changed.
    """

    weights: Mapping[str, float] | None = None
    calibration: Calibration | None = None
    threshold: float | None = None
    evidence: Mapping[TunedPart, TuningEvidence] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether anything differs from the defaults."""
        return bool(self.evidence)

    @property
    def min_relevance(self) -> float:
        """The probability below which a hit is no evidence."""
        if self.calibration is None and self.threshold is None:
            return DEFAULT_MIN_RELEVANCE
        odds = log_odds_of(DEFAULT_MIN_RELEVANCE) if self.threshold is None else self.threshold
        return (self.calibration or Calibration()).probability(odds)

    def to_json(self) -> dict[str, Any]:
        """The tuning as JSON; `min_relevance` is the threshold as a probability."""
        return {
            "weights": None if self.weights is None else dict(self.weights),
            "calibration": None if self.calibration is None else asdict(self.calibration),
            "min_relevance": self.min_relevance,
            "evidence": {str(part): asdict(each) for part, each in self.evidence.items()},
        }


def written(tuning: Tuning, encoder: str, basis: str) -> str:
    """The setting that says so.

    Args:
        tuning: what to keep.
        encoder: fingerprint of the encoder that it was fitted for.
        basis: fingerprint of the defaults that it was fitted to improve.
    """
    if not tuning:
        return ""
    kept = tuning.to_json() | {"version": _VERSION, "encoder": encoder, "basis": basis, "threshold": tuning.threshold}
    del kept["min_relevance"]
    return json.dumps(kept)


def keep(writing: Writing, setting: str) -> None:
    """Store a setting, as this user's."""
    writing.set_setting(SETTING, setting)
    writing.set_setting(SEAL_SETTING, seal_derived(SETTING, {"tuning": setting}) if setting else "")


def is_foreign(reading: Reading) -> bool:
    """Whether somebody else tuned the knowledge base, and this user has not allowed it."""
    setting = reading.setting(SETTING)
    return bool(setting) and not is_derived_sealed(SETTING, {"tuning": setting}, reading.setting(SEAL_SETTING))


def stored(reading: Reading, basis: str) -> tuple[Tuning, str]:
    """The tuning of a knowledge base, and what is wrong with it: a line, if it is ignored."""
    if is_foreign(reading):
        return Tuning(), "the tuning is ignored: you did not make it on this machine (`rag trust tuning` allows it)"
    return read(reading.setting(SETTING), reading.setting("encoder"), basis)


@lru_cache(maxsize=16)
def read(text: str, encoder: str, basis: str) -> tuple[Tuning, str]:
    """The tuning that a setting says, and what is wrong with it: a line, if it is ignored.

    Args:
        text: the setting; empty if nothing was ever tuned.
        encoder: fingerprint of the encoder in use.
        basis: fingerprint of the defaults in use.
    """
    if not text:
        return Tuning(), ""
    try:
        said = _checked(json.loads(text) if len(text) <= _LONGEST else None, dict)
        if said["version"] != _VERSION:
            return Tuning(), _ignored("another version of pilotfish wrote it")
        if said["encoder"] != encoder:
            return Tuning(), _ignored("it was fitted for another encoder")
        if said["basis"] != basis:
            return Tuning(), _ignored("it was fitted for another version of the ranking")
        return _tuning(said), ""
    except (ValueError, KeyError, TypeError, RecursionError):
        return Tuning(), _ignored("it is damaged")


def _ignored(why: str) -> str:
    return f"the tuning is ignored: {why} (`rag tune QUESTIONS` tunes again, `rag tune --reset` removes it)"


def _tuning(said: Mapping[str, Any]) -> Tuning:
    weights, calibration, threshold = said["weights"], said["calibration"], said["threshold"]
    evidence = {TunedPart(name): _evidence(each) for name, each in _checked(said["evidence"], dict).items()}
    changed = {TunedPart.WEIGHTS: weights, TunedPart.CALIBRATION: calibration, TunedPart.THRESHOLD: threshold}
    if {part for part, value in changed.items() if value is not None} != evidence.keys():
        raise ValueError("a change without evidence")
    return Tuning(
        weights=None if weights is None else {name: _number(weights[name], 0, _HEAVIEST) for name in WEIGHTS},
        calibration=None
        if calibration is None
        else Calibration(
            _number(calibration["slope"], 1 / _STEEPEST, _STEEPEST),
            _number(calibration["intercept"], -_FARTHEST, _FARTHEST),
        ),
        threshold=None if threshold is None else _number(threshold, -_FARTHEST, _FARTHEST),
        evidence=evidence,
    )


def _evidence(said: Mapping[str, Any]) -> TuningEvidence:
    when, metric = _checked(said["when"], str), _checked(said["metric"], str)
    if not _DATE.fullmatch(when) or not _NAME.fullmatch(metric):
        raise ValueError("neither a date nor a metric")
    fitted, held_out = (int(_number(_checked(said[name], int), 0, _COUNT)) for name in ("fitted", "held_out"))
    before, after, low, high = (_number(said[name], -_FAR, _FAR) for name in ("before", "after", "low", "high"))
    return TuningEvidence(when, fitted, held_out, metric, before, after, low, high)


def _checked(value: object, kind: type[Value]) -> Value:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value


def _number(value: object, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("no number")
    if not least <= value <= most:  # as NaN is not
        raise ValueError(f"not from {least} to {most}")
    return float(value)
