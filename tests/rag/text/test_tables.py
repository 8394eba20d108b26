"""What a passage says: rows of tables have the columns that their cells are under."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.tables import sentences_and_rows, table_rows

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
        ("booked | fee\nlate | 14 EUR", "Prices | Shop", "html", [(), LATE]),
        ("booked | fee\nlate | 14 EUR", "Prices | Shop\nPrices | Shop", "html", [(), LATE]),
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
    for row in table_rows(text, "title\na | b", kind):
        assert done <= row.start < row.end <= len(text)
        assert text[row.start : row.end].strip() == text[row.start : row.end]
        done = row.end


def test_sentences_stand_beside_the_rows_in_reading_order() -> None:
    text = "Fees. Paid at once.\n\n| a | b |\n|--|--|\n| 1 | 2 |\n\nNo cash."
    said = [row.said if row else text[start:end] for start, end, row in sentences_and_rows(text, "", "markdown")]
    assert said == ["Fees.", "Paid at once.", (), (), ("a: 1", "b: 2"), "No cash."]


@given(st.text(alphabet='ab.1|-:,;\t"\\ \r\n', max_size=60), st.sampled_from(["markdown", "docx", "csv"]))
def test_what_a_passage_says_does_not_overlap(text: str, kind: str) -> None:
    done = 0
    for start, end, _ in sentences_and_rows(text, "", kind):
        assert done <= start < end <= len(text)
        done = end
