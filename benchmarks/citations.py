"""How well the support judge tells supported sentences from unsupported ones, beside ROUGE-2 recall and the cosine.

Run:  python benchmarks/citations.py collections/ [--without-encoder]

The data folder holds wice_dev, healthver_dev and begin_dev, each a data.jsonl with `response`, `context`, `label`.
Reported for each set: AUROC, and balanced accuracy at a threshold chosen on the other two; for the judge also at its
own threshold. Last, the calibration (slope, middle) that rag/support.py carries. It is fitted on WiCE and BEGIN, whose
claims were written from a text as answers are; HealthVer's were not, and are held out.

Measured with the default encoder (AUROC / balanced accuracy at the threshold of the other two):

    set        judge        by words only  ROUGE-2 recall  cosine
    WiCE       .807 / .716  .809 / .629    .716 / .610     .546 / .522
    HealthVer  .612 / .531  .561 / .510    .526 / .505     .677 / .572
    BEGIN      .936 / .843  .945 / .800    .920 / .821     .789 / .698

The judge beats both where answers copy or rephrase their source, and is little better than chance on HealthVer, where
claim and evidence are about the same matter in other words: there only a model that reads could tell.
"""

from __future__ import annotations

import argparse
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexes.encoder import load_encoder
from rag.sentence_encoder import SentenceEncoder
from rag.support import SupportJudge
from rag.words import words

_SETS = ("wice_dev", "healthver_dev", "begin_dev")
_FITTED = ("wice_dev", "begin_dev")
_STEPS = 200

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Scored:
    """One data set: the labels, and each method's scores of the same pairs."""

    labels: Flags
    scores: Mapping[str, Floats]
    holds: Flags


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--without-encoder", action="store_true")
    arguments = parser.parse_args()
    encoder = None if arguments.without_encoder else load_encoder()
    scored = {name: _score(arguments.data / name / "data.jsonl", encoder) for name in _SETS}
    _report(scored)
    slope, middle = _calibrate([scored[name] for name in _FITTED])
    print(f"calibration: slope {slope:.2f}, middle {middle:.3f}")


def _score(path: Path, encoder: SentenceEncoder | None) -> Scored:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if row["response"].strip() and row["context"].strip()]
    pairs = [(row["response"].strip(), row["context"]) for row in rows]
    judge = SupportJudge(encoder)
    support = [judge.judge(claim, passage) for claim, passage in pairs]
    scores = {
        "judge": np.array([one.score for one in support]),
        "ROUGE-2 recall": np.array([_rouge2(claim, passage) for claim, passage in pairs]),
    }
    if encoder is not None:
        scores["cosine"] = _cosines(pairs, encoder)
    return Scored(np.array([row["label"] == 1 for row in rows]), scores, np.array([one.holds for one in support]))


def _rouge2(claim: str, passage: str) -> float:
    """The share of the claim's word pairs that occur in the passage."""
    wanted, found = Counter(pairwise(words(claim))), Counter(pairwise(words(passage)))
    return (wanted & found).total() / max(1, wanted.total())


def _cosines(pairs: Sequence[tuple[str, str]], encoder: SentenceEncoder) -> Floats:
    """The cosine of the claim and the passage, each as one text (as far as the encoder's window reaches)."""
    claims, passages = (encoder.encode(texts).vectors for texts in zip(*pairs, strict=True))
    cosines: Floats = np.einsum("nd,nd->n", claims, passages).astype(np.float64)
    return cosines


def _auroc(labels: Flags, scores: Floats) -> float:
    """The chance that a supported pair scores above an unsupported one; ties count half."""
    positive, negative = scores[labels][:, None], scores[~labels][None, :]
    return float((positive > negative).mean() + (positive == negative).mean() / 2)


def _balanced(labels: Flags, predicted: Flags) -> float:
    return float((predicted[labels].mean() + (~predicted[~labels]).mean()) / 2)


def _threshold(others: Sequence[tuple[Flags, Floats]]) -> float:
    candidates = np.quantile(np.concatenate([scores for _, scores in others]), np.linspace(0, 1, _STEPS))
    return float(max(candidates, key=lambda t: sum(_balanced(labels, scores >= t) for labels, scores in others)))


def _report(scored: Mapping[str, Scored]) -> None:
    for method in next(iter(scored.values())).scores:
        for name, one in scored.items():
            others = [(scored[key].labels, scored[key].scores[method]) for key in _SETS if key != name]
            balanced = _balanced(one.labels, one.scores[method] >= _threshold(others))
            line = f"{method:15} {name:14} n={len(one.labels):5} AUROC {_auroc(one.labels, one.scores[method]):.3f}"
            line += f"  balanced accuracy {balanced:.3f}"
            print(line + (f"  at its own threshold {_balanced(one.labels, one.holds):.3f}" * (method == "judge")))


def _calibrate(sets: Sequence[Scored], steps: int = 50) -> tuple[float, float]:
    """Logistic regression of the label on the judge's score by Newton's method; sets and classes weigh the same."""
    score = np.concatenate([one.scores["judge"] for one in sets])
    label = np.concatenate([one.labels for one in sets]).astype(float)
    shares = [np.where(one.labels, 1 / one.labels.sum(), 1 / (~one.labels).sum()) for one in sets]
    weight = np.concatenate(shares)
    features = np.stack([np.ones_like(score), score], axis=1)
    beta = np.zeros(2)
    for _ in range(steps):
        probability = 1 / (1 + np.exp(-features @ beta))
        gradient = features.T @ (weight * (label - probability))
        hessian = (features * (weight * probability * (1 - probability))[:, None]).T @ features
        beta += np.linalg.solve(hessian, gradient)
    if not math.isfinite(beta[1]) or beta[1] <= 0:
        raise SystemExit("the score does not separate the classes: no calibration")
    return float(beta[1]), float(-beta[0] / beta[1])


if __name__ == "__main__":
    main()
