from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.text.words import words
from rag.verification.claims import are_contrary, assertion


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Silk is lighter than wool.", "Wool is lighter than silk."),
        ("Every guest but not the cook is fed.", "The cook is fed."),
        ("The judge warned the lawyer.", "The judge was warned by the lawyer."),
    ],
)
def test_an_odd_number_of_turns_makes_the_contrary(one, other):
    assert are_contrary(assertion(one), assertion(other))
    assert are_contrary(assertion(other), assertion(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Silk is lighter than wool.", "Wool is heavier than silk."),
        ("Every guest but not the cook is fed.", "The cook is not fed."),
        ("The judge warned the lawyer.", "The lawyer was warned by the judge."),
        ("The judge warned the lawyer.", "The judge was warned by nobody."),
    ],
)
def test_an_even_number_of_turns_does_not(one, other):
    assert not are_contrary(assertion(one), assertion(other))


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=120))
def test_any_text_asserts_something(text):
    found = assertion(text)
    assert not are_contrary(found, found)
    assert found.terms <= frozenset(words(text))
