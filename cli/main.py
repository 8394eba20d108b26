"""The `rag` command: its verbs, start-up and exit.

Verbs import what they work with inside their bodies, so that `rag --help` stays fast.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from cli.failures import ExitCode, report, report_interrupt
from cli.help import CONTEXT, Family, Verb
from cli.output.terminal import data_stream, tolerate_any_text
from cli.verbs.ask import ask
from cli.verbs.card import card
from cli.verbs.chat import chat
from cli.verbs.demo import demo
from cli.verbs.doctor import doctor
from cli.verbs.eval import evaluate
from cli.verbs.index import index, remove
from cli.verbs.models import models
from cli.verbs.search import search
from cli.verbs.sql import sql
from cli.verbs.status import status
from cli.verbs.trust import trust
from cli.verbs.tune import tune

app = typer.Typer(add_completion=False, cls=Family, context_settings=CONTEXT)
app.command(cls=Verb)(index)
app.command(cls=Verb)(search)
app.command(cls=Verb)(ask)
app.command(cls=Verb)(chat)
app.command(cls=Verb)(sql)
app.command(cls=Verb)(status)
app.command(cls=Verb)(remove)
app.command(cls=Verb)(trust)
app.command(cls=Verb)(doctor)
app.add_typer(card, name="card")
app.add_typer(demo, name="demo")
app.add_typer(models, name="models")
app.command("eval", cls=Verb)(evaluate)
app.command(cls=Verb)(tune)


def _show_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"pilotfish {version('pilotfish')}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def main(
    context: typer.Context,
    kb: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="The knowledge base. By default the nearest .rag in this folder or above it."),
    ] = None,
    version: Annotated[  # noqa: ARG001 — the callback answers it
        bool, typer.Option("--version", metavar="", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Cited answers from your own documents, offline.

    Every verb explains itself: rag search --help

    [bold]Start here[/bold]
      rag index docs/                         read a folder in
      rag search "how do refunds work?"       find passages
      rag ask "how do refunds work?"          get an answer with its sources
    """
    context.obj = kb
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def run() -> None:
    """Run the command line and exit: 0 done, 1 done with failures, 2 wrong usage, 3 no knowledge base."""
    tolerate_any_text()
    code = _run()
    try:
        data_stream().flush()
    except BrokenPipeError:
        # Whoever read us has gone. Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), data_stream().fileno())
    sys.exit(code)


def _run() -> int:
    try:
        # Not standalone: errors come here instead of being printed in another style.
        code = typer.main.get_command(app).main(prog_name="rag", standalone_mode=False)
    except KeyboardInterrupt:
        return report_interrupt()
    except Exception as error:  # noqa: BLE001 — no traceback reaches a user
        return report(error)
    return report_interrupt() if code == ExitCode.INTERRUPTED else int(code or 0)


if __name__ == "__main__":
    run()
