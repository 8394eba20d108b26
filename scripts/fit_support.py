"""Fit what the signals of the support judge make together: `rag/verification/support.json`.

    python -m scripts.fit_support DATA

DATA is the folder of the training sets. Fitted on are claims of the sets whose claims are about the passage that stands
beside them (those that turn on one word of a sentence, which are made to teach that words mislead, would teach nothing
else), each also beside the nearest passage of another, and claims made of questions, with right and wrong answers.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.citations import idf_recall, rouge2
from benchmarks.common import auroc
from indexes.encoding.base import Encoder
from indexes.encoding.loading import load_encoder
from rag.judging.fitting import fit_logistic
from rag.text.sentence_encoder import SentenceEncoder
from rag.verification.support import MODEL_FILE, SupportJudge
from scripts.reader.pairs import SUPPORTS, nearest_wrong, of_statements
from scripts.reader.sets import CLAIMS, QUESTIONS, rows
from scripts.train_reader import SEED

_ABOUT_PASSAGES = ("checkcovid_train", "citint_train", "expertqa_attr", "fever_course", "feverous_s_dev", "q2_wow")
_ASKED = ("squad_train_sample", "nq_qed_train")
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
_MOST = 1_500  # claims of a set
_PRECISION = 0.01  # of a prior of nothing, so that no coefficient runs away
_SIGNALS = ("aligned", "number", "name", "replaced name", "replaced word")


@dataclass(frozen=True, slots=True)
class Judged:
    """A claim, the passage beside it, whether it is supported, and the set that it is from."""

    text: str
    passage: str
    label: bool
    source: str


class _OneVector:
    """An encoder without vectors of word pieces."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.spans = encoder.spans
        self.encode_query = encoder.encode_query

    def encode(self, texts: Sequence[str]) -> Any:
        return replace(self._encoder.encode(texts), tokens=[b""] * len(texts))


def main() -> None:
    """Judge, fit, write, and print how well each model tells what it was fitted on."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument(
        "--left-out", nargs="*", help="measure on each of these sets, fitted on the others; write nothing"
    )
    arguments = parser.parse_args()
    encoder = load_encoder()
    claims = [*given(arguments.data, encoder), *made(arguments.data, encoder)]
    labels = np.array([one.label for one in claims])
    pairs = [(one.text, one.passage) for one in claims]
    judges = {
        "tokens": SupportJudge(encoder),
        "vectors": SupportJudge(_OneVector(encoder)),
        "words": SupportJudge(),
    }
    if arguments.left_out is not None:
        signals = judges["tokens"].signals(pairs)
        for name in arguments.left_out:
            others = [place for place, one in enumerate(claims) if one.source != name]
            found, *_ = fitted([signals[place] for place in others], labels[others])
            report(arguments.data, name, judges["tokens"], found, encoder)
        return
    coefficients, quality = {}, {}
    for name, judge in judges.items():
        found, odds, right = fitted(judge.signals(pairs), labels)
        rounded = (round(float(value), 4) for value in found)
        coefficients[name] = dict(zip(("intercept", *_SIGNALS), rounded, strict=True))
        quality[name] = {"claims": len(odds), "AUROC": round(auroc(odds[right], odds[~right]), 3)}
    told = {
        "coefficients": coefficients,
        "fitted_on": {"sets": [*_ABOUT_PASSAGES, *_ASKED], "on the same claims": quality},
    }
    MODEL_FILE.write_text(json.dumps(told, indent=2) + "\n", "utf-8")
    print(json.dumps(told, indent=2))


def fitted(signals: Sequence[dict[str, float]], labels: Flags) -> tuple[Floats, Floats, Flags]:
    """The coefficients of the intercept and the signals; the log-odds that they give, and what is true."""
    usable = [place for place, each in enumerate(signals) if all(name in each for name in _SIGNALS)]
    design = np.array([[1.0, *(signals[place][name] for name in _SIGNALS)] for place in usable])
    right = labels[usable]
    # As likely true as not, before it is judged.
    balanced = np.where(right, 1 / right.mean(), 1 / (~right).mean()) / 2
    expected = np.zeros(design.shape[1])
    found = fit_logistic(design, right.astype(float), expected, np.full(len(expected), _PRECISION), balanced)
    return found, design @ found, right


def report(data: Path, name: str, judge: SupportJudge, coefficients: Floats, encoder: SentenceEncoder) -> None:
    """AUROC on the claims of a set that was left out, beside words, their pairs and the cosine."""
    one = next(claims for claims in CLAIMS if claims.name == name)
    found = rows(data, replace(one, most=_MOST), SEED)
    pairs = [(row["claim"].strip('"'), row["passage"].strip('"')) for row in found]
    right = np.array([row["label"] == "supports" for row in found])
    design = np.array([[1.0, *(each.get(name, 0.0) for name in _SIGNALS)] for each in judge.signals(pairs)])
    claims, passages = (encoder.encode(texts).vectors for texts in zip(*pairs, strict=True))
    scores = {
        "judge": design @ coefficients,
        "words found": idf_recall(pairs),
        "ROUGE-2 recall": np.array([rouge2(claim, passage) for claim, passage in pairs]),
        "cosine": np.einsum("nd,nd->n", claims, passages),
    }
    areas = {method: round(auroc(values[right], values[~right]), 3) for method, values in scores.items()}
    print(json.dumps({"left out": name, "claims": len(pairs), **areas}), flush=True)


def given(data: Path, encoder: SentenceEncoder) -> Iterator[Judged]:
    """Claims of the sets, each also beside the nearest passage of another."""
    for one in CLAIMS:
        if one.name not in _ABOUT_PASSAGES:
            continue
        found = rows(data, replace(one, most=_MOST), SEED)
        claims = [row["claim"].strip('"') for row in found]
        passages = [row["passage"].strip('"') for row in found]
        alike = encoder.encode(claims).vectors @ encoder.encode(passages).vectors.T
        for place, row in enumerate(found):
            yield Judged(claims[place], passages[place], row["label"] == "supports", one.name)
            others = [other for other in np.argsort(-alike[place]).tolist() if passages[other] != passages[place]]
            if others:
                yield Judged(claims[place], passages[others[0]], False, one.name)


def made(data: Path, encoder: SentenceEncoder) -> Iterator[Judged]:
    """Claims made of questions, likewise."""
    for one in QUESTIONS:
        if one.name in _ASKED:
            found = rows(data, replace(one, most=_MOST), SEED)
            mined = nearest_wrong(found, lambda texts: encoder.encode(texts).vectors)
            for pair in of_statements(found, replace(one, statements=_MOST), mined, SEED):
                yield Judged(pair.first, pair.passage, pair.support == SUPPORTS, one.name)


if __name__ == "__main__":
    main()
