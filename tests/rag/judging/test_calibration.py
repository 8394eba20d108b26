import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.judging.calibration import Calibration
from rag.judging.odds import probability

SCORES = st.floats(-2, 2)


@given(SCORES, st.floats(0.1, 30))
def test_the_middle_has_even_odds(middle, slope):
    calibration = Calibration.around(middle, slope)
    assert calibration.probability(middle) == pytest.approx(0.5)
    assert calibration.middle == pytest.approx(middle)


@given(SCORES, SCORES, st.floats(0.1, 30))
def test_a_higher_score_is_never_less_likely(one, other, slope):
    calibration = Calibration.around(0.3, slope)
    assert calibration.probability(min(one, other)) <= calibration.probability(max(one, other))


@given(st.floats(-10, 10))
def test_by_default_log_odds_stay_as_they_are(odds):
    assert Calibration()(odds) == odds
    assert Calibration().probability(odds) == probability(odds)
