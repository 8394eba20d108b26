"""What each signal of the hybrid ranking brings: nDCG@10 with one after another added, on a folder of BEIR folders.

    python benchmarks/ranking.py collections/ --keep /tmp/eval
    python benchmarks/ranking.py collections/ nfcorpus --split train

One search a query gives every candidate of the pool with what each signal adds to its score; the columns rank the same
candidates by fewer of them. The last column is the gain of the last step over the one before, with its 95% interval,
and `all` the mean gain over the collections, each of which counts the same.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from rag.evaluation.collections.collection import Collection, beir_collection
from rag.evaluation.metrics import ndcg
from rag.evaluator import indexed
from rag.knowledge_base import KnowledgeBase
from rag.retrieval.hit import Hit

STEPS = {
    "BM25": ("bm25",),
    "cosine": ("cosine",),
    "fused": ("bm25", "cosine"),
    "+ late": ("bm25", "cosine", "late"),
    "+ feedback": ("bm25", "cosine", "late", "feedback", "hubness"),
}
POOL = 100  # at most: the best 50 of either list
RESAMPLES = 10_000


def main() -> None:
    """Evaluate and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, help="a folder of BEIR folders")
    parser.add_argument("names", nargs="*", help="only these collections")
    parser.add_argument("--keep", type=Path, help="keep the knowledge bases here, and reuse them")
    parser.add_argument("--split", default="test", help="whose judgements; `dev` where a collection has no such split")
    arguments = parser.parse_args()
    print(f"{'collection':<16}{'queries':>8}" + "".join(f"{step:>12}" for step in STEPS) + f"{'gain':>10}{'95%':>20}")
    gains = []
    for home in sorted(path.parent for path in arguments.folder.glob("*/qrels")):
        if arguments.names and home.name not in arguments.names:
            continue
        has_split = (home / "qrels" / f"{arguments.split}.tsv").exists()
        if arguments.split == "train" and not has_split:
            continue
        collection = beir_collection(home, arguments.split if has_split else "dev")
        with indexed(home, arguments.keep / home.name if arguments.keep else None) as (kb, _):
            found = evaluate(kb, collection)
        *_, before, after = found.values()
        gains.append(np.array(after) - np.array(before))
        means = "".join(f"{np.mean(values):>12.4f}" for values in found.values())
        print(f"{home.name:<16}{len(after):>8}{means}{_gain(gains[-1:])}", flush=True)
    print(f"{'all':<16}{'':>8}{'':>{12 * len(STEPS)}}{_gain(gains)}")


def evaluate(kb: KnowledgeBase, collection: Collection) -> dict[str, list[float]]:
    """Step → nDCG@10 of each query."""
    measured: dict[str, list[float]] = {step: [] for step in STEPS}
    for key, text in collection.queries.items():
        found = kb.search(text, POOL, fold=False)
        hits = [hit for hit in found if "depth" not in hit.signals.contributions and hit.uri != key]
        for step, signals in STEPS.items():
            measured[step].append(ndcg(_documents(hits, signals), collection.grades[key], 10))
    return measured


def _documents(hits: Sequence[Hit], signals: Sequence[str]) -> list[str]:
    """The documents by their best chunk, scored by these signals alone."""
    scores: dict[str, float] = {}
    for hit in hits:
        contributions: Mapping[str, float] = hit.signals.contributions
        score = sum(contributions.get(name, 0.0) for name in signals)
        scores[hit.uri] = max(score, scores.get(hit.uri, -np.inf))
    return sorted(scores, key=lambda uri: -scores[uri])


def _gain(gains: Sequence[np.ndarray]) -> str:
    """The mean over collections of their mean gains, and its bootstrap interval over queries within each."""
    generator = np.random.default_rng(0)
    resampled = np.mean([_means(gain, generator) for gain in gains], axis=0)
    low, high = np.percentile(resampled, [2.5, 97.5])
    mean = np.mean([gain.mean() for gain in gains])
    return f"{mean:>+10.4f}" + f"[{low:+.4f}, {high:+.4f}]".rjust(20)


def _means(gain: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    picks = generator.integers(0, len(gain), (RESAMPLES, len(gain)), np.int32)
    return np.asarray(gain[picks].mean(axis=1))


if __name__ == "__main__":
    main()
