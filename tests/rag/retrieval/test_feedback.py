import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.retrieval.feedback import feedback_similarity, hubness


def unit(rows, seed):
    vectors = np.random.default_rng(seed).standard_normal((rows, 8)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_a_candidate_near_the_best_ones_is_liker_than_one_that_is_not():
    vectors = np.eye(3, dtype=np.float32)
    near = np.array([0.9, np.sqrt(0.19), 0], dtype=np.float32)
    like = feedback_similarity(np.vstack([vectors[:2], near]), np.array([2.0, 0.0, 0.0]))
    assert like[2] > like[1]


@given(st.integers(1, 60), st.integers(0, 10**6))
def test_both_are_cosines_and_do_not_depend_on_the_order_of_the_candidates(rows, seed):
    vectors, scores = unit(rows, seed), np.random.default_rng(seed + 1).standard_normal(rows)
    order = np.random.default_rng(seed + 2).permutation(rows)
    for found, shuffled in (
        (feedback_similarity(vectors, scores), feedback_similarity(vectors[order], scores[order])),
        (hubness(vectors), hubness(vectors[order])),
    ):
        assert np.abs(found).max() <= 1 + 1e-5
        assert shuffled == pytest.approx(found[order], abs=1e-5)


def test_hubness_is_the_mean_of_the_ten_nearest_others():
    vectors = unit(30, 4)
    cosines = vectors @ vectors.T
    for row, found in enumerate(hubness(vectors)):
        others = sorted(np.delete(cosines[row], row).tolist(), reverse=True)[:10]
        assert found == pytest.approx(np.mean(others), abs=1e-6)


def test_candidates_without_a_vector_or_a_neighbour_are_no_trouble():
    assert hubness(unit(1, 0)).tolist() == [0.0]
    assert hubness(np.empty((0, 8), np.float32)).tolist() == []
    nothing = np.zeros((3, 8), np.float32)
    assert feedback_similarity(nothing, np.array([1.0, 0.5, 0.0])).tolist() == [0.0, 0.0, 0.0]
