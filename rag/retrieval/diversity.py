"""Diversity: hits that are relevant and unlike the hits above them (MMR: Carbonell and Goldstein, 1998)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from rag.retrieval.hit import DiversityShift


def diversify(
    scores: npt.NDArray[np.float64], vectors: npt.NDArray[np.float32], weight: float
) -> Iterator[tuple[int, DiversityShift]]:
    """The candidates in their new order, each with what put it there; the first ones never depend on how many follow.

    Next comes the candidate of the greatest MMR score: (1 - weight) x its normalized score - weight x its greatest
    cosine with one that came before. The normalized score goes from 0 for the least of the candidates to 1 for the
    best.

    Args:
        scores: of the candidates, best first [n].
        vectors: their unit vectors [n, dimensions].
        weight: from 0, the order of the scores, to 1, which looks at the score of the first one only.

    Example:
        >>> vectors = np.array([[1, 0], [0.96, 0.28], [0, 1]], dtype=np.float32)
        >>> [place for place, _ in diversify(np.array([1.0, 0.9, 0.4]), vectors, 0.5)]
        [0, 2, 1]
    """
    if not len(scores):
        return
    spread = float(scores.max() - scores.min()) or 1.0
    normalized = (scores - scores.min()) / spread
    left = np.ones(len(scores), bool)
    cosine = np.zeros(len(scores))
    like = np.zeros(len(scores), int)  # the rank of the one before that each resembles most
    for rank in range(1, len(scores) + 1):
        mmr = np.where(left, (1 - weight) * normalized - weight * cosine, -np.inf)
        best = int(mmr.argmax())
        left[best] = False
        yield (
            best,
            DiversityShift(
                best + 1, float(normalized[best]), int(like[best]) or None, float(cosine[best]), float(mmr[best])
            ),
        )
        near = (vectors @ vectors[best]).astype(np.float64)
        closer = (near > cosine) | (rank == 1)
        cosine, like = np.where(closer, near, cosine), np.where(closer, rank, like)
