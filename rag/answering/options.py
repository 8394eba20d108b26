"""Options for answering a question."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rag.reranking.reranker import Reranking
from rag.retrieval.hit import Filters
from rag.retrieval.selection import EVIDENCE_HITS

if TYPE_CHECKING:
    from rag.cards.consulting import CardUse
    from rag.reader.reader import Reader


@dataclass(frozen=True, slots=True)
class AskOptions:
    """How much evidence an answer may use, and what counts as evidence.

    Attributes:
        k: how many hits may become sources.
        min_relevance: hits below this probability are not evidence; without any above it the answer abstains. None is
            the knowledge base's own threshold: the default, or what it was tuned to.
        budget: tokens of the prompt; None chooses by the model's window.
        filters: what a source must meet, as for `KnowledgeBase.search`.
        base_url: the server of an `openai:` model.
        reranking: a heavier model that orders the best hits, None for none.
        reader: reads the best hits with the question, and tells which of them answer, and where. None is the one that
            comes with the program.
        read_seconds: how long it may take; the first eight hits are always read. 0 reads none, and leaves it to the
            search.
        sql: whether a registered database is asked by SQL too, and its rows become a source. None asks one where a row
            or a description of its tables is among the relevant hits, and the model is neither `extractive` nor small.
        parts: whether the parts of a question that the hits leave uncovered are searched for, too. They are found by
            rules, and an LLM names some beside unless it only quotes or is a small one.
        parts_seconds: how long the LLM may take over naming parts: the rules find some without it.
        cards: how knowledge cards are used; None asks all of them.
        demonstrations: whether the solved examples nearest to the question are shown to the LLM. None shows them unless
            it is a small one, which copies an example instead of following it.
        template: the file of another prompt than the one that comes with the program (`rag.prompting.templates`).
        window: the tokens that prompt and answer may take together, where the LLM does not tell, or less than it has.
        prices: what a million tokens cost, sent and given back; `Usage` then has a cost.
        cache: a file to keep replies in, of the LLMs that tell when they change.
    """

    k: int = EVIDENCE_HITS
    min_relevance: float | None = None
    budget: int | None = None
    filters: Filters = field(default_factory=dict)
    base_url: str | None = None
    reranking: Reranking | None = None
    reader: Reader | None = None
    read_seconds: float = 2.0
    sql: bool | None = None
    parts: bool = True
    parts_seconds: float = 20.0
    cards: CardUse | None = None
    demonstrations: bool | None = None
    template: str | Path | None = None
    window: int | None = None
    prices: tuple[float, float] | None = None
    cache: Path | None = None
