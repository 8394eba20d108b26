import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.judging.policy import Policy

COSTS = st.floats(0.01, 100)


@given(COSTS, COSTS, st.floats(0, 1))
def test_what_is_accepted_is_expected_to_cost_no_more_than_rejecting_it(wrong, missed, probability):
    accepted, rejected = wrong * (1 - probability), missed * probability
    if accepted != pytest.approx(rejected):
        assert Policy(wrong, missed).accepts(probability) == (accepted < rejected)


@pytest.mark.parametrize(("wrong", "missed", "least"), [(1, 1, 0.5), (1, 4, 0.2), (7, 3, 0.7)])
def test_the_least_probability_is_accepted(wrong, missed, least):
    policy = Policy(wrong, missed)
    assert policy.least == least
    assert policy.accepts(least)
    assert not policy.accepts(least - 1e-9)
