from __future__ import annotations

import pytest

from rag.roles import are_swapped, roles


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The dog chased the fox.", "The dog was chased by the fox."),
        ("The dog was chased by the fox.", "The fox was chased by the dog."),
        ("Anna sent the book to Ben.", "The book was sent to Anna by Ben."),
        ("The oak is older than the elm.", "The elm is older than the oak."),
    ],
)
def test_roles_that_change_places_are_told(one, other):
    assert are_swapped(roles(one), roles(other))
    assert are_swapped(roles(other), roles(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The dog chased the fox.", "The fox was chased by the dog."),
        ("The report was finished by Friday.", "The team finished the report on Friday."),
        ("The flood was caused by rain.", "The cause of the flood was rain."),
        ("The song was written by Mary.", "A song written by Mary was played."),
        ("The oak is older than the elm.", "The oak is taller than the elm."),
        ("", "by than was"),
    ],
)
def test_roles_that_stay_are_not(one, other):
    assert not are_swapped(roles(one), roles(other))
    assert not are_swapped(roles(other), roles(one))
