from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.document import ROW
from rag.composer import NOT_ANSWERED, Composer
from rag.extractive import ExtractiveLLM
from tests.rag.samples import hit, hits, prompt, word_count

REACTOR = (
    "# The research reactor\n\n"
    "When was the reactor switched on?\n\n"
    "The research reactor was built by a team of forty engineers. It was switched on in March 1957. "
    "Its cooling water came from the river nearby.\n\n"
    "- The archive holds 5,120 photographs of the reactor.\n"
    "- Visitors may enter on the first Sunday of the month.\n"
)
KITCHEN = "Whisk the eggs with sugar until they are pale. Fold in the flour with a wooden spoon."


@pytest.fixture(scope="module")
def encoder():
    from indexes.encoder import load_encoder

    return load_encoder()


def ask(question: str, *texts: str, encoder=None) -> str:
    return "".join(ExtractiveLLM(encoder).stream(prompt(question, *texts), question))


def test_the_answer_is_the_sentence_that_answers_quoted_and_cited():
    assert ask("How many photographs does the archive hold?", KITCHEN, REACTOR) == (
        "The archive holds 5,120 photographs of the reactor. [2]"
    )


def test_a_sentence_that_leans_on_another_brings_it_along():
    answer = ask("When was it switched on?", REACTOR)
    assert answer.startswith(
        "The research reactor was built by a team of forty engineers. [1] It was switched on in March 1957. [1]"
    )


def test_headings_and_questions_are_no_answers():
    answer = ask("When was the reactor switched on?", REACTOR)
    assert "?" not in answer
    assert "#" not in answer
    assert "1957" in answer


def test_other_words_are_found_with_an_encoder(encoder):
    question = "On which weekday can guests come in?"
    assert "first Sunday" in ask(question, KITCHEN, REACTOR, encoder=encoder)


def test_what_no_source_mentions_is_not_answered():
    assert ask("Who won the football championship?", KITCHEN, REACTOR) == NOT_ANSWERED
    assert ask("Who won?") == NOT_ANSWERED


def test_the_same_statement_in_two_sources_is_said_once():
    answer = ask(
        "Who may enter the reactor?", "Visitors may enter the reactor.", "See here: visitors may enter the reactor."
    )
    assert answer.lower().count("visitors may enter") == 1


@pytest.mark.parametrize(
    ("remark", "said"),
    [("", "name: Pilot mask; supplier: Nordisk Dykkerudstyr (2) [1]"), ("long " * 99, "Nordisk Dykkerudstyr (2) [1]")],
)
def test_a_row_says_one_thing_unless_it_is_long(remark, said):
    row = replace(hit(f"name: Pilot mask\nsupplier: Nordisk Dykkerudstyr (2)\n{remark}".strip()), kind=ROW)
    question = "Which supplier is Nordisk Dykkerudstyr?"
    made = Composer(budget=4000, count=word_count).compose(question, [row])
    assert "".join(ExtractiveLLM().stream(made, question)).endswith(said)


def test_line_breaks_inside_a_sentence_are_joined():
    assert ask("What is the fee?", "The annual fee for\nmembers is\n20 francs.") == (
        "The annual fee for members is 20 francs. [1]"
    )


def test_it_streams_sentence_by_sentence_and_reports_usage():
    reply = ExtractiveLLM().stream(
        prompt("When was the reactor switched on?", REACTOR), "When was the reactor switched on?"
    )
    pieces = list(reply)
    assert len(pieces) > 1
    assert all(piece.endswith("[1]") for piece in pieces)
    assert reply.usage.completion_tokens > 0


TEXT = st.one_of(st.text(max_size=200), st.permutations(REACTOR.split(". ") + KITCHEN.split(". ")).map(". ".join))


@settings(max_examples=100, deadline=None)
@given(
    question=st.one_of(st.text(max_size=60), st.sampled_from(["reactor", "flour", "When was it?"])),
    texts=st.lists(TEXT, max_size=4),
)
def test_one_to_four_sentences_each_verbatim_and_cited(question, texts):
    built = Composer(budget=4000, count=word_count).compose(question, hits(*texts))
    pieces = list(ExtractiveLLM().stream(built, question))
    assert 1 <= len(pieces) <= 4
    if pieces == [NOT_ANSWERED]:
        return
    for piece in pieces:
        sentence, _, number = piece.strip().rpartition(" [")
        source = built.sources[int(number.rstrip("]")) - 1]
        assert sentence in " ".join(source.hit.text.split())
