"""Rows of tables: read out with the columns that their cells are under."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.llm.extractive import ExtractiveLLM
from rag.llm.quoting.tables import table_rows
from rag.prompting.composer import Composer
from rag.retrieval.hit import Hit
from tests.rag.llm.quoting.test_reading_out import read
from tests.rag.samples import indexed, word_count

FEES = (
    "Fees are due at once.\n\n| booked | fee |\n|:--|--:|\n| late | 14 EUR |\n| early | 3 EUR |\n\nCash is not taken."
)


def cells(text: str, context: str = "", kind: str = "markdown") -> list[tuple[tuple[str, str], ...]]:
    return [row.cells for row in table_rows(text, context, kind)]


LATE, EARLY = (("booked", "late"), ("fee", "14 EUR")), (("booked", "early"), ("fee", "3 EUR"))


@pytest.mark.parametrize(
    ("text", "context", "kind", "wanted"),
    [
        (FEES, "", "markdown", [(), (), LATE, EARLY]),
        ("booked | fee\n--- | ---\nlate | 14 EUR", "", "text", [(), (), LATE]),
        ("late | 14 EUR\nearly | 3 EUR", "Prices\nbooked | fee", "docx", [LATE, EARLY]),
        ("late | 14 EUR", "Prices\nbooked | fee", "docx", [LATE]),
        ("booked | fee\r\nlate | 14 EUR", "Prices", "pdf", [(), LATE]),
        ("booked,fee\r\nlate,14 EUR\r\n", "", "csv", [(), LATE]),
        ('booked;fee\n"la\nte";"14; EUR"', "", "csv", [(), (("booked", "la te"), ("fee", "14; EUR"))]),
        ("| a \\| b | fee |\n|--|--|\n| late | |", "", "markdown", [(), (), (("a \\| b", "late"),)]),
        (
            "|  | fee |\n|--|--|\n| late | 2 | more |",
            "",
            "markdown",
            [(), (), (("", "late"), ("fee", "2"), ("", "more"))],
        ),
        ("1,2\n3,4", "", "csv", []),
        ("cat a | sort\ncat b | sort", "", "text", []),
        ("x: int | str\ny: int | None", "", "code", []),
        ("one | line", "", "docx", []),
        ("", "", "csv", []),
    ],
)
def test_cells_have_the_names_of_their_columns(
    text: str, context: str, kind: str, wanted: list[tuple[tuple[str, str], ...]]
) -> None:
    assert cells(text, context, kind) == wanted


@given(st.text(alphabet='ab1|-:,;\t"\\ \r\n', max_size=60), st.sampled_from(["markdown", "docx", "csv"]))
def test_rows_stand_in_their_text_in_order(text: str, kind: str) -> None:
    done = 0
    for row in table_rows(text, "a | b", kind):
        assert done <= row.start < row.end <= len(text)
        assert text[row.start : row.end].strip() == text[row.start : row.end]
        done = row.end


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
