from __future__ import annotations

from pathlib import Path

import pytest

from connectors.document import LEFT_OUT
from connectors.formats import Parsed, parse
from tests.connectors.samples import make


def page(body: str, head: str = "") -> Parsed:
    return parse(f"<!DOCTYPE html><html><head>{head}</head><body>{body}</body></html>".encode(), Path("a.html"))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("at most 10<sup>3</sup> parts", "at most 10^3 parts"),
        ("see note<sup>4</sup>.", "see note⁴."),
        ("1,850<sup><a href='#fn4'>4</a></sup> euros", "1,850 [4] euros"),
        ("1,850<a href='#fn4'><sup>4</sup></a> euros", "1,850 [4] euros"),
        ("CO<sub>2</sub> and H<sub>2</sub>O", "CO2 and H2O"),
        ("SO<sub>4</sub><sup>2−</sup>", "SO4²⁻"),
        ("3<sup>1</sup>/<sub>2</sub> inches", "3 1/2 inches"),
        ("the 21<sup>st</sup> of May", "the 21st of May"),
        ("10<span style='vertical-align: super'>6</span>", "10^6"),
        ("1010<span style='vertical-align:sub'>2</span>", "1010_2"),
        ("<b>10</b><sup><i>3</i></sup>", "10^3"),
        ("<sup></sup>x<sub> </sub>", "x"),
    ],
)
def test_raised_and_lowered_digits_join_no_number(written: str, read: str) -> None:
    assert page(f"<p>{written}</p>").text == read
    assert page(f"<h2>{written}</h2>").text == read
    assert page(f"<table><tr><th>a<th>b<tr><td>{written}</td><td>c</table>").text == f"a | b\n{read} | c"


@pytest.mark.parametrize(
    "struck",
    [
        "<del>50</del>",
        "<s>50</s>",
        "<strike>5<b>0</b></strike>",
        "<span style='color: red; text-decoration: line-through'>50</span>",
        "<span class='x old'>50</span>",
    ],
)
def test_what_is_struck_out_does_not_hold(struck: str) -> None:
    style = "<style>b { color: red } .gone, span.old { text-decoration: line-through }</style>"
    assert page(f"<p>The limit is {struck} <ins>65</ins> decibels.</p>", style).text == "The limit is 65 decibels."
    assert page(f"<table><tr><th>a<th>b<tr><td>{struck} 65<td>c</table>", style).text == "a | b\n65 | c"
    assert page(f"<h1>Limit {struck} 65</h1><p>text</p>", style).title == "Limit 65"


def test_struck_out_text_is_told_where_there_is_some() -> None:
    assert page("<p>The limit is <s>50</s> 65.</p>").metadata[LEFT_OUT] == "struck-out text"
    for nothing in ("<s> </s>", "<nav><s>old</s></nav>", "<ins>new</ins>"):
        assert LEFT_OUT not in page(f"<p>The limit is {nothing} 65.</p>").metadata


def test_struck_out_paragraphs_and_items_are_left_out() -> None:
    parsed = page("<p>kept</p><del><p>gone</p></del><ul><li style='text-decoration:line-through'>gone<li>new</ul>")
    assert parsed.text == "kept\n\n- new"


def test_a_mark_of_deletion_that_is_never_closed_does_not_strike_out_the_page() -> None:
    rest = "".join(f"<p>Paragraph {number} of the rules that hold.</p>" for number in range(30))
    assert "Paragraph 29" in page(f"<div><p>old <del>fee</p></div><div><del>{rest}").text


def test_a_book_leaves_out_what_is_struck_out() -> None:
    chapter = "<html><body><p>The fee is <s>40</s> 55 euros for 10<sup>3</sup> sheets.</p></body></html>"
    assert parse(make.epub(chapter), Path("a.epub")).text == "The fee is 55 euros for 10^3 sheets."


def test_boxes_are_ticked_or_empty() -> None:
    parsed = page(
        "<ul><li><input type=checkbox checked disabled> Pump tested</li><li><input type=checkbox> Valve tested</ul>"
        "<table><tr><th>part<th>done<tr><td>pump<td><input type=checkbox checked><tr><td>valve<td>☐</table>"
        "<input type=checkbox class=nav-toggle>"
    )
    assert parsed.text == "- [x] Pump tested\n- [ ] Valve tested\n\npart | done\npump | [x]\nvalve | ☐"


def test_forms_say_what_is_filled_in() -> None:
    parsed = page(
        "<p>Name: <input value='Ada Lind'> Port: <select><option>Kiel<option selected>Oslo</select>"
        "<input type=submit value=Send><input type=hidden value=token></p><textarea>Two cars</textarea>"
    )
    assert parsed.text == "Name: Ada Lind Port: Oslo\n\nTwo cars"


def test_words_with_readings_stay_whole() -> None:
    parsed = page(
        "<p><ruby>東<rp>(</rp><rt>とう</rt><rp>)</rp></ruby><ruby>京<rt>きょう</rt></ruby>に"
        "<ruby>住<rt>す</rt></ruby>む</p>"
    )
    assert parsed.text == "東京(とうきょう)に住(す)む"


def test_an_abbreviation_is_explained_once() -> None:
    abbreviation = "<abbr title='Joint Harbour Council'>JHC</abbr>"
    assert page(f"<p>The {abbreviation} met. The {abbreviation} voted.</p>").text == (
        "The JHC (Joint Harbour Council) met. The JHC voted."
    )


def test_images_say_what_they_show() -> None:
    parsed = page("<p>Tides.<img src=a.png alt='Chart of the tides in March'><img alt=''><img alt='Company logo'></p>")
    assert parsed.text == "Tides. (image: Chart of the tides in March)"
    linked = "<p>Tides.<a href=%s><img alt='Chart of the tides'></a></p>"
    assert page(linked % "next.html").text == "Tides."
    assert page(linked % "tides.png").text == "Tides. (image: Chart of the tides)"


def test_equations_are_text_and_stand_once() -> None:
    power = "<math><mi>E</mi><mo>=</mo><mi>m</mi><msup><mi>c</mi><mn>2</mn></msup></math>"
    assert page(f"<p>Then {power} holds.</p>").text == "Then E = mc^2 holds."
    katex = f"<span class=katex><span class=katex-mathml>{power}</span><span class=katex-html>E=mc2</span></span>"
    assert page(f"<p>Then {katex} holds.</p>").text == "Then E = mc^2 holds."
    wiki = (
        f"<span><span class=mwe-math-mathml-inline style='display: none'>{power}</span>"
        "<img class=mwe-math-fallback-image-inline alt='{\\displaystyle E=mc^{2}}'></span>"
    )
    assert page(f"<p>Then {wiki} holds.</p>").text == "Then E = mc^2 holds."
