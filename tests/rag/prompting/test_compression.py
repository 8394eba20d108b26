from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.sentences import sentence_spans
from indexes.encoding.loading import load_encoder
from rag.prompting.compression import Compressor, Passage, shorten
from tests.rag.samples import word_count

FILLER = "The company was founded by a baker. Its logo shows a rising sun. The canteen serves soup on Mondays."
WARRANTY = "The warranty lasts two years. It also covers the battery. The box is recycled."


@pytest.fixture(scope="module")
def encoder():
    return load_encoder()


def shown(question, passages, room, **options):
    overhead = options.pop("overhead", lambda _: 0)
    kept = Compressor(question, passages, word_count, **options).within(room, overhead)
    return [passage.extract(spans) for passage, spans in zip(passages, kept, strict=True)]


def test_sentences_of_all_passages_compete_for_the_room():
    best_first = [Passage(FILLER, 0.6), Passage(WARRANTY, 0.5)]
    assert shown("How long is the warranty?", best_first, 8) == ["", "The warranty lasts two years."]


def test_a_sentence_brings_what_it_leans_on_where_there_is_room_for_both():
    question, passages = "Is the battery covered?", [Passage(WARRANTY)]
    assert shown(question, passages, 10) == ["The warranty lasts two years. It also covers the battery."]
    assert shown(question, passages, 8) == ["It also covers the battery."]


def test_what_another_passage_says_already_is_passed_over():
    twice = [Passage("The warranty lasts two years."), Passage("A note. The warranty lasts two years. Ask the shop.")]
    first, second = shown("How long is the warranty?", twice, 100)
    assert first == "The warranty lasts two years."
    assert "two years" not in second


def test_a_passage_costs_its_overhead_once():
    passages = [Passage("The warranty lasts two years. A warranty card is needed.")]
    assert shown("warranty", passages, 20, overhead=lambda _: 100) == [""]
    assert shown("warranty", passages, 114, overhead=lambda _: 100) == [passages[0].text]


def test_the_more_relevant_passage_wins_where_words_decide_nothing():
    passages = [Passage("Blue is a colour.", 0.2), Passage("Red is a colour.", 0.9)]
    assert shown("warranty", passages, 6) == ["", "Red is a colour."]


def test_an_encoder_finds_what_shares_no_word_with_the_question(encoder):
    passages = [Passage(f"{FILLER} Purchases may be sent back within a month. {FILLER.upper()}")]
    question = "How do I return an item?"
    assert shown(question, passages, 11, encoder=encoder) == ["Purchases may be sent back within a month."]


def test_what_lies_beyond_the_window_of_the_encoder_is_found_by_its_words(encoder):
    text = " ".join(f"Item {n} of the inventory stands in aisle {n * 7}." for n in range(300))
    (kept,) = shown("Where is item 287?", [Passage(text)], 40, encoder=encoder)
    assert "Item 287 " in kept


def test_lines_are_kept_whole_and_what_is_left_out_between_them_is_shown():
    code = "def area(r):\n    x = 1. + 2. \n\n    return pi * r. ** 2\n# the end"
    (kept,) = shown("return pi", [Passage(code, by_line=True)], 12)
    assert "    return pi * r. ** 2" in kept.split("\n")
    assert all(line in code.split("\n") or line == "[…]" for line in (line for line in kept.split("\n")))


def test_shorten_gives_sentences_in_their_order():
    assert shorten(f"{FILLER} {WARRANTY}", "canteen soup warranty years", 13, word_count) == (
        "The canteen serves soup on Mondays. The warranty lasts two years."
    )


@settings(max_examples=100, deadline=None)
@given(
    question=st.text(max_size=30),
    texts=st.lists(
        st.lists(st.sampled_from([*"abcdef", "It is. ", "a b. ", "\n", "。", "!"])).map("".join), max_size=5
    ),
    room=st.integers(-5, 60),
)
def test_what_is_kept_is_whole_sentences_within_the_room(question, texts, room):
    passages = [Passage(text) for text in texts]
    kept = Compressor(question, passages, len).within(room)
    # What stands between two sentences that are both kept is not counted: about one token each.
    said = [
        text[start:end]
        for text, spans in zip(texts, kept, strict=True)
        for start, end in sentence_spans(text, 0)
        if any(first <= start and end <= last for first, last in spans)
    ]
    assert sum(map(len, said)) <= max(0, room)
    for text, spans in zip(texts, kept, strict=True):
        sentences = sentence_spans(text)
        assert {start for start, _ in spans} <= {start for start, _ in sentences}
        assert {end for _, end in spans} <= {end for _, end in sentences}
        assert list(spans) == sorted(spans)
