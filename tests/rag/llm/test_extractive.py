from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.document import ROW
from rag.llm.extractive import ExtractiveLLM
from rag.prompting.composer import NOT_ANSWERED, Composer
from rag.prompting.prompt import Prompt, PromptSource
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
    from indexes.encoding.loading import load_encoder

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


def shown(source: PromptSource) -> str:
    return " ".join(" ".join(source.hit.text[start:end].split()) for start, end in source.spans)


def cut_to(source_text: str, *kept: str) -> Prompt:
    """A prompt that shows only some sentences of a passage."""
    (passage,) = hits(source_text)
    spans = tuple((source_text.index(one), source_text.index(one) + len(one)) for one in kept)
    return Prompt((), (PromptSource(1, passage, " […] ".join(kept), spans),), (), 9)


def test_a_sentence_that_the_prompt_leaves_out_is_not_quoted():
    question = "How many photographs of the reactor does the archive hold?"
    (first, second, third) = (
        "The archive of the reactor was founded by a baker.",
        "The archive holds 5,120 photographs of the reactor.",
        "It burned down in March 1957, archive and reactor alike.",
    )
    whole = f"{first} {second} {third}"
    assert second in "".join(ExtractiveLLM().stream(cut_to(whole, whole), question))
    answer = "".join(ExtractiveLLM().stream(cut_to(whole, first, third), question))
    assert answer != NOT_ANSWERED
    assert "5,120" not in answer


def test_a_sentence_does_not_lean_on_one_that_stands_before_a_gap():
    question = "When was it switched on, in which month and year?"
    (first, between, last) = (
        "The kitchen was built by a team of forty cooks.",
        "The reactor came later.",
        "It was switched on in March 1957.",
    )
    answer = "".join(ExtractiveLLM().stream(cut_to(f"{first} {between} {last}", first, last), question))
    assert answer == f"{last} [1]"


def test_of_a_row_the_columns_that_are_shown_are_quoted():
    text = "name: Pilot mask\nsupplier: Nordisk Dykkerudstyr\ncolour: yellow of Nordisk"
    made = cut_to(text, "name: Pilot mask", "colour: yellow of Nordisk")
    row = replace(made.sources[0], hit=replace(made.sources[0].hit, kind=ROW))
    answer = "".join(ExtractiveLLM().stream(replace(made, sources=(row,)), "Which Nordisk mask is yellow?"))
    assert answer == "name: Pilot mask; colour: yellow of Nordisk [1]"


TEXT = st.one_of(st.text(max_size=200), st.permutations(REACTOR.split(". ") + KITCHEN.split(". ")).map(". ".join))


@settings(max_examples=100, deadline=None)
@given(
    question=st.one_of(st.text(max_size=60), st.sampled_from(["reactor", "flour", "When was it?"])),
    texts=st.lists(TEXT, max_size=4),
    budget=st.sampled_from([180, 200, 220, 4000]),
)
def test_one_to_four_sentences_each_verbatim_shown_and_cited(question, texts, budget):
    built = Composer(budget=budget, count=word_count).compose(question, hits(*texts))
    pieces = list(ExtractiveLLM().stream(built, question))
    assert 1 <= len(pieces) <= 4
    if pieces == [NOT_ANSWERED]:
        return
    for piece in pieces:
        sentence, _, number = piece.strip().rpartition(" [")
        source = built.sources[int(number.rstrip("]")) - 1]
        assert sentence in shown(source)
