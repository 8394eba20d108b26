"""One form for what is written in many: amounts, dates, times, versions."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.terms.quantities import quantities, without_list_mark

SAME = [
    ("It costs EUR 120.", "The fee is 120 euros."),
    ("It costs 120 EUR.", "The fee is €120."),
    ("CHF 5'120", "5,120 francs"),
    ("about 1.2k users", "1,200 users"),
    ("2,500,000 people", "2.5 million people"),
    ("$2.5M", "2,500,000 dollars"),
    ("EUR 1.234.567", "1,234,567 euros"),
    ("3,5 kg", "3.5 kilograms"),
    ("5%", "five percent"),
    ("5 percent", "5 %"),
    ("25 people", "twenty-five people"),
    ("300 people", "three hundred people"),
    ("120,000 books", "one hundred and twenty thousand books"),
    ("the 3rd floor", "the third floor"),
    ("14 days", "two weeks"),
    ("90 minutes", "1.5 hours"),
    ("12 months", "one year"),
    ("1 GB", "1000 MB"),
    ("The deadline is 2024-03-14.", "The deadline is 14 March 2024."),
    ("on March 14, 2024", "on 14.03.2024"),
    ("on 14/03/2024", "the 14th of March 2024"),
    ("on 14 March", "2024-03-14"),
    ("in March 2024", "on 14 March 2024"),
    ("on 14 March 2024", "In 2024, things changed: on 14 March it rained."),
    ("in 2024", "on 14 March 2024"),
    ("opens at 9:00 am", "opens at 9 a.m."),
    ("opens at 09:00", "opens at 9 am"),
    ("at 21:30", "at 9:30 pm"),
    ("in 2018", "in 2018-19"),
    ("version 2.10.1", "v2.10.1"),
    ("1. Press it.", "Press it."),
    ("Step 2: wait 5 minutes", "Wait five minutes."),
    ("COVID-19, the F-16 and B12 in 2020", "2020"),
    ("within 30-day terms", "30 days"),
    ("COVID-19 may be slowed", "nothing"),
    ("Covid 19", "COVID-19"),
]
OTHER = [
    ("EUR 120", "120 dollars"),
    ("14 days", "14 hours"),
    ("13 days", "two weeks"),
    ("2024-03-15", "14 March 2024"),
    ("14 March 2023", "14 March 2024"),
    ("April 2024", "14 March 2024"),
    ("9 am", "9 pm"),
    ("09:00", "10:00"),
    ("1.2k", "12,000"),
    ("5%", "6%"),
    ("5 kg", "5 %"),
    ("2.5 billion", "2.5 million"),
    ("the 4th", "the third"),
    ("in 2019", "in 2018"),
    ("2.10.1", "2.10.0"),
    ("2.10", "2.10.1"),
]


@pytest.mark.parametrize(("claim", "source"), SAME)
def test_what_is_the_same_in_another_notation_is_found(claim: str, source: str) -> None:
    assert not quantities(claim).missing_from(quantities(source, spelled=True))


@pytest.mark.parametrize(("claim", "source"), OTHER)
def test_what_is_not_the_same_is_missing(claim: str, source: str) -> None:
    assert quantities(claim).missing_from(quantities(source, spelled=True))


@given(st.text(alphabet="0123456789.,:-/ '%$€kMamp th of March two hundred\u00a0", max_size=80))
def test_every_text_has_all_that_it_says(text: str) -> None:
    assert not quantities(text).missing_from(quantities(text, spelled=True))


@pytest.mark.parametrize("text", ["x" + "1" * 5_000, "1" * 9_000, "31/31/2024", "99:99 pm", "2024-13-45", "0:60 am"])
def test_what_is_no_quantity_is_none_and_no_error(text: str) -> None:
    assert not quantities(text).missing_from(quantities(text, spelled=True))


@pytest.mark.parametrize("piece", ["1,", "1.", "12:", "1 ", "two ", "1-", "14 March ", "two hundred and "])
def test_a_long_text_takes_no_long_time(piece: str) -> None:
    began = time.process_time()
    quantities(piece * 20_000, spelled=True)
    assert time.process_time() - began < 20  # a second or so; a pattern that backtracks takes for ever


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("1. Wait.", "Wait."),
        ("(b) Wait.", "Wait."),
        ("- 2) Wait.", "Wait."),
        ("2024 was wet.", "2024 was wet."),
        ("A. Smith", "Smith"),
    ],
)
def test_the_mark_of_an_item_is_taken_off(text: str, plain: str) -> None:
    assert without_list_mark(text) == plain
