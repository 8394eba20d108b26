"""BM25 over the sentences of a handful of passages, in memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rank_bm25 import BM25Plus

from rag.text.words import terms


def bm25(question: Sequence[str], sentences: Sequence[str]) -> NDArray[np.float64]:
    """BM25 of each sentence for the terms of a question, shape [len(sentences)]; 0 where none of them occurs.

    BM25Plus is the variant whose idf, log((N+1)/df), stays positive in a tiny corpus: Okapi's is 0 or negative for a
    term in half of the sentences. Its delta would give a score to sentences without the term, so it is 0.
    """
    corpus = [terms(sentence) for sentence in sentences]
    if not any(corpus):
        return np.zeros(len(corpus))
    scores: NDArray[np.float64] = BM25Plus(corpus, delta=0).get_scores(list(dict.fromkeys(question)))
    return scores
