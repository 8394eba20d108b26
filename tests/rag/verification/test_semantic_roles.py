from __future__ import annotations

import pytest

from rag.verification.semantic_roles import are_swapped, roles


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The dog chased the fox.", "The dog was chased by the fox."),
        ("The dog was chased by the fox.", "The fox was chased by the dog."),
        ("Anna sent the book to Ben.", "The book was sent to Anna by Ben."),
        ("The oak is older than the elm.", "The elm is older than the oak."),
        ("The train leaves later than the ship.", "The ship leaves later than the train."),
        ("Contoso has acquired Fabrikam for a song.", "After a year of talks, Fabrikam acquired Contoso."),
        ("In these hills, foxes hunt geese.", "The geese hunt foxes."),
        ("The upper house overruled the lower house.", "The lower house overruled the upper house."),
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
        ("In May, Lea married Tom from Bonn.", "In May, Tom married Lea from Bonn."),
        ("The nurse thanked the guest who had helped.", "The guest helped the nurse, who thanked the guest."),
        ("Contoso acquired Fabrikam for a song.", "Contoso was acquired for the sum that Fabrikam named."),
        ("Die Ware bezahlt der Kunde.", "Der Kunde bezahlt die Ware."),
        ("", "by than was"),
    ],
)
def test_roles_that_stay_are_not(one, other):
    assert not are_swapped(roles(one), roles(other))
    assert not are_swapped(roles(other), roles(one))
