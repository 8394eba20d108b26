from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from connectors.document import BlockKind
from connectors.errors import SourceError
from connectors.formats import parse
from tests.connectors.samples import make

BODY = ["The pilot fish swims with the shark.", "It eats what the shark leaves and keeps it clean."]


def page(heading: str, *lines: str) -> list[tuple[str, float]]:
    return [(heading, 18), ("", 11), *((line, 11) for line in lines)]


def test_pages_headings_and_paragraphs() -> None:
    data = make.pdf([page("Pilot fish", *BODY), page("Sharks", "A shark is large.", "", "It is rarely alone.")])
    parsed = parse(data, Path("a.pdf"))
    assert parsed.text == (
        "Pilot fish\n\nThe pilot fish swims with the shark.\nIt eats what the shark leaves and keeps it clean.\n\n"
        "Sharks\n\nA shark is large.\n\nIt is rarely alone."
    )
    assert parsed.pages == (0, parsed.text.index("Sharks"))
    headings = [(b.level, b.label) for b in parsed.blocks if b.kind is BlockKind.HEADING]
    assert headings == [(1, "Pilot fish"), (1, "Sharks")]
    assert parsed.title == ""  # the first of two sections
    assert parsed.metadata["pages"] == 2


def test_a_heading_of_two_lines_is_one() -> None:
    lines = [("A heading too long", 18), ("for a single line", 18), ("", 11), *((line, 11) for line in BODY * 3)]
    parsed = parse(make.pdf([lines]), Path("a.pdf"))
    assert parsed.title == "A heading too long for a single line"


def test_a_sentence_that_runs_over_a_page_stays_one() -> None:
    first, second = ("Sharks", *BODY, "And then it"), "swims away. The end."
    parsed = parse(make.pdf([page(*first), [(second, 11)]]), Path("a.pdf"))
    assert "And then it\nswims away." in parsed.text
    assert parsed.pages[1] == parsed.text.index("swims away")


@pytest.mark.parametrize(
    ("claimed", "title"),
    [
        ("Fish of the open sea", "Fish of the open sea"),
        ("untitled", "Pilot fish"),
        ("\\(anonymous\\)", "Pilot fish"),
        ("Microsoft Word - report-final2.doc", "Pilot fish"),
        ("report_final.indd", "Pilot fish"),
        ("the file", "Pilot fish"),
        ("20240229", "Pilot fish"),
    ],
)
def test_the_title_is_never_what_a_program_made_up(claimed: str, title: str) -> None:
    parsed = parse(make.pdf([page("Pilot fish", *BODY)], title=claimed), Path("The file.pdf"))
    assert parsed.title == title
    assert (parsed.metadata["author"], parsed.metadata["created"]) == ("A. Writer", "2024-02-29")


def test_running_heads_are_not_part_of_the_text() -> None:
    def numbered(number: int) -> list[tuple[str, float]]:
        lines = [f"Text of page {word}." for word in ("one", "two", "three", "four", "five")]
        end = f"It eats what the {['shark', 'boat', 'whale', 'tide', 'cook'][number]} leaves."
        return [("The Journal of Fish", 9), (lines[number], 11), (BODY[0], 11), (end, 11), (f"Page {number}", 9)]

    text = parse(make.pdf([numbered(number) for number in range(5)]), Path("a.pdf")).text
    assert text.count("The Journal of Fish") == 1
    assert "Page 3" not in text
    assert "Text of page four." in text
    assert text.count("It eats what") == 5


def test_a_pdf_is_recognised_under_any_name() -> None:
    assert parse(make.pdf([page("Pilot fish", *BODY)]), Path("a.txt")).kind == "pdf"


@pytest.mark.parametrize(
    ("data", "reason", "hint"),
    [
        (make.pdf([page("Secret")], encrypted=True), "encrypted", "password"),
        (make.pdf([[]]), "no text", "ocrmypdf"),
        (b"%PDF-1.7\nthis was a PDF once", "damaged", "qpdf"),
        (make.pdf([page("Pilot fish", *BODY)])[:60], "damaged", "qpdf"),
        (bytes(range(256)) * 4, "its name says PDF", "exclude"),
        (bytes(5000), "zero bytes", "backup"),
    ],
)
def test_a_pdf_that_cannot_be_read_says_why(data: bytes, reason: str, hint: str) -> None:
    with pytest.raises(SourceError, match=reason) as caught:
        parse(data, Path("report.pdf"))
    assert str(caught.value).startswith("report.pdf: ")
    assert hint in caught.value.hint


def test_a_truncated_pdf_gives_what_is_left_or_an_error() -> None:
    data = make.pdf([page("Pilot fish", *BODY)] * 3)
    for cut in range(0, len(data), 97):
        try:
            parse(data[:cut] or b"%PDF-", Path("a.pdf"))
        except SourceError:
            continue


def test_several_threads_may_read_pdfs_at_once() -> None:
    data = make.pdf([page("Pilot fish", *BODY)] * 5)
    with ThreadPoolExecutor(4) as pool:
        texts = {parsed.text for parsed in pool.map(lambda _: parse(data, Path("a.pdf")), range(24))}
    assert len(texts) == 1


@pytest.mark.parametrize(
    ("text", "name", "kind"),
    [
        ('MAGIC = b"%PDF-1.7"\n', "sniff.py", "code"),
        ("%PDF-1.4 is how a PDF begins; é is no ASCII.\n" * 60, "notes.txt", "text"),
        ("# Formats\n\nA PDF begins with `%PDF-`.\n", "formats.md", "markdown"),
    ],
)
def test_a_text_that_says_how_a_pdf_begins_is_a_text(text: str, name: str, kind: str) -> None:
    parsed = parse(text.encode(), Path(name))
    assert (parsed.kind, parsed.text) == (kind, text)


def test_a_pdf_that_is_called_a_text_is_a_pdf() -> None:
    data = make.pdf([[("Pilot fish swim.", 11)]])
    binary = data.replace(b"\n", b"\n%\xe2\xe3\xcf\xd3\n", 1)  # as every writer of PDF marks that bytes follow
    assert parse(binary, Path("a.txt")).kind == "pdf"


FONT = "/Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >>"
TEXT = "BT /F1 11 Tf 72 700 Td (Pilot fish swim.) Tj ET "


def written(*objects: str) -> bytes:
    """A PDF of these objects; the first is its catalogue."""
    data = "%PDF-1.7\n" + "".join(f"{number} 0 obj\n{text}\nendobj\n" for number, text in enumerate(objects, 1))
    return f"{data}trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\n%%EOF".encode()


def stream(content: str, entries: str = "") -> str:
    return f"<< /Length {len(content)} {entries} >>\nstream\n{content}\nendstream"


def of_one_page(kids: str, count: int, *more: str, content: str = TEXT, resources: str = "") -> bytes:
    """A PDF whose tree of pages is made of one page: `3 0 R`, under the tree `2 0 R`."""
    page = (
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 800] /Resources << {FONT} {resources} >> /Contents 4 0 R >>"
    )
    tree = f"<< /Type /Pages /Kids [{kids}] /Count {count} >>"
    return written("<< /Type /Catalog /Pages 2 0 R >>", tree, page, stream(content), *more)


def test_a_page_named_a_hundred_thousand_times_is_told() -> None:
    data = of_one_page("3 0 R " * 100_000, 100_000)
    parsed = parse(data, Path("a.pdf"))
    assert "Pilot fish swim." in parsed.text
    assert str(parsed.metadata["left_out"]).endswith("of 100,000")
    assert len(parsed.pages) < 5_000


@pytest.mark.parametrize("count", [1, 100_000, 2_000_000_000])
def test_a_tree_of_pages_that_holds_itself_is_read_once(count: int) -> None:
    assert parse(of_one_page("2 0 R 2 0 R 3 0 R", count), Path("a.pdf")).text.startswith("Pilot fish swim.")


def test_a_tree_of_pages_of_very_many_levels_ends_in_an_error() -> None:
    levels = [f"<< /Type /Pages /Kids [{number} 0 R] /Count 1 >>" for number in range(3, 20_003)]
    with pytest.raises(SourceError, match=r"^a\.pdf: "):
        parse(written("<< /Type /Catalog /Pages 2 0 R >>", *levels), Path("a.pdf"))


@pytest.mark.parametrize("drawn", [5, 6], ids=["itself", "each other"])
def test_forms_that_draw_themselves_are_ended_by_what_their_size_allows(drawn: int) -> None:
    def form(other: int) -> str:
        return stream(
            "/X Do " * 20,
            f"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X {other} 0 R >> >>",
        )

    data = of_one_page("3 0 R", 1, form(drawn), form(5), content=TEXT + "/X Do", resources="/XObject << /X 5 0 R >>")
    with pytest.raises(SourceError, match=r"^a\.pdf: it(s parser took longer than 5 seconds| crashes its parser)"):
        parse(data, Path("a.pdf"))
    assert parse(of_one_page("3 0 R", 1), Path("a.pdf")).text == "Pilot fish swim."


@pytest.mark.parametrize("length", ["0", "2147483647", "-1", "99999999999999999999"])
def test_a_length_that_lies_ends_in_text_or_in_an_error(length: str) -> None:
    data = of_one_page("3 0 R", 1).replace(f"/Length {len(TEXT)}".encode(), f"/Length {length}".encode())
    try:
        text = parse(data, Path("a.pdf")).text
    except SourceError as error:
        text = str(error)
    assert text.startswith(("Pilot fish swim.", "a.pdf: it contains no text"))
