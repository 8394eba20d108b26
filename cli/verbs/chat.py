"""`rag chat`: a conversation about your documents, line by line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from cli.ask_options import QUOTING, Asking, takes_asking
from cli.opening import knowledge_base
from cli.options import Json
from cli.output.answer import tell_reranked
from cli.output.terminal import data_stream, encodable, note, one_line, printable, stderr
from connectors.errors import PilotfishError

if TYPE_CHECKING:
    from rag import Answer, Conversation

_FORGET = "/new"
_LEAVE = frozenset({"/quit", "/exit", "/q"})


@takes_asking
def chat(
    context: typer.Context,
    asking: Asking,
    json: Json = False,
) -> None:
    """Ask one question after another.

    A question may build on earlier ones ("and in winter?"): it is rewritten to stand alone before the search,
    and the rewritten question is shown. Questions are read line by line, from a terminal or a file.
    With --json each answer is one object on one line. /new starts over; /quit or the end of input leaves.

    [bold]Examples[/bold]
      rag chat
      rag chat --json < questions.txt
    """
    with knowledge_base(context) as base:
        conversation = base.chat(llm=asking.llm, options=asking.options(base))
        failed, told = False, set[str]()
        for question in _questions():
            if question == _FORGET:
                conversation.forget()
                note("started over")
            else:
                quoting = asking.llm == QUOTING
                failed = not _answered(conversation, question, told, json=json, quoting=quoting) or failed
    if failed:
        from cli.failures import ExitCode

        raise typer.Exit(ExitCode.FAILURES)


def _questions() -> Iterator[str]:
    """The lines of the input that say something, up to one that ends the conversation."""
    interactive = sys.stdin.isatty()
    if interactive:
        import readline  # noqa: F401 — gives `input` its history and its editing

        note("Ask a question. /new starts over, /quit leaves.")
    while True:
        try:
            if interactive:
                stderr().file.flush()
            line = input("\n› ") if interactive else sys.stdin.readline()
        except EOFError:
            note("")  # the shell's prompt is to begin a line
            return
        if not line and not interactive:
            return
        question = encodable(line.strip())
        if question in _LEAVE:
            return
        if question:
            yield question


def _answered(conversation: Conversation, question: str, told: set[str], *, json: bool, quoting: bool) -> bool:
    """Answer one question; one that fails does not end the conversation."""
    from cli.failures import report
    from cli.output.answer import AnswerWriter, print_rest, print_text, waiting

    try:
        if json:
            answer = conversation.ask(question)
            tell_reranked(answer.reranked, failure_only=True)
            _print_line(answer)
            return True
        if quoting:
            with waiting("reading …"):
                answer = conversation.ask(question)
            print_text(answer)
        else:
            with waiting("reading …") as wait, AnswerWriter.on_stdout(before=wait.stop) as writer:
                answer = conversation.ask(question, on_text=writer)
    except PilotfishError as error:
        report(error)
        return False
    if answer.standalone is not None and answer.standalone.by:
        note(f"searched for: {one_line(printable(answer.standalone.text))}")
    print_rest(answer, told)
    return True


def _print_line(answer: Answer) -> None:
    from json import dumps

    from cli.output import as_json

    stream = data_stream()
    stream.write(dumps(as_json.answer(answer), allow_nan=False) + "\n")  # ASCII: nothing in it can move a cursor
    stream.flush()
