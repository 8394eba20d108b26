"""Late interaction: token vectors in four bits per value, and MaxSim over them.

Khattab and Zaharia, "ColBERT: Efficient and Effective Passage Search via Contextualized Late Interaction over BERT"
(SIGIR 2020), https://arxiv.org/abs/2004.12832; the quantiser is Max, "Quantizing for Minimum Distortion" (1960).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

TOKEN_DIMENSIONS = 64
TOKEN_BYTES = TOKEN_DIMENSIONS // 2

Floats = NDArray[np.float32]

# The 16 values that lose least of a normal variable. A component of a randomly rotated unit vector is nearly normal
# with deviation 1/sqrt(dimensions), so no scale need be fitted or stored; the encoder's projection holds the rotation.
_UPPER = np.array([0.1284, 0.3881, 0.6568, 0.9424, 1.2562, 1.6181, 2.0690, 2.7326])
_LEVELS = (np.concatenate([-_UPPER[::-1], _UPPER]) / np.sqrt(TOKEN_DIMENSIONS)).astype(np.float32)
_BOUNDS = (_LEVELS[1:] + _LEVELS[:-1]) / 2
_BYTE = np.arange(256)
# Both values of a byte as one 8-byte item: one gather decodes two dimensions.
_PAIRS = np.stack([_LEVELS[_BYTE >> 4], _LEVELS[_BYTE & 15]], axis=1).view(np.complex64).ravel()


def pack(tokens: Floats) -> bytes:
    """Unit token vectors [tokens, 64] as 32 bytes each.

    >>> len(pack(np.eye(3, 64, dtype=np.float32)))
    96
    """
    codes = np.searchsorted(_BOUNDS, tokens).astype(np.uint8)
    return (codes[:, 0::2] << 4 | codes[:, 1::2]).tobytes()


def unpack(codes: bytes) -> Floats:
    """The token vectors [tokens, 64] that packed codes stand for, of nearly unit length.

    >>> unpack(pack(np.eye(3, 64, dtype=np.float32))).shape
    (3, 64)
    """
    pairs = _PAIRS[np.frombuffer(codes, dtype=np.uint8)]
    return pairs.view(np.float32).reshape(-1, TOKEN_DIMENSIONS)


def maxsim(query: Floats, weights: Floats, documents: Sequence[bytes]) -> Floats:
    """How well each document covers the query's tokens: the weighted mean of every token's best cosine, [documents].

    Args:
        query: unit token vectors [tokens, 64].
        weights: what each query token counts for [tokens], none negative. When they sum to nothing, so does the score.
        documents: packed codes; one without tokens scores 0.
    """
    scores = np.zeros(len(documents), dtype=np.float32)
    counts = np.array([len(codes) // TOKEN_BYTES for codes in documents], dtype=np.int64)
    filled = np.flatnonzero(counts)
    total = float(weights.sum())
    if not len(filled) or total <= 0:
        return scores
    starts = np.cumsum(counts[filled]) - counts[filled]
    # Document tokens as rows: `reduceat` down the rows is four times as fast as along them.
    best = np.maximum.reduceat(unpack(b"".join(documents)) @ query.T, starts, axis=0)
    scores[filled] = best @ (weights / total)
    return scores


def alignment(query: Floats, document: bytes) -> tuple[Floats, NDArray[np.int64]]:
    """Each query token's best cosine in one document, and the place of the document token that gives it.

    For a document without tokens every similarity is 0 and every place -1.
    """
    if not document:
        return np.zeros(len(query), dtype=np.float32), np.full(len(query), -1, dtype=np.int64)
    similarities = query @ unpack(document).T
    return similarities.max(axis=1), similarities.argmax(axis=1)
