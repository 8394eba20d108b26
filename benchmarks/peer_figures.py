"""What `peers.py` measures, and how it is shown."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rag.evaluation.collections.collection import Collection
from rag.evaluation.significance import Paired, compare, interval

OURS = "pilotfish"
SIZES = ("embedded again", "index MB", "search MB", "disk MB")


@dataclass(frozen=True)
class Task:
    """One collection: its BEIR folder, queries and judgements, the passages, and where all keep their indexes."""

    home: Path
    collection: Collection
    passages: Path
    counts: tuple[int, int]  # documents, passages
    folder: Path


@dataclass
class Measured:
    """What one system did on one collection; times in seconds unless their name says otherwise."""

    index: dict[str, Any] = field(default_factory=dict)
    again: dict[str, Any] = field(default_factory=dict)
    cold_s: list[float] = field(default_factory=list)
    cold_cpu_s: list[float] = field(default_factory=list)
    query_ms: list[float] = field(default_factory=list)
    query_cpu_ms: list[float] = field(default_factory=list)
    search_mb: float = 0.0
    disk_mb: float = 0.0
    ndcg: list[float] = field(default_factory=list)
    recall: list[float] = field(default_factory=list)

    def add_cold(self, seconds: float, cpu_seconds: float) -> None:
        """One more cold start."""
        self.cold_s.append(seconds)
        self.cold_cpu_s.append(cpu_seconds)


def tables(task: Task, measured: Mapping[str, Measured]) -> Iterator[str]:
    """Four tables in Markdown: quality, times, processor times, sizes."""
    documents, passages = task.counts
    ours = measured[OURS]
    yield f"\n{task.collection.name}: {documents:,} documents, {passages:,} passages, {len(ours.ndcg)} queries\n"
    paired = _paired(measured)
    quality = [["", "nDCG@10", "95%", "against pilotfish", "p (Holm)", "Recall@100"]]
    for name, one in measured.items():
        low, high = interval(one.ndcg)
        against = paired.get(name)
        quality.append(
            [
                name,
                f"{np.mean(one.ndcg):.3f}",
                f"{low:.3f} to {high:.3f}",
                f"{against.difference:+.3f} [{against.low:+.3f}, {against.high:+.3f}]" if against else "",
                f"{against.adjusted:.4f}" if against else "",
                f"{np.mean(one.recall):.3f}",
            ]
        )
    yield from _aligned(quality)
    yield ""
    for figures_of in (_times, _cpu_times):
        base = figures_of(task, ours)
        rows = [["", *base]]
        for name, one in measured.items():
            cells = [f"{value:.3g} ({value / base[key]:.2g}×)" for key, value in figures_of(task, one).items()]
            rows.append([name, *cells])
        yield from _aligned(rows)
        yield ""
    sizes = [["", *SIZES]]
    for name, one in measured.items():
        held = [one.again["embedded"], one.index["peak_mb"], one.search_mb, one.disk_mb]
        sizes.append([name, *(f"{value:,.0f}" for value in held)])
    yield from _aligned(sizes)


def _times(task: Task, one: Measured) -> dict[str, float]:
    """What is also given as a multiple of ours."""
    p50, p95 = np.percentile(one.query_ms, [50, 95])
    return {
        "passages/s": task.counts[1] / one.index["seconds"],
        "p50 ms": float(p50),
        "p95 ms": float(p95),
        "cold s": statistics.median(one.cold_s),
        "again s": one.again["seconds"],
        "again, process s": one.again["process_s"],
    }


def _cpu_times(task: Task, one: Measured) -> dict[str, float]:
    """The same in processor time, which other work on the machine changes little."""
    return {
        "passages/CPU s": task.counts[1] / one.index["cpu_s"],
        "CPU ms a search": statistics.median(one.query_cpu_ms),
        "cold CPU s": statistics.median(one.cold_cpu_s),
        "again CPU s": one.again["cpu_s"],
        "again, process CPU s": one.again["process_cpu_s"],
    }


def _paired(measured: Mapping[str, Measured]) -> dict[str, Paired]:
    """Every other system minus ours."""
    others = [name for name in measured if name != OURS]
    found = compare([(measured[name].ndcg, measured[OURS].ndcg) for name in others])
    return dict(zip(others, found, strict=True))


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A Markdown table that is readable as it stands."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for number, row in enumerate(rows):
        yield "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        if number == 0:
            yield "|" + "|".join("-" * (width + 2) for width in widths) + "|"


def figures(task: Task, measured: Mapping[str, Measured]) -> dict[str, Any]:
    """Everything measured on one collection, for `--json`."""
    paired = _paired(measured)
    return {
        "documents": task.counts[0],
        "passages": task.counts[1],
        "queries": len(task.collection.queries),
        "systems": {
            name: {
                "nDCG@10": float(np.mean(one.ndcg)),
                "interval": interval(one.ndcg),
                "against_pilotfish": asdict(paired[name]) if name in paired else None,
                "Recall@100": float(np.mean(one.recall)),
                **_times(task, one),
                **_cpu_times(task, one),
                "index": one.index,
                "again": one.again,
                "cold_s_each": one.cold_s,
                "search_mb": one.search_mb,
                "disk_mb": one.disk_mb,
                "each": one.ndcg,
            }
            for name, one in measured.items()
        },
    }
