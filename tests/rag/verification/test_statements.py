from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.verification.statements import statements


def taken_apart(answer: str, *sources: str) -> list[tuple[str, list[int]]]:
    return [(one.claim, [mark.number for mark in one.marks]) for one in statements(answer, dict(enumerate(sources, 1)))]


@pytest.mark.parametrize(
    ("mark", "numbers"),
    [
        ("[1]", [1]),
        ("[1][2]", [1, 2]),
        ("[1] [2]", [1, 2]),
        ("[1, 2]", [1, 2]),
        ("[1,2,3]", [1, 2, 3]),
        ("[1; 3]", [1, 3]),
        ("[1 and 2]", [1, 2]),
        ("[1-3]", [1, 2, 3]),
        ("[1–3, 5]", [1, 2, 3, 5]),
        ("[3-1]", [3, 1]),
        ("[1-9999999]", [1, 9999999]),
        ("[1][1]", [1]),
        ("【1】", [1]),
        ("【2†source】", [2]),
        ("[^2]", [2]),
        ("[Source 2]", [2]),
        ("[sources 1, 2]", [1, 2]),
        ("[source 1, source 2]", [1, 2]),
        ("[ 1 ]", [1]),
        ("[note]", []),
        ("[]", []),
        ("(1)", []),
        ("[1.5]", []),
    ],
)
def test_a_mark_names_its_sources(mark, numbers):
    ((claim, found),) = taken_apart(f"The sky is blue {mark}.")
    assert found == numbers
    if numbers:
        assert claim == "The sky is blue."


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("It is red [1]. It flies [2].", [("It is red.", [1]), ("It flies.", [2])]),
        ("It is red. [1] It flies. [2]", [("It is red.", [1]), ("It flies.", [2])]),
        ("It is red.[1] It flies.[2]", [("It is red.", [1]), ("It flies.", [2])]),
        ("According to [2], it flies.", [("According to, it flies.", [2])]),
        ("[1] It is red. [2] It flies.", [("It is red.", [1]), ("It flies.", [2])]),
        ("[1] It is red.", [("It is red.", [1])]),
        ("It is red.\n[2] It flies.", [("It is red.", []), ("It flies.", [2])]),
        ("It is red.\n[1]", [("It is red.", [1])]),
        ("- It is red [1]\n- It flies [2]\n", [("- It is red", [1]), ("- It flies", [2])]),
        ("It is red [1] and it flies [2].", [("It is red and it flies.", [1, 2])]),
        ("空は青い[1]。草は緑だ【2】。", [("空は青い。", [1]), ("草は緑だ。", [2])]),
        ("", []),
        ("[1]", []),
    ],
)
def test_a_mark_belongs_to_the_sentence_it_stands_in_or_follows(answer, expected):
    assert taken_apart(answer) == expected


def test_a_mark_knows_the_part_of_the_sentence_it_closes():
    (one,) = statements("The fee is 5 francs [1] and the term is 30 days [2].")
    assert [mark.claim for mark in one.marks] == ["The fee is 5 francs", "and the term is 30 days"]
    (one,) = statements("The fee is 5 francs [1][2].")
    assert {mark.claim for mark in one.marks} == {one.claim} == {"The fee is 5 francs."}


def test_references_inside_code_and_inside_quoted_text_are_no_citations():
    assert taken_apart("Use `rows[1]` to see it [2].") == [("Use `rows[1]` to see it.", [2])]
    source = "Transformers were proposed in 2017 [12]. They replaced recurrent networks."
    assert taken_apart("Transformers were proposed in 2017 [12]. [1]", source) == [
        ("Transformers were proposed in 2017 [12].", [1])
    ]


@pytest.mark.parametrize(
    ("answer", "claim"),
    [
        ("According to source 2, it flies.", "it flies."),
        ("It flies, as stated in source 2.", "It flies."),
        ("Source 2 says that it flies.", "it flies."),
    ],
)
def test_who_says_it_is_no_part_of_the_claim(answer, claim):
    assert taken_apart(answer, "one", "two") == [(claim, [2])]


@pytest.mark.parametrize(
    ("answer", "listings"),
    [
        ("It flies.\n\nSources: [1], [3]", ["Sources: [1], [3]"]),
        ("It flies. Source: [1].", ["Source: [1]."]),
        ("It flies.\n\n**References**\n\n1. The atlas of birds\n2. A handbook of wings", None),
        ("It flies.\n\nSources:\n[1] The atlas of birds\n[2] A handbook of wings", None),
        ("It flies.[^1]\n\n[^1]: The atlas of birds", None),
        ("The sources of the river are high.", []),
    ],
)
def test_a_list_of_sources_is_told_as_one(answer, listings):
    found = [answer[one.start : one.end] for one in statements(answer) if one.listing]
    if listings is None:
        assert not any(one.is_factual for one in statements(answer)[1:])
    else:
        assert found == listings


@pytest.mark.parametrize(
    "sentence",
    [
        "Is it blue?",
        "Here is what the documents say:",
        "The sources do not answer this question.",
        "The provided context doesn't mention refunds.",
        "I don't know.",
        "Yes.",
        "## Refund policy",
    ],
)
def test_what_claims_nothing_is_not_factual(sentence):
    assert not any(one.is_factual for one in statements(sentence))


def test_what_claims_something_is_factual():
    assert all(one.is_factual for one in statements("Refunds take 14 days. The fee is not refunded."))


ANSWER = st.lists(
    st.sampled_from(
        [
            "It is red.",
            " ",
            "\n",
            "\n\n",
            "[1]",
            "[2, 3]",
            "【4】",
            "- ",
            "`x[1]`",
            "no end",
            "?",
            "漢字。",
            "[",
            "]",
            "5.5",
        ]
    ),
    max_size=25,
).map("".join)


@settings(max_examples=300, deadline=None)
@given(answer=st.one_of(ANSWER, st.text(max_size=80)))
def test_statements_are_in_order_apart_and_hold_their_marks(answer):
    found = statements(answer)
    ends = 0
    for one in found:
        assert 0 <= ends <= one.start < one.end <= len(answer)
        ends = one.end
        sentence = answer[one.start : one.end]
        for mark in one.marks:
            assert str(mark.number) in sentence
