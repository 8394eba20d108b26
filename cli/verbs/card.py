"""`rag card`: small experts that offer background knowledge, kept with the knowledge base and checked against it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.help import CONTEXT, Family, Verb
from cli.opening import knowledge_base
from cli.options import Json
from cli.output.terminal import encodable, grouped, note, one_line, print_json, printable, stdout, warn

if TYPE_CHECKING:
    from rag.cards import StoredCard

card = typer.Typer(cls=Family, context_settings=CONTEXT)


class CardKindOption(StrEnum):
    """The kinds of `rag.cards.card.CardKind`, copied here so that `--help` need not import the library."""

    LM = "lm"
    KB = "kb"
    GLOSSARY = "glossary"


Name = Annotated[str, typer.Argument(metavar="NAME", help="The name of a card.")]


@card.callback(invoke_without_command=True)
def main(context: typer.Context) -> None:
    """Keep small experts that offer background knowledge.

    A card is a small language model, another knowledge base or a glossary. Its statements are checked against
    the knowledge base before they reach a prompt: one that the documents also make is cited from them, one
    that they make with another number is dropped, and the rest are labelled as unverified.

    [bold]Examples[/bold]
      rag card add terms glossary.csv
      rag card ask terms "what is a VAT group?"
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@card.command("add", cls=Verb)
def add_card(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name for it: lower-case letters, digits, - and _.")],
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET",
            help="A GGUF file or a model as for `rag ask --llm`, the folder of a knowledge base, or a file of terms.",
        ),
    ],
    kind: Annotated[
        CardKindOption | None, typer.Option(help="What it is, if the target does not make it clear.")
    ] = None,
    description: Annotated[
        str, typer.Option(metavar="TEXT", help="What it knows. Questions are compared with it.")
    ] = "",
    origin: Annotated[str, typer.Option(metavar="TEXT", help="Where it comes from.")] = "",
    licence: Annotated[str, typer.Option(metavar="TEXT", help="Its licence.")] = "",
    base_url: Annotated[
        str | None, typer.Option(metavar="URL", help="The server of openai:MODEL, if it is not OpenAI's.")
    ] = None,
    lora: Annotated[str | None, typer.Option(metavar="FILE", help="A LoRA (GGUF) on top of the model.")] = None,
    json: Json = False,
) -> None:
    """Add a card.

    A glossary is a CSV, TSV or JSON file with term, definition and aliases, or lines like `term: definition`.
    Its terms are copied. A model or a knowledge base stays where it is.

    [bold]Examples[/bold]
      rag card add terms glossary.csv
      rag card add med med.gguf --description "cardiology" --licence Apache-2.0
    """
    with knowledge_base(context) as base:
        added = base.cards.add(
            name,
            target,
            kind=kind and kind.value,
            description=description,
            origin=origin,
            licence=licence,
            base_url=base_url,
            lora=lora,
        )
        shelved = base.cards.get(added.name)
    if json:
        print_json(_as_json(shelved))
    else:
        note(f"added the card {name} ({added.kind}): {one_line(added.description)}")


@card.command("list", cls=Verb)
def list_cards(context: typer.Context, json: Json = False) -> None:
    """List the cards.

    A card that cannot be asked is shown with the reason.

    [bold]Examples[/bold]
      rag card list
      rag card list --json
    """
    with knowledge_base(context) as base:
        found, damaged = base.cards.all(), base.cards.damaged()
    if json:
        print_json({"cards": [_as_json(each) for each in found], "damaged": damaged})
        return
    from rich.table import Table
    from rich.text import Text

    if not found and not damaged:
        note("no cards yet; add one with `rag card add NAME TARGET`")
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2), header_style="dim")
    for column in ("name", "kind", "what it knows"):
        table.add_column(column, overflow="fold")
    for each in found:
        about = Text(one_line(each.card.description))
        if each.problem:
            about.append(f"\n⚠ {one_line(each.problem)}", "yellow")
        table.add_row(each.card.name, each.card.kind.value, about)
    for name in damaged:
        table.add_row(name, "", Text("⚠ damaged", "yellow"))
    stdout().print(table)


@card.command("show", cls=Verb)
def show_card(context: typer.Context, name: Name, json: Json = False) -> None:
    """Show everything about a card.

    Its checksum covers the files it depends on.

    [bold]Examples[/bold]
      rag card show terms
      rag card show terms --json
    """
    with knowledge_base(context) as base:
        shelved = base.cards.get(name)
    if json:
        print_json(_as_json(shelved))
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2), show_header=False)
    for key, value in _as_json(shelved).items():
        for line in _lines(value):
            table.add_row(Text(key, "dim"), Text(printable(line)))
    stdout().print(table)


@card.command("remove", cls=Verb)
def remove_card(context: typer.Context, name: Name, json: Json = False) -> None:
    """Forget a card.

    The model or the knowledge base behind it stays where it is; a trained model is deleted with its card.

    [bold]Examples[/bold]
      rag card remove terms
      rag card remove terms --json
    """
    with knowledge_base(context) as base:
        base.cards.remove(name)
    if json:
        print_json({"removed": name})
    else:
        note(f"removed the card {name}")


@card.command("trust", cls=Verb)
def trust_card(context: typer.Context, name: Name, json: Json = False) -> None:
    """Trust a card that came with a copied knowledge base.

    A card loads a model, sends the question to a server or imports code. A card that you did not add
    yourself on this machine is therefore never asked until you trust it. Look at it first.

    [bold]Examples[/bold]
      rag card show law
      rag card trust law
    """
    with knowledge_base(context) as base:
        base.cards.trust(name)
        shelved = base.cards.get(name)
    if json:
        print_json(_as_json(shelved))
    else:
        note(f"the card {name} is trusted and will be asked")


@card.command("ask", cls=Verb)
def ask_card(
    context: typer.Context,
    name: Name,
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="The question to ask it.")],
    json: Json = False,
) -> None:
    """Ask one card, and show the verdict on each sentence.

    Sentences are checked as in an answer: the knowledge base confirms one, has another number, or does neither.

    [bold]Examples[/bold]
      rag card ask terms "what is a VAT group?"
      rag card ask law "who has to register?" --json
    """
    from cli.output.answer import waiting

    with knowledge_base(context) as base, waiting("asking …"):
        said = base.cards.ask(name, encodable(question))
    if json:
        from cli.output import as_json

        print_json({"card": name, "question": question, "statements": as_json.encoded(said)})
        return
    if not said:
        note(f"the card {name} has nothing to say about this")
    from cli.output.cards import print_said

    print_said(said)


@card.command("train", cls=Verb)
def train_card(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name for it: lower-case letters, digits, - and _.")],
    source: Annotated[
        str,
        typer.Option(
            "--from", metavar="SOURCE", help="What to learn from: a folder, a file, a database or a repository."
        ),
    ],
    base: Annotated[
        str, typer.Option(metavar="MODEL", help="The small model: a GGUF file, or one of `rag models list`.")
    ] = "smollm2",
    description: Annotated[
        str, typer.Option(metavar="TEXT", help="What the card knows; by default the titles of what it learned.")
    ] = "",
    licence: Annotated[str, typer.Option(metavar="TEXT", help="Its licence.")] = "",
    epochs: Annotated[int | None, typer.Option(metavar="N", help="How often it reads everything (8).")] = None,
    rank: Annotated[int | None, typer.Option(metavar="N", help="How much it can hold (16).")] = None,
    json: Json = False,
) -> None:
    """Make a small expert from a domain's text.

    A small language model learns the text (a LoRA beside its weights), and is measured on a held-out tenth
    of the documents. A model that did not learn becomes no card. On a laptop this takes minutes for a few
    pages and hours for a book. If a run is interrupted, the same command continues it.
    Nothing is downloaded. Needs the extras models and local.

    [bold]Examples[/bold]
      rag card train garden --from docs/plants --description "our plants and their care"
      rag card train law --from law/ --epochs 12
    """
    from cli.output.progress import Meter

    with knowledge_base(context) as base_kb, Meter() as meter:
        from rag.cards import TrainingOptions, TrainingProgress

        def show(done: TrainingProgress) -> None:
            meter.update("training", done.step, done.steps, "steps", f"loss {done.loss:.2f}")

        given = {"epochs": epochs, "rank": rank}
        options = TrainingOptions(**{key: value for key, value in given.items() if value is not None})
        trained = base_kb.cards.train(
            name, source, base=base, description=description, licence=licence, options=options, on_progress=show
        )
        shelved = base_kb.cards.get(name)
    if json:
        result = trained.result
        print_json(
            {
                "card": _as_json(shelved),
                "documents": trained.documents,
                "passages": trained.passages,
                "failures": [{"uri": each.uri, "error": each.error, "hint": each.hint} for each in trained.failures],
                "tokens": result.tokens,
                "perplexity": {"before": result.perplexity_before, "after": result.perplexity_after},
                "change": {"mean": result.change[0], "low": result.change[1], "high": result.change[2]},
                "seconds": result.seconds,
            }
        )
        return
    for failure in trained.failures:
        warn("failed", f"{failure.uri}: {failure.error}", failure.hint)
    note(
        f"trained the card {name} on {grouped(trained.documents)} documents: perplexity of held-out text "
        f"{trained.result.perplexity_before:.1f} → {trained.result.perplexity_after:.1f}, "
        f"{trained.result.seconds:.0f} s"
    )


def _lines(value: Any) -> list[str]:
    """A value of a card as lines: of settings the name before each, of files where they are."""
    match value:
        case dict():
            return [f"{name}: {setting}" for name, setting in value.items()]
        case list():
            return [file["path"] for file in value]
        case _:
            return [value] if value else []


def _as_json(shelved: StoredCard) -> dict[str, Any]:
    card = shelved.card
    return {
        "name": card.name,
        "kind": card.kind.value,
        "description": card.description,
        "target": card.target,
        "origin": card.origin,
        "licence": card.licence,
        "checksum": card.checksum,
        "settings": dict(card.settings),
        "files": [{"path": file.path, "size": file.size, "sha256": file.sha256} for file in card.files],
        "added": card.added,
        "problem": shelved.problem,
        "hint": shelved.hint,
    }
