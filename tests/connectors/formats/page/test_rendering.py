from __future__ import annotations

from pathlib import Path

import pytest

from connectors.formats import Parsed, parse
from connectors.formats.page.numbering import numeral


def page(body: str) -> Parsed:
    return parse(f"<!DOCTYPE html><html><body>{body}</body></html>".encode(), Path("a.html"))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("<ol><li>a<li>b</ol>", "1. a\n2. b"),
        ("<ol start=3><li>a<li value=10>b<li>c</ol>", "3. a\n10. b\n11. c"),
        ("<ol reversed><li>a<li>b</ol>", "2. a\n1. b"),
        ("<ol type=a><li>x<p>more</p><li>y</ol>", "a. x\nmore\nb. y"),
        ("<ol type=I start=4><li>x</ol>", "IV. x"),
        ("<ol style='list-style-type: lower-roman'><li>x<li>y</ol>", "i. x\nii. y"),
        ("<ol style='list-style: none'><li>x</ol>", "- x"),
        ("<ol><li>a<ol type=A><li>b</ol><li>c<ul><li>d</ul></ol>", "1. a\nA. b\n2. c\n- d"),
        ("<ol start=9999999999><li>a</ol>", "1. a"),
        ("<li>a<li>b", "- a\n- b"),
    ],
)
def test_lists_are_numbered_as_a_browser_shows_them(written: str, read: str) -> None:
    assert page(written).text == read


def test_numerals_of_every_size() -> None:
    assert [numeral(number, "a") for number in (1, 26, 27, 702, 703)] == ["a", "z", "aa", "zz", "aaa"]
    assert [numeral(number, "I") for number in (1990, 3999, 4000, -1)] == ["MCMXC", "MMMCMXCIX", "4000", "-1"]


def test_terms_stand_with_their_definitions() -> None:
    parsed = page(
        "<dl><dt>Berth</dt><dd>Where a ship lies.</dd><dt>Quay</dt><dt><b>Wharf</b></dt><dd><p>Wall.</p><p>Stone.</p>"
        "</dd><dt>Alone</dt></dl><p>After.</p>"
    )
    assert parsed.text == "Berth: Where a ship lies.\n\nQuay, Wharf: Wall.\n\nStone.\n\nAlone\n\nAfter."
