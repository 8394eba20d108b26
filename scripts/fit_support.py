"""Fit what the signals of the support judge make together: `rag/verification/support.json`.

    python -m scripts.fit_support DATA

DATA is the folder of the training sets. Fitted on are claims that the reader was not trained on, of the sets whose
claims are about the passage that stands beside them (those that turn on one word of a sentence, which are made to teach
that words mislead, would teach nothing else), each also beside the nearest passage of another; and claims made of
questions, with right and wrong answers.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import auroc
from indexes.encoding.base import Encoder
from indexes.encoding.loading import load_encoder
from rag.judging.fitting import fit_logistic
from rag.text.sentence_encoder import SentenceEncoder
from rag.verification.support import MODEL_FILE, SupportJudge
from scripts.reader.pairs import SUPPORTS, is_held_out, nearest_wrong, of_statements
from scripts.reader.sets import CLAIMS, QUESTIONS, rows
from scripts.train_reader import SEED

_ABOUT_PASSAGES = ("checkcovid_train", "citint_train", "expertqa_attr", "fever_course", "feverous_s_dev", "q2_wow")
_ASKED = ("squad_train_sample", "nq_qed_train")
_EVERY = 1_000_000
_PRECISION = 0.01  # of a prior of nothing, so that no coefficient runs away
_SIGNALS = ("aligned", "number", "name")


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
    arguments = parser.parse_args()
    encoder = load_encoder()
    claims = [*given(arguments.data, encoder), *made(arguments.data, encoder)]
    labels = np.array([label for *_, label in claims])
    judges = {
        "tokens": SupportJudge(encoder),
        "vectors": SupportJudge(_OneVector(encoder)),
        "words": SupportJudge(),
    }
    coefficients, quality = {}, {}
    for name, judge in judges.items():
        signals = judge.signals([(claim, passage) for claim, passage, _ in claims])
        usable = [place for place, each in enumerate(signals) if all(signal in each for signal in _SIGNALS)]
        design = np.array([[1.0, *(signals[place][signal] for signal in _SIGNALS)] for place in usable])
        right = labels[usable]
        balanced = (
            np.where(right, 1 / right.mean(), 1 / (~right).mean()) / 2
        )  # as likely true as not, before it is judged
        expected = np.zeros(design.shape[1])
        found = fit_logistic(design, right.astype(float), expected, np.full(len(expected), _PRECISION), balanced)
        odds = design @ found
        rounded = (round(float(value), 4) for value in found)
        coefficients[name] = dict(zip(("intercept", *_SIGNALS), rounded, strict=True))
        quality[name] = {"claims": len(usable), "AUROC": round(auroc(odds[right], odds[~right]), 3)}
    told = {
        "coefficients": coefficients,
        "fitted_on": {"sets": [*_ABOUT_PASSAGES, *_ASKED], "on the same claims": quality},
    }
    MODEL_FILE.write_text(json.dumps(told, indent=2) + "\n", "utf-8")
    print(json.dumps(told, indent=2))


def given(data: Path, encoder: SentenceEncoder) -> Iterator[tuple[str, str, bool]]:
    """Claims of the sets: claim, passage, whether it is supported; each also beside the nearest passage of another."""
    for one in CLAIMS:
        if one.name not in _ABOUT_PASSAGES:
            continue
        found = [row for row in rows(data, replace(one, most=_EVERY), SEED) if is_held_out(row["passage"])]
        claims = [row["claim"].strip('"') for row in found]
        passages = [row["passage"].strip('"') for row in found]
        alike = encoder.encode(claims).vectors @ encoder.encode(passages).vectors.T
        for place, row in enumerate(found):
            yield claims[place], passages[place], row["label"] == "supports"
            others = [other for other in np.argsort(-alike[place]).tolist() if passages[other] != passages[place]]
            if others:
                yield claims[place], passages[others[0]], False


def made(data: Path, encoder: SentenceEncoder) -> Iterator[tuple[str, str, bool]]:
    """Claims made of questions, likewise."""
    for one in QUESTIONS:
        if one.name in _ASKED:
            found = [row for row in rows(data, one, SEED) if is_held_out(row["passage"])]
            mined = nearest_wrong(found, lambda texts: encoder.encode(texts).vectors)
            for pair in of_statements(found, replace(one, statements=_EVERY), mined, SEED):
                yield pair.first, pair.passage, pair.support == SUPPORTS


if __name__ == "__main__":
    main()
