"""The outcome of an evaluation: every query in every mode, the means, and their uncertainty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rag.evaluation.collections.collection import CollectionKind
from rag.evaluation.collections.trec import run_lines
from rag.evaluation.metrics import METRICS
from rag.evaluation.significance import Paired, compare, interval

COMPARED = "nDCG@10"  # the metric by which modes and runs are compared


@dataclass(frozen=True, slots=True)
class IndexSpeed:
    """Indexing speed: `docs` documents in `seconds`, of whose chunks `embedded` were newly embedded."""

    docs: int
    seconds: float
    embedded: int

    @property
    def docs_per_second(self) -> float:
        """Documents a second."""
        return self.docs / self.seconds if self.seconds > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one query in one mode.

    Attributes:
        metrics: `METRICS` → value.
        first_relevant: the rank of the first relevant document, None where none was found.
        documents: URIs, best first.
        scores: theirs, float32: trec_eval's precision, so that a tie here is a tie there.
    """

    metrics: Mapping[str, float]
    first_relevant: int | None
    documents: tuple[str, ...]
    scores: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ModesCompared:
    """One mode minus another, measured by `COMPARED`."""

    first: str
    second: str
    paired: Paired


@dataclass(frozen=True)
class Evaluation:
    """The outcome of an evaluation.

    Attributes:
        dataset: the name of the folder or file.
        split: whose judgements; empty where there are no splits.
        kind: where the questions come from.
        identity: a hash of the queries and judgements.
        texts: query id → text.
        outcomes: mode → query id → outcome, in the order of `texts`.
        timings_ms: mode → the times of warm searches for ten hits, of a sample of the queries.
        documents: how many are indexed.
        index: None when nothing was indexed for it.
        seed: of the intervals and tests.
        notices: what a reader of the numbers must know, a sentence each.
    """

    dataset: str
    split: str
    kind: CollectionKind
    identity: str
    texts: Mapping[str, str]
    outcomes: Mapping[str, Mapping[str, Outcome]]
    timings_ms: Mapping[str, Sequence[float]]
    documents: int
    index: IndexSpeed | None = None
    seed: int = 0
    notices: tuple[str, ...] = field(default=())

    @property
    def queries(self) -> int:
        """How many queries were asked."""
        return len(self.texts)

    @property
    def modes(self) -> list[str]:
        """The modes, in the order asked for."""
        return list(self.outcomes)

    @cached_property
    def metrics(self) -> dict[str, dict[str, float]]:
        """Mode → metric → mean over the queries."""
        return {mode: {name: float(np.mean(self.values(mode, name))) for name in METRICS} for mode in self.outcomes}

    @cached_property
    def intervals(self) -> dict[str, dict[str, tuple[float, float]]]:
        """Mode → metric → 95% bootstrap interval of the mean."""
        return {
            mode: {name: interval(self.values(mode, name), self.seed) for name in METRICS} for mode in self.outcomes
        }

    @cached_property
    def comparisons(self) -> list[ModesCompared]:
        """Every mode against every later one, the p-values corrected for their number."""
        pairs = list(combinations(self.modes, 2))
        paired = compare([(self.values(a, COMPARED), self.values(b, COMPARED)) for a, b in pairs], self.seed)
        return [ModesCompared(a, b, each) for (a, b), each in zip(pairs, paired, strict=True)]

    @cached_property
    def latency_ms(self) -> dict[str, dict[str, float]]:
        """Mode → `p50` and `p95` of a search for ten hits."""
        return {
            mode: {"p50": float(np.percentile(times, 50)), "p95": float(np.percentile(times, 95))}
            for mode, times in self.timings_ms.items()
        }

    @property
    def query_ms(self) -> dict[str, float]:
        """`p50` and `p95` of a search for ten hits in the first of the modes."""
        return self.latency_ms[self.modes[0]]

    def values(self, mode: str, metric: str) -> list[float]:
        """A metric of every query, in the order of `texts`."""
        return [self.outcomes[mode][key].metrics[metric] for key in self.texts]

    def write_run(self, file: str | Path, mode: str | None = None) -> None:
        """Write the rankings of a mode (by default the first) for trec_eval, ranx or ir-measures."""
        mode = mode or self.modes[0]
        with Path(file).open("w", encoding="utf-8") as out:
            rankings = {
                key: list(zip(outcome.documents, outcome.scores.tolist(), strict=True))
                for key, outcome in self.outcomes[mode].items()
            }
            out.writelines(f"{line}\n" for line in run_lines(rankings, f"pilotfish-{mode}"))

    def to_json(self) -> dict[str, Any]:
        """The object that `rag eval --json` prints."""
        index = self.index and {
            "docs": self.index.docs,
            "seconds": round(self.index.seconds, 3),
            "docs_per_second": round(self.index.docs_per_second, 1),
        }
        return {
            "dataset": self.dataset,
            "split": self.split,
            "kind": str(self.kind),
            "queries": self.queries,
            "documents": self.documents,
            "metrics": _rounded(self.metrics, 4),
            "intervals": {
                mode: {name: [round(end, 4) for end in ends] for name, ends in of_mode.items()}
                for mode, of_mode in self.intervals.items()
            },
            "comparisons": [
                {"metric": COMPARED, "modes": [each.first, each.second], **paired_json(each.paired)}
                for each in self.comparisons
            ],
            "index": index,
            "query_ms": _rounded({"": self.query_ms}, 2)[""],
            "latency_ms": _rounded(self.latency_ms, 2),
            "seed": self.seed,
            "notices": list(self.notices),
        }


def paired_json(paired: Paired) -> dict[str, Any]:
    """A comparison as JSON: `p_adjusted` is the one to judge by."""
    return {
        "difference": round(paired.difference, 4),
        "interval": [round(paired.low, 4), round(paired.high, 4)],
        "p": round(paired.p, 6),
        "p_adjusted": round(paired.adjusted, 6),
    }


def _rounded(table: Mapping[str, Mapping[str, float]], digits: int) -> dict[str, dict[str, float]]:
    return {row: {name: round(value, digits) for name, value in cells.items()} for row, cells in table.items()}
