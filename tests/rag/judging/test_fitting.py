import numpy as np
import pytest

from rag.judging.fitting import fit_logistic, sigmoid

NONE = np.zeros(2)


@pytest.fixture
def examples():
    generator = np.random.default_rng(3)
    design = np.column_stack([np.ones(4_000), generator.normal(0, 2, 4_000)])
    return design, (generator.random(4_000) < sigmoid(design @ np.array([-1.0, 0.8]))).astype(float)


def test_it_finds_what_made_the_labels(examples):
    assert fit_logistic(*examples, NONE, NONE) == pytest.approx([-1.0, 0.8], abs=0.1)


def test_at_the_optimum_nothing_pulls(examples):
    design, labels = examples
    prior, precision = np.array([0.5, 0.5]), np.array([10.0, 100.0])
    found = fit_logistic(design, labels, prior, precision)
    assert design.T @ (sigmoid(design @ found) - labels) + precision * (found - prior) == pytest.approx(0, abs=1e-5)


def test_what_is_expected_gives_way_to_examples(examples):
    design, labels = examples
    prior, precision = np.array([2.0, 2.0]), np.array([4.0, 4.0])
    free = fit_logistic(design, labels, NONE, NONE)
    few, many = (fit_logistic(design[:count], labels[:count], prior, precision) for count in (5, 4_000))
    assert np.abs(many - free).max() < 0.05 < np.abs(few - free).max()
    assert fit_logistic(design[:0], labels[:0], prior, precision) == pytest.approx(prior)


def test_a_weight_is_how_often_an_example_counts(examples):
    design, labels = (each[:200] for each in examples)
    times = np.arange(200) % 3
    prior, precision = np.zeros(2), np.ones(2)
    repeated = fit_logistic(np.repeat(design, times, axis=0), np.repeat(labels, times), prior, precision)
    assert fit_logistic(design, labels, prior, precision, times.astype(float)) == pytest.approx(repeated, abs=1e-7)


def test_labels_that_a_line_parts_do_not_run_away():
    design = np.column_stack([np.ones(20), np.repeat([-1.0, 1.0], 10)])
    found = fit_logistic(design, np.repeat([0.0, 1.0], 10), np.zeros(2), np.full(2, 0.1))
    assert np.isfinite(found).all()
    assert found[1] > 1
