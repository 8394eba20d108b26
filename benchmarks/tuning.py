"""What `rag tune` gains on questions it never saw: tuned on some of a training split, measured on the test split.

    python benchmarks/tuning.py FOLDER wikiqa nfcorpus --keep KEPT

For each BEIR folder in FOLDER, and each number of training questions, several draws: in how many of them the weights
were kept, and what the tuned ranking gains in nDCG@10 over the test split (0 where nothing was kept), with the least
and the most. Questions have the documents that their qrels name; the document with a question's own id is not left out.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from rag.evaluation.collections.beir import read_qrels, read_queries
from rag.evaluation.collections.collection import Collection, Grades
from rag.evaluator import indexed
from rag.retrieval.ranking import RankedCandidates, Ranking
from rag.retrieval.tuned import Tuning
from rag.tuning.fitting import Asked
from rag.tuning.tune import tune

SIZES = (50, 100, 200, 400)
DRAWS = 5


def main() -> None:
    """Print a line for each data set and number of questions."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", type=Path, help="a folder of BEIR folders")
    parser.add_argument("names", nargs="+", help="which of them")
    parser.add_argument("--keep", type=Path, help="keep the knowledge bases here, and reuse them")
    arguments = parser.parse_args()
    for name in arguments.names:
        home = arguments.data / name
        with indexed(home, arguments.keep and arguments.keep / name) as (kb, _):
            measure(name, home, cache(kb._retriever.candidates))


def measure(name: str, home: Path, search: Callable[[str], RankedCandidates]) -> None:
    """Tune on draws of the training questions, and compare on the test questions."""
    queries = read_queries(home)
    train, test = (answerable(read_qrels(home, split), queries) for split in ("train", "test"))
    asked = [Asked(queries[key], grades, search(queries[key])) for key, grades in test.items()]
    default = np.mean([each.quality(Ranking()) for each in asked])
    print(f"{name}: {default:.3f} on {len(asked)} test questions", flush=True)
    for size in (size for size in SIZES if size <= len(train)):
        gains, kept = [], 0
        for seed in range(DRAWS):
            chosen = np.random.default_rng(seed).permutation(sorted(train))[:size].tolist()
            collection = Collection(
                name, {key: queries[key] for key in chosen}, {key: train[key] for key in chosen}, ""
            )
            report = tune(search, collection, Tuning(), seed=seed)
            weights = report.tuning.weights
            kept += weights is not None
            tuned = Ranking().weighed(weights or {})
            gains.append(float(np.mean([each.quality(tuned) for each in asked]) - default))
        print(
            f"  {size:4} questions: kept {kept} of {DRAWS}, gains {np.mean(gains):+.3f} ({min(gains):+.3f} … "
            f"{max(gains):+.3f})",
            flush=True,
        )


def answerable(qrels: Grades, queries: dict[str, str]) -> dict[str, dict[str, int]]:
    """The judgements of the queries that have a text and a relevant document."""
    return {
        key: dict(grades)
        for key, grades in qrels.items()
        if key in queries and any(grade > 0 for grade in grades.values())
    }


if __name__ == "__main__":
    main()
