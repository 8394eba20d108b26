"""Rerankers: a heavier model reorders the best hits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.lazy import offering

if TYPE_CHECKING:
    from rag.reranking.reranker import Reranked, Reranker, RerankerError, Reranking

__all__ = [
    "Reranked",
    "Reranker",
    "RerankerError",
    "Reranking",
]

__getattr__ = offering(
    __name__,
    {
        "rag.reranking.reranker": ["Reranked", "Reranker", "RerankerError", "Reranking"],
    },
)
