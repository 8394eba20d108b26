"""Feedback: what the candidates of one query reveal about each other.

Relevant passages resemble each other (van Rijsbergen's cluster hypothesis, 1979). So a candidate near the best ones
gains: Rocchio's pseudo-relevance feedback (1971), with the candidates' vectors in place of words and no second search.
A passage near to everything found, a hub, is near to the query for no good reason, so it loses (Radovanović et al.,
"Hubs in Space", 2010; the correction is that of Conneau et al., "Word Translation Without Parallel Data", 2018).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_NEIGHBOURS = 10
_TEMPERATURE = 0.2  # the best candidate counts e times as much as one whose score is this much lower


def feedback_similarity(vectors: NDArray[np.float32], scores: Floats) -> Floats:
    """The cosine of every candidate with the mean of the ten best, weighted by their scores, [n].

    Args:
        vectors: unit vectors of the candidates [n, dimensions].
        scores: how good each candidate is without this [n].

    Example:
        >>> vectors = np.array([[1, 0], [0.8, 0.6], [0, 1]], dtype=np.float32)
        >>> feedback_similarity(vectors, np.array([1.0, 0.5, 0.0])).round(2).tolist()
        [1.0, 0.83, 0.05]
    """
    best = np.argsort(-scores, kind="stable")[:_NEIGHBOURS]
    weights = np.exp((scores[best] - scores[best[0]]) / _TEMPERATURE)
    mean = weights @ vectors[best]
    return np.asarray(vectors @ (mean / (np.linalg.norm(mean) or 1.0)), dtype=np.float64)


def hubness(vectors: NDArray[np.float32]) -> Floats:
    """The mean cosine of every candidate with the ten other candidates nearest to it, [n]; 0 for one that is alone.

    Args:
        vectors: unit vectors of the candidates [n, dimensions].

    Example:
        >>> hubness(np.array([[1, 0], [0.8, 0.6], [0, 1]], dtype=np.float32)).round(2).tolist()
        [0.4, 0.7, 0.3]
    """
    others = len(vectors) - 1
    if others < 1:
        return np.zeros(len(vectors))
    cosines = (vectors @ vectors.T).astype(np.float64)
    np.fill_diagonal(cosines, -np.inf)
    nearest = min(_NEIGHBOURS, others)
    return np.asarray(np.partition(cosines, others + 1 - nearest, axis=1)[:, -nearest:].mean(axis=1))
