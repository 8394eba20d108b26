from __future__ import annotations

from pathlib import Path

import pytest

from connectors.document import BlockKind
from connectors.formats import Parsed, parse

PARAGRAPH = "Pilot fish follow sharks across the open ocean and feed on the scraps that their hosts leave behind. "


def page(body: str, head: str = "") -> Parsed:
    return parse(f"<!DOCTYPE html><html><head>{head}</head><body>{body}</body></html>".encode(), Path("a.html"))


def test_a_page_without_navigation_keeps_every_word_in_order() -> None:
    parsed = page(
        "<h1>Fish</h1><p>One <b>bold</b> word,<br>next line.</p><ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>"
        "<table><tr><th>name</th><th>price</th></tr><tr><td>cod</td><td>3<sup>1</sup></td></tr></table>"
        "<pre>def f():\n    return 1\n</pre><h2>Other</h2>tail &amp; end<script>evil()</script>"
    )
    assert parsed.text == (
        "Fish\n\nOne bold word,\nnext line.\n\n- a\n- b\n- c\n\nname | price\ncod | 3^1\n\n"
        "def f():\n    return 1\n\nOther\n\ntail & end"
    )
    heading, table, code, other = parsed.blocks
    assert (heading.label, heading.level, other.label, other.level) == ("Fish", 1, "Other", 2)
    assert (table.kind, table.header, code.kind) == (BlockKind.TABLE, "name | price", BlockKind.CODE)
    assert parsed.text[code.start : code.end] == "def f():\n    return 1"


def test_navigation_footers_and_hidden_parts_are_left_out() -> None:
    parsed = page(
        "<nav><a href=/>Home</a></nav><header><h1>Fish</h1></header><div role=navigation>Menu</div>"
        "<div><a href=/a>One</a> <a href=/b>Two</a> | <a href=/c>Three</a></div>"
        f"<main><p>{PARAGRAPH}</p></main><p hidden>secret</p><p style='display: none'>gone</p><footer>Imprint</footer>"
    )
    assert parsed.text.endswith(PARAGRAPH.strip())
    for word in ("Home", "Menu", "One", "Three", "secret", "gone", "Imprint"):
        assert word not in parsed.text
    assert parsed.title == "Fish"


def test_the_article_is_found_among_lists_of_links() -> None:
    menu = "".join(f"<li><a href=/{n}>Section number {n} of the site</a></li>" for n in range(60))
    article = "".join(f"<p>{PARAGRAPH} Sentence {n}.</p>" for n in range(8))
    parsed = page(f"<ul>{menu}</ul><article><h1>Pilot fish</h1>{article}</article><ul>{menu}</ul>")
    assert "Section number 7" not in parsed.text
    assert all(f"Sentence {n}." in parsed.text for n in range(8))


def test_anchors_beside_headings_are_not_part_of_them() -> None:
    assert page("<h2>Learn C#<a href='#c'>#</a></h2><h2>More <a href='#m'>¶</a></h2>").text == "Learn C#\n\nMore"


def test_tables_that_arrange_the_page_are_not_tables() -> None:
    parsed = page(
        f"<table><tr><td>side</td><td><h1>Fish</h1><p>{PARAGRAPH}</p><table><tr><th>a</th><th>b</th></tr>"
        "<tr><td>1</td><td>2</td></tr></table></td></tr></table>"
    )
    assert parsed.text == f"side\n\nFish\n\n{PARAGRAPH.strip()}\n\na | b\n1 | 2"


@pytest.mark.parametrize(
    ("head", "body", "title"),
    [
        ("<title>Pilot fish - The Sea Site</title>", "<h1>Pilot fish</h1>", "Pilot fish"),
        ("<title>Pilot fish</title>", "<h1>Welcome</h1>", "Pilot fish"),
        ("<title>Untitled Document</title>", "<h1>Sharks</h1>", "Sharks"),
        ("<title>index.html</title>", "<p>x</p>", ""),
        ("", "<h1>Sharks</h1><h1>More</h1>", "Sharks"),
    ],
)
def test_the_title_is_the_page_s_own(head: str, body: str, title: str) -> None:
    assert page(body, head).title == title


@pytest.mark.parametrize(
    "data",
    [
        '<html><head><meta charset="iso-8859-1"></head><body><p>Größe “x”</p></body></html>'.encode("cp1252"),
        '<?xml version="1.0" encoding="shift_jis"?><html><body><p>鮫</p></body></html>'.encode("shift_jis"),
        '<html><head><meta content="text/html; charset=utf-16"></head><p>Größe</p></html>'.encode("utf-16"),
        '<html><head><meta charset="windows-1251"></head><p>Рыба</p></html>'.encode("cp1251"),
    ],
)
def test_the_declared_encoding_is_used(data: bytes) -> None:
    text = parse(data, Path("a.html")).text
    assert text in {"Größe “x”", "鮫", "Größe", "Рыба"}


@pytest.mark.parametrize(
    "body",
    [
        "<div>" * 5000 + "deep" + "</div>" * 5000,
        "<b>" * 20_000 + "deep",
        "<table><tr><td>" * 2000 + "deep",
        "<p" * 50_000,
    ],
)
def test_hostile_nesting_is_survived(body: str) -> None:
    assert isinstance(page(body).text, str)


@pytest.mark.parametrize("depth", [10, 260, 1_000, 2_100, 50_000])
def test_text_is_found_however_deep_it_is_nested(depth: int) -> None:
    opened, closed = "<div>" * depth, "</div>" * depth
    parsed = page(f"<p>Before.</p>{opened}The zebra crossing &amp; its rule.{closed}<p>Behind.</p>")
    assert parsed.text.split("\n\n") == ["Before.", "The zebra crossing & its rule.", "Behind."]
