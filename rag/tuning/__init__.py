"""Tuning: fits the ranking to your own questions, and keeps only what held-out questions confirm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.lazy import offering

if TYPE_CHECKING:
    from rag.tuning.verdicts import Measure, TuningReport, TuningVerdict

__all__ = [
    "Measure",
    "TuningReport",
    "TuningVerdict",
]

__getattr__ = offering(
    __name__,
    {
        "rag.tuning.verdicts": ["Measure", "TuningReport", "TuningVerdict"],
    },
)
