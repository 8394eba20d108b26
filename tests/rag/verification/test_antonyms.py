from __future__ import annotations

import pytest

from rag.verification.antonyms import bound_sides, sides


def are_opposite(one, other, sides=sides):
    return any(side[0] != its[0] and side[1:] == its[1:] for side in sides(one) for its in sides(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [("increased", "decreases"), ("rose", "falling"), ("bigger", "smallest"), ("easier", "hard"), ("shut", "opens")],
)
def test_opposites_are_told_in_any_form(one, other):
    assert are_opposite(one, other)
    assert are_opposite(other, one)


@pytest.mark.parametrize(("one", "other"), [("increased", "increases"), ("number", "letter"), ("hot", "slow")])
def test_other_words_are_not_opposite(one, other):
    assert not are_opposite(one, other)


def test_words_of_place_and_number_have_opposites_of_their_own():
    assert are_opposite("before", "after", bound_sides)
    assert are_opposite("many", "few", bound_sides)
    assert not sides("before")
