"""The four-bit codec and MaxSim, against a reference that says what they mean in plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from indexes.encoding.late import TOKEN_BYTES, TOKEN_DIMENSIONS, alignment, maxsim, pack, unpack

Floats = NDArray[np.float32]


def unit_vectors(count: int, seed: int) -> Floats:
    vectors = np.random.default_rng(seed).standard_normal((count, TOKEN_DIMENSIONS))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def naive_maxsim(query: Floats, weights: Floats, documents: list[bytes]) -> list[float]:
    scores = []
    for document in documents:
        tokens = unpack(document)
        best = [max((float(q @ d) for d in tokens), default=0.0) for q in query]
        scores.append(sum(w * b for w, b in zip(weights.tolist(), best, strict=True)) / float(weights.sum()))
    return scores


@given(counts=st.lists(st.integers(0, 6), max_size=8), tokens=st.integers(1, 5), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_maxsim_is_the_weighted_mean_of_every_query_tokens_best_match(
    counts: list[int], tokens: int, seed: int
) -> None:
    query = unit_vectors(tokens, seed)
    weights = np.random.default_rng(seed).uniform(0.1, 9, tokens).astype(np.float32)
    documents = [pack(unit_vectors(count, seed + 1 + place)) for place, count in enumerate(counts)]

    scores = maxsim(query, weights, documents)

    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, naive_maxsim(query, weights, documents), atol=1e-5)


def cosines(tokens: NDArray[np.float32], decoded: NDArray[np.float32]) -> NDArray[np.float32]:
    return (decoded * tokens).sum(1) / np.linalg.norm(decoded, axis=1)


@given(count=st.integers(0, 40), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_packing_keeps_direction_and_packing_again_changes_nothing(count: int, seed: int) -> None:
    tokens = unit_vectors(count, seed)

    codes = pack(tokens)
    decoded = unpack(codes)

    assert len(codes) == count * TOKEN_BYTES
    assert decoded.shape == tokens.shape
    assert pack(decoded) == codes
    # A rare vector has one component beyond the outermost level: no bound near 1 holds for every vector.
    assert (cosines(tokens, decoded) > 0.9).all()


def test_almost_every_vector_survives_the_codec() -> None:
    tokens = unit_vectors(5_000, 5)
    kept = cosines(tokens, unpack(pack(tokens)))
    assert kept.mean() > 0.994
    assert np.quantile(kept, 0.01) > 0.985


def test_dot_products_survive_the_codec() -> None:
    left, right = unit_vectors(300, 1), unit_vectors(300, 2)

    error = left @ unpack(pack(right)).T - left @ right.T

    assert abs(error.mean()) < 1e-3
    assert np.sqrt((error**2).mean()) < 0.02


@pytest.mark.parametrize("row", [np.zeros(64), np.eye(64)[0], -np.eye(64)[63], np.full(64, 9.0), np.full(64, -9.0)])
def test_any_values_can_be_packed(row: NDArray[np.float64]) -> None:
    assert np.isfinite(unpack(pack(row[None].astype(np.float32)))).all()


def test_a_token_of_no_weight_does_not_count() -> None:
    query = unit_vectors(2, 3)
    document = pack(query[:1])

    assert maxsim(query, np.array([1, 0], np.float32), [document])[0] > 0.95


def test_without_weight_tokens_or_documents_there_is_nothing_to_score() -> None:
    query, weights = unit_vectors(2, 4), np.ones(2, np.float32)

    assert maxsim(query, weights, []).shape == (0,)
    assert maxsim(query, weights, [b"", b""]).tolist() == [0, 0]
    assert maxsim(query, np.zeros(2, np.float32), [pack(query)]).tolist() == [0]
    assert maxsim(query[:0], weights[:0], [pack(query)]).tolist() == [0]


def test_alignment_finds_each_query_token_in_the_document() -> None:
    document = unit_vectors(9, 5)

    similarities, places = alignment(document[[7, 2]], pack(document))

    assert places.tolist() == [7, 2]
    assert (similarities > 0.95).all()


def test_alignment_with_nothing_says_so() -> None:
    similarities, places = alignment(unit_vectors(2, 6), b"")

    assert similarities.tolist() == [0, 0]
    assert places.tolist() == [-1, -1]
