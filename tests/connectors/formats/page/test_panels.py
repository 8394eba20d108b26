from __future__ import annotations

from pathlib import Path

import pytest

from connectors.formats import Parsed, parse


def page(body: str) -> Parsed:
    return parse(f"<!DOCTYPE html><html><body>{body}</body></html>".encode(), Path("a.html"))


@pytest.mark.parametrize(
    "body",
    [
        (
            "<div role=tablist><button role=tab aria-controls=a>L</button><button role=tab aria-controls=b>M</button>"
            "</div><div role=tabpanel id=a><p>apt</p></div><div role=tabpanel id=b hidden><p>brew</p></div>"
        ),
        (
            "<ul class='nav nav-tabs'><li><a href='#a' data-toggle=tab>L</a><li><a href='#b' data-toggle=tab>M</a></ul>"
            "<div id=a class='tab-pane active'>apt</div><div id=b class=tab-pane style='display: none'>brew</div>"
        ),
        (
            "<div class=tab><button onclick=\"show('a')\">L</button><button onclick=\"show('b')\">M</button>"
            "</div><div id=a class=tabcontent>apt</div><div id=b class=tabcontent style=display:none>brew</div>"
        ),
        (
            "<div role=tablist><a role=tab id=x>L</a><a role=tab id=y>M</a></div>"
            "<div role=tabpanel aria-labelledby=x>apt</div><div role=tabpanel aria-labelledby=y hidden>brew</div>"
        ),
    ],
)
def test_every_tab_is_read_below_its_name(body: str) -> None:
    assert page(body).text == "L\n\napt\n\nM\n\nbrew"


@pytest.mark.parametrize(
    "body",
    [
        "<h3><button aria-expanded=false aria-controls=a>Long?</button></h3><div id=a hidden><p>Weeks.</p></div>",
        "<button aria-expanded=false aria-controls=a>Long?</button><div id=a hidden><p>Weeks.</p></div>",
        "<button class=accordion>Long?</button><div class=panel><p>Weeks.</p></div>",
        "<details><summary>Long?</summary>Weeks.</details>",
        "<p>Long?</p><div hidden=until-found>Weeks.</div>",
        "<p><a href='#a'>Long?</a></p><div id=a style='display:none'>Weeks.</div>",
    ],
)
def test_what_a_reader_can_open_is_read(body: str) -> None:
    assert page(body).text == "Long?\n\nWeeks."


@pytest.mark.parametrize(
    "hidden",
    [
        "<p hidden>secret</p>",
        "<div id=a style='display: none'>secret</div>",
        "<button aria-controls=a>Sign up</button><div id=a role=dialog hidden>secret</div>",
        "<a href='#cookie-banner'></a><div id=cookie-banner hidden>secret</div>",
        "<nav><button aria-controls=a>Menu</button><div id=a hidden>secret</div></nav>",
    ],
)
def test_what_nobody_can_open_is_left_out(hidden: str) -> None:
    assert page(f"<p>Seen.</p>{hidden}").text == "Seen."


def test_a_button_beside_the_words_of_a_heading_is_none_of_them() -> None:
    assert page("<h1>Struct Pump <button>Copy item path</button></h1><p>Text.</p>").text == "Struct Pump\n\nText."
    assert page("<h3>fn run()<div class=where>where Self: Sized</div></h3>").text == "fn run() where Self: Sized"


def test_the_switches_of_tabs_are_no_boxes() -> None:
    body = "<div class=tabs><input type=radio name=t id=a checked><label for=a>L</label><div class=tab>apt</div></div>"
    assert page(body).text == "L\n\napt"


def test_a_tab_that_holds_its_panel_is_kept() -> None:
    body = "<ul class=tabs><li onclick=\"show('a')\">L<div id=a class=tab-pane hidden>apt</div></ul>"
    assert page(body).text == "- L\napt"


def test_many_nested_panels_cost_little() -> None:
    tabs = "".join(f"<a href='#p{number}' class=tab>t</a>" for number in range(1000))
    panels = "".join(f"<div id=p{number} class=tab-pane hidden>" for number in range(1000))
    assert "word" in page(f"{tabs}{panels}{'<p>word</p>' * 5000}").text
