"""The Answer: its text, its checked citations, and how it was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rag.llm.usage import Usage
from rag.prompting.prompt import Prompt, PromptSource
from rag.reranking.reranker import Reranked
from rag.retrieval.hit import Hit
from rag.verification.verdicts import Citation, Unverified

if TYPE_CHECKING:
    from rag.answering.decomposition import QuestionPart
    from rag.answering.follow_up import Standalone
    from rag.cards.consulting import Consultation
    from rag.sql.answering import SqlAnswer


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with its checked citations.

    `abstained` is True when no evidence passed the relevance threshold: `text` then says so and names the nearest
    sources. `text` has the numbers of misattributed marks put right, `raw` is what the model wrote, less the fences
    of its prompt that it echoed, and `annotated` flags every sentence in `unsupported` (no source supports it),
    `unverified` (only a card does) and `unchecked`.
    `confidence` is in [0, 1]. `text[slice(*answer_span)]` are the words that answer, where the answer was read out of a
    source.
    `reranked` tells what a reranker did, where one was asked for; `sql` what a database gave, where one was asked too.
    `standalone` is the question as it was searched for, `expansions` what glossaries added to it, `parts` what was
    searched for beside it. `cards` tell what became of each knowledge card, `card_topic` what the LLM wanted of them.
    """

    question: str
    text: str
    abstained: bool
    citations: tuple[Citation, ...]
    sources: tuple[PromptSource, ...]
    hits: tuple[Hit, ...]
    confidence: float
    usage: Usage
    unsupported: tuple[str, ...] = ()
    prompt: Prompt | None = None
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    reranked: Reranked | None = None
    sql: SqlAnswer | None = None
    unchecked: tuple[str, ...] = ()
    annotated: str = ""
    raw: str = ""
    standalone: Standalone | None = None
    expansions: tuple[str, ...] = ()
    parts: tuple[QuestionPart, ...] = ()
    cards: tuple[Consultation, ...] = ()
    card_topic: str | None = None
    unverified: tuple[Unverified, ...] = ()
    answer_span: tuple[int, int] | None = None
