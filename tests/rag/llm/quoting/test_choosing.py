"""Which sentences of what was read are quoted, and how many."""

from __future__ import annotations

import numpy as np
import pytest

from rag.llm.quoting.choosing import MOST_SENTENCES, any_of, chances, enough, shares_of
from rag.llm.quoting.quotes import Quote, quotes
from rag.prompting.prompt import PromptSource
from rag.retrieval.hit import HitReading
from tests.rag.samples import hit

TEXT = "Contributions:\n\nRefunds are paid within 14 days of the return. A form is needed for every refund."


def reading(**begins: float) -> HitReading:
    """A reading in which the answer may begin at words."""
    return HitReading(0.9, 0, 0, True, tuple((TEXT.index(word), chance) for word, chance in begins.items()))


def quoted():
    return quotes([PromptSource(1, hit(TEXT), TEXT, ((0, len(TEXT)),))], "How long do refunds take?")


def test_what_is_read_in_a_heading_stands_behind_it() -> None:
    assert shares_of(quoted(), reading(Contributions=0.5, Refunds=0.25, form=0.125)) == [0.0, 0.75, 0.125]


def test_the_sentence_that_the_answer_begins_in_is_the_likelier_and_a_heading_none() -> None:
    heading, first, second = chances(quoted(), reading(Refunds=0.9, form=0.05), np.array([0.9, 0.5, 0.5]))
    assert heading == 0
    assert first > second


def test_of_two_alike_the_one_nearer_to_the_question_is_the_likelier() -> None:
    _, first, second = chances(quoted(), reading(Refunds=0.4, form=0.4), np.array([0.9, 0.3, 0.6]))
    assert second > first


def test_one_that_is_likely_is_enough_and_of_unlikely_ones_there_are_several() -> None:
    assert enough([0.1, 0.9, 0.3], 0.6) == [1]
    assert enough([0.2, 0.3, 0.25, 0.05], 0.6) == [1, 2, 0]
    assert enough([0.05, 0.04], 0.6) == [0]
    assert len(enough([0.12] * 9, 0.99)) == MOST_SENTENCES


def test_one_of_several_answers_likelier_than_any_alone() -> None:
    assert any_of([0.5, 0.5]) == pytest.approx(0.75)
    assert any_of([]) == 0


@pytest.mark.parametrize("text", ["# Fees", "3 A MULTITASK TEST", "4.1 RESULTS AND DISCUSSION", "Who pays?", "Fees:"])
def test_a_heading_is_known_by_its_form(text: str) -> None:
    assert Quote(0, 0, text).is_heading


@pytest.mark.parametrize("text", ["14 EUR", "USB-C", "3 A day.", "1957 Bern", "NASA AND ESA"])
def test_what_is_short_is_no_heading_for_that(text: str) -> None:
    assert not Quote(0, 0, text).is_heading
