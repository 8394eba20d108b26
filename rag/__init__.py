"""pilotfish: cited answers from your own documents; small models do every job around one big language model.

Everything public is here. Names are imported when they are first used, so that `import rag` stays instant.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from connectors.errors import PilotfishError
    from rag.asking import AskOptions
    from rag.evaluation.evaluate import evaluate
    from rag.knowledge_base import KnowledgeBase
    from rag.reranker import Reranking
    from rag.results import Answer, Citation, Hit, IndexReport, Mode, Prompt, Status

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
    "AskOptions": "rag.asking",
    "KnowledgeBase": "rag.knowledge_base",
    "PilotfishError": "connectors.errors",
    "Reranking": "rag.reranker",
    "evaluate": "rag.evaluation.evaluate",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'rag' has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "rag.results")), name)
