from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.verification.temporal_order import is_reversed, orders


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Rinse the rice before you boil it.", "Boil the rice before you rinse it."),
        ("After dinner, the children played chess.", "The children played chess before dinner."),
        ("First the bell rings, then the gate closes.", "The bell rings after the gate has closed."),
        ("Once the glue is dry, paint the wood.", "Paint the wood before the glue is dry."),
        ("Read the page; after that, sign it.", "Sign it, then read the page."),
        ("The mill ran until the war.", "After the war, the mill ran."),
    ],
)
def test_what_comes_earlier_in_one_and_later_in_the_other_is_reversed(one, other):
    assert is_reversed(one, other)
    assert is_reversed(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Rinse the rice before you boil it.", "Boil the rice after you rinse it."),
        ("The hall was built ten years before the tower.", "The tower was built ten years after the hall."),
        ("The bell rings, then the gate closes.", "The gate closes after the bell has rung and rings."),
    ],
)
def test_the_same_order_in_other_words_is_not(one, other):
    assert is_reversed(one, other) is False
    assert is_reversed(other, one) is False


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Rinse the rice before you boil it.", "The rice is rinsed and boiled."),
        ("If the bell rings, then the gate closes.", "If the gate closes, then the bell rings."),
        ("The town is named after its founder.", "The founder was here before."),
    ],
)
def test_where_one_of_them_orders_nothing_there_is_no_telling(one, other):
    assert is_reversed(one, other) is None


@settings(max_examples=200, deadline=None)
@given(
    text=st.lists(st.sampled_from(["before", "after", "then", "once", ",", ".", "rain", "wind", "sun"])).map(" ".join)
)
def test_no_text_is_the_reverse_of_itself_where_it_says_one_thing(text):
    if len(orders(text)) <= 1:
        assert not is_reversed(text, text)
