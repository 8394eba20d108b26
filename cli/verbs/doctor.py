"""`rag doctor`: checks a knowledge base, and repairs it on request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from cli.failures import ExitCode
from cli.opening import knowledge_base
from cli.options import Json
from cli.output.terminal import note, one_line, print_json, put_behind, stdout
from indexes.errors import NoKnowledgeBaseError, StoreError

if TYPE_CHECKING:
    from indexes.doctor.findings import Check

    Show = Callable[[Sequence[Check]], None]


def doctor(
    context: typer.Context,
    repair: Annotated[bool, typer.Option("--repair", metavar="", help="Repair what is damaged.")] = False,
    json: Json = False,
) -> None:
    """Check a knowledge base for damage, and repair it.

    Without --repair nothing changes. With it, damaged indexes are rebuilt from the catalog. Whatever is damaged in the
    catalog itself is dropped, and the next `rag index` reads it again from its source; nothing is embedded here.
    Damaged cards and demonstrations stay, and a hint says what you can do.

    [bold]Examples[/bold]
      rag doctor
      rag doctor --repair
    """
    checks, repaired = _examine(context, repair=repair, show=_ignore if json else _print)
    if json:
        from cli.output import as_json

        print_json(as_json.examination(checks, repaired))
    if not all(check.ok for check in checks):
        raise typer.Exit(ExitCode.FAILURES)


def _examine(context: typer.Context, *, repair: bool, show: Show) -> tuple[Sequence[Check], Sequence[str]]:
    """The state in the end, and what was done to reach it; each state is shown as soon as it is known."""
    with ExitStack() as opened:
        try:
            base = opened.enter_context(knowledge_base(context))
        except NoKnowledgeBaseError:
            raise
        except StoreError as error:  # a catalog that cannot even be opened
            from indexes.doctor.findings import Check

            unopened = (Check("catalog", ok=False, detail=str(error), hint=error.hint),)
            show(unopened)
            return unopened, ()
        checks = base.check()
        show(checks)
        if not repair:
            return checks, ()
        repaired = base.repair()
        for line in repaired:
            note(f"repaired: {one_line(line)}")
        if repaired:
            checks = base.check()
            show(checks)
        elif not all(check.ok for check in checks):
            note("--repair cannot fix any of this: the hints say what you can do")
        return checks, repaired


def _print(checks: Sequence[Check]) -> None:
    from rich.text import Text

    width = max(len(check.name) for check in checks)
    for check in checks:
        word, style = ("ok", "green") if check.ok else ("FAILED", "bold red")
        lead = Text.assemble((f"{word:<6}", style), f"  {check.name:<{width}}  ")
        put_behind(stdout(), lead, Text(one_line(check.detail)))
        if check.hint:
            put_behind(stdout(), Text(f"        {'hint:':<{width}}  ", "dim"), Text(one_line(check.hint), "dim"))


def _ignore(_checks: Sequence[Check]) -> None:
    pass
