"""`rag trust`: shows what came with a copied knowledge base and is not used yet, and allows it."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.opening import knowledge_base
from cli.options import Json
from cli.output.terminal import note, one_line, print_json


def trust(
    context: typer.Context,
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="SOURCE", help="The sources to allow. None: show them.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", metavar="", help="Allow all of them.")] = False,
    json: Json = False,
) -> None:
    """Show the sources that somebody else registered, or allow them.

    A knowledge base that came from elsewhere can name any server, any folder of this machine, and any
    variable of the environment as a password. What you did not register yourself on this machine is
    therefore never opened until you allow it; files beside the knowledge base came along with it. Cards
    have a verb of their own: rag card trust.

    [bold]Examples[/bold]
      rag trust
      rag trust postgresql://db.example.org/shop
    """
    with knowledge_base(context) as base:
        foreign = base.foreign_sources()
        for uri in foreign if everything else sources or ():
            base.trust(uri)
        left = base.foreign_sources()
    if json:
        print_json({"trusted": [uri for uri in foreign if uri not in left], "foreign": left})
        return
    for uri in foreign:
        if uri not in left:
            note(f"{one_line(uri)} is trusted and will be opened")
    for uri, options in left.items():
        said = ", ".join(f"{name} {value}" for name, value in options.items())
        note(f"not yours: {one_line(uri)}" + (f" ({one_line(said)})" if said else ""))
    if left:
        note("to allow one: rag trust SOURCE")
    elif not foreign:
        note("every source was registered by you, or lies beside the knowledge base")
