"""The uncertainty of a mean over queries: bootstrap intervals, and paired tests of one run against another.

The queries are the sample. Efron, Bootstrap Methods (1979) for the intervals; Smucker, Allan and Carterette, A
Comparison of Statistical Significance Tests for Information Retrieval Evaluation (2007) for the randomisation test;
Holm, A Simple Sequentially Rejective Multiple Test Procedure (1979) for several comparisons at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RESAMPLES = 10_000
CONFIDENCE = 0.95
_EXACT_BELOW = 14  # queries: 2^13 sign patterns are fewer than the resamples
_CELLS = 2_000_000  # random numbers in memory at a time

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Paired:
    """One run minus another over the same queries.

    Attributes:
        difference: mean of the differences.
        low, high: its 95% bootstrap interval.
        p: two-sided p-value of the randomisation test.
        adjusted: `p` after Holm's correction for the comparisons reported together.
    """

    difference: float
    low: float
    high: float
    p: float
    adjusted: float


def interval(values: Sequence[float], seed: int = 0) -> tuple[float, float]:
    """The 95% percentile bootstrap interval of the mean.

    Example:
        >>> interval([0.5, 0.5, 0.5])
        (0.5, 0.5)
    """
    sample = np.asarray(values, np.float64)
    generator = np.random.default_rng(seed)
    means = [
        sample[generator.integers(0, len(sample), (rows, len(sample)))].mean(axis=1) for rows in _blocks(len(sample))
    ]
    low, high = np.quantile(np.concatenate(means), [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def randomisation(differences: Sequence[float], seed: int = 0) -> float:
    """Two-sided p-value: how often flipping the signs of the differences at random makes their sum as far from 0.

    With fewer than 14 differences every pattern of signs is tried; else 10,000 random ones, the observed one added, so
    that no p is 0 (and none below 0.0001).

    Example:
        >>> randomisation([1.0, 1.0, 1.0])
        0.25
    """
    sample = np.asarray(differences, np.float64)
    observed = abs(sample.sum())
    # Sums that are equal but for rounding count as equal.
    reached = observed - 1e-9 * max(1.0, float(np.abs(sample).sum()))
    if len(sample) < _EXACT_BELOW:
        patterns = np.arange(2 ** len(sample))[:, None] >> np.arange(len(sample)) & 1
        return float((np.abs((2 * patterns - 1) @ sample) >= reached).mean())
    generator = np.random.default_rng(seed)
    extreme = sum(
        int((np.abs((2 * generator.integers(0, 2, (rows, len(sample)), np.int8) - 1) @ sample) >= reached).sum())
        for rows in _blocks(len(sample))
    )
    return (extreme + 1) / (RESAMPLES + 1)


def compare(pairs: Sequence[tuple[Sequence[float], Sequence[float]]], seed: int = 0) -> list[Paired]:
    """Each first run minus its second, with p-values corrected for the number of pairs.

    Example:
        >>> compare([([1.0, 0.5, 1.0], [0.5, 0.0, 0.5])])[0].difference
        0.5
    """
    differences = [np.subtract(first, second, dtype=np.float64) for first, second in pairs]
    p_values = [randomisation(each.tolist(), seed) for each in differences]
    return [
        Paired(float(each.mean()), *interval(each.tolist(), seed), p, adjusted)
        for each, p, adjusted in zip(differences, p_values, holm(p_values), strict=True)
    ]


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values, in the order given.

    Example:
        >>> holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]
    """
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for place, position in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - place) * p_values[position]))
        adjusted[position] = largest
    return adjusted


def _blocks(columns: int) -> list[int]:
    """`RESAMPLES` in blocks of rows that fit in memory."""
    rows = max(1, _CELLS // columns)
    return [min(rows, RESAMPLES - start) for start in range(0, RESAMPLES, rows)]
