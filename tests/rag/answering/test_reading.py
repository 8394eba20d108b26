"""Reading the best hits: their order, whether they answer, and where."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from connectors.document import CODE, ROW
from rag.answering.options import AskOptions
from rag.answering.reading import HitsReader, is_answered
from rag.retrieval.hit import Hit, HitReading, Signals
from tests.rag.readers import looking_for
from tests.rag.samples import hit, indexed

QUESTION = "After how many days are refunds paid?"
NEAR = hit("Refunds need a receipt, which the shop keeps.", rank=1, relevance=0.8)
RIGHT = hit("A form is needed. Refunds are paid within 14 days of the return.", rank=2, relevance=0.6)
READER = HitsReader(looking_for("days"), seconds=60)


def test_what_answers_comes_first_with_the_words_that_do() -> None:
    first, second = READER.read(QUESTION, [NEAR, RIGHT])
    assert (first.text, first.rank, second.rank) == (RIGHT.text, 1, 2)
    assert first.reading is not None
    assert second.reading is not None
    assert first.text[first.reading.start : first.reading.end] == "days"
    assert first.reading.answers > 0.5 > second.reading.answers
    assert (first.reading.holds, second.reading.holds) == (True, False)


def test_another_models_order_stands() -> None:
    assert [hit.text for hit in READER.read(QUESTION, [NEAR, RIGHT], reorder=False)] == [NEAR.text, RIGHT.text]


def test_words_of_the_context_are_none_of_the_passage() -> None:
    (found,) = READER.read(QUESTION, [replace(NEAR, context="Refunds take some days", title="Refunds")])
    assert found.reading is not None
    assert 0 <= found.reading.start <= found.reading.end <= len(found.text)


@pytest.mark.parametrize("kind", [CODE, ROW])
def test_rows_and_code_are_left_to_the_search(kind: str) -> None:
    first, second = READER.read(QUESTION, [replace(NEAR, kind=kind), replace(RIGHT, kind=kind)])
    assert (first.text, second.text) == (NEAR.text, RIGHT.text)
    assert first.reading is None


def test_what_the_question_names_stays_before_what_reads_well() -> None:
    named = replace(NEAR, signals=Signals(bm25=0.0, cosine=0.0, named="the row 7"))
    assert READER.read(QUESTION, [named, RIGHT])[0].text == NEAR.text


def test_a_question_in_another_language_is_left_to_the_search() -> None:
    found = READER.read("Nach wie vielen Tagen werden Rückzahlungen an die Kunden geleistet?", [NEAR, RIGHT])
    assert [each.reading for each in found] == [None, None]


def test_without_time_the_first_eight_are_read() -> None:
    several = [replace(NEAR, rank=rank, chunk_id=rank, relevance=0.5) for rank in range(1, 17)]
    found = HitsReader(looking_for("days"), seconds=1e-9).read(QUESTION, several)
    assert sorted(each.chunk_id for each in found if each.reading is not None) == list(range(1, 9))


def test_sixteen_copies_are_read_alike_and_keep_their_order() -> None:
    several = [replace(RIGHT, rank=rank, chunk_id=rank) for rank in range(1, 17)]
    found = READER.read(QUESTION, several)
    assert [each.chunk_id for each in found] == list(range(1, 17))
    assert len({each.reading for each in found}) == 1


def test_a_relevance_that_is_asked_for_decides_instead() -> None:
    strict = HitsReader(looking_for("days"), seconds=60, min_relevance=0.7)
    held = {each.text: each.reading.holds for each in strict.read(QUESTION, [NEAR, RIGHT]) if each.reading}
    assert held == {NEAR.text: True, RIGHT.text: False}


def test_what_no_search_found_is_read_too() -> None:
    assert READER.answered_by(QUESTION, ["Refunds need a form.", "They come after 14 days."])
    assert not READER.answered_by(QUESTION, ["Refunds need a form."])
    assert HitsReader(looking_for("days"), seconds=0).answered_by(QUESTION, ["Refunds need a form."])
    assert READER.answered_by("Nach wie vielen Tagen werden Rückzahlungen an die Kunden geleistet?", ["Ein Formular."])


def read(answers: float, relevance: float = 0.9) -> Hit:
    return replace(hit("Text.", relevance=relevance), reading=HitReading(answers, 0, 0, answers >= 0.5))


@pytest.mark.parametrize(
    ("hits", "answered"),
    [
        ([], False),
        ([read(0.1)], False),
        ([read(0.1), read(0.9, relevance=0.01)], True),
        ([read(0.1), hit("Unread.", relevance=0.9)], True),
        ([read(0.1), hit("Unread.", relevance=0.1)], False),
        ([replace(read(0.1), signals=Signals(bm25=0.0, cosine=0.0, named="defines x"))], True),
    ],
)
def test_one_that_answers_is_enough(hits: list[Hit], answered: bool) -> None:
    assert is_answered(hits, 0.2) is answered
    assert is_answered(hits, 0.0) is True


FILES = {
    "refunds.md": "# Refunds\n\nRefunds need a receipt, which the shop keeps. It may be a copy.\n",
    "paid.md": "# Payments\n\nRefunds are paid by the shop. It takes 14 days until they are there. Ask the clerk.\n",
}


def test_an_answer_is_the_sentence_with_the_words_that_answer_and_what_it_leans_on(tmp_path: Path) -> None:
    with indexed(tmp_path / "docs", FILES) as kb:
        answer = kb.ask("How long do refunds take?", options=AskOptions(reader=looking_for("days")))
        assert answer.text == "Refunds are paid by the shop. [1] It takes 14 days until they are there. [1]"
        assert answer.answer_span is not None
        assert answer.text[slice(*answer.answer_span)] == "days"
        assert answer.sources[0].hit.title == "Payments"
        assert answer.sources[0].hit.reading is not None
        assert 0.5 < answer.confidence < answer.sources[0].hit.reading.answers
        assert "read" in answer.timings_ms


def test_what_no_passage_answers_is_not_answered_however_relevant(tmp_path: Path) -> None:
    with indexed(tmp_path / "docs", FILES) as kb:
        question = "How long do refunds take?"
        assert not kb.ask(question).abstained
        answer = kb.ask(question, options=AskOptions(reader=looking_for("heron")))
        assert answer.abstained
        assert answer.answer_span is None
        assert answer.prompt is not None
        assert "it does not answer the question" in {left.reason for left in answer.prompt.left_out}


def test_what_answers_is_evidence_however_little_relevant_it_is(tmp_path: Path) -> None:
    with indexed(tmp_path / "docs", FILES) as kb:
        question = "Until when does one wait?"
        assert kb.ask(question).abstained
        assert "14 days" in kb.ask(question, options=AskOptions(reader=looking_for("days"))).text


def test_a_relevance_that_is_asked_for_stands_above_the_reader(tmp_path: Path) -> None:
    with indexed(tmp_path / "docs", FILES) as kb:
        options = AskOptions(reader=looking_for("days"), min_relevance=1.0)
        assert kb.ask("How long do refunds take?", options=options).abstained


def test_a_model_that_writes_gets_what_answers_first(tmp_path: Path) -> None:
    with indexed(tmp_path / "docs", FILES) as kb:
        options = AskOptions(reader=looking_for("days"))
        answer = kb.ask("How long do refunds take?", llm=lambda _: "It takes 14 days [1].", options=options)
        assert answer.sources[0].hit.title == "Payments"
        assert answer.answer_span is None
        assert answer.citations[0].supported
