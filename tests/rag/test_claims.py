from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.claims import are_opposite, assertion
from rag.words import words


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("It costs 5,120 francs.", {"5120"}),
        ("COVID-19 and the F-16 and B12", set()),
        ("within 30-day terms", {"30"}),
        ("in 2018–19", {"2018", "2019"}),
        ("no number", set()),
    ],
)
def test_numbers_are_those_that_are_not_part_of_a_name(text, numbers):
    assert assertion(text).numbers == numbers


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("The office moved to Geneva in May.", ["Geneva", "May"]),
        ("Geneva is a city by the lake.", []),
        ("How To Cook Rice In Ten Minutes", []),
        ("the NASA report", []),
    ],
)
def test_names_are_capitalised_words_inside_a_sentence(text, names):
    assert assertion(text).names == tuple(frozenset(words(name)) for name in names)


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("Refunds are not paid.", "paid"),
        ("It is not only fast, it is cheap.", ""),
        ("No, it is fast.", ""),
        ("It never returns goods, but keeps money.", "returns goods"),
    ],
)
def test_a_not_denies_the_words_behind_it_in_its_clause(text, denied):
    assert assertion(text).denied == frozenset(words(denied))


def test_opposites_are_told_in_any_form():
    assert are_opposite(frozenset(words("increased")), frozenset(words("decreases")))
    assert not are_opposite(frozenset(words("increased")), frozenset(words("increases")))


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=120))
def test_any_text_asserts_something(text):
    found = assertion(text)
    assert found.denied <= frozenset(words(text)) or not found.denied
    assert found.terms <= frozenset(words(text))
