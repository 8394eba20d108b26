"""What asking for the parts of a question brings: HotpotQA, whose questions need two passages, and sets that need one.

Run:  python -m benchmarks.decomposition hotpotqa_small/ xquad_en/ … --keep FOLDER [--split test] [-k 8]

Each folder is a BEIR collection. Reported for the first k hits, and for those of them that reach a prompt (relevance
of at least the threshold): the share of questions of which all judged passages are there, and of those with one.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rag.decomposition import decompose
from rag.evaluation.beir import BeirCorpus, read_qrels, read_queries
from rag.knowledge_base import KnowledgeBase
from rag.results import Hit

_RESAMPLED = 2_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collections", type=Path, nargs="+")
    parser.add_argument("--keep", type=Path, required=True, help="where knowledge bases are kept for the next run")
    parser.add_argument("--split", default="test")
    parser.add_argument("-k", type=int, default=8)
    parser.add_argument("--queries", type=int, default=300, help="how many of each collection at most")
    arguments = parser.parse_args()
    for folder in arguments.collections:
        with_parts(folder, arguments.keep / folder.name, arguments.split, arguments.k, arguments.queries)


def with_parts(folder: Path, kept: Path, split: str, k: int, most: int) -> None:
    """Compare the hits for the questions of a collection with and without their parts."""
    kb = KnowledgeBase.open(kept)
    kb.index(BeirCorpus(folder))
    queries, qrels = read_queries(folder), read_qrels(folder, split)
    rows, asked = [], 0
    for key, judged in list(qrels.items())[:most]:
        gold = {document for document, grade in judged.items() if grade > 0}
        found = kb.find_hits(queries[key], max(k, 10))
        wider = decompose(
            queries[key], found.hits, lambda text, n: kb.find_hits(text, n).hits, k=k, threshold=found.min_relevance
        )
        asked += bool(wider.parts)
        both = []
        for hits in (found.hits[:k], wider.hits[:k]):
            for least in (0.0, found.min_relevance):
                names = _documents([hit for hit in hits if hit.relevance >= least])
                both += [gold <= names, bool(gold & names)]
        rows.append(both)
    kb.close()
    table = np.array(rows, dtype=float)
    print(f"{folder.name} {split}: {len(rows)} questions, {asked} with parts")
    for name, before, after in (("all, hits", 0, 4), ("one, hits", 1, 5), ("all, prompt", 2, 6), ("one, prompt", 3, 7)):
        low, high = _interval(table[:, after] - table[:, before])
        change = table[:, after].mean() - table[:, before].mean()
        values = f"{table[:, before].mean():.3f} -> {table[:, after].mean():.3f}"
        print(f"  {name:12} {values}  {change:+.3f} [{low:+.3f}, {high:+.3f}]")


def _documents(hits: Sequence[Hit]) -> set[str]:
    return {hit.uri for hit in hits}


def _interval(differences: np.ndarray) -> tuple[float, float]:
    rng = np.random.default_rng(0)
    means = rng.choice(differences, (_RESAMPLED, len(differences))).mean(axis=1)
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


if __name__ == "__main__":
    main()
