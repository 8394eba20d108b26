import itertools

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.evaluation.significance import RESAMPLES, compare, holm, interval, randomisation

eighths = st.integers(-8, 8).map(lambda n: n / 8)


@settings(max_examples=60, deadline=None)
@given(st.lists(eighths, min_size=1, max_size=9))
def test_few_differences_are_enumerated(differences):
    signs = itertools.product((-1, 1), repeat=len(differences))
    sums = [abs(sum(s * d for s, d in zip(pattern, differences, strict=True))) for pattern in signs]
    assert randomisation(differences) == pytest.approx(np.mean([total >= abs(sum(differences)) for total in sums]))


def test_many_differences_agree_with_scipy():
    generator = np.random.default_rng(7)
    differences = generator.normal(0.0, 0.3, 120)
    differences += 0.05 - differences.mean()
    reference = scipy.stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=50_000, rng=np.random.default_rng(1)
    ).pvalue
    spread = 4 * np.sqrt(reference * (1 - reference) / RESAMPLES)
    assert 0.01 < reference < 0.5
    assert randomisation(differences.tolist()) == pytest.approx(reference, abs=1.5 * spread)


@pytest.mark.parametrize("size", [5, 60, 900])
def test_intervals_agree_with_scipy(size):
    values = np.random.default_rng(size).beta(0.5, 0.7, size)
    reference = scipy.stats.bootstrap(
        (values,), np.mean, method="percentile", n_resamples=20_000, rng=np.random.default_rng(2)
    ).confidence_interval
    assert interval(values.tolist()) == pytest.approx((reference.low, reference.high), abs=0.06 * np.ptp(reference))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_is_the_step_down_procedure(p_values):
    adjusted = holm(p_values)
    for level in (0.01, 0.05, 0.2):
        rejected = 0
        for place, p in enumerate(sorted(p_values)):
            if (len(p_values) - place) * p > level:
                break
            rejected += 1
        assert sum(p <= level for p in adjusted) == rejected


def test_the_same_seed_gives_the_same_numbers():
    values = np.random.default_rng(0).random(50).tolist()
    others = np.random.default_rng(1).random(50).tolist()
    assert compare([(values, others)], seed=3) == compare([(values, others)], seed=3)
    assert interval(values, seed=3) != interval(values, seed=4)


def test_equal_runs_do_not_differ():
    [same] = compare([([0.2] * 40, [0.2] * 40)])
    assert (same.difference, same.low, same.high, same.p, same.adjusted) == (0, 0, 0, 1, 1)


def test_the_correction_counts_the_comparisons():
    better, worse = [0.6] * 5 + [0.9], [0.1] * 6
    alone = compare([(better, worse)])[0]
    together = compare([(better, worse), (better, worse)])
    assert alone.p == alone.adjusted == 2 / 64
    assert [each.adjusted for each in together] == [4 / 64, 4 / 64]
