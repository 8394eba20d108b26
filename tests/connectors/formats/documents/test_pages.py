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


def section(x: float, y: float, heading: str, *lines: str, size: float = 10, bold: bool = True) -> list[Placed]:
    return [Placed(x, y, heading, size, bold), *column(x, y - 20, *lines)]


def test_headings_have_the_level_of_their_number_below_the_title() -> None:
    first = [
        Placed(60, 750, "Lights of the Northern Coast", 20, bold=True),
        *section(60, 700, "1 Introduction", *LEFT[:3], size=12),
        *section(60, 620, "1.1 Towers", *LEFT[3:]),
        *section(60, 540, "1.1.1 Towers of stone", *RIGHT[:3]),
        *section(60, 460, "2 Ships", *RIGHT[3:], size=12),
        *section(60, 380, "Acknowledgements", *RIGHT[:2], size=12),
    ]
    parsed = read(placed_pdf(first))
    assert headings(parsed) == [
        (1, "Lights of the Northern Coast"),
        (2, "1 Introduction"),
        (3, "1.1 Towers"),
        (4, "1.1.1 Towers of stone"),
        (2, "2 Ships"),
        (2, "Acknowledgements"),
    ]
    assert parsed.title == "Lights of the Northern Coast"


def test_bold_words_at_the_beginning_of_a_paragraph_are_no_heading() -> None:
    page = [*column(60, 700, *LEFT), Placed(60, 600, "Towers of stone.", 10, bold=True), Placed(146, 600, "They are")]
    parsed = read(placed_pdf([*page, *column(60, 588, "older than those of wood, and stand longer.", *RIGHT)]))
    assert headings(parsed) == []
    assert "Towers of stone. They are\nolder than those" in parsed.text


@pytest.mark.parametrize(
    "line",
    ["Figure 2: A tower of stone", "Table 1: Towers by height", "Ann Keeper* and Bo Diver†", "f(x) = g(x) + 2y - 1"],
)
def test_captions_and_names_and_formulas_in_bold_are_no_headings(line: str) -> None:
    page = [*column(60, 700, *LEFT), Placed(60, 600, line, 12, bold=True), *column(60, 570, *RIGHT)]
    parsed = read(placed_pdf(page))
    assert headings(parsed) == []
    assert line in parsed.text


def test_a_number_set_apart_from_its_heading_makes_no_table() -> None:
    page = []
    for place, name in enumerate(("Scope", "Terms", "Costs")):
        y = 700 - 20 * place
        page += [Placed(60, y, f"{place + 1}.", 12, bold=True), Placed(90, y, name, 12, bold=True)]
    parsed = read(placed_pdf([*page, *column(60, 620, *LEFT)]))
    assert [label for _, label in headings(parsed)] == ["1. Scope", "2. Terms", "3. Costs"]


TABLE = (("Harbour", "Depth", "Fee"), ("Northport", "12 m", "40"), ("Sandvik", "9 m", "35"), ("Ulm", "4 m", "10"))


def table(x: float, y: float, rows: tuple[tuple[str, ...], ...] = TABLE, width: float = 80) -> list[Placed]:
    return [
        Placed(x + width * place, y - 14 * number, cell)
        for number, row in enumerate(rows)
        for place, cell in enumerate(row)
        if cell
    ]


def rows_of(parsed: Parsed) -> list[list[str]]:
    return [
        parsed.text[block.start : block.end].split("\n") for block in parsed.blocks if block.kind is BlockKind.TABLE
    ]


@pytest.mark.parametrize("order", ["rows", "columns"])
def test_a_table_keeps_its_rows_and_its_header(order: str) -> None:
    cells = table(60, 560)
    cells = cells if order == "rows" else sorted(cells, key=lambda cell: cell.x)
    parsed = read(placed_pdf([*column(60, 700, *LEFT), *cells, *column(60, 480, *RIGHT)]))
    assert rows_of(parsed) == [[" | ".join(row) for row in TABLE]]
    (block,) = (block for block in parsed.blocks if block.kind is BlockKind.TABLE)
    assert block.header == "Harbour | Depth | Fee"


def test_a_table_in_a_column_stays_in_it() -> None:
    page = [*column(60, 700, *LEFT), *table(60, 600, width=70), *column(320, 700, *RIGHT, *RIGHT)]
    parsed = read(placed_pdf(page))
    assert rows_of(parsed) == [[" | ".join(row) for row in TABLE]]
    assert "but for a few\nbirds that nest there" in parsed.text


def test_an_empty_cell_moves_no_other_and_a_cell_of_two_lines_is_one() -> None:
    rows = (("Harbour", "Depth", "Fee"), ("Northport", "", "40"), ("Sandvik", "9 m", "35"), ("Ulm", "4 m", "10"))
    page = table(60, 560, rows)
    below = Placed(60, 558 - 14 * 2 - 9, "(old pier)")
    page = [cell._replace(y=cell.y - 10) if cell.y < 530 else cell for cell in page]
    parsed = read(placed_pdf([*page, below]))
    assert rows_of(parsed) == [
        ["Harbour | Depth | Fee", "Northport |  | 40", "Sandvik (old pier) | 9 m | 35", "Ulm | 4 m | 10"]
    ]


def test_a_table_of_contents_is_no_table() -> None:
    lines = [
        piece
        for place, name in enumerate(("Scope", "Terms of use", "Costs", "Notice"))
        for piece in (
            Placed(60, 700 - 14 * place, f"{name} . . . . . . . . ."),
            Placed(400, 700 - 14 * place, str(place + 3)),
        )
    ]
    assert rows_of(read(placed_pdf(lines))) == []


def test_running_heads_that_differ_from_left_to_right_page_go() -> None:
    pages = [
        [
            Placed(60, 760, "Coast and Harbour" if place % 2 else "Chapter One: Light", 9),
            *column(60, 700, f"Page {word} tells of towers and of ships.", *LEFT),
            Placed(300, 40, f"- {place + 7} -", 9),
        ]
        for place, word in enumerate(("one", "two", "three", "four", "five", "six"))
    ]
    text = read(placed_pdf(*pages)).text
    assert text.count("Coast and Harbour") == 1
    assert text.count("Chapter One: Light") == 1
    assert "- 9 -" not in text
    assert text.count("tells of towers") == 6


def test_the_header_of_a_table_that_goes_on_from_page_to_page_stays() -> None:
    pages = [
        table(60, 740, (TABLE[0], *((f"Port {word}", "3 m", "1") for word in words)))
        for words in ("abc", "def", "ghi", "jkl")
    ]
    tables = rows_of(read(placed_pdf(*pages)))
    assert [rows[0] for rows in tables] == ["Harbour | Depth | Fee"] * 4
    assert sum(map(len, tables)) == 16


def test_a_line_that_pages_of_a_letter_begin_with_at_other_heights_stays() -> None:
    pages = [column(60, 740 - 25 * place, "Dear harbour master,", *LEFT) for place in range(4)]
    assert read(placed_pdf(*pages)).text.count("Dear harbour master,") == 4


def test_cells_of_several_lines_stay_with_their_row() -> None:
    lines = (
        ("Grade", "What it means"),
        ("One", "Cells look a little different from the usual"),
        ("(low)", "ones. They grow slowly."),
        ("Two", "Cells look very different, and they grow fast"),
        ("(high)", "enough to be seen."),
        ("Three", "Unknown."),
    )
    heights = (700, 682, 670, 652, 640, 622)
    page = [
        Placed(60 + 80 * place, y, cell)
        for y, row in zip(heights, lines, strict=True)
        for place, cell in enumerate(row)
    ]
    assert rows_of(read(placed_pdf(page))) == [
        [
            "Grade | What it means",
            "One (low) | Cells look a little different from the usual ones. They grow slowly.",
            "Two (high) | Cells look very different, and they grow fast enough to be seen.",
            "Three | Unknown.",
        ]
    ]


def test_the_caption_below_a_table_is_none_of_its_rows() -> None:
    caption = [Placed(60, 500, "Table 4:"), Placed(140, 500, "Harbours of the coast and their depths")]
    parsed = read(placed_pdf([*table(60, 560), *caption]))
    assert rows_of(parsed) == [[" | ".join(row) for row in TABLE]]
    assert "Table 4: Harbours of the coast" in parsed.text


def field(kind: str, y: int, value: str, name: str = "name") -> str:
    return (
        f"<< /Type /Annot /Subtype /Widget /FT /{kind} /T ({name}) /V {value} /Rect [160 {y - 3} 400 {y + 12}] "
        "/F 4 /DA (/Helv 10 Tf) >>"
    )


def test_what_is_filled_in_stands_beside_its_label_and_comments_are_read() -> None:
    boxes = (
        "<< /Type /Annot /Subtype /Widget /FT /Btn /T (dog) /V /Yes /AS /Yes /Rect [160 657 172 669] /F 4 "
        "/AP << /N << /Yes 9 0 R /Off 9 0 R >> >> >>"
    )
    comment = "<< /Type /Annot /Subtype /Text /Contents (Ask for the paid rate) /Rect [500 700 520 720] >>"
    appearance = "<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Length 0 >>\nstream\n\nendstream"
    labels = [Placed(60, 700, "Skipper"), Placed(60, 680, "Harbour"), Placed(60, 660, "Dog aboard")]
    data = placed_pdf(
        labels,
        catalogue="/AcroForm << /Fields [5 0 R 6 0 R 7 0 R] >>",
        page="/Annots [5 0 R 6 0 R 7 0 R 8 0 R]",
        objects=[field("Tx", 700, "(Ann Keeper)"), field("Tx", 680, "(Northport)", "port"), boxes, comment, appearance],
    )
    text = read(data).text.replace(" | ", " ")
    assert "Skipper Ann Keeper\nHarbour Northport\nDog aboard ☒" in text
    assert "Comment: Ask for the paid rate" in text


@pytest.mark.parametrize("step", [0, 30], ids=["on one place", "side by side"])
def test_very_many_pieces_on_one_line_are_read_in_time(step: int) -> None:
    page = [Placed(step * place, 700, "x", 10) for place in range(8_000, 0, -1)]
    assert read(placed_pdf(page)).text.count("x") == (8_000 if step else 1)
