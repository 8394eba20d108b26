"""The questions that are made of a text: they name their thing, hide what they ask for, and are told in turn."""

from __future__ import annotations

import random

import pytest

from rag.cards.training.questions import Topic

MILL = Topic(
    ("The Orveth Mill",),
    (
        "It stands in Skelmar on the left bank.",
        "It was finished in 1743 after a quarrel.",
        "The Orveth Mill was planned by Ilsa Varn.",
    ),
)


def asked(at: int) -> list[tuple[str, str]]:
    return [MILL.asked(at, random.Random(seed)) for seed in range(200)]


def test_an_answer_begins_with_what_was_asked_and_goes_on_in_turn() -> None:
    stands, finished, planned = (
        f"The Orveth Mill: {MILL.sentences[0]}",
        f"The Orveth Mill: {MILL.sentences[1]}",
        MILL.sentences[2],
    )
    assert asked(0)[0][1] == f"{stands} {finished} {planned}"
    assert asked(1)[0][1] == f"{finished} {planned} {stands}"
    assert asked(2)[0][1] == f"{planned} {stands} {finished}"


def test_an_answer_ends_before_it_is_too_long_to_be_told() -> None:
    long = " ".join(["word"] * 70)
    topic = Topic((), (f"One {long}.", f"Two {long}.", f"Three {long}."))
    assert topic.asked(1, random.Random(0))[1] == topic.sentences[1]


def test_a_question_names_its_thing() -> None:
    assert all("orveth mill" in question.lower() for at in range(3) for question, _ in asked(at))


@pytest.mark.parametrize(
    ("at", "opening", "value"), [(0, "Where", "Skelmar"), (1, "When", "1743"), (2, "Who", "Ilsa Varn")]
)
def test_what_is_asked_for_is_not_in_the_question(at: int, opening: str, value: str) -> None:
    questions = [question for question, _ in asked(at) if question.startswith(opening)]
    assert len(questions) > 20
    assert not any(value in question for question in questions)


def test_no_two_questions_are_alike_for_long() -> None:
    assert len({question for question, _ in asked(1)}) > 100


@pytest.mark.parametrize("sentence", ["Hm.", "1743", "Ilsa Varn", "...", "Über uns"])
def test_a_question_is_made_of_any_sentence(sentence: str) -> None:
    for seed in range(30):
        question, answer = Topic((), (sentence,)).asked(0, random.Random(seed))
        assert answer == sentence
        assert isinstance(question, str)
