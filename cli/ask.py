"""`rag ask`: an answer as it is written, then the sources it was checked against."""

from __future__ import annotations

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

if TYPE_CHECKING:
    from rag.asking import AskOptions
    from rag.knowledge_base import KnowledgeBase
    from rag.results import Answer


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
    json: Json = False,
) -> None:
    """Answer a question from the documents, and name the sources.

    Every sentence is checked against the passages it cites. Without evidence it says so.

    [bold]Examples[/bold]
      rag ask "how long do refunds take?"
      rag ask "what is new?" --llm local
    """
    given: dict[str, Any] = {"k": k, "budget": budget, "min_relevance": min_relevance, "base_url": base_url}
    given["sql"] = sql
    given["reranking"] = reranking(reranker, rerank_depth, rerank_seconds, fallback=fallback)
    with knowledge_base(context) as base:
        from rag.asking import AskOptions

        chosen = {name: value for name, value in given.items() if value is not None}
        options = AskOptions(filters=parse_filters(filters), **chosen)
        answer = _answer(base, encodable(question), llm, options, streaming=not json)
    tell_reranked(answer.reranked, failure_only=json)
    _show(answer, json=json, show_prompt=show_prompt)


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
