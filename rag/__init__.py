"""pilotfish: cited answers from your own documents; small models do every job around one big language model.

What most programs need is here. What else stands in a signature can be imported from the module of its room, such as
`rag.cards`, `rag.sql`, `rag.evaluation` or `rag.retrieval`. Names are imported when they are first used, so that
`import rag` is instant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.lazy import offering

if TYPE_CHECKING:
    from connectors.errors import PilotfishError
    from rag.answering.answer import Answer
    from rag.answering.conversation import Conversation
    from rag.answering.options import AskOptions
    from rag.evaluator import evaluate, generate_questions
    from rag.indexing.report import IndexReport
    from rag.knowledge_base import KnowledgeBase
    from rag.llm.base import LLM
    from rag.prompting.prompt import Message, Prompt, Turn
    from rag.reranking.reranker import Reranking
    from rag.retrieval.hit import Hit, Mode
    from rag.retrieval.search import SearchOptions, SearchResult
    from rag.status import Status
    from rag.verification.verdicts import Citation, Verdict

__all__ = [
    "LLM",
    "Answer",
    "AskOptions",
    "Citation",
    "Conversation",
    "Hit",
    "IndexReport",
    "KnowledgeBase",
    "Message",
    "Mode",
    "PilotfishError",
    "Prompt",
    "Reranking",
    "SearchOptions",
    "SearchResult",
    "Status",
    "Turn",
    "Verdict",
    "evaluate",
    "generate_questions",
]

__getattr__ = offering(
    __name__,
    {
        "connectors.errors": ["PilotfishError"],
        "rag.answering.answer": ["Answer"],
        "rag.answering.conversation": ["Conversation"],
        "rag.answering.options": ["AskOptions"],
        "rag.evaluator": ["evaluate", "generate_questions"],
        "rag.indexing.report": ["IndexReport"],
        "rag.knowledge_base": ["KnowledgeBase"],
        "rag.llm.base": ["LLM"],
        "rag.prompting.prompt": ["Message", "Prompt", "Turn"],
        "rag.reranking.reranker": ["Reranking"],
        "rag.retrieval.hit": ["Hit", "Mode"],
        "rag.retrieval.search": ["SearchOptions", "SearchResult"],
        "rag.status": ["Status"],
        "rag.verification.verdicts": ["Citation", "Verdict"],
    },
)
