"""The questions that are made of a text: they name their thing, hide what they ask for, and are told in turn."""

from __future__ import annotations

import random

import pytest

from rag.cards.questions import Topic

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


def test_an_answer_begins_with_what_was_asked_and_tells_the_rest_in_turn() -> None:
    first, second, third = (asked(at)[0][1] for at in range(3))
    assert first == f"The Orveth Mill: {' '.join(MILL.sentences)}"
    assert second == f"The Orveth Mill: {MILL.sentences[1]} {MILL.sentences[2]} {MILL.sentences[0]}"
    assert third == f"{MILL.sentences[2]} {MILL.sentences[0]} {MILL.sentences[1]}", "it names itself"


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
