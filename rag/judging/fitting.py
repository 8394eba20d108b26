"""Fitting of logistic models: the likeliest coefficients under what was expected of them before."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_STEPS = 100
_SMALL = 1e-9


def sigmoid(odds: Floats) -> Floats:
    """The probabilities that have these log-odds."""
    return np.asarray(1 / (1 + np.exp(-np.clip(odds, -50, 50))))


def fit_logistic(
    design: Floats, labels: Floats, prior: Floats, precision: Floats, weights: Floats | None = None
) -> Floats:
    """The coefficients that make the labels likeliest, by Newton's method; a step that would overshoot is halved.

    Args:
        design: features, with a column of ones for an intercept, [examples, features].
        labels: 1, 0 or a probability between them, [examples].
        prior: what each coefficient is expected to be, [features].
        precision: one over the variance of what is expected; 0 expects nothing, [features].
        weights: how often each example counts; once by default, [examples].
    """
    weights = np.ones(len(labels)) if weights is None else weights

    def loss(found: Floats) -> float:
        odds = design @ found
        return float(np.sum(weights * (np.logaddexp(0, odds) - labels * odds)) + precision @ (found - prior) ** 2 / 2)

    found = np.array(prior, dtype=np.float64)
    for _ in range(_STEPS):
        chances = sigmoid(design @ found)
        gradient = design.T @ (weights * (chances - labels)) + precision * (found - prior)
        hessian = (design.T * (weights * chances * (1 - chances))) @ design + np.diag(precision)
        step = np.linalg.solve(hessian, gradient)
        while loss(found - step) > loss(found) and np.abs(step).max() > _SMALL:
            step = step / 2
        found = found - step
        if np.abs(step).max() <= _SMALL:
            break
    return found
