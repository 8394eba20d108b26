"""Symbols in a query: asked for, written as code in a sentence, or only words."""

from __future__ import annotations

import pytest

from rag.query.symbols import symbols

QUESTIONS = (
    "{}",
    "{}()",
    "where is {} defined?",
    "where's {}?",
    "Where is the function {} implemented",
    "how is {} used?",
    "definition of {}",
    "show me the definition of {}",
    "what is the signature of the method {}?",
    "{} implementation",
    "what calls {}?",
    "who calls {}()",
    "which functions use `{}`?",
    "what does {} do?",
    "how does `{}` work?",
    "show me {}",
    "find the function {}",
    "the {} method",
    "def {}(self, query: str) -> list[Hit]:",
    "async def {}(",
)


@pytest.mark.parametrize("name", ["search", "open", "where", "Cart", "get_user_name", "_read", "Cart.total"])
@pytest.mark.parametrize("question", QUESTIONS)
def test_who_asks_for_a_symbol_means_it_however_plain_a_word_it_is(question: str, name: str) -> None:
    assert symbols(question.format(name))[name] == 1.0


@pytest.mark.parametrize(
    "sentence",
    [
        "how do I search and open a file?",
        "the search for an open door",
        "what does it cost to open an account",
        "where is the nearest open shop in town?",
        "list all the values that a cart can have",
    ],
)
def test_a_plain_word_of_a_sentence_is_no_symbol(sentence: str) -> None:
    assert symbols(sentence) == {}


def test_what_is_written_as_code_counts_less_the_more_else_is_said() -> None:
    others = ["prices", "taxes", "carts", "customers", "orders", "lanterns"]
    sentences = [f"`total` {' '.join(others[:count])}" for count in (3, 4, 6)]
    shares = [symbols(sentence)["total"] for sentence in sentences]
    assert 1.0 > shares[0] > shares[1] > shares[2]
    assert symbols("why is `total` wrong?")["total"] == 1.0


def test_a_question_for_one_symbol_that_mentions_no_other_has_only_that() -> None:
    assert symbols("where is rag::Store.open defined?") == {"rag::Store.open": 1.0, "rag.Store.open": 1.0}


@pytest.mark.parametrize("part", ["a_", "a.", "`", "`a", "(", "a ", "where is ", "def ", "a-_", "class ("])
def test_the_work_grows_with_the_query_alone(part: str) -> None:
    symbols(part * 200_000 + "-")  # in the square of it, this would take hours
