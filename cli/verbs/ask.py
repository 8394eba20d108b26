"""`rag ask`: prints an answer as it is written, then the sources it was checked against."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.ask_options import QUOTING, Asking, takes_asking
from cli.opening import knowledge_base
from cli.options import Json
from cli.output.answer import tell_reranked
from cli.output.terminal import encodable, print_json

if TYPE_CHECKING:
    from rag import Answer, AskOptions, KnowledgeBase


@takes_asking
def ask(
    context: typer.Context,
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="What you want to know.")],
    asking: Asking,
    show_prompt: Annotated[
        bool, typer.Option("--show-prompt", metavar="", help="Also show the prompt, and what was left out of it.")
    ] = False,
    json: Json = False,
) -> None:
    """Answer a question from your documents, and cite the sources.

    Every sentence is checked against the passages it cites. Without evidence, the answer says so.

    [bold]Examples[/bold]
      rag ask "how long do refunds take?"
      rag ask "what is new?" --llm local
    """
    with knowledge_base(context) as base:
        answer = _answer(base, encodable(question), asking.llm, asking.options(base), json=json)
    if json:
        tell_reranked(answer.reranked, failure_only=True)
        _print_json(answer, show_prompt=show_prompt)
        return
    from cli.output.answer import print_prompt, print_rest

    print_rest(answer, set())
    if show_prompt and answer.prompt:
        print_prompt(answer.prompt)


def _answer(base: KnowledgeBase, question: str, llm: str, options: AskOptions, *, json: bool) -> Answer:
    from cli.output.answer import AnswerWriter, print_text, waiting

    if json:
        return base.ask(question, llm=llm, options=options)
    if llm == QUOTING:
        with waiting("reading …"):
            answer = base.ask(question, llm=llm, options=options)
        print_text(answer)
        return answer
    with waiting("reading …") as wait, AnswerWriter.on_stdout(before=wait.stop) as writer:
        return base.ask(question, llm=llm, options=options, on_text=writer)


def _print_json(answer: Answer, *, show_prompt: bool) -> None:
    from cli.output import as_json

    prompt = {"prompt": as_json.encoded(answer.prompt)} if show_prompt and answer.prompt else {}
    print_json({**as_json.answer(answer), **prompt})
