"""Retrieval quality of the shipped defaults on every collection in a folder of BEIR folders.

    python benchmarks/quality.py collections/ --keep /tmp/eval
    python benchmarks/quality.py collections/ nfcorpus cisi

Prints one line a collection: nDCG@10 of each mode, Recall@100 of the hybrid, milliseconds a query; `TARGETS` that are
missed are marked, and the exit status is then 1. Each corpus is indexed once (a few minutes of CPU in all) and reused
with `--keep`. Quality depends on the code alone; the times on the machine.
"""

from __future__ import annotations

import sys

from benchmarks.common import chosen_collections, command_line
from rag import evaluate
from rag.evaluation.outcome import Evaluation

TARGETS = {
    ("nfcorpus", "hybrid"): 0.375,
    ("nfcorpus", "sparse"): 0.315,
    ("nfcorpus", "dense"): 0.310,
    ("cranfield", "hybrid"): 0.420,
    ("cisi", "hybrid"): 0.484,
    ("npl", "hybrid"): 0.537,
    ("cacm", "hybrid"): 0.579,
    ("cosqa", "hybrid"): 0.625,
    ("xquad_en", "hybrid"): 0.988,
}


def main() -> int:
    """Evaluate and print; 1 when a target is missed."""
    parser = command_line(__doc__, collections="*", keep="the knowledge bases", split=True)
    arguments = parser.parse_args()
    missed = 0
    print(f"{'collection':<16}{'split':<7}{'queries':>8}{'sparse':>9}{'dense':>9}{'hybrid':>9}{'R@100':>8}{'ms':>8}")
    for home in chosen_collections(arguments):
        split = arguments.split if (home / "qrels" / f"{arguments.split}.tsv").exists() else "dev"
        keep = arguments.keep / home.name if arguments.keep else None
        result = evaluate(home, split=split, folder=keep)
        print(_line(result, split), flush=True)
        missed += sum(_missed(result, mode) for mode in result.metrics)
    return 1 if missed else 0


def _missed(result: Evaluation, mode: str) -> bool:
    return result.metrics[mode]["nDCG@10"] < TARGETS.get((result.dataset, mode), 0.0)


def _line(result: Evaluation, split: str) -> str:
    cells = [
        f"{result.metrics[mode]['nDCG@10']:.4f}{'!' if _missed(result, mode) else ' '}"
        for mode in ("sparse", "dense", "hybrid")
    ]
    return (
        f"{result.dataset:<16}{split:<7}{result.queries:>8}"
        + "".join(f"{cell:>9}" for cell in cells)
        + f"{result.metrics['hybrid']['Recall@100']:>8.4f}{result.query_ms['p50']:>8.1f}"
    )


if __name__ == "__main__":
    sys.exit(main())
