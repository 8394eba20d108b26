"""The text of an abstention: says that there is no evidence and names the nearest. Never the model's memory."""

from __future__ import annotations

from collections.abc import Sequence

from rag.prompting.prompt import Background
from rag.retrieval.hit import Hit

_NEAREST = 3
_WORDS_SHOWN = 100


def abstain(question: str, hits: Sequence[Hit], background: Sequence[Background] = ()) -> str:
    """The answer to `question` when none of `hits` is relevant enough to build one on.

    What cards offer as `background` is told as what it is: it answers nothing.

    Example:
        >>> abstain("Who won?", [])
        'The knowledge base holds nothing about this question: “Who won?”'
    """
    asked = question.strip()
    asked = asked if len(asked) <= _WORDS_SHOWN else asked[: _WORDS_SHOWN - 1].rstrip() + "…"
    if not hits:
        lines = [f"The knowledge base holds nothing about this question: “{asked}”"]
    else:
        nearest = sorted(hits, key=lambda hit: (-hit.relevance, hit.rank))[:_NEAREST]
        lines = [f"No source is relevant enough to answer this question: “{asked}” The nearest are:"]
        lines += [f"- {hit.title} ({hit.uri}, {hit.location}), relevance {hit.relevance:.2f}" for hit in nearest]
    if background:
        lines.append("What cards say, which nobody has checked:")
        lines += [f"- {one.text} (card {one.card}{f': {one.origin}' if one.origin else ''})" for one in background]
    return "\n".join(lines)
