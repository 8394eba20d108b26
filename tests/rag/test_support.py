from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.support import SupportJudge

PASSAGE = (
    "Orders can be returned within 30 days. The customer pays the return shipping. "
    "A refund is issued to the original card within five working days."
)


@pytest.mark.parametrize(
    "claim",
    [
        "Orders can be returned within 30 days.",
        "Returning an order is possible within 30 days.",
        "The return shipping is paid by the customer.",
        "Refunds go to the original card within 5 working days.",
        "Orders can be returned within 30 days, and the customer pays the shipping.",
    ],
)
def test_what_the_passage_says_is_supported(claim):
    assert SupportJudge().judge(claim, PASSAGE).holds


@pytest.mark.parametrize(
    "claim",
    [
        "Orders can be returned within 60 days.",
        "The return shipping costs 5 dollars.",
        "The company was founded in Geneva by two engineers.",
        "Gift cards are never refunded.",
    ],
)
def test_what_the_passage_does_not_say_is_not_supported(claim):
    assert not SupportJudge().judge(claim, PASSAGE).holds


@pytest.mark.parametrize(
    "claim", ["The price is 5,120 francs.", "The price is 5120 francs.", "The price is 5120.00 francs."]
)
def test_a_number_is_the_same_in_any_notation(claim):
    assert SupportJudge().judge(claim, "The price is 5,120 francs.").holds


def test_the_evidence_is_the_best_sentence():
    support = SupportJudge().judge("The customer pays return shipping.", PASSAGE)
    assert PASSAGE[support.start : support.end] == "The customer pays the return shipping."


def test_the_context_supplies_words_and_numbers():
    judge = SupportJudge()
    claim = "The Professional plan costs 20 dollars in 2024."
    row = "costs 20 dollars"
    assert not judge.judge(claim, row).holds
    assert judge.judge(claim, row, "Prices 2024 > Professional plan").holds


@settings(max_examples=100, deadline=None)
@given(claim=st.text(max_size=60), passage=st.text(max_size=120))
def test_any_text_can_be_judged(claim, passage):
    support = SupportJudge().judge(claim, passage)
    assert 0 <= support.probability <= 1
    assert 0 <= support.start <= support.end <= len(passage)
