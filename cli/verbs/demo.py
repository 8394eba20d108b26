"""`rag demo`: solved examples. The ones closest to a question show a model how to answer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.help import CONTEXT, Family, Verb
from cli.opening import knowledge_base
from cli.options import Json
from cli.output.terminal import encodable, note, one_line, print_json, shortened, stdout
from connectors.errors import ConfigurationError

if TYPE_CHECKING:
    from rag.prompting import StoredDemonstration

demo = typer.Typer(cls=Family, context_settings=CONTEXT)

_SHOWN = 80


@demo.callback(invoke_without_command=True)
def main(context: typer.Context) -> None:
    """Keep solved examples for the model.

    The few whose questions are most like yours go into the prompt. They show the model the length, the tone
    and the form an answer should have. They are not evidence and are never cited.

    [bold]Examples[/bold]
      rag demo add "How long do refunds take?" "14 days. [1]"
      rag demo list
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@demo.command("add", cls=Verb)
def add_demo(
    context: typer.Context,
    question: Annotated[str | None, typer.Argument(metavar="QUESTION", help="The question.")] = None,
    answer: Annotated[str | None, typer.Argument(metavar="ANSWER", help="The answer to give.")] = None,
    file: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="Add many at once: JSON lines or CSV with question and answer."),
    ] = None,
    json: Json = False,
) -> None:
    """Add an example, or a file of examples.

    If the question is already there, its answer is replaced.

    [bold]Examples[/bold]
      rag demo add "How long do refunds take?" "14 days. [1]"
      rag demo add --from examples.jsonl
    """
    if (file is None) == (question is None or answer is None):
        raise ConfigurationError(
            "a demonstration needs a question and an answer", hint='rag demo add "QUESTION" "ANSWER", or --from FILE'
        )
    with knowledge_base(context) as base:
        from rag.prompting import read_examples

        pairs = [(encodable(question or ""), encodable(answer or ""))] if file is None else read_examples(file)
        added = base.demonstrations.add(pairs)
    if json:
        print_json({"added": [_as_json(each) for each in added]})
    else:
        note(f"added {len(added)} demonstration{'s' * (len(added) != 1)}")


@demo.command("list", cls=Verb)
def list_demos(context: typer.Context, json: Json = False) -> None:
    """Show the examples.

    Each has a number, for `rag demo remove`.

    [bold]Examples[/bold]
      rag demo list
      rag demo list --json
    """
    with knowledge_base(context) as base:
        found = base.demonstrations.all()
    if json:
        print_json({"demonstrations": [_as_json(each) for each in found]})
        return
    from rich.table import Table

    if not found:
        note('no demonstrations yet; rag demo add "QUESTION" "ANSWER" adds one')
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2), header_style="dim")
    table.add_column("", justify="right")
    for column in ("question", "answer"):
        table.add_column(column, overflow="fold")
    for each in found:
        table.add_row(str(each.number), shortened(each.question, _SHOWN), shortened(each.answer, _SHOWN))
    stdout().print(table)


@demo.command("remove", cls=Verb)
def remove_demo(
    context: typer.Context,
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="Its number in `rag demo list`.")],
    json: Json = False,
) -> None:
    """Forget an example.

    The other examples keep their numbers.

    [bold]Examples[/bold]
      rag demo remove 3
      rag demo remove 3 --json
    """
    with knowledge_base(context) as base:
        gone = base.demonstrations.remove(number)
    if json:
        print_json({"removed": _as_json(gone)})
    else:
        note(f"removed: {one_line(gone.question)}")


def _as_json(each: StoredDemonstration) -> dict[str, Any]:
    return {"number": each.number, "question": each.question, "answer": each.answer}
