from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.text.words import words
from rag.verification.polarity import differ, polarity_of


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
    assert {key[1:] for key in turned if key[0] == "-"} == set(words(denied))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The ticket is valid.", "The ticket is invalid."),
        ("Eating is allowed.", "Eating is not allowed here."),
        ("The soup boils.", "The lid keeps the soup from boiling."),
        ("Refunds are paid.", "Refunds are no longer paid."),
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
        ("It is not only fast, it is cheap.", "It is fast and cheap."),
        ("Eating is not allowed.", "Eating is prohibited."),
        ("The attic is not heated.", "All rooms but not the attic are heated."),
        ("On Sunday the ferry does not run.", "The ferry runs every day except on Sunday."),
        ("It takes no less than two cooks.", "It takes two cooks."),
        ("The team failed to score in the rain.", "In the rain the team did not score."),
        ("They discovered the cave.", "They cover the cave."),
        ("Rents rose while wages did not rise.", "Rents and wages rose."),
    ],
)
def test_the_same_in_other_words_does_not_differ(one, other):
    assert not differ(polarity_of(one), polarity_of(other))


@settings(max_examples=200, deadline=None)
@given(
    text=st.one_of(
        st.text(max_size=120),
        st.lists(st.sampled_from(["not", "without", "no", "all", "fail to", "than", "free from", "invalid", "x,"])).map(
            " ".join
        ),
    )
)
def test_no_text_differs_from_itself(text):
    found = polarity_of(text)
    assert not differ(found, found)
