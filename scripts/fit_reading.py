"""Fit what the reader and the search together say of whether a hit answers a question: `rag/answering/reading.json`.

    python -m scripts.fit_reading DATA [--reader FOLDER]

DATA is the folder of the training sets. Asked are the questions of SQuAD and Natural Questions that the reader was not
trained on; searched are their passages and some thousands more of the same sets. A hit answers where it is of the right
passage and holds an answer. Printed is also, for questions whose right passage is taken away, how many are answered at
several thresholds, beside how many answerable ones are refused.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from connectors.document import with_context
from rag import KnowledgeBase
from rag.answering.reading import MODEL_FILE, READ_HITS, features
from rag.judging.fitting import fit_logistic
from rag.judging.logistic import LogisticModel
from rag.reader.loading import SHIPPED, load_reader
from rag.reader.reader import Reader
from scripts.reader.pairs import is_held_out
from scripts.reader.sets import QUESTIONS, rows
from scripts.train_reader import SEED

SETS = ("squad_train_sample", "nq_qed_train")
_MOST_OTHERS = 2_500  # passages of a set that no question asks about
_NAMES = ("answers", "span", "relevance")
_PRECISION = 0.01  # of a prior of nothing, so that no coefficient runs away


@dataclass(frozen=True, slots=True)
class Asked:
    """A question's hits: their features [n, 3], and whether each answers."""

    features: np.ndarray
    answers: np.ndarray


def asked_for(description: str | None) -> tuple[Path, Reader]:
    """The folder of the training sets and the reader that the command line names."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--reader", type=Path, default=SHIPPED, help="the one that is shipped by default")
    arguments = parser.parse_args()
    return arguments.data, load_reader(arguments.reader)


def main() -> None:
    """Ask, fit, write, and print what the thresholds do."""
    data, reader = asked_for(__doc__)
    asked = [one for name in SETS for one in read_out(data, name, reader)]
    labels = np.concatenate([one.answers for one in asked])
    model = fitted(np.concatenate([one.features for one in asked]), labels, _NAMES)
    best, without = (chances(model, asked, with_right=right) for right in (True, False))
    quality = {
        f"{least:.2f}": {
            "answerable refused": round(float((best < least).mean()), 3),
            "unanswerable answered": round(float((without >= least).mean()), 3),
        }
        for least in (0.1, 0.2, 0.25, 1 / 3, 0.4, 0.5)
    }
    told = {
        "coefficients": {"intercept": model.intercept, **model.coefficients},
        "fitted_on": {"questions": len(asked), "hits": len(labels), "sets": list(SETS), "held out of training": True},
        "thresholds, on the same questions": quality,
    }
    MODEL_FILE.write_text(json.dumps(told, indent=2) + "\n", "utf-8")
    print(json.dumps(told, indent=2))


def fitted(features: np.ndarray, labels: np.ndarray, names: Sequence[str]) -> LogisticModel:
    """The likeliest model of labels [n] by features [n, names], rounded as it is written."""
    design = np.column_stack([np.ones(len(features)), features])
    prior, precision = np.zeros(design.shape[1]), np.full(design.shape[1], _PRECISION)
    intercept, *found = (
        round(float(value), 4) for value in fit_logistic(design, labels.astype(float), prior, precision)
    )
    return LogisticModel(intercept, dict(zip(names, found, strict=True)))


def read_out(data: Path, name: str, reader: Reader) -> Iterator[Asked]:
    """The held-out questions of a set, each with its best hits, read; those that the search answers at all."""
    (one,) = (each for each in QUESTIONS if each.name == name)
    found = rows(data, one, SEED)
    asked = [row for row in found if is_held_out(row["passage"])]
    with tempfile.TemporaryDirectory() as scratch:
        documents = written(found, Path(scratch, "documents"))
        with closing(KnowledgeBase.open(Path(scratch, "kb"))) as kb:
            kb.index(Path(scratch, "documents"))
            for row in asked:
                hits = kb.search(row["question"], READ_HITS).hits
                passages = [with_context(hit.context, hit.text) for hit in hits]
                readings = reader.read(row["question"], passages)
                values = [features(reading, hit) for reading, hit in zip(readings, hits, strict=True)]
                right = [
                    Path(hit.uri).name == documents[row["passage"]]
                    and any(answer.casefold() in hit.text.casefold() for answer in row["answers"])
                    for hit in hits
                ]
                yield Asked(np.array([[each[name] for name in _NAMES] for each in values]), np.array(right))


def written(found: Sequence[dict[str, Any]], folder: Path) -> dict[str, str]:
    """Each passage, asked about or one of some others, as a file; passage → the name of its file."""
    folder.mkdir()
    titles = {row["passage"]: row["title"] for row in found}
    others = [passage for passage in titles if not is_held_out(passage)]
    chosen = random.Random(SEED).sample(sorted(others), min(_MOST_OTHERS, len(others)))
    documents = {}
    for number, passage in enumerate([*(one for one in titles if is_held_out(one)), *chosen]):
        title = f"# {titles[passage]}\n\n" if titles[passage] else ""
        documents[passage] = f"{number}.md"
        (folder / documents[passage]).write_text(title + passage, "utf-8")
    return documents


def chances(model: LogisticModel, asked: Sequence[Asked], *, with_right: bool) -> np.ndarray:
    """How likely the best hit of each question answers; without the hits that do, how likely the best of the others."""
    best = []
    for one in asked:
        kept = one.features if with_right else one.features[~one.answers]
        odds = [model.probability(dict(zip(_NAMES, map(float, values), strict=True))) for values in kept]
        if odds and (one.answers.any() or not with_right):
            best.append(max(odds))
    return np.array(best)


if __name__ == "__main__":
    main()
