"""Hybrid retrieval: from a query to ranked hits, each with a calibrated probability of being relevant.

Example:
    >>> from rag.retrieval import SearchOptions
    >>> SearchOptions(k=3, filters={"kind": "pdf"}).changed(min_relevance=0.2).min_relevance
    0.2
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.lazy import offering

if TYPE_CHECKING:
    from rag.retrieval.hit import (
        Aligned,
        Copy,
        DiversityShift,
        Filters,
        Hit,
        HitReading,
        Mode,
        Reference,
        References,
        Signals,
    )
    from rag.retrieval.search import SearchOptions, SearchResult
    from rag.retrieval.tuned import TunedPart, Tuning, TuningEvidence

__all__ = [
    "Aligned",
    "Copy",
    "DiversityShift",
    "Filters",
    "Hit",
    "HitReading",
    "Mode",
    "Reference",
    "References",
    "SearchOptions",
    "SearchResult",
    "Signals",
    "TunedPart",
    "Tuning",
    "TuningEvidence",
]

__getattr__ = offering(
    __name__,
    {
        "rag.retrieval.hit": [
            "Aligned",
            "Copy",
            "DiversityShift",
            "Filters",
            "Hit",
            "HitReading",
            "Mode",
            "Reference",
            "References",
            "Signals",
        ],
        "rag.retrieval.search": ["SearchOptions", "SearchResult"],
        "rag.retrieval.tuned": ["TunedPart", "Tuning", "TuningEvidence"],
    },
)
