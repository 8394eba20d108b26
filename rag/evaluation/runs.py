"""Saved evaluations: writes them as JSON, reads them back, and compares each query with a newer run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.errors import ConfigurationError, SourceError
from rag.evaluation.collections.collection import Collection
from rag.evaluation.metrics import METRICS
from rag.evaluation.outcome import COMPARED, Evaluation, paired_json
from rag.evaluation.significance import Paired, compare

FORMAT = "pilotfish-evaluation"
VERSION = 1
_TOP = 10  # documents of each ranking that are kept
_SAME = 1e-9


@dataclass(frozen=True, slots=True)
class Saved:
    """A saved evaluation.

    Attributes:
        file: where.
        dataset, split, identity, texts: as in the evaluation.
        values: mode → query id → metric → value.
        first_relevant: mode → query id → rank of the first relevant document.
    """

    file: Path
    dataset: str
    split: str
    identity: str
    texts: Mapping[str, str]
    values: Mapping[str, Mapping[str, Mapping[str, float]]]
    first_relevant: Mapping[str, Mapping[str, int | None]]


@dataclass(frozen=True, slots=True)
class QueryChange:
    """One query in two runs: the change of `COMPARED`, and the ranks of the first relevant document."""

    id: str
    text: str
    change: float
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class RunsCompared:
    """A mode, now minus saved: overall, and query by query, the worst change first; queries that did not change count.

    Attributes:
        mode: the mode.
        paired: the difference of the means of `COMPARED`.
        changes: of the queries that changed, the most worsened first.
        unchanged: how many did not.
    """

    mode: str
    paired: Paired
    changes: tuple[QueryChange, ...]
    unchanged: int

    @property
    def worse(self) -> list[QueryChange]:
        """What got worse, worst first."""
        return [each for each in self.changes if each.change < 0]

    @property
    def better(self) -> list[QueryChange]:
        """What got better, most improved first."""
        return [each for each in reversed(self.changes) if each.change > 0]

    def to_json(self) -> dict[str, Any]:
        """The comparison as JSON."""
        return {
            "mode": self.mode,
            "metric": COMPARED,
            **paired_json(self.paired),
            "worse": len(self.worse),
            "better": len(self.better),
            "unchanged": self.unchanged,
            "changes": [
                {
                    "id": each.id,
                    "text": each.text,
                    "change": round(each.change, 4),
                    "first_relevant": [each.before, each.after],
                }
                for each in self.changes
            ],
        }


def save_run(evaluation: Evaluation, file: str | Path) -> None:
    """Write an evaluation as JSON: the means, and of every query its metrics and ten best documents."""
    queries = [
        {"id": key, "text": text, "modes": {mode: _outcome(evaluation, mode, key) for mode in evaluation.modes}}
        for key, text in evaluation.texts.items()
    ]
    head = {"format": FORMAT, "version": VERSION, "identity": evaluation.identity, **evaluation.to_json()}
    head["per_query"] = queries
    Path(file).write_text(json.dumps(head, ensure_ascii=True, indent=1) + "\n", encoding="utf-8")


def load_run(file: str | Path) -> Saved:
    """Read a saved evaluation.

    Raises:
        SourceError: the file is missing, or is no saved evaluation that this version reads.
    """
    path = Path(file)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SourceError(f"{path} does not exist", hint="make one with --save FILE") from error
    except (OSError, ValueError, RecursionError) as error:
        raise SourceError(f"{path} is not a saved evaluation: {error}", hint="make one with --save FILE") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise SourceError(f"{path} is not a saved evaluation", hint="make one with --save FILE")
    if data.get("version") != VERSION:
        raise SourceError(
            f"{path} has the version {data.get('version')!r} of the format; this pilotfish reads {VERSION}",
            hint="measure again with --save",
        )
    try:
        return _saved(path, data)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise SourceError(f"{path} is damaged: {error!r}", hint="measure again with --save") from error


def check_comparable(saved: Saved, now: Collection | Evaluation, modes: Sequence[str]) -> None:
    """That a saved run is of the same data set, split, queries and judgements, and of one of the modes.

    Raises:
        ConfigurationError: it is not; the message says in what it differs.
    """
    texts = now.queries if isinstance(now, Collection) else now.texts
    hint = "compare with a run of the same data set and split, or save a new one with --save"
    if not set(modes) & set(saved.values):
        raise ConfigurationError(f"{saved.file} measured {', '.join(saved.values)}, not {', '.join(modes)}", hint=hint)
    if saved.identity == now.identity:
        return
    if saved.texts == texts and (saved.dataset, saved.split) == (now_name(now), now.split):
        problem = "other judgements of the same queries"
    elif saved.dataset != now_name(now):
        problem = f"another data set: {saved.dataset}, not {now_name(now)}"
    elif saved.split != now.split:
        problem = f"another split of {saved.dataset}: {saved.split}, not {now.split}"
    else:
        gone, new = saved.texts.keys() - texts.keys(), texts.keys() - saved.texts.keys()
        changed = sum(text != texts[key] for key, text in saved.texts.items() if key in texts)
        problem = f"other queries: {len(gone)} are no longer asked, {len(new)} are new, {changed} have another text"
    raise ConfigurationError(f"{saved.file} was measured on {problem}", hint=hint)


def now_name(now: Collection | Evaluation) -> str:
    """The name of the data set."""
    return now.name if isinstance(now, Collection) else now.dataset


def compare_runs(evaluation: Evaluation, saved: Saved | str | Path) -> list[RunsCompared]:
    """What got better and worse since a saved run, in each mode that both measured; p-values are Holm's.

    Raises:
        SourceError: the file cannot be read.
        ConfigurationError: it is a run of another data set, split or queries.
    """
    before = saved if isinstance(saved, Saved) else load_run(saved)
    check_comparable(before, evaluation, evaluation.modes)
    modes = [mode for mode in evaluation.modes if mode in before.values]
    old = {mode: [before.values[mode][key][COMPARED] for key in evaluation.texts] for mode in modes}
    paired = compare([(evaluation.values(mode, COMPARED), old[mode]) for mode in modes], evaluation.seed)
    return [_compared(evaluation, before, mode, each) for mode, each in zip(modes, paired, strict=True)]


def _compared(evaluation: Evaluation, before: Saved, mode: str, paired: Paired) -> RunsCompared:
    changes = []
    for key, text in evaluation.texts.items():
        outcome = evaluation.outcomes[mode][key]
        change = outcome.metrics[COMPARED] - before.values[mode][key][COMPARED]
        ranks = before.first_relevant[mode][key], outcome.first_relevant
        if abs(change) > _SAME:
            changes.append(QueryChange(key, text, change, *ranks))
    changes.sort(key=lambda each: each.change)
    return RunsCompared(mode, paired, tuple(changes), evaluation.queries - len(changes))


def _outcome(evaluation: Evaluation, mode: str, key: str) -> dict[str, Any]:
    outcome = evaluation.outcomes[mode][key]
    top = zip(outcome.documents[:_TOP], outcome.scores[:_TOP].tolist(), strict=True)
    return {
        # Not rounded: a difference between two runs of one build must be 0.
        "metrics": dict(outcome.metrics),
        "first_relevant": outcome.first_relevant,
        "top": [[document, score] for document, score in top],
    }


def _saved(path: Path, data: Mapping[str, Any]) -> Saved:
    queries = data["per_query"]
    modes = list(data["metrics"])
    return Saved(
        file=path,
        dataset=str(data["dataset"]),
        split=str(data["split"]),
        identity=str(data["identity"]),
        texts={query["id"]: query["text"] for query in queries},
        values={
            mode: {
                query["id"]: {name: float(query["modes"][mode]["metrics"][name]) for name in METRICS}
                for query in queries
            }
            for mode in modes
        },
        first_relevant={
            mode: {query["id"]: query["modes"][mode]["first_relevant"] for query in queries} for mode in modes
        },
    )
