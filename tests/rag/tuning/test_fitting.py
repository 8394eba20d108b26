import math

import numpy as np
import pytest

from rag.judging.calibration import Calibration
from rag.judging.fitting import sigmoid
from rag.judging.odds import log_odds_of
from rag.tuning.fitting import Judged, fit_calibration, fit_threshold

SAME = Calibration()


def judged(slope, intercept, questions=200, hidden=0.0, seed=0):
    """Passages that are relevant as often as a line through their log-odds says."""
    generator = np.random.default_rng(seed)
    made = []
    for _ in range(questions):
        odds = generator.normal(-1, 2, 10)
        labels = (generator.random(10) < sigmoid(slope * odds + intercept)).astype(float)
        labels[generator.random(10) < hidden] = np.nan
        made.append(Judged(odds, labels))
    return made


@pytest.mark.parametrize(("slope", "intercept"), [(1, 0), (0.6, -1), (1.6, 0.8)])
def test_with_many_judgements_the_true_line_is_found(slope, intercept):
    found = fit_calibration(judged(slope, intercept), SAME, nonsense=-50, ceiling=0)
    assert (found.slope, found.intercept) == pytest.approx((slope, intercept), abs=0.15)


def test_a_few_judgements_move_it_little():
    few = judged(3, 3, questions=2)
    many = judged(3, 3, questions=300)
    near, far = (fit_calibration(questions, SAME, nonsense=-50, ceiling=0) for questions in (few, many))
    assert abs(near.slope - 1) < abs(far.slope - 1)
    assert abs(near.intercept) < abs(far.intercept)


def test_what_nobody_judged_holds_the_line_where_it_is():
    kept = fit_calibration([Judged(np.array([0.0, -4.0]), np.array([np.nan, np.nan]))] * 9, SAME, -50, 0)
    alone = fit_calibration([Judged(np.array([0.0, -4.0]), np.array([0.0, 0.0]))] * 9, SAME, -50, 0)
    assert alone.intercept < kept.intercept < 0


def test_nonsense_stays_below_the_ceiling():
    ceiling = log_odds_of(0.1)
    free = fit_calibration(judged(1, 4), SAME, nonsense=-50, ceiling=ceiling)
    held = fit_calibration(judged(1, 4), SAME, nonsense=-3, ceiling=ceiling)
    assert free(-3.0) > ceiling
    assert held(-3.0) == pytest.approx(ceiling)


def test_a_threshold_parts_what_can_be_parted():
    found = fit_threshold([1.0, 2.0, 3.0, -math.inf], [-1.0, 0.0, 0.5], now=-1.4)
    assert 0.5 < found <= 1.0


def test_a_threshold_that_is_good_enough_stays():
    assert fit_threshold([1.0, 2.0], [-3.0, -2.0], now=-1.4) == -1.4
    assert fit_threshold([-math.inf] * 5, [-3.0], now=-1.4) == -1.4
