"""How well the extractive LLM finds the sentence that answers a question, on WikiQA and TREC-QA.

Run:  python benchmarks/extractive.py collections/

The data folder holds wikiqa and trecqa: corpus.jsonl, queries.jsonl and pairs.jsonl (`query_id`, `doc_id`, `label`).
Questions with a right and a wrong sentence count; of WikiQA every third of the training and development questions.

Printed: MRR of the right sentence by BM25, by the cosine and by the score used; then for several margins below the best
score how often the chosen sentences (at most four) hold a right one, how many they are, and their F1.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import command_line
from benchmarks.reader import answer_sentences
from indexes.encoding.loading import load_encoder
from rag.llm.extractive import sentence_scores
from rag.query.query import Query
from rag.text.bm25 import bm25
from rag.text.sentence_encoder import SentenceEncoder

_SPLITS = {"wikiqa": {"train", "dev"}, "trecqa": {"train", "dev", "test"}}
_MARGINS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4)
_MOST_SENTENCES = 4

Floats = NDArray[np.float64]
Case = tuple[str, list[str], Floats]
"""A question, its candidate sentences, and 1 for each that answers it."""


def main() -> None:
    """Measure and print."""
    parser = command_line(__doc__)
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    encoder = load_encoder()
    for name in ("wikiqa", "trecqa"):
        cases = list(answer_sentences(data / name, _SPLITS[name]))
        if name == "wikiqa":
            cases = cases[::3]
        _report(name, cases, encoder)


def _report(name: str, cases: list[Case], encoder: SentenceEncoder) -> None:
    used = [sentence_scores(question, sentences, encoder) for question, sentences, _ in cases]
    labels = [label for _, _, label in cases]
    words = [bm25(Query.of(question).terms, sentences) for question, sentences, _ in cases]
    cosines = [encoder.encode(sentences).vectors @ encoder.encode_query(q).vector for q, sentences, _ in cases]
    print(f"{name}: {len(cases)} questions; MRR: BM25 {_mrr(words, labels):.3f}, ", end="")
    print(f"cosine {_mrr(cosines, labels):.3f}, used {_mrr(used, labels):.3f}")
    for margin in _MARGINS:
        hits, counts, f1 = np.mean([_chosen(s, y, margin) for s, y in zip(used, labels, strict=True)], axis=0)
        print(f"  margin {margin:.2f}: a right sentence {hits:.3f}, sentences {counts:.2f}, F1 {f1:.3f}")


def _mrr(scores: list[Any], labels: list[Floats]) -> float:
    ranked = [label[np.argsort(-score, kind="stable")] for score, label in zip(scores, labels, strict=True)]
    return float(np.mean([1 / (1 + np.flatnonzero(label)[0]) for label in ranked]))


def _chosen(scores: Floats, labels: Floats, margin: float) -> tuple[float, float, float]:
    order = np.argsort(-scores, kind="stable")[:_MOST_SENTENCES]
    order = order[scores[order] >= scores.max() - margin]
    right = labels[order].sum()
    return float(right > 0), float(len(order)), float(2 * right / (len(order) + labels.sum()))


if __name__ == "__main__":
    main()
