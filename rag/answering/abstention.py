"""The text of an abstention: says that there is no evidence and names the nearest. Never the model's memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from rag.llm.extractive import sentence_scores
from rag.llm.quoting.quotes import quotes
from rag.prompting.prompt import Background, PromptSource
from rag.retrieval.hit import Hit
from rag.text.sentence_encoder import SentenceEncoder

_NEAREST = 3
_WORDS_SHOWN = 100
_SENTENCE_SHOWN = 160


def abstain(
    question: str,
    hits: Sequence[Hit],
    background: Sequence[Background] = (),
    encoder: SentenceEncoder | None = None,
) -> str:
    """The answer to `question` when none of `hits` is relevant enough to build one on.

    Of the nearest documents it shows the place and the sentence that comes closest, by `encoder` and words. What cards
    offer as `background` is told as what it is: it answers nothing.

    Example:
        >>> abstain("Who won?", [])
        'The knowledge base holds nothing about this question: “Who won?”'
    """
    asked = _shortened(question.strip(), _WORDS_SHOWN)
    if not hits:
        lines = [f"The knowledge base holds nothing about this question: “{asked}”"]
    else:
        lines = [f"No source is relevant enough to answer this question: “{asked}” The nearest are:"]
        lines += [
            f"- {' '.join(hit.title.split())} ({hit.location.of(_name(hit.uri))}), relevance {hit.relevance:.2f}"
            f"{_nearest_sentence(question, hit, encoder)}"
            for hit in islice(_documents(hits), _NEAREST)
        ]
    if background:
        lines.append("What cards say, which nobody has checked:")
        lines += [f"- {one.text} (card {one.card}{f': {one.origin}' if one.origin else ''})" for one in background]
    return "\n".join(lines)


def _documents(hits: Sequence[Hit]) -> Iterator[Hit]:
    """The best hit of each document, the most relevant first."""
    told: set[str] = set()
    for hit in sorted(hits, key=lambda hit: (-hit.relevance, hit.rank)):
        if hit.uri not in told:
            told.add(hit.uri)
            yield hit


def _name(uri: str) -> str:
    """The last part of a path or an address, and what stands behind its `#`."""
    path, _, part = uri.partition("#")
    return part or path.rstrip("/").rpartition("/")[2] or uri


def _nearest_sentence(question: str, hit: Hit, encoder: SentenceEncoder | None) -> str:
    """The sentence of a passage that comes closest, quoted behind a colon; nothing of a passage without any."""
    found = quotes([PromptSource(1, hit, hit.text, ((0, len(hit.text)),))], question)
    sentences = [quote.text for quote in found if not quote.is_heading] or [quote.text for quote in found]
    if not sentences:
        return ""
    best = int(np.argmax(sentence_scores(question, sentences, encoder)))
    return f": “{_shortened(sentences[best], _SENTENCE_SHOWN)}”"


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
