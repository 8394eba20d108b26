from __future__ import annotations

import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rag.llm.reply import TAIL, repeats_itself

SENTENCE = "The fish swims in the deep blue sea. "


@given(st.text(min_size=20, max_size=200), st.text(max_size=50))
def test_anything_of_a_sentences_length_three_times_running_is_a_loop(stretch, before):
    assume((stretch + stretch).find(stretch, 1) == len(stretch))
    assert repeats_itself(before + stretch * 3)


@given(st.text(min_size=1, max_size=19), st.text(max_size=50))
def test_anything_shorter_is_a_loop_when_it_goes_on(stretch, before):
    assert repeats_itself(before + stretch * (260 // len(stretch) + 3))


@pytest.mark.parametrize(
    "text",
    [
        "",
        SENTENCE,
        SENTENCE * 2,
        "1. One.\n2. Two.\n3. Three.\n4. Four.\n",
        "-" * 80,
        "| --- | --- |\n" * 2,
        "no no no",
    ],
)
def test_what_people_write_is_no_loop(text):
    assert not repeats_itself(text)


def test_a_list_of_lines_that_differ_is_no_loop():
    assert not repeats_itself("".join(f"- The price of item {n} is {n * 7} francs.\n" for n in range(200)))


def test_a_loop_in_the_middle_of_its_round_is_found():
    assert repeats_itself("Once. " + SENTENCE * 4 + SENTENCE[:17])


def test_a_loop_that_ended_is_no_loop():
    assert not repeats_itself(SENTENCE * 5 + "Then a shark came by, and everything was different.")


def test_a_whole_paragraph_that_repeats_is_found():
    paragraph = "".join(random.Random(1).choices("abcdefg ", k=TAIL // 3))
    assert repeats_itself(paragraph * 3)
