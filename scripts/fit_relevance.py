"""Fit the relevance model (`rag/retrieval/relevance.json`) to judged questions.

    python scripts/fit_relevance.py collections/ --keep /tmp/eval/kb

Real searches of the training questions give the examples. Test questions only check a model that has not seen their
set at all.

- Positives are judged relevant. Below them, hits count as not relevant where the judgements are (nearly) complete; of
  the sets in `INCOMPLETE`, where many a good hit was never judged, the unjudged hits are left out.
- Every corpus is also asked the questions of the other sets and nonsense: whatever that finds is not relevant.
- Each set weighs the same, and within a set the true negatives as much as its own questions.

Prints, for each set, how a model fitted on the other sets does on its test questions, and writes the model fitted on
all. The same input gives the same file, but for the last digits that an encoder on another processor may change.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag import KnowledgeBase
from rag.evaluation.collections.beir import read_qrels, read_queries
from rag.evaluator import indexed
from rag.judging.fitting import fit_logistic, sigmoid
from rag.retrieval.relevance import DEFAULT_MIN_RELEVANCE, MODEL_FILE, Features, inputs

Floats = NDArray[np.float64]

SETS = ("nfcorpus", "wikiqa", "trecqa", "hotpotqa_small", "pydoc_code")
INCOMPLETE = ("nfcorpus", "pydoc_code")
QUESTIONS = 150  # of each set's training split
TEST_QUESTIONS = 200  # of each set's test split
FOREIGN_QUESTIONS = 40  # of every other set
NONSENSE = 60
OWN_HITS, FOREIGN_HITS = 10, 3
# Their examples are all positive: enough to be heard, too little to shift the base rate. From .05 to .08 no set that is
# left out has a calibration error above .08.
INCOMPLETE_WEIGHT = 0.075
RIDGE = 0.002
NAMES = ("cosine*log(length)", "coverage", "late")
_SYLLABLES = ("ba", "ce", "di", "fo", "gu", "ka", "le", "mi", "no", "pu", "ra", "ter", "tion", "ment", "pre", "con")


@dataclass(frozen=True, slots=True)
class Examples:
    """Hits as the model sees them: inputs [hits, 3], labels, ranks, and whether the question was foreign to the set."""

    inputs: Floats
    labels: Floats
    ranks: NDArray[np.int64]
    foreign: NDArray[np.bool_]

    def where(self, rows: NDArray[np.bool_]) -> Examples:
        """Some of the examples."""
        return Examples(self.inputs[rows], self.labels[rows], self.ranks[rows], self.foreign[rows])


@dataclass(frozen=True, slots=True)
class Model:
    """A logistic model."""

    intercept: float
    weights: Floats

    def __call__(self, values: Floats) -> Floats:
        """Probabilities [hits] for inputs [hits, n]; inputs beyond the first n are ignored."""
        return sigmoid(self.intercept + values[:, : len(self.weights)] @ self.weights)


def main() -> None:
    """Collect, check set by set, fit on all, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", type=Path, help="a folder of BEIR folders")
    parser.add_argument("--keep", type=Path, help="keep the knowledge bases here, and reuse them")
    arguments = parser.parse_args()
    examples, tests = {}, {}
    for name in SETS:
        with indexed(arguments.data / name, arguments.keep and arguments.keep / name) as (kb, _):
            examples[name] = collect(kb, arguments.data, name, "train", QUESTIONS)
            tests[name] = collect(kb, arguments.data, name, "test", TEST_QUESTIONS)
        print(f"{name}: {len(examples[name].labels)} hits", flush=True)
    held_out = {}
    for name in SETS:
        others = {other: found for other, found in examples.items() if other != name}
        held_out[name] = check(fit(others, len(NAMES)), tests[name])
        print(f"without {name:<16}" + "  ".join(f"{key} {value:.3f}" for key, value in held_out[name].items()))
    write(fit(examples, len(NAMES)), fit(examples, len(NAMES) - 1), held_out)


def collect(kb: KnowledgeBase, data: Path, name: str, split: str, count: int) -> Examples:
    """The hits of a set's own questions, of the other sets' and of nonsense."""
    qrels = read_qrels(data / name, split)
    own = some(read_queries(data / name), qrels, count)
    foreign = [text for other in SETS if other != name for text in training_questions(data / other).values()]
    parts = [search(kb, text, qrels[key], foreign=False) for key, text in own.items()]
    parts += [search(kb, text, {}, foreign=True) for text in [*foreign, *nonsense()]]
    return Examples(
        np.concatenate([part.inputs for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.ranks for part in parts]),
        np.concatenate([part.foreign for part in parts]),
    )


def training_questions(home: Path) -> dict[str, str]:
    """A few questions of a set's training split."""
    return some(read_queries(home), read_qrels(home, "train"), FOREIGN_QUESTIONS)


def some(queries: Mapping[str, str], keys: Iterable[str], count: int) -> dict[str, str]:
    """About `count` of the queries named by `keys`, evenly spread over the sorted ids."""
    known = sorted(key for key in keys if key in queries)
    return {key: queries[key] for key in known[:: max(1, len(known) // count)][:count]}


def nonsense() -> list[str]:
    """Random letters and shuffled syllables, the same every time; words of two syllables, lest they be real."""
    chance = random.Random(7)
    letters = "abcdefghijklmnopqrstuvwxyz"

    def word(number: int) -> str:
        parts, least = (letters, 4) if number % 2 else (_SYLLABLES, 2)
        return "".join(chance.choice(parts) for _ in range(chance.randint(least, 2 * least)))

    return [" ".join(word(number) for _ in range(chance.randint(1, 7))) for number in range(NONSENSE)]


def search(kb: KnowledgeBase, question: str, judged: Mapping[str, int], *, foreign: bool) -> Examples:
    """The hits of one question."""
    hits = kb.search(question, FOREIGN_HITS if foreign else OWN_HITS, fold=False)
    rows = []
    for hit in hits:
        length = len(f"{hit.context}\n{hit.text}" if hit.context else hit.text)
        found = inputs(Features(hit.signals.cosine, hit.signals.late, hit.signals.coverage, length))
        rows.append([found[name] for name in NAMES])
    return Examples(
        np.array(rows, dtype=np.float64).reshape(-1, len(NAMES)),
        np.array([judged.get(hit.uri, 0) > 0 for hit in hits], dtype=np.float64),
        np.array([hit.rank for hit in hits], dtype=np.int64),
        np.full(len(hits), foreign),
    )


def fit(sets: Mapping[str, Examples], columns: int) -> Model:
    """A model of the first `columns` inputs, by the weighted, ridged log-likelihood."""
    values, labels, weights = [], [], []
    for name, every in sets.items():
        own = every.where(~every.foreign)
        if name in INCOMPLETE:
            own = own.where(own.labels > 0)
        share = INCOMPLETE_WEIGHT if name in INCOMPLETE else 1.0
        for part, weight in ((own, share), (every.where(every.foreign), 1.0)):
            values.append(part.inputs[:, :columns])
            labels.append(part.labels)
            weights.append(np.full(len(part.labels), weight / len(part.labels)))
    return likeliest(np.concatenate(values), np.concatenate(labels), np.concatenate(weights))


def likeliest(values: Floats, labels: Floats, weights: Floats) -> Model:
    """The weights that make `labels` likeliest; inputs are standardised for it, so that the ridge treats them alike."""
    middle, spread = values.mean(axis=0), values.std(axis=0)
    design = np.column_stack([np.ones(len(values)), (values - middle) / spread])
    precision = np.array([0.0] + [RIDGE] * values.shape[1])
    found = fit_logistic(design, labels, np.zeros_like(precision), precision, weights / weights.sum())
    slopes = found[1:] / spread
    return Model(float(found[0] - slopes @ middle), slopes)


def check(model: Model, examples: Examples) -> dict[str, float]:
    """How well a model does on a set it has not seen.

    `ece`: expected calibration error over the first ten hits of the set's own questions (ten bins); `auroc`: do the
    first hits of its own questions get more than those of foreign ones and nonsense; `kept` and `passed`: the shares
    of the two whose first hit reaches the threshold.
    """
    own, first = examples.where(~examples.foreign), examples.where(examples.ranks == 1)
    ours, theirs = model(first.inputs[~first.foreign]), model(first.inputs[first.foreign])
    return {
        "ece": calibration_error(model(own.inputs), own.labels),
        "auroc": float((ours[:, None] > theirs).mean() + (ours[:, None] == theirs).mean() / 2),
        "kept": float((ours >= DEFAULT_MIN_RELEVANCE).mean()),
        "passed": float((theirs >= DEFAULT_MIN_RELEVANCE).mean()),
    }


def calibration_error(chances: Floats, labels: Floats, bins: int = 10) -> float:
    """Mean distance of predicted and true share over bins of equal width, by their sizes (Naeini et al., 2015)."""
    places = np.minimum((chances * bins).astype(int), bins - 1)
    gaps = [abs((chances - labels)[places == place].sum()) for place in range(bins)]
    return float(sum(gaps) / len(labels))


def write(full: Model, without_late: Model, held_out: Mapping[str, Mapping[str, float]]) -> None:
    """Write `rag/retrieval/relevance.json`."""
    models = {"with_late": full, "without_late": without_late}
    content = {
        "fitted_on": [f"{name} train" for name in SETS],
        "coefficients": {
            key: {"intercept": round(model.intercept, 4)}
            | {name: round(float(weight), 4) for name, weight in zip(NAMES, model.weights, strict=False)}
            for key, model in models.items()
        },
        "held_out": {
            name: {key: round(value, 3) for key, value in figures.items()} for name, figures in held_out.items()
        },
    }
    MODEL_FILE.write_text(json.dumps(content, indent=2) + "\n")


if __name__ == "__main__":
    main()
