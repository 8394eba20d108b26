"""The black-box LLM: how to name and load one, its replies, and their cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.lazy import offering

if TYPE_CHECKING:
    from rag.llm.base import LLM, Complete
    from rag.llm.loading import DEFAULT_LLM, load_llm
    from rag.llm.models import MODELS, Model, cache_folder, find_model, pull_model
    from rag.llm.reply import LLMError, Reply, ReplyLimits
    from rag.llm.reply_cache import CACHE_FILE
    from rag.llm.usage import Usage
    from rag.text.sentence_encoder import QueryVector, SentenceEncoder, Vectors

__all__ = [
    "CACHE_FILE",
    "Complete",
    "DEFAULT_LLM",
    "LLM",
    "LLMError",
    "MODELS",
    "Model",
    "QueryVector",
    "Reply",
    "ReplyLimits",
    "SentenceEncoder",
    "Usage",
    "Vectors",
    "cache_folder",
    "find_model",
    "load_llm",
    "pull_model",
]

__getattr__ = offering(
    __name__,
    {
        "rag.llm.base": ["Complete", "LLM"],
        "rag.llm.loading": ["DEFAULT_LLM", "load_llm"],
        "rag.llm.models": ["MODELS", "Model", "cache_folder", "find_model", "pull_model"],
        "rag.llm.reply": ["LLMError", "Reply", "ReplyLimits"],
        "rag.llm.reply_cache": ["CACHE_FILE"],
        "rag.llm.usage": ["Usage"],
        "rag.text.sentence_encoder": ["QueryVector", "SentenceEncoder", "Vectors"],
    },
)
