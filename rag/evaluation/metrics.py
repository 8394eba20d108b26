"""Ranking metrics as trec_eval defines them: nDCG@k, Recall@k and MRR@k.

A document's gain is its judged relevance (linear gain, not 2^rel - 1), and its discount is log2(rank + 1).
Unjudged documents, and judgements of 0 or below, count as not relevant.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

Judgements = Mapping[str, int]  # document id → relevance
Scores = Mapping[str, float]  # document id → score
METRICS = ("nDCG@10", "Recall@10", "Recall@100", "MRR@10")


def ranking(scores: Scores) -> list[str]:
    """Document ids, best first. Equal scores are ordered by id, the later id first, as trec_eval does.

    Example:
        >>> ranking({"a": 1.0, "b": 2.0, "c": 1.0})
        ['b', 'c', 'a']
    """
    return sorted(sorted(scores, reverse=True), key=lambda document: -scores[document])


def ndcg(ranked: Sequence[str], judged: Judgements, k: int) -> float:
    """Normalised discounted cumulative gain of the first `k`; 0 where nothing is relevant.

    Example:
        >>> ndcg(["a", "b"], {"b": 1}, 10)
        0.6309297535714575
    """
    ideal = _dcg(sorted(_relevant(judged).values(), reverse=True)[:k])
    return _dcg(max(0, judged.get(document, 0)) for document in ranked[:k]) / ideal if ideal else 0.0


def recall(ranked: Sequence[str], judged: Judgements, k: int) -> float:
    """The share of the relevant documents that is among the first `k`; 0 where nothing is relevant."""
    relevant = _relevant(judged)
    return len(relevant.keys() & set(ranked[:k])) / len(relevant) if relevant else 0.0


def reciprocal_rank(ranked: Sequence[str], judged: Judgements, k: int) -> float:
    """One over the rank of the first relevant document among the first `k`, else 0; its mean is MRR@k."""
    relevant = _relevant(judged)
    return next((1 / rank for rank, document in enumerate(ranked[:k], 1) if document in relevant), 0.0)


def query_metrics(ranked: Sequence[str], judged: Judgements) -> dict[str, float]:
    """`METRICS` → the value of one query whose documents are `ranked`, best first.

    Example:
        >>> query_metrics(["d1", "d2"], {"d2": 1})
        {'nDCG@10': 0.6309297535714575, 'Recall@10': 1.0, 'Recall@100': 1.0, 'MRR@10': 0.5}
    """
    return {
        "nDCG@10": ndcg(ranked, judged, 10),
        "Recall@10": recall(ranked, judged, 10),
        "Recall@100": recall(ranked, judged, 100),
        "MRR@10": reciprocal_rank(ranked, judged, 10),
    }


def first_relevant(ranked: Sequence[str], judged: Judgements) -> int | None:
    """The rank of the first relevant document, from 1; None where there is none."""
    relevant = _relevant(judged)
    return next((rank for rank, document in enumerate(ranked, 1) if document in relevant), None)


def mean_metrics(run: Mapping[str, Scores], qrels: Mapping[str, Judgements]) -> dict[str, float]:
    """`METRICS` → the mean over the queries of `qrels`.

    A query that the run does not answer counts 0, as does one with nothing relevant.

    Example:
        >>> mean_metrics({"q1": {"d1": 0.9, "d2": 0.5}}, {"q1": {"d2": 1}, "q2": {"d1": 1}})["MRR@10"]
        0.25
    """
    each = [query_metrics(ranking(run.get(query, {})), judged) for query, judged in qrels.items()]
    return {name: sum(one[name] for one in each) / len(each) if each else 0.0 for name in METRICS}


def _relevant(judged: Judgements) -> dict[str, int]:
    return {document: relevance for document, relevance in judged.items() if relevance > 0}


def _dcg(gains: Iterable[int]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, 1))
