"""`rag status`: what a knowledge base holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import typer

from cli.opening import knowledge_base
from cli.options import Json
from cli.output.terminal import grouped, near, one_line, print_json, stdout

_COMMIT_DIGITS = 12

if TYPE_CHECKING:
    from rag import Status
    from rag.retrieval import TunedPart, Tuning


def status(context: typer.Context, json: Json = False) -> None:
    """Show what is indexed: sources, counts, sizes.

    It works while another process indexes, and shows the last published state.

    [bold]Examples[/bold]
      rag status
      rag --kb ~/notes/.rag status --json
    """
    with knowledge_base(context) as base:
        state = base.status()
    if json:
        from cli.output import as_json

        print_json(as_json.status(state))
    else:
        _print(state)


def _tuned(tuning: Tuning, part: TunedPart) -> str:
    """What a part is tuned to."""
    said = tuning.to_json()
    values = said[part] if part in said else {"minimum relevance": said["min_relevance"]}
    return ", ".join(f"{name} {value:.3g}" for name, value in values.items())


def _as_of(facts: Mapping[str, str]) -> str:
    """The state of a source that was read last: of a repository the branch, and the first digits of the commit."""
    return f"{facts.get('branch', '')} {facts.get('commit', '')[:_COMMIT_DIGITS]}".strip()


def _print(state: Status) -> None:
    from rich.filesize import decimal
    from rich.table import Table
    from rich.text import Text

    from rag.indexing import in_words

    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim")
    facts.add_column(overflow="fold")
    facts.add_row("knowledge base", one_line(state.path))
    facts.add_row("documents", grouped(state.documents))
    facts.add_row("chunks", grouped(state.chunks))
    facts.add_row("encoder", one_line(state.encoder))
    facts.add_row("generation", str(state.generation))
    parts = ", ".join(f"{part} {decimal(size)}" for part, size in state.sizes.items())
    facts.add_row("on disk", f"{decimal(sum(state.sizes.values()))} ({parts})")
    for part, why in state.tuning.evidence.items():
        facts.add_row(f"tuned {part}", one_line(f"{_tuned(state.tuning, part)} · {why}"))
    stdout().print(facts)
    stdout().print()
    if not state.sources:
        stdout().print("no sources yet: add a folder or a file, e.g. `rag index docs/`", style="dim")
        return
    sources = Table(box=None, pad_edge=False, padding=(0, 2), header_style="dim")
    sources.add_column("source", overflow="fold")
    sources.add_column("documents", justify="right", no_wrap=True)
    sources.add_column("chunks", justify="right", no_wrap=True)
    sources.add_column("as of" if any(_as_of(source.facts) for source in state.sources) else "", overflow="fold")
    for source in state.sources:
        counts = grouped(source.documents), grouped(source.chunks)
        sources.add_row(one_line(source.uri), *counts, one_line(_as_of(source.facts)))
    stdout().print(sources)
    for source in state.sources:
        if source.left_out:
            stdout().print(Text(one_line(f"{near(source.uri)}: {in_words(source.left_out)}"), "dim"), soft_wrap=True)
