"""Follow-up questions are made to stand alone; others are left as they are."""

from __future__ import annotations

import pytest

from rag.answering.follow_up import Standalone, leans, stand_alone
from rag.prompting.prompt import Message, Turn

TURNS = [Turn("How long do refunds take in Switzerland?", "14 days. [1]")]


@pytest.mark.parametrize(
    "question",
    [
        "And in winter?",
        "Why?",
        "What about gift cards?",
        "How long does it take?",
        "Who signs them?",
        "and the fee",
        "Is there a limit?",
        "What does this cost?",
        "how much",
        "What about Austria?",
        "And refunds in Austria?",
        "When did he move to Zurich?",
    ],
)
def test_these_lean_on_what_was_said(question: str) -> None:
    assert leans(question)


@pytest.mark.parametrize(
    "question",
    [
        "How long do refunds take in Switzerland?",
        "Which documents does a new employee have to sign?",
        "Where is Zurich?",
        "Who founded Globex Corporation?",
        "Was Marta Quillon close to her father?",
    ],
)
def test_these_stand_alone(question: str) -> None:
    assert not leans(question)
    assert stand_alone(question, TURNS) == Standalone(question)


def test_the_first_question_of_a_conversation_is_never_rewritten() -> None:
    assert stand_alone("And in winter?", []) == Standalone("And in winter?")


def test_without_a_model_what_was_asked_about_is_carried_over() -> None:
    found = stand_alone("And for gift cards?", TURNS)
    assert found.by == "words"
    assert found.text.startswith("And for gift cards? (")
    for word in ("Switzerland", "refunds"):
        assert word in found.text


def test_what_the_follow_up_names_itself_is_not_repeated() -> None:
    found = stand_alone("And refunds in Austria?", TURNS)
    assert found.text.count("refunds") == 1


def test_the_topic_lives_on_through_several_follow_ups() -> None:
    first = stand_alone("And for gift cards?", TURNS)
    second = stand_alone("Why is that?", [*TURNS, Turn(first.text, "The same.")])
    assert "gift" in second.text
    assert "refunds" in second.text


def test_names_of_the_answer_are_carried_over_unless_it_answers_nothing() -> None:
    asked, said = "Who founded the company?", "It was founded by Marta Quillon in Aldersund. [1]"
    found = stand_alone("When did she do that?", [Turn(asked, said)])
    assert "Marta Quillon" in found.text
    assert "founded" in found.text
    assert "Marta" not in stand_alone("When did she do that?", [Turn(asked, said, answered=False)]).text


def test_what_is_carried_over_does_not_grow_without_end() -> None:
    turns = [Turn("Who is it?", " ".join(f"Then Anna{number} met Boris{number}." for number in range(99)))]
    for _ in range(9):
        found = stand_alone("And then?", turns)
        turns.append(Turn(found.text, turns[0].answer))
    assert len(found.text.split(",")) <= 12


def test_a_model_rewrites_it_and_sees_the_conversation() -> None:
    seen: list[Message] = []

    def complete(messages: list[Message], tokens: int) -> str:
        seen.extend(messages)
        assert tokens < 200
        return 'Rewritten question: "How long do refunds for gift cards take in Switzerland?"\nExplanation: …'

    found = stand_alone("And for gift cards?", TURNS, complete)
    assert found == Standalone("How long do refunds for gift cards take in Switzerland?", "llm")
    assert "14 days" in seen[-1].content
    assert "And for gift cards?" in seen[-1].content


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "I am sorry, I cannot do that.",
        "They take 14 days.",  # it answers
        "What is the capital of France?",  # it asks something else
        "And for gift cards over francs?",  # it loses the number
        "\n\n",
        "x" * 10_000,
    ],
)
def test_a_rewriting_that_is_another_question_is_not_used(reply: str) -> None:
    found = stand_alone("And for gift cards over 500 francs?", TURNS, lambda messages, tokens: reply)
    assert found.by == "words"
    assert "gift cards over 500 francs" in found.text
