"""`--fail-under`: the least value of a metric, so that CI fails when a change makes the search worse."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.errors import ConfigurationError
from rag.evaluation import METRICS

if TYPE_CHECKING:
    from rag.evaluation import Evaluation

_GOAL = re.compile(r"(?:(?P<mode>[^:=]*):)?(?P<metric>[^:=]+)=(?P<value>[^=]+)")


@dataclass(frozen=True, slots=True)
class Goal:
    """The least `value` that a metric of a mode may have."""

    mode: str
    metric: str
    value: float


def parse_goals(given: Sequence[str] | None, modes: Sequence[str]) -> list[Goal]:
    """The goals of `METRIC=VALUE` or `MODE:METRIC=VALUE`; without a mode, the first of `modes` is meant.

    Raises:
        ConfigurationError: an unknown metric, a mode that is not measured, or a value outside [0, 1].

    Example:
        >>> parse_goals(["nDCG@10=0.35"], ["hybrid"])
        [Goal(mode='hybrid', metric='nDCG@10', value=0.35)]
    """
    return [_parse(text, modes) for text in given or ()]


def missed(goals: Sequence[Goal], measured: Evaluation) -> Iterator[str]:
    """A line for every goal that is not reached."""
    for goal in goals:
        value = measured.metrics[goal.mode][goal.metric]
        if value < goal.value:
            yield f"{goal.metric} of {goal.mode} is {value:.4f}, below {goal.value:g}"


def _parse(text: str, modes: Sequence[str]) -> Goal:
    match = _GOAL.fullmatch(text)
    if match is None:
        raise ConfigurationError(
            f"--fail-under {text!r} is not METRIC=VALUE", hint="write it like nDCG@10=0.35 or sparse:MRR@10=0.5"
        )
    metric = next((name for name in METRICS if name.casefold() == match["metric"].strip().casefold()), None)
    if metric is None:
        raise ConfigurationError(
            f"--fail-under {text!r}: no metric {match['metric']!r}",
            hint=f"the metrics are {', '.join(METRICS)}",
        )
    mode = modes[0] if match["mode"] is None else match["mode"].strip()
    if mode not in modes:
        raise ConfigurationError(
            f"--fail-under {text!r}: the mode {mode!r} is not measured", hint=f"measured are {', '.join(modes)}"
        )
    return Goal(mode, metric, _value(text, match["value"]))


def _value(text: str, number: str) -> float:
    try:
        value = float(number)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise ConfigurationError(f"--fail-under {text!r}: {number!r} is not a number from 0 to 1", hint="e.g. 0.35")
    return value
