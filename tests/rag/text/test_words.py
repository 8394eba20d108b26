from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.words import negations, numbers, terms, words


def test_terms_are_the_stemmed_content_words():
    assert terms("How are the refunds being handled?") == ["refund", "handl"]
    assert terms("What is it?") == ["what", "is", "it"]
    assert terms("") == []


def test_scripts_without_spaces_are_compared_by_pairs_of_characters():
    assert set(words("東京都")) == {"东京", "京都"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5,120", {"5120"}),
        ("5120.00", {"5120"}),
        ("1,000,000.50", {"1000000.5"}),
        ("2021-03-05", {"2021", "3", "5"}),
        ("version 1.2.3", {"1.2.3"}),
        ("the 19th century", {"19"}),
        ("007 and 0", {"7", "0"}),
        ("none here", set()),
    ],
)
def test_a_number_has_one_notation(text, expected):
    assert numbers(text) == expected


def test_spelled_numbers_count_where_they_are_asked_for():
    assert numbers("Twelve months") == set()
    assert numbers("Twelve months", spelled=True) == {"12"}


def test_negations_are_found():
    assert negations("You cannot return it, nor exchange it.")
    assert not negations("You can return it.")


@given(st.text(max_size=80))
def test_any_text_has_words_and_numbers(text):
    assert all(words(text))
    assert all(numbers(text, spelled=True))


def test_threads_may_share_the_stemmer():
    results: list[list[str]] = []
    workers = [threading.Thread(target=lambda: results.append(terms("running refunds " * 200))) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert results == [["run", "refund"] * 200] * 4
