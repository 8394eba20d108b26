"""`rag trust`: shows what came with a copied knowledge base and is not used yet, and allows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.opening import knowledge_base
from cli.options import Json
from cli.output.terminal import note, one_line, print_json, shortened

if TYPE_CHECKING:
    from rag import KnowledgeBase
    from rag.indexing import Options

_SHOWN = 200


def trust(
    context: typer.Context,
    sources: Annotated[list[str] | None, typer.Argument(metavar="SOURCE", help="What to allow. None: show it.")] = None,
    everything: Annotated[bool, typer.Option("--all", metavar="", help="Allow all of them.")] = False,
    json: Json = False,
) -> None:
    """Show what somebody else decided, or allow it.

    A knowledge base that came from elsewhere can name any server, any folder of this machine, and any
    variable of the environment as a password. A source that you did not register yourself on this machine
    is therefore never opened until you allow it; files beside the knowledge base came along with it. The
    same holds for an encoder that is not the shipped one, a tuning and demonstrations: allow them by these
    names. Cards have a verb of their own: rag card trust.

    [bold]Examples[/bold]
      rag trust
      rag trust postgresql://db.example.org/shop
      rag trust encoder
    """
    with knowledge_base(context) as base:
        foreign = _foreign(base)
        for name in foreign if everything else sources or ():
            base.trust(name)
        left = _foreign(base)
    if json:
        print_json({"trusted": [name for name in foreign if name not in left], "foreign": left})
        return
    for name in foreign:
        if name not in left:
            note(f"{one_line(name)} is trusted and will be used")
    for name, what in left.items():
        said = what if isinstance(what, str) else ", ".join(f"{option} {value}" for option, value in what.items())
        note(f"not yours: {one_line(name)}" + (f" ({shortened(said, _SHOWN)})" if said else ""))
    if left:
        note("to allow one: rag trust NAME")
    elif not foreign:
        note("everything was decided by you, or lies beside the knowledge base")


def _foreign(base: KnowledgeBase) -> dict[str, Options | str]:
    return {**base.foreign_sources(), **base.foreign_parts()}
