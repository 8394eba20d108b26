from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from rag.text.words import words
from rag.verification.claims import assertion


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=120))
def test_any_text_asserts_something(text):
    found = assertion(text)
    assert found.terms <= frozenset(words(text))
