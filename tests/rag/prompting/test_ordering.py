from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rag.prompting.ordering import LONG, arranged


@given(st.integers(0, 40))
def test_what_matters_least_is_in_the_middle(many):
    order = arranged(range(many), LONG)
    assert sorted(order) == list(range(many))
    distance = [min(place, many - 1 - place) for place in map(order.index, range(many))]
    assert distance == sorted(distance)


@given(st.lists(st.integers()))
def test_a_short_prompt_keeps_its_order(items):
    assert arranged(items, LONG - 1) == items
