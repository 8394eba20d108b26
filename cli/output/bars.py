"""Probabilities as bars and percentages."""

from __future__ import annotations

from rich.text import Text

_BAR_CELLS = 5
_SURE, _LIKELY, _ONE_PERCENT = 0.5, 0.2, 0.01


def percent(probability: float) -> str:
    """A probability as people read it.

    >>> percent(0.873), percent(0.002), percent(0.0)
    ('87%', '<1%', '0%')
    """
    return "<1%" if 0 < probability < _ONE_PERCENT else f"{probability:.0%}"


def relevance(probability: float) -> Text:
    """A small bar and the percentage."""
    filled = round(probability * _BAR_CELLS)
    colour = "green" if probability >= _SURE else "yellow" if probability >= _LIKELY else "red"
    return Text.assemble(("▰" * filled, colour), ("▱" * (_BAR_CELLS - filled), "dim"), f" {percent(probability):>4}")
