from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.duplicates import Fingerprint

RULE = "Every employee receives a travel allowance when the journey to work takes longer than the usual time."


def repeats(text: str, other: str) -> bool:
    return Fingerprint.of(text).adds_nothing_to(Fingerprint.of(other))


@pytest.mark.parametrize("copy", [RULE, RULE.upper(), f"  {RULE}\n", RULE.replace(" ", "\n"), RULE[:70]])
def test_a_copy_or_a_part_adds_nothing(copy):
    assert repeats(copy, RULE)


@pytest.mark.parametrize(
    "other",
    [
        "Lunch is served in the canteen.",
        f"{RULE} The allowance is paid at the end of the month, together with the salary, after approval.",
        RULE.replace("receives", "never receives"),
        RULE.replace("a travel", "a 20 franc travel"),
    ],
)
def test_more_words_another_number_or_a_denial_add_something(other):
    assert not repeats(other, RULE)


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_text_repeats_itself_and_wordless_texts_only_themselves(one, other):
    assert repeats(one, one)
    if not any(sign.isalnum() for sign in one + other) and one.strip() != other.strip():
        assert not repeats(one, other) or not one.strip()
