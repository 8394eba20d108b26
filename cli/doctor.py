"""`rag doctor`: examines a knowledge base, and mends it when asked."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from cli.failures import ExitCode
from cli.opening import knowledge_base
from cli.options import Json
from cli.terminal import note, one_line, print_json, put, stdout
from indexes.errors import NoKnowledgeBaseError, StoreError

if TYPE_CHECKING:
    from indexes.findings import Check


def doctor(
    context: typer.Context,
    repair: Annotated[bool, typer.Option("--repair", metavar="", help="Mend what is damaged.")] = False,
    json: Json = False,
) -> None:
    """Check that nothing of a knowledge base is damaged, and mend it.

    Without --repair nothing is changed. With it, indexes are made anew from the catalog. What is damaged in the catalog
    itself is forgotten, and the next `rag index` reads it again from its source; nothing is embedded here.

    [bold]Examples[/bold]
      rag doctor
      rag doctor --repair
    """
    checks, repaired = _examine(context, repair=repair, json=json)
    if json:
        from cli import as_json

        print_json(as_json.examination(checks, repaired))
    else:
        _print(checks)
    if not all(check.ok for check in checks):
        raise typer.Exit(ExitCode.FAILURES)


def _examine(context: typer.Context, *, repair: bool, json: bool) -> tuple[Sequence[Check], Sequence[str]]:
    """The state in the end, and what was done to reach it."""
    with ExitStack() as opened:
        try:
            base = opened.enter_context(knowledge_base(context))
        except NoKnowledgeBaseError:
            raise
        except StoreError as error:  # a catalog that cannot even be opened
            from indexes.findings import Check

            return (Check("catalog", ok=False, detail=str(error), hint=error.hint),), ()
        checks = base.check()
        if not repair:
            return checks, ()
        if not json and not all(check.ok for check in checks):
            _print(checks)
        repaired = base.repair()
        for line in repaired:
            note(f"repaired: {one_line(line)}")
        return (base.check() if repaired else checks), repaired


def _print(checks: Sequence[Check]) -> None:
    from rich.text import Text

    width = max(len(check.name) for check in checks)
    for check in checks:
        word, style = ("ok", "green") if check.ok else ("FAILED", "bold red")
        put(stdout(), Text.assemble((f"{word:<6}", style), f"  {check.name:<{width}}  {one_line(check.detail)}"))
        if check.hint:
            put(stdout(), Text(f"        {'hint:':<{width}}  {one_line(check.hint)}", "dim"))
