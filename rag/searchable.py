"""What cards and evaluation need of a knowledge base, however it was opened."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from indexes.catalog.reading import Reading
from rag.reranking.reranker import Reranker, Reranking
from rag.retrieval.hit import Mode
from rag.retrieval.search import SearchResult
from rag.status import Status


class Searchable(Protocol):
    """A knowledge base that can be searched and inspected; `rag.KnowledgeBase` is one."""

    @property
    def path(self) -> Path:
        """Its folder."""
        ...

    def search(
        self,
        query: str,
        k: int | None = None,
        *,
        mode: Mode | str | None = None,
        reranker: Reranking | Reranker | str | None = None,
        fold: bool | None = None,
    ) -> SearchResult:
        """The best `k` chunks for `query`."""
        ...

    def status(self) -> Status:
        """What it holds."""
        ...

    def reading(self) -> AbstractContextManager[Reading]:
        """One consistent snapshot of its catalog."""
        ...

    def close(self) -> None:
        """Let go of its files."""
        ...
