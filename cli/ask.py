"""`rag ask`: an answer as it is written, then the sources it was checked against."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.opening import knowledge_base
from cli.options import (
    Fallback,
    Filter,
    Json,
    RerankDepth,
    Reranker,
    RerankSeconds,
    parse_filters,
    reranking,
    tell_reranked,
)
from cli.terminal import encodable, print_json
from connectors.errors import ConfigurationError

if TYPE_CHECKING:
    from rag.asking import AskOptions
    from rag.knowledge_base import KnowledgeBase
    from rag.results import Answer

_MODEL = "The model"
_BESIDE = "Beside the passages that are found"


class Cards(StrEnum):
    """The integrations of `rag.cards.consulting`, known without importing the library."""

    BOTTOM_UP = "bottom-up"
    TOP_DOWN = "top-down"
    OFF = "off"


def ask(
    context: typer.Context,
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="What you want to know.")],
    llm: Annotated[
        str,
        typer.Option(
            metavar="SPEC",
            help="Who writes the answer: extractive (no model: quotes the best sentences), local (a small model on "
            "this machine), local:FILE.gguf, openai:MODEL, or package.module:object.",
        ),
    ] = "extractive",
    base_url: Annotated[
        str | None, typer.Option(metavar="URL", help="The server of openai:MODEL, if it is not OpenAI's.")
    ] = None,
    k: Annotated[int | None, typer.Option("-k", metavar="N", help="How many passages at most it may use.")] = None,
    budget: Annotated[int | None, typer.Option(metavar="TOKENS", help="How long the prompt may be.")] = None,
    min_relevance: Annotated[
        float | None, typer.Option(metavar="P", help="What counts as evidence: a probability from 0 to 1.")
    ] = None,
    filters: Filter = None,
    show_prompt: Annotated[
        bool, typer.Option("--show-prompt", metavar="", help="Also show what the model was sent, and what not.")
    ] = False,
    reranker: Reranker = None,
    rerank_depth: RerankDepth = None,
    rerank_seconds: RerankSeconds = None,
    fallback: Fallback = False,
    sql: Annotated[
        bool | None,
        typer.Option(
            "--sql/--no-sql",
            metavar="",
            show_default=False,
            help="Also ask a registered database, by SQL that the model writes. By default where the hits are about it "
            "and the model is a large one.",
        ),
    ] = None,
    template: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Another prompt: a changed copy of rag/prompt.txt.", rich_help_panel=_MODEL),
    ] = None,
    window: Annotated[
        int | None,
        typer.Option(metavar="TOKENS", help="How much the model reads, if it does not tell.", rich_help_panel=_MODEL),
    ] = None,
    prices: Annotated[
        str | None,
        typer.Option(
            metavar="SENT/GIVEN",
            help="What a million tokens cost, e.g. 0.15/0.60; shows the cost.",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    cache: Annotated[
        bool,
        typer.Option("--cache", metavar="", help="Keep replies, and use those that are kept.", rich_help_panel=_MODEL),
    ] = False,
    parts: Annotated[
        bool,
        typer.Option(
            "--parts/--no-parts",
            metavar="",
            help="Also search for what the passages found leave open of the question.",
            rich_help_panel=_BESIDE,
        ),
    ] = True,
    cards: Annotated[
        Cards,
        typer.Option(
            help="bottom-up asks every knowledge card, top-down has the model say whether it needs one.",
            rich_help_panel=_BESIDE,
        ),
    ] = Cards.BOTTOM_UP,
    card: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this card; several may be given.", rich_help_panel=_BESIDE),
    ] = None,
    demos: Annotated[
        bool | None,
        typer.Option(
            "--demos/--no-demos",
            metavar="",
            show_default=False,
            help="Show the model the solved examples nearest to the question. By default unless it is a small one.",
            rich_help_panel=_BESIDE,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Answer a question from the documents, and name the sources.

    Every sentence is checked against the passages it cites. Without evidence it says so.

    [bold]Examples[/bold]
      rag ask "how long do refunds take?"
      rag ask "what is new?" --llm local
    """
    given: dict[str, Any] = {"k": k, "budget": budget, "min_relevance": min_relevance, "base_url": base_url}
    given |= {"sql": sql, "parts": parts, "demonstrations": demos, "template": template, "window": window}
    given["prices"] = _prices(prices)
    given["reranking"] = reranking(reranker, rerank_depth, rerank_seconds, fallback=fallback)
    with knowledge_base(context) as base:
        from rag.asking import AskOptions
        from rag.cards.consulting import CardUse, Integration
        from rag.reply_cache import CACHE_FILE

        given["cache"] = base.path / CACHE_FILE if cache else None
        given["cards"] = CardUse(Integration(cards.value), tuple(card or ()))
        chosen = {name: value for name, value in given.items() if value is not None}
        options = AskOptions(filters=parse_filters(filters), **chosen)
        answer = _answer(base, encodable(question), llm, options, streaming=not json)
    tell_reranked(answer.reranked, failure_only=json)
    _show(answer, json=json, show_prompt=show_prompt)


def _prices(given: str | None) -> tuple[float, float] | None:
    """Two prices parted by a slash.

    Raises:
        ConfigurationError: they are not.
    """
    if given is None:
        return None
    try:
        sent, written = map(float, given.split("/"))
    except ValueError:
        raise ConfigurationError(
            f"the prices {given!r} are not two numbers", hint="what a million tokens cost, sent and given: 0.15/0.60"
        ) from None
    return sent, written


def _answer(base: KnowledgeBase, question: str, llm: str, options: AskOptions, *, streaming: bool) -> Answer:
    from cli.answer import AnswerWriter, waiting

    if not streaming:
        return base.ask(question, llm=llm, options=options)
    with waiting("reading …") as wait, AnswerWriter.on_stdout(before=wait.stop) as writer:
        return base.ask(question, llm=llm, options=options, on_text=writer)


def _show(answer: Answer, *, json: bool, show_prompt: bool) -> None:
    if json:
        from cli import as_json

        prompt = {"prompt": as_json.prompt(answer.prompt)} if show_prompt and answer.prompt else {}
        print_json({**as_json.answer(answer), **prompt})
        return
    from cli.answer import print_prompt, print_sources

    print_sources(answer)
    if show_prompt and answer.prompt:
        print_prompt(answer.prompt)
