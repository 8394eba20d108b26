"""A query against one index: what its terms and its word pieces count for there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from indexes.catalog.rows import StoredChunk
from indexes.store import View
from indexes.terms.analyzer import QueryTerm, analyze
from rag.query.query import Query
from rag.query.spelling import Respelled
from rag.query.term_weights import idf, piece_weights

if TYPE_CHECKING:
    from indexes.encoding.base import EncodedQuery

MAX_QUERY_TERMS = 64  # of a longer query, the rarest terms count


@dataclass(frozen=True, slots=True)
class WeighedQuery:
    """A query as the indexes see it: its terms, the inverse document frequency of each, and its encoding.

    `mistyped` is the idf mass of words that are nowhere, and were searched in another spelling.
    """

    query: Query
    idf: Mapping[QueryTerm, float]
    mistyped: float
    encoded: EncodedQuery
    token_weights: npt.NDArray[np.float32]

    @property
    def text(self) -> str:
        """What is searched for."""
        return self.query.text

    @property
    def stems(self) -> list[str]:
        """The stems of its terms, as the sparse index takes them."""
        return [stem for term in self.idf for stem in term.stems]

    @property
    def idf_mass(self) -> float:
        """The sum over its terms."""
        return sum(self.idf.values())

    def matching(self, chunk: StoredChunk) -> list[QueryTerm]:
        """The terms that a chunk holds. Analysing ten chunks again is ten times as fast as asking the index."""
        held = set(analyze(chunk.indexed_text, chunk.language))
        return [term for term in self.idf if not held.isdisjoint(term.stems)]


def weigh_query(respelled: Respelled, encoded: EncodedQuery, view: View) -> WeighedQuery:
    """The query with its terms and word pieces weighed as in the indexes of `view`."""
    sparse, languages = view.indexes.sparse, view.indexes.languages
    query = respelled.query
    weights = {term: idf(term, sparse) for term in query.index_terms(languages)}
    typed = (Query(word.typed).index_terms(languages) for word in respelled.corrections)
    mistyped = sum(idf(term, sparse) for terms in typed for term in terms)
    rarest = dict.fromkeys(term.stems for term in sorted(weights, key=lambda term: (-weights[term], term.start)))
    if len(rarest) > MAX_QUERY_TERMS:
        kept = set(list(rarest)[:MAX_QUERY_TERMS])
        weights = {term: weight for term, weight in weights.items() if term.stems in kept}
    pieces = np.array(piece_weights(encoded.spans, weights), dtype=np.float32)
    if len(pieces) and not pieces.any():
        pieces[:] = 1.0
    return WeighedQuery(query, weights, mistyped, encoded, pieces)
