"""Asking: search → compose → LLM → checked citations, or a plain statement that there is no evidence."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from connectors.errors import ConfigurationError
from rag.abstention import abstain
from rag.citations import check
from rag.composer import NOT_ANSWERED, Composer
from rag.llm import ANSWER_TOKENS, LLM
from rag.llm_loading import as_llm, load_llm
from rag.reranker import Reranking
from rag.results import Answer, Filters, Hit, Prompt, Usage
from rag.retriever import Found
from rag.sentence_encoder import SentenceEncoder

if TYPE_CHECKING:
    from rag.sql.answering import SqlAnswer

DEFAULT_BUDGET = 3_000  # tokens of prompt for a model with a large window
_SMALL_BUDGET = 1_200  # for a small one, which is also a slow one: reading 1,200 tokens takes a CPU some seconds


@dataclass(frozen=True, slots=True)
class AskOptions:
    """How much evidence goes into an answer, and what counts as evidence.

    Attributes:
        k: how many hits may become sources.
        min_relevance: hits below this probability are not evidence; without any above it the answer abstains. None is
            the knowledge base's own threshold: the default, or what it was tuned to.
        budget: tokens of the prompt; None chooses by the model's window.
        filters: what a source must meet, as for `KnowledgeBase.search`.
        base_url: the server of an `openai:` model.
        reranking: a heavier model that orders the best hits, None for none.
        sql: whether a registered database is asked by SQL too, and its rows become a source. None asks one where a row
            or a description of its tables is among the relevant hits, and the model is neither `extractive` nor small.
    """

    k: int = 8
    min_relevance: float | None = None
    budget: int | None = None
    filters: Filters = field(default_factory=dict)
    base_url: str | None = None
    reranking: Reranking | None = None
    sql: bool | None = None


RowsBeside = Callable[[LLM, Sequence[Hit], float, bool | None], "SqlAnswer | None"]
"""What a registered database gives for the question, given the model, the hits, the threshold and `AskOptions.sql`."""


def ask(
    search: Callable[[AskOptions], Found],
    encoder: SentenceEncoder,
    question: str,
    *,
    llm: LLM | object | str,
    options: AskOptions | None = None,
    on_text: Callable[[str], None] | None = None,
    rows_beside: RowsBeside | None = None,
) -> Answer:
    """Answer `question` from what `search` finds for it. See `KnowledgeBase.ask`."""
    options = options or AskOptions()
    model = load_llm(llm, encoder=encoder, base_url=options.base_url) if isinstance(llm, str) else as_llm(llm)
    composer = Composer(_budget(model, options), model.count, encoder)
    found = search(options)
    threshold = found.min_relevance if options.min_relevance is None else options.min_relevance
    rows = rows_beside(model, found.hits, threshold, options.sql) if rows_beside is not None else None
    if rows is not None:
        from rag.sql.evidence import with_rows

        found = replace(found, hits=with_rows(found.hits, rows, threshold))
    prompt = composer.compose(question, found.hits, min_relevance=threshold)
    if not prompt.sources:
        return replace(_abstention(question, found, prompt, on_text), sql=rows)
    start = time.perf_counter()
    pieces = []
    with model.stream(prompt, question) as reply:
        for piece in reply:
            pieces.append(piece)
            if on_text is not None:
                on_text(piece)
    generated = time.perf_counter()
    text = "".join(pieces).strip()
    result = check(text, prompt, encoder=encoder)
    checked = time.perf_counter()
    return Answer(
        question=question,
        text=result.text,
        abstained=text == NOT_ANSWERED,
        citations=result.citations,
        sources=prompt.sources,
        hits=found.hits,
        confidence=result.confidence,
        usage=reply.usage,
        unsupported=result.unsupported,
        unchecked=result.unchecked,
        marked=result.marked,
        written=text,
        prompt=prompt,
        timings_ms={
            "search": found.timings_ms["total"],
            "generate": round((generated - start) * 1_000, 3),
            "check": round((checked - generated) * 1_000, 3),
        },
        reranked=found.reranked,
        sql=rows,
    )


def _budget(model: LLM, options: AskOptions) -> int:
    """The tokens of the prompt: what was asked for, as far as the model's window leaves room for an answer."""
    if model.window is None:
        return options.budget or DEFAULT_BUDGET
    room = model.window - min(ANSWER_TOKENS, model.window // 4)
    if options.budget is None:
        return min(DEFAULT_BUDGET, max(_SMALL_BUDGET, model.window // 3), room)
    if options.budget > room:
        raise ConfigurationError(
            f"a prompt budget of {options.budget} tokens does not fit {model.name}, which takes {model.window} tokens "
            "for prompt and answer together",
            hint=f"choose at most {room}",
        )
    return options.budget


def _abstention(question: str, found: Found, prompt: Prompt, on_text: Callable[[str], None] | None) -> Answer:
    text = abstain(question, found.hits)
    if on_text is not None:
        on_text(text)
    return Answer(
        question=question,
        text=text,
        marked=text,
        abstained=True,
        citations=(),
        sources=(),
        hits=found.hits,
        confidence=0.0,
        usage=Usage(),
        prompt=prompt,
        timings_ms={"search": found.timings_ms["total"]},
        reranked=found.reranked,
    )
