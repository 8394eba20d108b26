from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.near_duplicates import Fingerprint
from rag.text.words import negations, numbers

RULE = "Every employee receives a travel allowance when the journey to work takes longer than the usual time."


def repeats(text: str, other: str) -> bool:
    return Fingerprint(text).adds_nothing_to(Fingerprint(other))


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


def copies(text: str, other: str) -> bool:
    return Fingerprint(text).is_copy_of(Fingerprint(other))


@pytest.mark.parametrize("copy", [RULE, RULE.upper(), f"  {RULE}\n", RULE.replace(" ", "\n"), f"{RULE}\nUnchanged."])
def test_white_space_capitals_and_a_last_line_leave_a_copy(copy):
    assert copies(copy, RULE)
    assert copies(RULE, copy)


LONG = f"{RULE} It is not paid for 14 days of holiday. {RULE.upper()} It is paid for 30 days of illness. " * 3


@pytest.mark.parametrize(
    "other",
    [
        RULE[:70],
        f"{RULE} The allowance is paid at the end of the month, together with the salary, after approval.",
        RULE.replace("receives", "never receives"),
        RULE.replace("a travel", "a 20 franc travel"),
    ],
)
def test_what_adds_something_to_the_other_either_way_is_no_copy(other):
    assert not copies(other, RULE)
    assert not copies(RULE, other)


@pytest.mark.parametrize(
    "other",
    [
        LONG.replace("14", "·", 1).replace("30", "14", 1).replace("·", "30", 1),
        LONG.replace("It is not paid", "It is paid", 1),
    ],
    ids=["two numbers have changed places", "one of several negations is gone"],
)
def test_the_order_of_the_numbers_and_the_count_of_negations_tell(other):
    assert repeats(other, LONG)
    assert not copies(other, LONG)
    assert not copies(LONG, other)


def test_letters_that_differ_in_a_name_are_no_copies():
    ann, bob = f"Dear Ann, {LONG}", f"Dear Bob, {LONG}"
    assert repeats(ann, bob)
    assert not copies(ann, bob)


@given(st.text(max_size=60), st.text(max_size=60))
def test_being_a_copy_goes_both_ways_and_implies_the_same_numbers_and_negations(one, other):
    assert copies(one, one)
    assert copies(one, other) == copies(other, one)
    if copies(one, other):
        assert numbers(one) == numbers(other)
        assert negations(one) == negations(other)
