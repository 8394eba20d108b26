"""What a person sees of a hit."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.output.bars import percent
from cli.output.hits import excerpt, headings, place
from connectors.document import Location, Place
from rag.retrieval.hit import Hit, Signals

LONG = "\n\n".join(f"Paragraph {n} talks about nothing in particular, at some length." for n in range(12))


def hit(uri: str = "/srv/docs/refunds.md", title: str = "Refunds", **where: object) -> Hit:
    location = Location(**{"start": 0, "end": 9, "line_start": 12, "line_end": 18, **where})  # type: ignore[arg-type]
    return Hit(1, 1.0, 0.5, uri, title, "markdown", "some text", "", location, {}, Signals(1.0, 0.5), 1)


def lines(text: str, *wanted: str, width: int = 60) -> list[str]:
    return [line.plain for line in excerpt(text, frozenset(wanted), width)]


@pytest.mark.parametrize(
    ("probability", "shown"), [(0.0, "0%"), (0.004, "<1%"), (0.01, "1%"), (0.873, "87%"), (1.0, "100%")]
)
def test_percent(probability: float, shown: str) -> None:
    assert percent(probability) == shown


def test_a_place_is_a_path_with_lines() -> None:
    assert place(hit()).plain == "/srv/docs/refunds.md:12-18"
    assert place(hit(line_end=12)).plain == "/srv/docs/refunds.md:12"


def test_a_place_below_the_current_folder_is_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert place(hit(str(tmp_path / "docs" / "a.md"))).plain == "docs/a.md:12-18"


def test_a_place_in_a_paged_document_is_its_page() -> None:
    assert place(hit("/srv/report.pdf", page_start=3, page_end=4)).plain == "/srv/report.pdf, pp. 3-4"


def test_a_place_in_a_database_is_its_uri() -> None:
    assert place(hit("sqlite:///shop.db#orders/7", has_lines=False)).plain == "sqlite:///shop.db#orders/7"


def test_a_place_in_a_sheet_is_its_row() -> None:
    rows = (Place(0, "Prices", "row", 5, 6), Place(9, "Prices", "row", 21, 21))
    assert place(hit("/srv/shop.xlsx", places=rows, has_lines=False)).plain == "/srv/shop.xlsx, Prices, rows 5-21"


def test_a_place_in_a_document_without_lines_is_its_heading() -> None:
    where = Location(0, 9, 12, 18, headings=("Contract", "Renewal"), has_lines=False)
    assert place(hit("/srv/contract.docx", has_lines=False)).plain == "/srv/contract.docx"
    assert (str(where), where.of("contract.docx")) == ("“Renewal”", "contract.docx, “Renewal”")
    from cli.output import as_json

    assert as_json.encoded(where)["line_start"] is None


def test_a_place_links_to_the_file() -> None:
    assert "link file:///srv/docs/refunds.md" in str(place(hit()).style)


def test_headings_do_not_repeat_the_title() -> None:
    assert headings(hit(headings=("Refunds", "Deadlines"))) == "Deadlines"
    assert headings(hit(headings=("Terms", "Refunds"))) == "Terms › Refunds"
    assert headings(hit()) == ""


def test_an_excerpt_is_short_and_says_that_there_is_more() -> None:
    shown = lines(LONG)
    assert len(shown) == 4
    assert shown[0].startswith("Paragraph 0")
    assert shown[-1].endswith(" …")


def test_a_short_text_is_shown_whole() -> None:
    assert lines("Refunds take 14 days.") == ["Refunds take 14 days."]


def test_an_excerpt_shows_where_the_matches_are() -> None:
    shown = lines(f"{LONG}\n\nRefunds are paid within 14 days.", "refund")
    assert shown[0].startswith("… ")
    assert any("Refunds are paid" in line for line in shown)


def test_an_excerpt_goes_on_after_the_match() -> None:
    shown = lines(f"{LONG}\n\nRefunds are paid within 14 days.\n\n{LONG}", "refund")
    assert "Refunds are paid" in shown[1]


def test_matches_are_marked_in_every_form_of_the_word() -> None:
    (line,) = excerpt("The refund, REFUNDS and refunded; not the fund.", frozenset(["refund"]), 80)
    assert [line.plain[span.start : span.end] for span in line.spans] == ["refund", "REFUNDS", "refunded"]


def test_running_text_flows_and_other_lines_stay() -> None:
    wrapped = "A line of running text that was broken by its editor at\nsome column goes on.\nname  price\nbread 3.50"
    assert lines(wrapped, width=100) == [
        "A line of running text that was broken by its editor at some column goes on.",
        "name  price",
        "bread 3.50",
    ]


def test_code_keeps_its_lines() -> None:
    code = "    import something_with_a_rather_long_name_for_once\n    from there import here"
    shown = [line.plain for line in excerpt(code, frozenset(), 80, flows=False)]
    assert shown == ["import something_with_a_rather_long_name_for_once", "from there import here"]


def test_a_long_line_of_code_goes_on_as_far_in_as_it_began() -> None:
    code = "def pay(order):\n\tif order.is_open and order.was_delivered and order.has_an_address:\n\t\treturn True"
    shown = [line.plain for line in excerpt(code, frozenset(["order"]), 50, flows=False)]
    assert shown == [
        "def pay(order):",
        "    if order.is_open and order.was_delivered and",
        "    order.has_an_address:",
        "        return True",
    ]


def test_an_excerpt_is_only_text() -> None:
    assert lines("\x1b[31mred\x1b[0m [bold]x[/bold]") == ["\ufffd[31mred\ufffd[0m [bold]x[/bold]"]


def test_a_text_without_spaces_is_wrapped_too() -> None:
    assert all(len(line) <= 32 for line in lines("返金は十四日以内に支払われます。" * 20, width=30))


def test_a_place_in_code_names_what_is_defined_there() -> None:
    from cli.output import as_json
    from connectors.document import Location, Symbol

    place = Location(0, 9, 12, 30, headings=("cart", "Cart", "total"), symbol=Symbol("Cart.total", "method"))
    said = as_json.encoded(place)
    assert (said["text"], said["symbol"]) == ("Cart.total, lines 12-30", {"name": "Cart.total", "kind": "method"})
    assert as_json.encoded(Location(0, 9, 1, 1))["symbol"] is None
