"""Evaluation: question collections, ranking metrics, and the uncertainty of results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.lazy import offering

if TYPE_CHECKING:
    from rag.evaluation.collections.collection import Collection, CollectionKind
    from rag.evaluation.measure import OnProgress, Step
    from rag.evaluation.metrics import METRICS
    from rag.evaluation.outcome import COMPARED, Evaluation, IndexSpeed, ModesCompared
    from rag.evaluation.plots import require_matplotlib
    from rag.evaluation.questions import Question, read_collection, write_questions
    from rag.evaluation.report import p_value, ranks, signed, write_report
    from rag.evaluation.runs import QueryChange, RunsCompared, Saved, check_comparable, compare_runs, load_run, save_run
    from rag.evaluation.significance import Paired
    from rag.searchable import Searchable

__all__ = [
    "COMPARED",
    "Collection",
    "CollectionKind",
    "Evaluation",
    "IndexSpeed",
    "METRICS",
    "ModesCompared",
    "OnProgress",
    "Paired",
    "QueryChange",
    "Question",
    "RunsCompared",
    "Saved",
    "Searchable",
    "Step",
    "check_comparable",
    "compare_runs",
    "load_run",
    "p_value",
    "ranks",
    "read_collection",
    "require_matplotlib",
    "save_run",
    "signed",
    "write_questions",
    "write_report",
]

__getattr__ = offering(
    __name__,
    {
        "rag.evaluation.collections.collection": ["Collection", "CollectionKind"],
        "rag.evaluation.measure": ["OnProgress", "Step"],
        "rag.evaluation.metrics": ["METRICS"],
        "rag.evaluation.outcome": ["COMPARED", "Evaluation", "IndexSpeed", "ModesCompared"],
        "rag.evaluation.plots": ["require_matplotlib"],
        "rag.evaluation.questions": ["Question", "read_collection", "write_questions"],
        "rag.evaluation.report": ["p_value", "ranks", "signed", "write_report"],
        "rag.evaluation.runs": [
            "QueryChange",
            "RunsCompared",
            "Saved",
            "check_comparable",
            "compare_runs",
            "load_run",
            "save_run",
        ],
        "rag.evaluation.significance": ["Paired"],
        "rag.searchable": ["Searchable"],
    },
)
