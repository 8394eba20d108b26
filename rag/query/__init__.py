"""Understands a query: its words, names, symbols and spelling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.lazy import offering

if TYPE_CHECKING:
    from indexes.terms.analyzer import QueryTerm
    from rag.query.entity_linking import EntityLink
    from rag.query.query import Query
    from rag.query.spelling import Correction
    from rag.query.tokens import TokenizedQuestion

__all__ = [
    "Correction",
    "EntityLink",
    "Query",
    "QueryTerm",
    "TokenizedQuestion",
]

__getattr__ = offering(
    __name__,
    {
        "indexes.terms.analyzer": ["QueryTerm"],
        "rag.query.entity_linking": ["EntityLink"],
        "rag.query.query": ["Query"],
        "rag.query.spelling": ["Correction"],
        "rag.query.tokens": ["TokenizedQuestion"],
    },
)
