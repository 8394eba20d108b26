"""Fit which sentences of the passages that were read answer a question: `rag/llm/quoting/quoting.json`.

    python -m scripts.fit_quoting DATA [--reader FOLDER]

DATA is the folder of the training sets. Asked are the questions of SQuAD and Natural Questions that the reader was not
trained on, over their passages and some thousands more (as `scripts/fit_reading.py` does, which is run before). A
sentence answers where it is of the right passage and holds an answer. Printed is also how many answers hold it, and of
how many words they are, for several shares that the sentences of an answer should add up to.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from indexes.encoding.loading import load_encoder
from rag import KnowledgeBase
from rag.answering.reading import READ_HITS, HitsReader
from rag.judging.logistic import LogisticModel
from rag.llm.extractive import sentence_scores
from rag.llm.quoting.choosing import ENOUGH, MODEL_FILE, enough, features, shares_of
from rag.llm.quoting.quotes import quotes
from rag.prompting.prompt import PromptSource
from rag.reader.reader import Reader
from scripts.fit_reading import SETS, asked_for, fitted, written
from scripts.reader.pairs import is_held_out
from scripts.reader.sets import QUESTIONS, rows
from scripts.train_reader import SEED

_NAMES = ("answers", "begins", "own", "wordy")
_SOURCES = 8


@dataclass(frozen=True, slots=True)
class Asked:
    """The sentences of a question: their features [n, 4], whether each answers, and its words."""

    features: np.ndarray
    answers: np.ndarray
    words: np.ndarray


def main() -> None:
    """Ask, fit, write, and print what the shares do."""
    data, reader = asked_for(__doc__)
    asked = [one for name in SETS for one in sentences(data, name, reader)]
    labels = np.concatenate([one.answers for one in asked])
    model = fitted(np.concatenate([one.features for one in asked]), labels, _NAMES)
    told = {
        "coefficients": {"intercept": model.intercept, **model.coefficients},
        "fitted_on": {"questions": len(asked), "sentences": len(labels), "sets": list(SETS)},
        "sentences until they add up to, on the same questions": {
            f"{share:.2f}": shown(model, asked, share) for share in (0.0, 0.3, 0.4, 0.5, ENOUGH, 0.7, 0.8, 0.9)
        },
    }
    MODEL_FILE.write_text(json.dumps(told, indent=2) + "\n", "utf-8")
    print(json.dumps(told, indent=2))


def sentences(data: Path, name: str, reader: Reader) -> Iterator[Asked]:
    """The held-out questions of a set, each with the sentences of the passages that seem to answer."""
    (one,) = (each for each in QUESTIONS if each.name == name)
    found = rows(data, one, SEED)
    encoder = load_encoder()
    reading = HitsReader(reader, seconds=600)
    with tempfile.TemporaryDirectory() as scratch:
        documents = written(found, Path(scratch, "documents"))
        with closing(KnowledgeBase.open(Path(scratch, "kb"))) as kb:
            kb.index(Path(scratch, "documents"))
            for row in (row for row in found if is_held_out(row["passage"])):
                hits = reading.read(row["question"], kb.search(row["question"], READ_HITS).hits)[:_SOURCES]
                values, answers, words = [], [], []
                for hit in hits:
                    if hit.reading is None or not hit.reading.holds:
                        continue
                    source = PromptSource(1, hit, hit.text, ((0, len(hit.text)),))
                    quoted = quotes([source], row["question"])
                    own = sentence_scores(row["question"], [quote.text for quote in quoted], encoder)
                    is_right = Path(hit.uri).name == documents[row["passage"]]
                    for quote, share, near in zip(quoted, shares_of(quoted, hit.reading), own, strict=True):
                        if quote.is_heading:
                            continue
                        each = features(quote, share, float(near), hit.reading)
                        values.append([each[name] for name in _NAMES])
                        answers.append(is_right and any(a.casefold() in quote.text.casefold() for a in row["answers"]))
                        words.append(len(quote.text.split()))
                if values:
                    yield Asked(np.array(values), np.array(answers), np.array(words))


def shown(model: LogisticModel, asked: list[Asked], share: float) -> dict[str, float]:
    """How many answers hold a gold answer, and their words at the median."""
    held, words = [], []
    for one in asked:
        chances = [model.probability(dict(zip(_NAMES, map(float, values), strict=True))) for values in one.features]
        chosen = enough(chances, share)
        held.append(bool(one.answers[chosen].any()))
        words.append(int(one.words[chosen].sum()))
    return {"hold the answer": round(float(np.mean(held)), 3), "words": float(np.median(words))}


if __name__ == "__main__":
    main()
