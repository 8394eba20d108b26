"""Understanding a query: its words, names, symbols and spelling.

Example:
    >>> from rag.query import Query
    >>> query = Query.of("Where does NATO keep 5,120 reports?")
    >>> query.names, sorted(query.numbers)
    (('NATO',), ['5120'])
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.lazy import offering

if TYPE_CHECKING:
    from indexes.terms.analyzer import QueryTerm
    from indexes.terms.exact import ExactThing
    from rag.query.entity_linking import EntityLink
    from rag.query.query import Query
    from rag.query.spelling import Correction
    from rag.query.tokens import TokenizedQuestion

__all__ = [
    "Correction",
    "EntityLink",
    "ExactThing",
    "Query",
    "QueryTerm",
    "TokenizedQuestion",
]

__getattr__ = offering(
    __name__,
    {
        "indexes.terms.analyzer": ["QueryTerm"],
        "indexes.terms.exact": ["ExactThing"],
        "rag.query.entity_linking": ["EntityLink"],
        "rag.query.query": ["Query"],
        "rag.query.spelling": ["Correction"],
        "rag.query.tokens": ["TokenizedQuestion"],
    },
)
