"""Answers from a database: a language model writes one SELECT, which is checked, run read-only, and cited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.lazy import offering

if TYPE_CHECKING:
    from rag.sql.answering import SqlAnswer
    from rag.sql.asking import ask_database
    from rag.sql.limits import StatementLimits
    from rag.sql.values import Rows, to_json, to_text
    from rag.sql.writing import Attempt

__all__ = [
    "Attempt",
    "Rows",
    "SqlAnswer",
    "StatementLimits",
    "ask_database",
    "to_json",
    "to_text",
]

__getattr__ = offering(
    __name__,
    {
        "rag.sql.answering": ["SqlAnswer"],
        "rag.sql.asking": ["ask_database"],
        "rag.sql.limits": ["StatementLimits"],
        "rag.sql.values": ["Rows", "to_json", "to_text"],
        "rag.sql.writing": ["Attempt"],
    },
)
