from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from rapidfuzz import fuzz

from rag.query.disambiguation import similarity

NAMES = st.text("abcdé -.\U0001f600", max_size=90) | st.text(max_size=20)


@given(NAMES, NAMES)
@example("", "")
@example("", "a")
@example("international business machines", "internatonal busines machine")
def test_similarity_has_every_bit_of_the_reference(one: str, other: str) -> None:
    assert similarity(one, other) == fuzz.ratio(one, other)
