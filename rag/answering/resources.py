"""The parts of a knowledge base that answering needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.source import Options
from rag.answering.options import AskOptions
from rag.query.query import Query
from rag.retrieval.hit import Filters, Hit
from rag.retrieval.search import SearchResult
from rag.text.sentence_encoder import SentenceEncoder

if TYPE_CHECKING:
    from rag.cards.cards import Cards
    from rag.cards.consulting import CardUse, Consulted
    from rag.llm.base import LLM, Complete
    from rag.prompting.demonstrations import Demonstrations
    from rag.sql.answering import SqlAnswer


@dataclass(frozen=True, slots=True)
class Resources:
    """The sources of evidence for an answer.

    All but the search are asked for when they are needed: most questions need neither cards nor demonstrations, and
    the encoder may have been changed since the last question.

    Attributes:
        encoder: the encoder of sentences.
        search: finds hits, as `KnowledgeBase.search` does.
        cards: the knowledge cards.
        demonstrations: the solved examples.
        sources: URI → options, of every registered source.
    """

    encoder: Callable[[], SentenceEncoder]
    search: Callable[..., SearchResult]
    cards: Callable[[], Cards]
    demonstrations: Callable[[], Demonstrations]
    sources: Callable[[], Mapping[str, Options]]

    def hits(self, question: Query, options: AskOptions) -> SearchResult:
        """What is found for `question`, which stands alone."""
        return self.search(question, options.k, filters=options.filters, reranker=options.reranking)

    def rows_beside(
        self, question: str, model: LLM, hits: Sequence[Hit], threshold: float, wanted: bool | None
    ) -> SqlAnswer | None:
        """What a registered database gives; most knowledge bases have none, and nothing is imported for it."""
        registered = self.sources()
        if wanted is None and not any("://" in uri for uri in registered):
            return None
        from rag.sql.asking import rows_beside

        return rows_beside(question, model, hits, registered, wanted=wanted, threshold=threshold, find=self._find)

    def consult(self, question: str, hits: Sequence[Hit], use: CardUse | None, complete: Complete | None) -> Consulted:
        """What the knowledge cards bring."""
        from rag.cards.consulting import CardUse

        return self.cards().consult(question, hits, use or CardUse(), complete=complete)

    def _find(self, question: str, k: int, filters: Filters) -> tuple[Hit, ...]:
        return self.search(question, k, filters=filters).hits
