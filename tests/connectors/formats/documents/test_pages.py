"""PDF as people read it: what is drawn where, in which order, and what of it is one text."""

from __future__ import annotations

from itertools import chain, zip_longest
from pathlib import Path

import pytest

from connectors.document import BlockKind
from connectors.formats import parse
from connectors.parsed import Parsed
from tests.connectors.samples.placed import Placed, column, placed_pdf

LEFT = (
    "The lighthouse was built in the year of the great",
    "storm and has been painted white ever since. Its",
    "lamp can be seen for twenty miles when the air is",
    "clear. A keeper lived in the tower with his family",
    "until the lamp was made to light itself, and since",
    "that time the rooms have been empty but for a few",
)
RIGHT = (
    "birds that nest there in the spring of every year.",
    "The ferry costs nine crowns and leaves the pier at",
    "noon. Children under six travel free, and dogs are",
    "asked to stay on the lower deck during the journey",
    "because the upper one is wet whenever the wind has",
    "turned to the west, as it does most days in March.",
)


def read(data: bytes) -> Parsed:
    return parse(data, Path("a.pdf"))


def flat(parsed: Parsed) -> str:
    return " ".join(parsed.text.split())


def by_rows(*columns: list[Placed]) -> list[Placed]:
    return [line for line in chain.from_iterable(zip_longest(*columns)) if line]


@pytest.mark.parametrize("order", ["columns", "rows", "backwards"])
@pytest.mark.parametrize("offset", [0, 4], ids=["one grid", "two grids"])
def test_columns_are_read_one_after_the_other_however_they_are_drawn(order: str, offset: int) -> None:
    left, right = column(60, 700, *LEFT), column(320, 700 + offset, *RIGHT)
    drawn = {"columns": [*left, *right], "rows": by_rows(left, right), "backwards": [*right, *reversed(left)]}[order]
    assert flat(read(placed_pdf(drawn))) == " ".join((*LEFT, *RIGHT))


def test_three_columns_below_a_heading_across_them() -> None:
    texts = [
        [f"{name} line {word} is long enough" for word in ("one", "two", "three", "four")] for name in ("a", "b", "c")
    ]
    columns = [column(50 + 180 * place, 650, *text) for place, text in enumerate(texts)]
    page = [Placed(50, 700, "A heading that goes across all of the three columns", 18), *by_rows(*columns)]
    assert flat(read(placed_pdf(page))).endswith(" ".join(chain.from_iterable(texts)))


def test_the_band_above_columns_is_read_first_and_that_below_them_last() -> None:
    wide = "A line of text that is set across both of the columns and so belongs before or after them, never between"
    page = [
        *by_rows(column(60, 700, *LEFT), column(320, 700, *RIGHT)),
        Placed(60, 730, wide),
        Placed(60, 600, wide.replace("A line", "Another")),
    ]
    assert flat(read(placed_pdf(page))) == " ".join((wide, *LEFT, *RIGHT, wide.replace("A line", "Another")))


def test_a_box_at_the_head_of_a_column_does_not_cut_the_sentence_before_it() -> None:
    box = column(320, 720, "Algorithm 1 Lighting the lamp", "1: take a match", "2: return light", size=9)
    page = [*column(60, 700, *LEFT), *box, *column(320, 660, *RIGHT)]
    text = read(placed_pdf(page)).text
    assert "but for a few\nbirds that nest there" in text
    assert text.index("Algorithm 1") > text.index("birds that nest")


def test_a_caption_in_a_column_does_not_cut_the_sentence_around_it() -> None:
    caption = column(60, 620, "Figure 3. The tower as it stands today.", size=9)
    page = [*column(60, 700, *LEFT), *caption, *column(60, 590, *RIGHT)]
    text = flat(read(placed_pdf(page)))
    assert "but for a few birds that nest there" in text
    assert "every year. The ferry" in text
    assert "Figure 3. The tower as it stands today." in text


def test_a_note_at_the_foot_of_a_page_does_not_cut_the_sentence_that_goes_on() -> None:
    note = Placed(60, 60, "1 The light was white until it was made red.", 8)
    table = Placed(60, 740, "Table 2: Ships that passed the light in one year.", 9)
    parsed = read(placed_pdf([*column(60, 700, *LEFT), note], [table, *column(60, 700, *RIGHT)]))
    assert "but for a few\nbirds that nest there" in parsed.text
    assert parsed.text.index("1 The light") < parsed.pages[1] < parsed.text.index("Table 2")
    assert parsed.text[parsed.pages[1] :].startswith("birds that nest")


def test_a_word_cut_between_pages_is_whole_on_the_first() -> None:
    first = (*LEFT[:-1], "that time the rooms have been empty but for some light-")
    parsed = read(
        placed_pdf(column(60, 700, *first), column(60, 700, "houses of paper, and a model of them.", LEFT[0]))
    )
    assert "for some lighthouses" in parsed.text[: parsed.pages[1]]
    assert parsed.text[parsed.pages[1] :].startswith("of paper, and a model")


@pytest.mark.parametrize(
    ("first", "second", "whole"),
    [
        ("They counted all the light-", "houses of the coast that year.", "all the lighthouses of"),
        ("It is a long-", "term plan, as all long-term plans are.", "a long-term plan, as"),
        ("It was the last one of the Jean-", "Pauls who lived there.", "the Jean-Pauls who"),
        ("They built it for the years 1914-", "1918 and no longer.", "years 1914-1918 and"),
        ("The use of water and of water-", "wheels that need no wheels of iron.", "of water-wheels that"),
    ],
)
def test_a_hyphen_at_the_end_of_a_line_goes_unless_it_is_part_of_the_word(first: str, second: str, whole: str) -> None:
    assert whole in flat(read(placed_pdf(column(60, 700, first, second, "The wheels of iron turn."))))


def test_no_letters_or_spaces_are_lost_with_ligatures() -> None:
    data = placed_pdf(column(60, 700, "A text of plain words."))
    cmap = "1 beginbfchar <41> <FB01> endbfchar"
    stream = f"<< /Length {len(cmap)} >>\nstream\n{cmap}\nendstream"
    font = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 5 0 R >>"
    data = placed_pdf(column(60, 700, "Ark, Anal, and Ax"), objects=[stream])
    data = data.replace(
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>", font.encode()
    )
    assert read(data).text == "firk, final, and fix"


def test_two_pieces_of_text_that_overlap_are_both_kept() -> None:
    page = [*column(60, 700, *LEFT), *column(70, 698, *RIGHT)]
    words = read(placed_pdf(page)).text.split()
    assert sorted(words) == sorted(" ".join((*LEFT, *RIGHT)).split())


def test_a_page_of_very_many_short_pieces_is_read_in_time() -> None:
    page = [Placed(5 * (place % 110), 780 - place // 110 * 5, "x", 3) for place in range(15_000)]
    assert read(placed_pdf(page)).text.count("x") == 15_000


def headings(parsed: Parsed) -> list[tuple[int, str]]:
    return [(block.level, block.label) for block in parsed.blocks if block.kind is BlockKind.HEADING]
