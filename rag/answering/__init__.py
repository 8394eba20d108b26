r"""From a question to a checked answer.

Example:
    >>> import tempfile
    >>> from pathlib import Path
    >>> from rag import KnowledgeBase
    >>> from rag.answering import AskOptions
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     notes = Path(folder, "notes.md")
    ...     _ = notes.write_text("# Refunds\n\nRefunds are paid within 14 days after the parcel came back.")
    ...     kb = KnowledgeBase.open(Path(folder, "kb"))
    ...     _ = kb.index(notes)
    ...     answer = kb.ask("How long do refunds take?", options=AskOptions(k=2))
    ...     kb.close()
    >>> answer.text, answer.citations[0].supported
    ('Refunds are paid within 14 days after the parcel came back. [1]', True)
"""

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
