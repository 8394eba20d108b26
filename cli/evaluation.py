"""`rag eval`: how good and how fast the search is, measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.opening import knowledge_base, quieten_libraries
from cli.options import Json, Mode
from cli.terminal import grouped, note, one_line, only_data_on_stdout, print_json, stdout

if TYPE_CHECKING:
    from rag.evaluation import Evaluation, Step
    from rag.results import Mode as SearchMode


def evaluate(
    context: typer.Context,
    dataset: Annotated[
        Path,
        typer.Argument(
            metavar="DATASET",
            help="A BEIR folder (corpus.jsonl, queries.jsonl, qrels/SPLIT.tsv), or a file of questions with one "
            '{"question": …, "expected": path} a line.',
        ),
    ],
    modes: Annotated[
        list[Mode] | None, typer.Option("--mode", metavar="MODE", help="hybrid, sparse or dense; by default all three.")
    ] = None,
    split: Annotated[str, typer.Option(metavar="SPLIT", help="Whose judgements of a BEIR folder to use.")] = "test",
    json: Json = False,
) -> None:
    """Measure the quality and speed of the search.

    A BEIR folder is indexed for the occasion; with rag --kb DIR it is kept there,
    so that the next run reuses it. Questions are asked of your own knowledge base.

    [bold]Examples[/bold]
      rag eval nfcorpus/
      rag eval questions.jsonl --mode hybrid
    """
    from rag.results import Mode as SearchMode

    chosen = [SearchMode(mode) for mode in modes or Mode]
    measured = _measure(context, dataset, chosen, split)
    for notice in measured.notices:
        note(f"note: {notice}")
    if json:
        print_json(measured.to_json())
    else:
        _print(measured)


def _measure(context: typer.Context, dataset: Path, modes: list[SearchMode], split: str) -> Evaluation:
    from cli.progress import Meter
    from rag.evaluation import evaluate as evaluate_collection
    from rag.evaluation import evaluate_questions

    with Meter() as meter:

        def progress(step: Step) -> None:
            unit = "documents" if step.stage == "index" else "queries"
            meter.update(step.stage, step.done, step.total, unit)

        if not dataset.is_file():
            quieten_libraries()
            with only_data_on_stdout():
                return evaluate_collection(dataset, split=split, modes=modes, folder=context.obj, on_progress=progress)
        with knowledge_base(context) as base:
            return evaluate_questions(base, dataset, modes=modes, on_progress=progress)


def _print(measured: Evaluation) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2), header_style="dim")
    table.add_column(one_line(measured.dataset))
    names = list(next(iter(measured.metrics.values())))
    for name in names:
        table.add_column(name, justify="right")
    for mode, metrics in measured.metrics.items():
        table.add_row(mode, *(f"{metrics[name]:.4f}" for name in names))
    stdout().print(table)
    facts = [f"queries {grouped(measured.queries)}"]
    if (index := measured.index) is not None:
        facts.append(f"documents {grouped(index.docs)} in {index.seconds:.1f} s ({index.docs_per_second:.0f}/s)")
    facts.append(f"a search takes {measured.query_ms['p50']:.0f} ms (p95 {measured.query_ms['p95']:.0f})")
    stdout().print(f"\n{' · '.join(facts)}", style="dim", soft_wrap=True)
