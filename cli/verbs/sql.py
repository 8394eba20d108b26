"""`rag sql`: answers a question from a database. Shows the SELECT a model wrote, and its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.failures import ExitCode
from cli.opening import knowledge_base, quieten_libraries
from cli.options import Json
from cli.output.terminal import (
    encodable,
    grouped,
    note,
    one_line,
    only_data_on_stdout,
    print_json,
    printable,
    put,
    stdout,
    warn,
)
from indexes.errors import NoKnowledgeBaseError

if TYPE_CHECKING:
    from rag.sql import Attempt, SqlAnswer, StatementLimits

_ROWS_SHOWN = 100


def sql(
    context: typer.Context,
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="What you want to know.")],
    database: Annotated[
        str | None,
        typer.Option(metavar="URI", help="The address of a database, or the name of a registered one."),
    ] = None,
    llm: Annotated[
        str,
        typer.Option(
            metavar="SPEC",
            show_default=False,
            help="Who writes the SQL: openai:MODEL, local (a small model on this machine), local:FILE.gguf, or "
            "package.module:object.",
        ),
    ] = "extractive",
    base_url: Annotated[
        str | None, typer.Option(metavar="URL", help="The server of openai:MODEL, if it is not OpenAI's.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(metavar="S", help="The most seconds a statement may run (10).")
    ] = None,
    rows: Annotated[int | None, typer.Option(metavar="N", help="The most rows it may return (1000).")] = None,
    json: Json = False,
) -> None:
    """Answer a question from a database.

    A model writes one SELECT. It is checked, run read-only with limits, and shown with its rows.
    Whatever the model writes, it cannot change the database.

    [bold]Examples[/bold]
      rag sql "who are our ten best customers?" --llm openai:gpt-4o-mini
      rag sql "how many orders are open?" --database sqlite:///shop.db --llm mymodel:chat
    """
    given = _answer(context.obj, encodable(question), database, llm, base_url, _limits(seconds, rows), context)
    if json:
        from cli.output import as_json

        print_json(as_json.sql(given))
    else:
        _show(given)
    if given.error is not None:
        raise typer.Exit(ExitCode.FAILURES)


def _limits(seconds: float | None, rows: int | None) -> StatementLimits:
    from rag.sql import StatementLimits

    chosen: dict[str, Any] = {"seconds": seconds, "rows": rows}
    return StatementLimits(**{name: value for name, value in chosen.items() if value is not None})


def _answer(
    folder: str | None,
    question: str,
    database: str | None,
    llm: str,
    base_url: str | None,
    limits: StatementLimits,
    context: typer.Context,
) -> SqlAnswer:
    from cli.output.answer import waiting

    with waiting("asking …") as wait:

        def on_attempt(attempt: Attempt) -> None:
            if attempt.error:
                wait.stop()
                tried = f"{one_line(attempt.sql)}\n  " if attempt.sql else ""
                note(f"{tried}✗ {one_line(attempt.error)}")

        try:
            with knowledge_base(context) as base:
                return base.sql(
                    question, llm=llm, database=database, limits=limits, base_url=base_url, on_attempt=on_attempt
                )
        except NoKnowledgeBaseError:
            if folder is not None or database is None:
                raise
        # An address alone is enough: there need not be a knowledge base beside it.
        quieten_libraries()
        with only_data_on_stdout():
            from rag.llm import load_llm
            from rag.sql import ask_database

            model = load_llm(llm, base_url=base_url)
            return ask_database(question, model, database, {}, limits=limits, on_attempt=on_attempt)


def _show(given: SqlAnswer) -> None:
    from rich.text import Text

    if given.error is not None:
        warn("error", given.error, given.hint)
        return
    console = stdout()
    put(console, Text(printable(given.sql), "cyan"))
    console.print()
    if not given.rows.rows:
        put(console, "no rows")
        return
    from cli.output.rows import print_rows

    print_rows(given.rows, _ROWS_SHOWN)
    left = len(given.rows.rows) - _ROWS_SHOWN
    hidden = f"{grouped(left)} more rows; --json has them" if left > 0 else ""
    for line in filter(None, (hidden, given.rows.cut)):
        note(f"⚠ {line}")
