"""What is said when there is no evidence: that there is none, and where the nearest is. Never the model's memory."""

from __future__ import annotations

from collections.abc import Sequence

from rag.results import Hit

_NEAREST = 3
_WORDS_SHOWN = 100


def abstain(question: str, hits: Sequence[Hit]) -> str:
    """The answer to `question` when none of `hits` is relevant enough to build one on.

    Example:
        >>> abstain("Who won?", [])
        'The knowledge base holds nothing about this question: “Who won?”'
    """
    asked = question.strip()
    asked = asked if len(asked) <= _WORDS_SHOWN else asked[: _WORDS_SHOWN - 1].rstrip() + "…"
    if not hits:
        return f"The knowledge base holds nothing about this question: “{asked}”"
    nearest = sorted(hits, key=lambda hit: (-hit.relevance, hit.rank))[:_NEAREST]
    lines = [f"- {hit.title} ({hit.uri}, {hit.location}), relevance {hit.relevance:.2f}" for hit in nearest]
    return "\n".join([f"No source is relevant enough to answer this question: “{asked}” The nearest are:", *lines])
