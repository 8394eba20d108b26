from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.text.words import words
from rag.verification.polarity import differ, excepts, polarity_of


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("Refunds are not paid.", "paid"),
        ("It is not only fast, it is cheap.", ""),
        ("No, it is fast.", ""),
        ("It never returns goods, but keeps money.", "returns goods"),
        ("They refused to sign.", "sign"),
        ("The lid keeps the soup from boiling.", "boiling"),
        ("non-slip socks", "slip"),
    ],
)
def test_a_not_denies_the_words_behind_it_in_its_clause(text, denied):
    turned = polarity_of(text).turned
    assert {key[1:] for key in turned if key[0] == "-" and "/" not in key} == set(words(denied))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The ticket is valid.", "The ticket is invalid."),
        ("Eating is permitted.", "Eating is forbidden."),
        ("Prices rose.", "Prices have fallen."),
        ("The hall is big.", "The hall is smaller."),
        ("Pay before lunch.", "Pay after lunch."),
        ("It takes at least two cooks.", "It takes at most two cooks."),
        ("Few guests stayed.", "Many guests stayed."),
        ("A coat is compulsory.", "They do not have to wear a coat."),
        ("The pump could not be started.", "The pump was started."),
    ],
)
def test_what_one_affirms_the_other_denies(one, other):
    assert differ(polarity_of(one), polarity_of(other))
    assert differ(polarity_of(other), polarity_of(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The ticket is not valid.", "The ticket is invalid."),
        ("Eating is not allowed.", "Eating is prohibited."),
        ("The door is not open.", "The door is closed."),
        ("It takes no less than two cooks.", "It takes at least two cooks."),
        ("The team failed to score in the rain.", "In the rain the team did not score."),
        ("They discovered the cave.", "They cover the cave."),
        ("Rents rose while wages fell.", "Wages fell."),
        ("Trains stop in May.", "Trains must stop."),
    ],
)
def test_the_same_in_other_words_does_not_differ(one, other):
    assert not differ(polarity_of(one), polarity_of(other))


def test_an_exception_ends_with_its_words():
    text = "All rooms except the attic and the cellar are heated."
    assert polarity_of(text).excepted == set(words("attic cellar"))
    assert not excepts(polarity_of(text), polarity_of("The rooms are heated."))


@settings(max_examples=200, deadline=None)
@given(
    text=st.one_of(
        st.text(max_size=120),
        st.lists(st.sampled_from(["not", "except", "no", "all", "may", "must", "than", "from", "invalid", "x,"])).map(
            " ".join
        ),
    )
)
def test_no_text_differs_from_itself(text):
    found = polarity_of(text)
    assert not differ(found, found)
    assert not excepts(found, found)
