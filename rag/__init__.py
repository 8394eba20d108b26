"""pilotfish: cited answers from your own documents; small models do every job around one big language model.

Everything public is here. Names are imported when they are first used, so that `import rag` stays instant.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from connectors.errors import PilotfishError
    from rag.answering.answer import Answer
    from rag.answering.options import AskOptions
    from rag.evaluator import evaluate
    from rag.indexing.report import IndexReport
    from rag.knowledge_base import KnowledgeBase
    from rag.prompting.prompt import Prompt
    from rag.reranking.reranker import Reranking
    from rag.retrieval.hit import Hit, Mode
    from rag.status import Status
    from rag.verification.verdicts import Citation

__all__ = [
    "Answer",
    "AskOptions",
    "Citation",
    "Hit",
    "IndexReport",
    "KnowledgeBase",
    "Mode",
    "PilotfishError",
    "Prompt",
    "Reranking",
    "Status",
    "evaluate",
]

_HOMES = {
    "Answer": "rag.answering.answer",
    "AskOptions": "rag.answering.options",
    "Citation": "rag.verification.verdicts",
    "Hit": "rag.retrieval.hit",
    "IndexReport": "rag.indexing.report",
    "KnowledgeBase": "rag.knowledge_base",
    "Mode": "rag.retrieval.hit",
    "PilotfishError": "connectors.errors",
    "Prompt": "rag.prompting.prompt",
    "Reranking": "rag.reranking.reranker",
    "Status": "rag.status",
    "evaluate": "rag.evaluator",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'rag' has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "rag.retrieval.hit")), name)
