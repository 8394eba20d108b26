"""`rag eval`: measures the quality and speed of the search."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.failures import ExitCode
from cli.opening import knowledge_base, quieten_libraries
from cli.options import Fallback, Json, ModeOption, RerankDepth, Reranker, RerankSeconds, reranking
from cli.output.terminal import note, only_data_on_stdout, print_json, warn
from connectors.errors import ConfigurationError

if TYPE_CHECKING:
    from rag import KnowledgeBase, Reranking
    from rag.evaluation import Collection, Evaluation, OnProgress, RunsCompared, Saved, Step

_DATA, _COMPARING = "Questions", "Saving and comparing"


@dataclass(frozen=True, slots=True)
class _Request:
    """What the user asked for."""

    dataset: Path | None
    topics: Path | None
    qrels: Path | None
    split: str
    generate: int | None
    llm: str | None
    base_url: str | None
    save_questions: Path | None
    modes: list[str]
    seed: int
    saved: Saved | None
    reranking: Reranking | None

    @property
    def needs_knowledge_base(self) -> bool:
        """Whether it is about the user's own documents."""
        return self.dataset is None or (self.topics is None and self.dataset.is_file())


def evaluate(
    context: typer.Context,
    dataset: Annotated[
        Path | None,
        typer.Argument(
            metavar="[DATASET]",
            help="A BEIR folder; TREC documents, with --topics and --qrels; or a file of questions over your own "
            'knowledge base: JSONL with {"question": …, "expected": path}, or CSV.',
            show_default=False,
        ),
    ] = None,
    modes: Annotated[
        list[ModeOption] | None,
        typer.Option("--mode", metavar="MODE", help="hybrid, sparse or dense. May be repeated; default: all three."),
    ] = None,
    split: Annotated[
        str, typer.Option(metavar="SPLIT", help="Which judgements of a BEIR folder to use.", rich_help_panel=_DATA)
    ] = "test",
    topics: Annotated[
        Path | None, typer.Option(metavar="FILE", help="TREC topics, TSV or JSONL.", rich_help_panel=_DATA)
    ] = None,
    qrels: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Relevance judgements in TREC's or BEIR's format.", rich_help_panel=_DATA),
    ] = None,
    generate: Annotated[
        int | None,
        typer.Option(metavar="N", help="Generate N questions from your own passages.", rich_help_panel=_DATA),
    ] = None,
    llm: Annotated[
        str | None,
        typer.Option(
            metavar="SPEC",
            help="Who writes them, as for rag ask. Default: clozes, without a model.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    base_url: Annotated[
        str | None, typer.Option(metavar="URL", help="The server of openai:MODEL.", rich_help_panel=_DATA)
    ] = None,
    save_questions: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Save them, to edit and ask again.", rich_help_panel=_DATA)
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Seed for sampling, intervals and tests.")] = 0,
    save: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Save every query's result as JSON.", rich_help_panel=_COMPARING),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Show what changed since this saved run.", rich_help_panel=_COMPARING),
    ] = None,
    fail_under: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[MODE:]METRIC=VALUE",
            help="Exit with 1 if the metric is lower, e.g. nDCG@10=0.35. Without MODE, of the first mode.",
            rich_help_panel=_COMPARING,
        ),
    ] = None,
    run_out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the first mode's rankings for trec_eval.", rich_help_panel=_COMPARING),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a page with plots (extra: plots).", rich_help_panel=_COMPARING),
    ] = None,
    reranker: Reranker = None,
    rerank_depth: RerankDepth = None,
    rerank_seconds: RerankSeconds = None,
    fallback: Fallback = False,
    json: Json = False,
) -> None:
    """Measure the quality and speed of the search.

    A test collection is indexed into a temporary knowledge base, or with rag --kb DIR into
    that one, so that the next run reuses it. Questions run against your own knowledge base.

    [bold]Examples[/bold]
      rag eval --generate 50 --save-questions questions.jsonl
      rag eval questions.jsonl --against before.json --fail-under MRR@10=0.8
    """
    from cli.thresholds import missed, parse_goals
    from rag.evaluation import compare_runs, load_run, save_run

    chosen = list(dict.fromkeys(map(str, modes or ModeOption)))
    goals = parse_goals(fail_under, chosen)
    _check_outputs(save, run_out, html, save_questions)
    saved = None if against is None else load_run(against)
    judge = reranking(reranker, rerank_depth, rerank_seconds, fallback=fallback)
    request = _Request(
        dataset, topics, qrels, split, generate, llm, base_url, save_questions, chosen, seed, saved, judge
    )
    _check(request)
    measured = _measure(context, request)
    runs = [] if saved is None else compare_runs(measured, saved)
    if save is not None:
        save_run(measured, save)
    if run_out is not None:
        measured.write_run(run_out)
    if html is not None:
        from rag.evaluation import write_report

        write_report(measured, html, runs)
    _show(measured, runs, json=json)
    failures = list(missed(goals, measured))
    for failure in failures:
        warn("failed", failure)
    if failures:
        raise typer.Exit(ExitCode.FAILURES)


def _check(request: _Request) -> None:
    """That the flags fit together."""
    if request.generate is not None and (request.dataset or request.topics or request.qrels):
        raise ConfigurationError("--generate takes no other questions", hint="leave out DATASET, --topics and --qrels")
    if request.generate is None:
        given = {"--llm": request.llm, "--base-url": request.base_url, "--save-questions": request.save_questions}
        for flag in (name for name, value in given.items() if value is not None):
            raise ConfigurationError(f"{flag} needs --generate", hint="e.g. rag eval --generate 50")


def _check_outputs(save: Path | None, run_out: Path | None, html: Path | None, save_questions: Path | None) -> None:
    """That what takes minutes to measure can be written afterwards."""
    for file in (save, run_out, html, save_questions):
        if file is not None and (file.is_dir() or not file.absolute().parent.is_dir()):
            problem = "is a folder" if file.is_dir() else f"cannot be written: there is no folder {file.parent}"
            raise ConfigurationError(f"{file} {problem}", hint="name a file in a folder that exists")
    if html is not None:
        from rag.evaluation import require_matplotlib

        require_matplotlib()


def _measure(context: typer.Context, request: _Request) -> Evaluation:
    from rag import evaluate as measure

    with _opened(context, request) as base, progress_meter() as progress:
        collection = _collection(base, request, progress)
        if request.saved is not None:
            from rag.evaluation import check_comparable

            check_comparable(request.saved, collection, request.modes)
        return measure(
            collection,
            kb=base,
            modes=request.modes,
            folder=context.obj,
            seed=request.seed,
            reranking=request.reranking,
            on_progress=progress,
        )


@contextmanager
def _opened(context: typer.Context, request: _Request) -> Iterator[KnowledgeBase | None]:
    """The user's own knowledge base, where it is about that."""
    if request.needs_knowledge_base:
        with knowledge_base(context) as base:
            yield base
        return
    quieten_libraries()
    with only_data_on_stdout():
        yield None


@contextmanager
def progress_meter() -> Iterator[OnProgress]:
    """Shows on stderr how far it is."""
    from cli.output.progress import Meter

    with Meter() as meter:

        def progress(step: Step) -> None:
            unit = {"index": "documents", "questions": "", "weights": "steps"}.get(step.stage, "queries")
            meter.update(step.stage, step.done, step.total, unit)

        yield progress


def _collection(base: KnowledgeBase | None, request: _Request, progress: OnProgress) -> Collection:
    from rag import generate_questions
    from rag.evaluation import read_collection
    from rag.llm import DEFAULT_LLM, load_llm

    if request.generate is None or base is None:
        return read_collection(
            request.dataset, kb=base, topics=request.topics, qrels=request.qrels, split=request.split
        )
    model = load_llm(request.llm or DEFAULT_LLM, base_url=request.base_url)
    save = request.save_questions
    return generate_questions(base, request.generate, llm=model, seed=request.seed, save=save, on_progress=progress)


def _show(measured: Evaluation, runs: Sequence[RunsCompared], *, json: bool) -> None:
    for notice in measured.notices:
        note(f"note: {notice}")
    if json:
        print_json({**measured.to_json(), **({"against": [each.to_json() for each in runs]} if runs else {})})
        return
    from cli.output.evaluation_table import print_evaluation

    print_evaluation(measured, runs)
