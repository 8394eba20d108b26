"""The verdict of `rag tune` on each of its three fits, and the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from rag.evaluation.collections.collection import CollectionKind
from rag.retrieval.tuned import TunedPart, Tuning


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure on the held-out questions, before and after the fit.

    Attributes:
        name: what.
        before, after: its mean.
        difference: after minus before; `low` and `high` are its 95% bootstrap interval, `p` the randomisation test's.
        decides: whether the fit is kept or not by this.
    """

    name: str
    before: float
    after: float
    difference: float
    low: float
    high: float
    p: float
    decides: bool = True


@dataclass(frozen=True, slots=True)
class TuningVerdict:
    """The verdict on one of the three fits.

    Attributes:
        part: which.
        kept: whether the fit is better.
        why: a sentence.
        now: the values in use until now.
        fitted: the values that were fitted; None where nothing could be.
        measures: on the questions held out.
    """

    part: TunedPart
    kept: bool
    why: str
    now: Mapping[str, float]
    fitted: Mapping[str, float] | None = None
    measures: tuple[Measure, ...] = ()


@dataclass(frozen=True, slots=True)
class TuningReport:
    """The result of `rag tune`.

    Attributes:
        dataset: the name of the questions.
        kind: where they come from.
        fitting, held_out: how many with an expected source are in each part.
        unanswerable: the same of those that nothing answers.
        seed: of the split and the intervals.
        tuning: what follows: the old tuning with all that is kept.
        verdicts: of weights, calibration and threshold.
        stored: whether the knowledge base has been changed.
        notices: what a reader must know, a sentence each.
    """

    dataset: str
    kind: CollectionKind
    fitting: int
    held_out: int
    unanswerable: tuple[int, int]
    seed: int
    tuning: Tuning
    verdicts: tuple[TuningVerdict, ...]
    stored: bool = False
    notices: tuple[str, ...] = field(default=())

    @property
    def improved(self) -> bool:
        """Whether anything is better than what was in use."""
        return any(verdict.kept for verdict in self.verdicts)

    def to_json(self) -> dict[str, Any]:
        """The object that `rag tune --json` prints."""
        return {
            "dataset": self.dataset,
            "kind": str(self.kind),
            "questions": {"fitting": self.fitting, "held_out": self.held_out},
            "unanswerable": dict(zip(("fitting", "held_out"), self.unanswerable, strict=True)),
            "seed": self.seed,
            "stored": self.stored,
            **{str(verdict.part): _as_json(verdict) for verdict in self.verdicts},
            "tuning": self.tuning.to_json() if self.tuning else None,
            "notices": list(self.notices),
        }


def _as_json(verdict: TuningVerdict) -> dict[str, Any]:
    return {
        "kept": verdict.kept,
        "why": verdict.why,
        "now": dict(verdict.now),
        "fitted": None if verdict.fitted is None else dict(verdict.fitted),
        "measures": [asdict(measure) for measure in verdict.measures],
    }
