"""From a question to a checked answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.lazy import offering

if TYPE_CHECKING:
    from rag.answering.answer import Answer
    from rag.answering.conversation import Conversation
    from rag.answering.decomposition import QuestionPart
    from rag.answering.follow_up import Standalone
    from rag.answering.options import AskOptions

__all__ = [
    "Answer",
    "AskOptions",
    "Conversation",
    "QuestionPart",
    "Standalone",
]

__getattr__ = offering(
    __name__,
    {
        "rag.answering.answer": ["Answer"],
        "rag.answering.conversation": ["Conversation"],
        "rag.answering.decomposition": ["QuestionPart"],
        "rag.answering.follow_up": ["Standalone"],
        "rag.answering.options": ["AskOptions"],
    },
)
