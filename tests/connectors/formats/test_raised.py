from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.formats.raised import lowered, note_mark, raised


@pytest.mark.parametrize(
    ("before", "text", "written"),
    [
        ("10", "3", "10^3"),
        ("10", "−12", "10^-12"),
        ("10", "3.5", "10^3.5"),
        ("2", "n+1", "2^(n+1)"),
        ("(a+b)", "2", "(a+b)²"),
        ("x", "n", "x^n"),
        ("km", "2", "km²"),
        ("m s", "-1", "m s⁻¹"),
        ("SO4", "2−", "SO4²⁻"),
        ("Na", "+", "Na⁺"),
        ("the ", "14", "the ¹⁴"),
        ("see note", "4", "see note⁴"),
        ("harbour.", "2, 3", "harbour. [2, 3]"),
        ("12", "a", "12^a"),
        ("12", "*", "12*"),
        ("the 21", "st", "the 21st"),
        ("le 2", "e", "le 2e"),
        ("N", "o", "No"),
        ("Acme", "TM", "Acme™"),
        ("a", "", "a"),
        ("a", "  ", "a"),
        ("", "4", "⁴"),
    ],
)
def test_raised_text_stays_apart_from_what_it_stands_behind(before: str, text: str, written: str) -> None:
    assert before + raised(text, before) == written


@pytest.mark.parametrize(
    ("before", "text", "written"),
    [
        ("CO", "2", "CO2"),
        ("(OH)", "2", "(OH)2"),
        ("log", "10", "log10"),
        ("x", "i", "x_i"),
        ("V", "max", "V_max"),
        ("a", "i+1", "a_(i+1)"),
        ("pK", "a", "pKa"),
        ("1010", "2", "1010_2"),
        ("a", "", "a"),
    ],
)
def test_lowered_text_makes_no_number_longer(before: str, text: str, written: str) -> None:
    assert before + lowered(text, before) == written


@pytest.mark.parametrize("mark", ["4", "[4]", "(4)", " 4 "])
def test_a_note_mark_is_a_reference(mark: str) -> None:
    assert note_mark(mark, "1,850") == " [4]"
    assert note_mark("[]", "1,850") == ""


@given(st.from_regex(r"\d{1,6}", fullmatch=True), st.from_regex(r"[+−-]?\d{1,4}", fullmatch=True))
def test_no_digit_ever_joins_a_number(number: str, other: str) -> None:
    for write in (raised, lowered, note_mark):
        assert not write(other, number)[0].isdigit()
