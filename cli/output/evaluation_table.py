"""Prints an evaluation as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from cli.output.terminal import grouped, one_line, shortened, stdout
from rag.evaluation import COMPARED, METRICS, CollectionKind, Evaluation, p_value, ranks, signed

if TYPE_CHECKING:
    from rag.evaluation import Paired, QueryChange, RunsCompared

_SIGNIFICANT = 0.05
_LABELS = {
    CollectionKind.CLOZE: "clozes, weaker than questions",
    CollectionKind.GENERATED: "questions by a language model",
}
_WORSE_SHOWN, _BETTER_SHOWN = 10, 5
_NARROWEST = 20


def print_evaluation(measured: Evaluation, runs: Sequence[RunsCompared] = ()) -> None:
    """Print the means with their intervals, the modes compared, and what changed since a saved run."""
    stdout().print(Text(_title(measured), "bold"))
    stdout().print(_means(measured))
    if measured.comparisons:
        _print_paired(
            f"by {COMPARED}", [(f"{each.first} − {each.second}", each.paired) for each in measured.comparisons]
        )
    if runs:
        _print_paired(f"{COMPARED}, now − saved", [(each.mode, each.paired) for each in runs])
        for each in runs:
            _print_changes(each)
    facts = ["means and 95% intervals over the queries"]
    if (index := measured.index) is not None:
        facts.append(f"indexed in {index.seconds:.1f} s ({index.docs_per_second:.0f}/s)")
    stdout().print()
    stdout().print(Text(" · ".join(facts), "dim"))


def _title(measured: Evaluation) -> str:
    names = [one_line(part) for part in (measured.dataset, measured.split) if part]
    counts = [f"queries {grouped(measured.queries)}", f"documents {grouped(measured.documents)}"]
    label = [_LABELS[measured.kind]] if measured.kind in _LABELS else []
    return " · ".join([*names, *label, *counts])


def _means(measured: Evaluation) -> Table:
    table = _table("", *METRICS, "p50", "p95 ms")
    for mode in measured.modes:
        values = [f"{measured.metrics[mode][name]:.3f}" for name in METRICS]
        times = [f"{ms:.0f}" for ms in measured.latency_ms[mode].values()]
        table.add_row(mode, *values, *times)
        ends = [measured.intervals[mode][name] for name in METRICS]
        table.add_row("", *(Text(f"{low:.3f}–{high:.3f}", "dim") for low, high in ends), "", "")
    return table


def _print_paired(title: str, rows: Sequence[tuple[str, Paired]]) -> None:
    table = _table(title, "difference", "95% interval", "p (Holm)" if len(rows) > 1 else "p")
    for name, paired in rows:
        sure = paired.adjusted < _SIGNIFICANT
        colour = ("green" if paired.difference > 0 else "red") if sure else ""
        ends = Text(f"{signed(paired.low)} … {signed(paired.high)}", "dim")
        table.add_row(name, Text(signed(paired.difference), colour), ends, p_value(paired.adjusted))
    stdout().print()
    stdout().print(table)


def _print_changes(compared: RunsCompared) -> None:
    counts = f"{len(compared.worse)} worse · {len(compared.better)} better · {compared.unchanged} the same"
    stdout().print()
    stdout().print(Text.assemble((compared.mode, "bold"), f"  {counts}"))
    for changes, most in ((compared.worse, _WORSE_SHOWN), (compared.better, _BETTER_SHOWN)):
        for change in changes[:most]:
            stdout().print(_line(change))
        if len(changes) > most:
            stdout().print(Text(f"  … and {len(changes) - most} more (--json and --html have them all)", "dim"))


def _line(change: QueryChange) -> Text:
    line = Text.assemble(
        f"  {signed(change.change)}",
        (f"  first at {ranks(change):<10}", "dim"),
    )
    line.stylize("red" if change.change < 0 else "green", 2, 8)
    return line.append(shortened(change.text, max(_NARROWEST, stdout().width - line.cell_len - 1)))


def _table(first: str, *numbers: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column(first)
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table
