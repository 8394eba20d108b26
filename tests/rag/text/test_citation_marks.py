from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.text.citation_marks import find_marks

SOURCES = {number: f"The text of source number {number}." for number in range(1, 6)}


def numbers(answer: str, sources: dict[int, str] = SOURCES) -> tuple[int, ...]:
    return tuple(number for mark in find_marks(answer, sources) for number in mark.numbers)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Blue [1].", (1,)),
        ("Blue [1, 2].", (1, 2)),
        ("Blue [1][2].", (1, 2)),
        ("Blue [1-3].", (1, 2, 3)),
        ("Blue [Source 1].", (1,)),
        ("Blue (1).", (1,)),
        ("Blue (source 2).", (2,)),
        ("Blue.¹", (1,)),
        ("Blue¹ sky.", (1,)),
        ("Blue【1】。", (1,)),
        ("Blue[^1].", (1,)),
        ("According to source 2, blue.", (2,)),
        ("Source 1 says that it is blue.", (1,)),
        ("Blue.\nSource: [1]", (1,)),
        ("Sources: [1], [3]", (1, 3)),
        ("Blue ［１］", (1,)),
        ("Blue 【１】", (1,)),
        ("Blue [S1].", (1,)),
        ("Blue [doc 1].", (1,)),
        ("Blue <1>.", (1,)),
        ("Blue [99].", (99,)),
        ("Blue (see source 2).", (2,)),
        ("Blue **[1]**.", (1,)),
        ("Blue <sup>1</sup>.", (1,)),
        ("Blue<sup>[1]</sup>.", (1,)),
        ("Blue [1, p. 4].", (1,)),
        ("Blue [Source 2: handbook.md].", (2,)),
        ("Blue \\cite{1}.", (1,)),
        ("空は青い（1）。", (1,)),
        ("空は青い[来源1]。", (1,)),
        ("Sources 1 and 3 agree.", (1, 3)),
        ("Blue [[1]].", (1,)),
        ("Blue [#1].", (1,)),
        ("Blue [1]:", (1,)),
        ("Blue.¹ ²", (1, 2)),
        ("Blue.¹,²", (1, 2)),
        ("Blue.¹⁻³", (1, 2, 3)),
        ("Blue (1, 2).", (1, 2)),
        ("Blue (Sources 1-3).", (1, 2, 3)),
        ("Blue (S1).", (1,)),
        ("| Fee | 5 [1] |", (1,)),
        ("Blue. (1)\nGreen. (2)", (1, 2)),
        ("As stated in document 3, blue.", (3,)),
        ("Blue [source_1].", (1,)),
        ("Blue [Source-1].", (1,)),
        ("Blue [1; source 3].", (1, 3)),
        ("Blue (Source: 1).", (1,)),
        ("Blue (Source [1]).", (1,)),
        ("word[1] and", (1,)),
    ],
)
def test_a_mark_in_any_shape(answer, expected):
    assert numbers(answer) == expected


@pytest.mark.parametrize(
    "answer",
    [
        "In 2024 (2024) it.",
        "1. Wash\n2. Dry",
        "a[1] = 2",
        "rows[1]",
        "Use `a[1]`",
        "[1](http://x)",
        "see [1](#s)",
        "$x[1]$",
        "the range [1, 5]",
        "[0, 1]",
        "x² + y²",
        "5 m²",
        "km² (2)x",
        "f(1)",
        "step (1).",
        "(1) wash, (2) dry",
        "[x]",
        "[1.5]",
        "as of (3) May",
        "Table 2",
        "section 3 (1).",
        "![1](a.png)",
        "```\na [1]\n```",
        "[1]: https://x.org",
        "self.rows[2].name",
        "He was born (1957).",
        "argv[1]",
        "sin² is",
        "10 (2).",
        "10³",
        "CO₂",
        "[2024]",
        "step 1 (2), go",
    ],
)
def test_what_only_looks_like_a_mark(answer):
    assert numbers(answer) == ()


@pytest.mark.parametrize("answer", ["Blue (7).", "Blue.⁷", "Blue <7>.", "As document 7 of the annex has it, blue."])
def test_what_is_ambiguous_is_a_mark_only_where_there_is_such_a_source(answer):
    assert numbers(answer) == ()


@pytest.mark.parametrize("answer", ["Blue [7].", "Blue (source 7).", "Source 7 says so.", "Blue【7】."])
def test_what_is_sure_is_a_mark_though_there_is_no_such_source(answer):
    assert numbers(answer) == (7,)


def test_what_is_ambiguous_is_no_mark_beside_sure_ones():
    assert numbers("The steps are these (2). Blue [1].") == (1,)


def test_a_reference_quoted_from_a_source_is_the_sources_own():
    assert numbers("Red in 2017 [3]. [1]", {1: "It was Red in 2017 [3]."}) == (1,)
    assert numbers("[1] It is blue.", {1: "Blue [1] and red."}) == (1,)


@pytest.mark.parametrize(
    ("answer", "new", "expected"),
    [
        ("Blue [1, 2].", [3, 2], " [3, 2]"),
        ("Blue [1-3].", [4], " [4]"),
        ("Blue (source 2).", [5], " (source 5)"),
        ("Blue.¹", [12], "¹²"),
        ("Blue【1†x】.", [2, 2], "【2†x】"),
        ("Source 1 says it is blue.", [2], "Source 2 says"),
    ],
)
def test_a_mark_is_written_with_other_numbers_in_its_own_shape(answer, new, expected):
    (mark,) = find_marks(answer, SOURCES)
    written = answer[mark.start : mark.first] + mark.digits(new) + answer[mark.last : mark.end]
    assert written == expected


PIECES = st.lists(
    st.sampled_from(
        [
            "It is blue",
            ".",
            " ",
            "\n",
            "[1]",
            "(2)",
            "[1-3]",
            "¹",
            "【4】",
            "[",
            "]",
            "(",
            "source 2",
            "`",
            "$",
            "```",
            "a[1]",
            "2024",
        ]
    ),
    max_size=25,
).map("".join)


@settings(max_examples=300, deadline=None)
@given(answer=st.one_of(PIECES, st.text(max_size=80)))
def test_marks_are_apart_in_order_and_hold_their_numbers(answer):
    done = 0
    for mark in find_marks(answer, SOURCES):
        assert done <= mark.start <= mark.first < mark.last <= mark.end <= len(answer)
        assert mark.numbers
        done = mark.end


@settings(max_examples=200, deadline=None)
@given(
    number=st.integers(1, 5),
    shape=st.sampled_from(
        ["[{}]", "[Source {}]", "(source {})", "【{}】", "［{}］", "[^{}]", "({})", "[S{}]", "<{}>", "**[{}]**"]
    ),
    sentence=st.sampled_from(["The sky is blue", "空は青い", "Небо синее", "| Sky | blue", "- The fee rose in 2024"]),
)
def test_every_shape_in_every_script(number, shape, sentence):
    assert numbers(f"{sentence} {shape.format(number)}.") == (number,)


@pytest.mark.parametrize(
    "piece", ["[", "(1", "[1", "$x ", "`", "source ", "¹", "[1, ", "**[", "according to ", "1", "a" * 50]
)
def test_hostile_runs_end(piece):
    for mark in find_marks(piece * 20_000, SOURCES):
        assert all(number in SOURCES for number in mark.numbers)
