"""An answer is written out as it arrives."""

from __future__ import annotations

from io import StringIO

from hypothesis import given
from hypothesis import strategies as st

from cli.output.answer import AnswerWriter


def written(*pieces: str, width: int | None = None) -> str:
    stream = StringIO()
    with AnswerWriter(stream, width, lambda: None) as writer:
        for piece in pieces:
            writer(piece)
    return stream.getvalue()


def test_a_pipe_gets_the_text_as_it_is() -> None:
    assert written("Refunds take ", "14 days. ", "[1]") == "Refunds take 14 days. [1]\n"


def test_a_terminal_gets_whole_words_however_they_arrive() -> None:
    assert written("Ref", "unds ta", "ke 14 d", "ays. [1]", width=12) == "Refunds take\n14 days. [1]\n"


def test_lines_of_the_answer_stay_lines() -> None:
    assert written("one\n", "- two\n", width=80) == "one\n- two\n"


@given(st.text(" ab\n", max_size=60), st.integers(3, 20))
def test_wrapping_changes_nothing_but_white_space(text: str, width: int) -> None:
    shown = written(*text, width=width)
    assert shown.split() == text.split()
    assert all(
        len(line.strip()) <= max(width, *map(len, [*text.split(), ""])) or line.isspace() for line in shown.split("\n")
    )


def test_a_full_line_is_followed_by_no_empty_one() -> None:
    assert written("abcd efgh ijkl", width=9) == "abcd efgh\nijkl\n"


def test_a_word_wider_than_the_terminal_is_left_to_it() -> None:
    assert written("a " + "b" * 30, width=10) == "a\n" + "b" * 30 + "\n"


def test_codes_in_an_answer_are_text() -> None:
    assert written("\x1b[2J", "gone") == "\ufffd[2Jgone\n"


def test_nothing_is_written_for_no_answer() -> None:
    assert written() == ""


def test_what_waits_is_told_once_before_the_first_word() -> None:
    heard: list[str] = []
    stream = StringIO()
    with AnswerWriter(stream, None, lambda: heard.append(stream.getvalue())) as writer:
        writer("a")
        writer("b")
    assert heard == [""]
