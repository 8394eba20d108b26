"""What answering needs, as a knowledge base gives it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from connectors.source import Options
from rag.results import Demonstration, Filters, Hit
from rag.retriever import Found
from rag.sentence_encoder import SentenceEncoder

if TYPE_CHECKING:
    from rag.asking import AskOptions
    from rag.cards.consulting import CardUse, Consulted
    from rag.cards.needing import Complete
    from rag.knowledge_base import KnowledgeBase
    from rag.llm import LLM
    from rag.sql.answering import SqlAnswer


class KnowledgeBaseResources:
    """The `rag.asking.Resources` of a knowledge base."""

    def __init__(self, base: KnowledgeBase, registered: Callable[[], Mapping[str, Options]]) -> None:
        self._base = base
        self._registered = registered

    @property
    def encoder(self) -> SentenceEncoder:
        """The encoder, which may have been changed since the last question."""
        return self._base.encoder

    def search(self, question: str, options: AskOptions) -> Found:
        """The hits for `question`."""
        return self._base.find_hits(question, options.k, filters=options.filters, reranker=options.reranking)

    def rows_beside(
        self, question: str, model: LLM, hits: Sequence[Hit], threshold: float, wanted: bool | None
    ) -> SqlAnswer | None:
        """What a registered database gives; most knowledge bases have none, and nothing is imported for it."""
        registered = self._registered()
        if wanted is None and not any("://" in uri for uri in registered):
            return None
        from rag.sql.asking import rows_beside

        return rows_beside(question, model, hits, registered, wanted=wanted, threshold=threshold, find=self._find)

    def expansions(self, question: str) -> Sequence[str]:
        """Other names that the glossaries among the cards have for terms of `question`."""
        return self._base.cards.expansions(question)

    def consult(self, question: str, hits: Sequence[Hit], use: CardUse | None, complete: Complete | None) -> Consulted:
        """What the knowledge cards bring."""
        from rag.cards.consulting import CardUse

        return self._base.cards.consult(question, hits, use or CardUse(), complete=complete)

    def demonstrations(self, question: str) -> Sequence[Demonstration]:
        """The solved examples nearest to `question`."""
        return self._base.demonstrations.nearest(question)

    def _find(self, question: str, k: int, filters: Filters) -> tuple[Hit, ...]:
        return self._base.find_hits(question, k, filters=filters).hits
