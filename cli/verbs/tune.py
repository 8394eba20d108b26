"""`rag tune`: fits the search to your own questions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.opening import knowledge_base
from cli.options import Json
from cli.output.terminal import note, one_line, print_json, stdout
from cli.verbs.eval import progress_meter
from connectors.errors import ConfigurationError

if TYPE_CHECKING:
    from rag.tuning import Measure, TuningReport, TuningVerdict


def tune(
    context: typer.Context,
    questions: Annotated[
        Path | None,
        typer.Argument(
            metavar="[QUESTIONS]",
            help='Questions as for rag eval: JSONL of {"question": …, "expected": path, or [] if nothing answers it} '
            "or CSV.",
            show_default=False,
        ),
    ] = None,
    topics: Annotated[
        Path | None, typer.Option(metavar="FILE", help="TREC topics, TSV or JSONL instead, with --qrels.")
    ] = None,
    qrels: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Relevance judgements in TREC's or BEIR's format.")
    ] = None,
    held_out: Annotated[
        float,
        typer.Option(metavar="SHARE", help="The share of questions held out to decide. The others are for fitting."),
    ] = 0.5,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Seed for the split and the intervals.")] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", metavar="", help="Only show what would be kept.")] = False,
    reset: Annotated[bool, typer.Option("--reset", metavar="", help="Go back to the defaults.")] = False,
    json: Json = False,
) -> None:
    """Fit the search to your own questions.

    Ranking weights, relevance and its threshold are fitted on one part of the questions.
    Each fit is kept only if it is clearly better on the other part.

    [bold]Examples[/bold]
      rag tune questions.jsonl
      rag tune --reset
    """
    if reset and (questions or topics or qrels or dry_run):
        raise ConfigurationError(
            "--reset takes no questions and no --dry-run", hint="first rag tune --reset, then rag tune QUESTIONS"
        )
    if not reset and questions is None and topics is None and qrels is None:
        raise ConfigurationError("no questions to tune on", hint="rag tune questions.jsonl")
    if reset:
        _reset(context, json=json)
        return
    with knowledge_base(context) as base, progress_meter() as progress:
        report = base.tune(
            questions,
            topics=topics,
            qrels=qrels,
            held_out=held_out,
            seed=seed,
            dry_run=dry_run,
            on_progress=progress,
        )
    for notice in report.notices:
        note(f"note: {notice}")
    if json:
        print_json(report.to_json())
    else:
        _print(report)


def _reset(context: typer.Context, *, json: bool) -> None:
    with knowledge_base(context) as base:
        forgotten = base.reset_tuning()
    if json:
        print_json({"reset": forgotten})
    else:
        stdout().print("back to the defaults" if forgotten else "nothing was tuned")


def _print(report: TuningReport) -> None:
    from rich.text import Text

    counts = f"{report.fitting + report.unanswerable[0]} questions to fit, {report.held_out + report.unanswerable[1]}"
    stdout().print(Text(f"{one_line(report.dataset)} · {counts} held out", "bold"))
    for verdict in report.verdicts:
        colour = "green" if verdict.kept else "dim"
        stdout().print()
        stdout().print(Text.assemble((verdict.part, "bold"), " · ", (verdict.why, colour)))
        for line in _lines(verdict):
            stdout().print(Text(f"  {line}"))
    stdout().print()
    stdout().print(_outcome(report))


def _lines(verdict: TuningVerdict) -> Iterator[str]:
    yield " · ".join(_changes(verdict.now, verdict.fitted or verdict.now))
    width = max((len(measure.name) for measure in verdict.measures), default=0)
    for measure in verdict.measures:
        yield _line(measure, width)


def _changes(now: Mapping[str, float], fitted: Mapping[str, float]) -> Iterator[str]:
    """Each value, and what it would be."""
    for name, value in now.items():
        before, after = f"{value:.3g}", f"{fitted[name]:.3g}"
        yield f"{name.replace('_', ' ')} {before}" + (f" → {after}" if after != before else "")


def _line(measure: Measure, width: int) -> str:
    from rag.evaluation import signed

    means = f"{measure.before:.3f} → {measure.after:.3f}"
    ends = f"{signed(measure.low)} … {signed(measure.high)}"
    return f"{measure.name:<{width}}  {means}  {signed(measure.difference)}  {ends}"


def _outcome(report: TuningReport) -> str:
    kept = ", ".join(verdict.part for verdict in report.verdicts if verdict.kept)
    if not kept:
        return "nothing changed"
    return f"kept: {kept}" if report.stored else f"would be kept: {kept}"
