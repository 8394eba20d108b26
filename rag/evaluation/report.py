"""An evaluation as a self-contained HTML page: no script, no network, and every text escaped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path

from rag.evaluation import plots
from rag.evaluation.collections.collection import CollectionKind
from rag.evaluation.metrics import METRICS
from rag.evaluation.outcome import COMPARED, Evaluation
from rag.evaluation.runs import QueryChange, RunsCompared
from rag.evaluation.significance import RESAMPLES, Paired

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1c2429; max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem; overflow-wrap: anywhere } h2 { font-size: 1.15rem; margin-top: 2.2rem }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th { text-align: left; font-weight: 600; color: #5a666e } th, td { padding: .25rem .6rem .25rem 0; vertical-align: top }
tr + tr td { border-top: 1px solid #e4e8ea } td.n, th.n { text-align: right; white-space: nowrap }
td.name { white-space: nowrap } td.text { overflow-wrap: anywhere; unicode-bidi: isolate }
.dim { color: #5a666e } .worse { color: #b5483a }
.better { color: #2f7d4f } .label { background: #fff3d6; border-left: 4px solid #d97b29; padding: .4rem .8rem }
svg { max-width: 100%; height: auto } summary { cursor: pointer } .row { display: flex; flex-wrap: wrap; gap: 1rem }
"""
_LABELS = {
    CollectionKind.CLOZE: "Clozes, weaker than real questions: read the notes.",
    CollectionKind.GENERATED: "Questions written by a language model, not by people: read the notes.",
}


def write_report(evaluation: Evaluation, file: str | Path, runs: Sequence[RunsCompared] = ()) -> None:
    """Write the page.

    Args:
        evaluation: what was measured.
        file: where to.
        runs: what changed since a saved run, from `compare_runs`.

    Raises:
        ConfigurationError: matplotlib is not installed.
    """
    plots.require_matplotlib()
    # Lone surrogates, from JSON escapes, cannot be written.
    text = "\n".join(_page(evaluation, runs)).encode("utf-8", "replace")
    Path(file).write_bytes(text)


def signed(value: float) -> str:
    """A difference with its sign.

    >>> signed(-0.0123), signed(0)
    ('−0.012', '+0.000')
    """
    return f"{value:+.3f}".replace("-", "−")


def p_value(p: float) -> str:
    """A p-value as people read it.

    >>> p_value(0.0001), p_value(0.0449)
    ('<0.001', '0.045')
    """
    return "<0.001" if p < 0.001 else f"{p:.3f}"  # noqa: PLR2004


def ranks(change: QueryChange) -> str:
    """The ranks of the first relevant document before and after.

    >>> ranks(QueryChange("q1", "…", -0.5, 1, None))
    '1 → –'
    """
    return f"{change.before or '–'} → {change.after or '–'}"


def _page(evaluation: Evaluation, runs: Sequence[RunsCompared]) -> Iterator[str]:
    name = escape(" · ".join(part for part in (evaluation.dataset, evaluation.split) if part))
    yield f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{name}</title>'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<style>{_STYLE}</style></head><body><h1>{name}</h1>"
    yield f'<p class="dim">{evaluation.queries:,} queries, {evaluation.documents:,} documents</p>'
    if evaluation.kind in _LABELS:
        yield f'<p class="label">{_LABELS[evaluation.kind]}</p>'
    yield from _quality(evaluation)
    if evaluation.comparisons:
        yield from _modes(evaluation)
    for compared in runs:
        yield from _run(compared)
    yield from _speed(evaluation)
    if evaluation.notices:
        yield "<h2>Notes</h2><ul>"
        yield from (f"<li>{escape(notice)}</li>" for notice in evaluation.notices)
        yield "</ul>"
    yield from _queries(evaluation)
    yield "</body></html>\n"


def _quality(evaluation: Evaluation) -> Iterator[str]:
    yield "<h2>Quality</h2>"
    rows = []
    for mode in evaluation.modes:
        cells = [mode]
        for name in METRICS:
            low, high = evaluation.intervals[mode][name]
            cells.append(f'{evaluation.metrics[mode][name]:.3f} <span class="dim">{low:.3f}–{high:.3f}</span>')
        rows.append(cells)
    yield _table(["mode", *METRICS], rows)
    yield plots.intervals(evaluation)
    yield f'<p class="dim">Means over the queries, with 95% bootstrap intervals ({RESAMPLES:,} resamples).</p>'


def _modes(evaluation: Evaluation) -> Iterator[str]:
    yield f"<h2>The modes compared by {COMPARED}</h2>"
    rows = [[f"{each.first} − {each.second}", *_paired(each.paired)] for each in evaluation.comparisons]
    yield _table(["", "difference", "95% interval", "p (Holm)"], rows)
    yield f'<p class="dim">Paired randomisation tests, corrected for {len(rows)} comparison(s).</p><div class="row">'
    yield from (plots.scatter(evaluation, each.first, each.second) for each in evaluation.comparisons)
    yield "</div>"


def _run(compared: RunsCompared) -> Iterator[str]:
    yield f"<h2>{compared.mode}: what changed since the saved run</h2>"
    yield _table([COMPARED, "difference", "95% interval", "p (Holm)"], [["now − saved", *_paired(compared.paired)]])
    yield f"<p>{len(compared.worse)} worse, {len(compared.better)} better, {compared.unchanged} the same</p>"
    if not compared.changes:
        return
    yield plots.waterfall([each.change for each in compared.changes])
    rows = [
        [
            f'<span class="{"worse" if each.change < 0 else "better"}">{signed(each.change)}</span>',
            ranks(each),
            escape(each.text),
        ]
        for each in compared.changes
    ]
    table = _table(["change", "first relevant", "query"], rows, texts=True)
    yield f"<details open><summary>Query by query, worst first</summary>{table}</details>"


def _speed(evaluation: Evaluation) -> Iterator[str]:
    yield "<h2>Speed</h2>"
    rows = [[mode, f"{ms['p50']:.1f} ms", f"{ms['p95']:.1f} ms"] for mode, ms in evaluation.latency_ms.items()]
    yield _table(["a search for ten hits", "p50", "p95"], rows)
    yield plots.latencies(evaluation.timings_ms)
    if (index := evaluation.index) is not None:
        yield f"<p>{index.docs:,} documents in {index.seconds:.1f} s ({index.docs_per_second:.0f}/s)</p>"


def _queries(evaluation: Evaluation) -> Iterator[str]:
    rows = []
    for key, text in evaluation.texts.items():
        outcomes = [evaluation.outcomes[mode][key] for mode in evaluation.modes]
        values = [f"{each.metrics[COMPARED]:.3f} @{each.first_relevant or '–'}" for each in outcomes]
        rows.append([*values, f'<span class="dim">{escape(key)}</span> {escape(text)}'])
    rows.sort(key=lambda row: row[0])
    yield f"<h2>Every query</h2><details><summary>{COMPARED} and the rank of the first relevant document</summary>"
    yield _table([*evaluation.modes, "query"], rows, texts=True)
    yield "</details>"


def _paired(paired: Paired) -> list[str]:
    return [signed(paired.difference), f"{signed(paired.low)} to {signed(paired.high)}", p_value(paired.adjusted)]


def _table(header: Sequence[str], rows: Iterable[Sequence[str]], *, texts: bool = False) -> str:
    """A table of HTML cells; with `texts` the last column is text, else the first is a name; all else is numbers."""
    text, kind_of_text = (len(header) - 1, "text") if texts else (0, "name")

    def line(cells: Sequence[str], tag: str) -> str:
        kinds = (kind_of_text if place == text else "n" for place in range(len(cells)))
        return "".join(f'<{tag} class="{kind}">{cell}</{tag}>' for kind, cell in zip(kinds, cells, strict=True))

    body = "".join(f"<tr>{line(row, 'td')}</tr>" for row in rows)
    return f"<table><thead><tr>{line(header, 'th')}</tr></thead><tbody>{body}</tbody></table>"
