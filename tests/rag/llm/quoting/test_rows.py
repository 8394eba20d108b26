"""Rows of tables: quoted with the columns that their cells are under."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rag.llm.extractive import ExtractiveLLM
from rag.prompting.composer import Composer
from rag.retrieval.hit import Hit, HitReading
from rag.verification.citations import check
from tests.rag.llm.quoting.test_reading_out import read
from tests.rag.samples import indexed, word_count

FEES = (
    "Fees are due at once.\n\n| booked | fee |\n|:--|--:|\n| late | 14 EUR |\n| early | 3 EUR |\n\nCash is not taken."
)


def answered(question: str, source: Hit) -> str:
    prompt = Composer(budget=4000, count=word_count).compose(question, [source])
    return "".join(ExtractiveLLM().stream(prompt, question))


def test_a_row_is_quoted_with_its_columns() -> None:
    assert answered("What does the late one cost?", read(FEES, "14 EUR")) == "booked: late; fee: 14 EUR [1]"


def test_a_row_says_its_name_and_what_is_asked_for() -> None:
    table = "| city | opened | rooms |\n|--|--|--|\n| Bern | 1957 | 40 |\n| Basel | 1960 | 12 |"
    assert answered("How many rooms are there in Bern?", read(table, "40")) == "city: Bern; rooms: 40 [1]"


def test_neither_header_nor_rule_is_quoted() -> None:
    assert "--" not in answered("Which fee is due?", read(FEES, "booked"))


def test_a_row_that_is_quoted_counts_as_said_by_its_source(tmp_path: Path) -> None:
    files = {"prices.csv": "country,delivery,price\nNorway,9 days,14 EUR\nAustria,2 days,5 EUR\nFinland,4 days,8 EUR\n"}
    with indexed(tmp_path / "docs", files) as kb:
        answer = kb.ask("What is the price in Austria?")
        assert answer.text == "country: Austria; price: 5 EUR [1]"
        assert [citation.supported for citation in answer.citations] == [True]


def test_rows_stand_on_lines_of_their_own_and_each_is_checked() -> None:
    table = "| item | fee |\n|--|--|\n| tent | 14 EUR |\n| stove | 3 EUR |"
    begins = tuple((table.index(fee), 0.3) for fee in ("14", "3 EUR"))
    source = replace(read(table, "14 EUR"), reading=HitReading(0.5, 0, 0, True, begins))
    prompt = Composer(budget=4000, count=word_count).compose("Fees for a trip?", [source])
    said = "".join(ExtractiveLLM().stream(prompt, "Fees for a trip?"))
    assert said.splitlines() == ["item: tent; fee: 14 EUR [1]", "item: stove; fee: 3 EUR [1]"]
    checked = check(said, prompt)
    assert [citation.quote for citation in checked.citations] == ["| tent | 14 EUR |", "| stove | 3 EUR |"]
    assert not checked.unsupported


@pytest.mark.parametrize("question", ["What is the fee of a small stove?", "What do gas stoves cost?"])
def test_the_row_that_the_question_names_answers_wherever_the_reader_looks(question: str) -> None:
    table = "| item | fee |\n|--|--|\n| tent | 14 EUR |\n| gas stove, small | 3 EUR |\n| gas lamp | 8 EUR |"
    assert answered(question, read(table, "14 EUR")) == "item: gas stove, small; fee: 3 EUR [1]"


def test_prose_beside_a_row_that_is_named_answers_still() -> None:
    text = "The stove weighs 90 grams, without gas.\n\n| item | fee |\n|--|--|\n| stove | 3 EUR |"
    assert answered("How much does the stove weigh?", read(text, "90 grams")).startswith("The stove weighs 90 grams")


def test_a_question_for_several_gets_the_rows_of_the_table() -> None:
    said = answered("What are the fees?", read(FEES, "14 EUR")).splitlines()
    assert said == ["booked: late; fee: 14 EUR [1]", "booked: early; fee: 3 EUR [1]"]


def test_a_long_row_keeps_what_it_is_about() -> None:
    columns = [f"column number {number}" for number in range(8)]
    lines = [["item", *columns], ["--"] * 9, ["tent", *(f"value of {number}" for number in range(8))]]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    said = answered("Which is the seventh?", read(table, "value of 6"))
    assert said.startswith("item: tent; column number 0: value of 0; ")
    assert "…" not in said
