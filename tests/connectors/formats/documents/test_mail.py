from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

import pytest

from connectors.document import BlockKind
from connectors.errors import SourceError
from connectors.formats import parse
from tests.connectors.samples import make


def letter(subject: str = "Catch of the day") -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = "Ann Müller <ann@example.org>"
    message["To"] = "Bob <bob@example.org>"
    message["Date"] = "Thu, 29 Feb 2024 12:00:00 +0100"
    message.set_content("Dear Bob,\n\nthe cod is größer.\n")
    return message


HEAD = (
    "Subject: Catch of the day\nFrom: Ann Müller <ann@example.org>\nTo: Bob <bob@example.org>\n"
    "Date: Thu, 29 Feb 2024 12:00:00 +0100"
)


def test_a_message_has_its_people_date_and_plain_body() -> None:
    message = letter()
    message.add_alternative("<p>Dear Bob, <b>HTML</b></p>", subtype="html")
    parsed = parse(message.as_bytes(), Path("a.eml"))
    assert parsed.text == f"{HEAD}\n\nDear Bob,\n\nthe cod is größer."
    assert (parsed.kind, parsed.title) == ("email", "Catch of the day")
    assert parsed.metadata["from"] == "Ann Müller <ann@example.org>"
    assert parsed.metadata["to"] == "Bob <bob@example.org>"
    assert parsed.metadata["date"] == "2024-02-29T12:00:00+01:00"


@pytest.mark.parametrize("kind", ["plain", "html"])
def test_a_zero_byte_in_the_body_takes_nothing_away(kind: str) -> None:
    head = f"From: a@example.org\nSubject: Delivery\nContent-Type: text/{kind}; charset=utf-8\n\n"
    data = head.encode() + b"The pallets arrive on Thursday\x00 at gate nine.\n"
    assert parse(data, Path("a.eml")).text.endswith("The pallets arrive on Thursday at gate nine.")


def test_the_html_body_is_read_when_there_is_no_plain_text() -> None:
    message = letter()
    message.set_content("<h1>Fish</h1><p>Only HTML</p>", subtype="html")
    assert parse(message.as_bytes(), Path("a.eml")).text.endswith("\n\nFish\n\nOnly HTML")


def test_attachments_are_named_and_read_where_they_can_be() -> None:
    message = letter()
    message.add_attachment(b"# Prices\n\ncod 3\n", maintype="text", subtype="plain", filename="prices.md")
    message.add_attachment(b"\x89PNG\r\n\x1a\n\0", maintype="image", subtype="png", filename="cod.png")
    message.add_attachment(
        make.pdf([[("A contract about cod.", 11)]]), maintype="application", subtype="pdf", filename="c.pdf"
    )
    message.add_attachment(letter("Forwarded fish"))
    parsed = parse(message.as_bytes(), Path("a.eml"))
    assert parsed.metadata["attachments"] == "prices.md, cod.png, c.pdf, Forwarded fish.eml"
    assert "Attachments: prices.md, cod.png, c.pdf, Forwarded fish.eml" in parsed.text
    labels = [block.label for block in parsed.blocks if block.kind is BlockKind.HEADING]
    assert labels == ["Attachment: prices.md", "Prices", "Attachment: c.pdf", "Attachment: Forwarded fish.eml"]
    assert "A contract about cod." in parsed.text
    assert parsed.text.count("the cod is größer.") == 2
    for block in parsed.blocks:
        assert parsed.text[block.start : block.end].strip("# ") == block.label


def test_messages_in_messages_end_somewhere() -> None:
    message = letter("innermost")
    for depth in range(12):
        outer = letter(f"level {depth}")
        outer.add_attachment(message)
        message = outer
    assert "level 11" in parse(message.as_bytes(), Path("a.eml")).text


def test_a_message_without_extension_is_recognised() -> None:
    message = letter()
    message["Message-ID"] = "<1@example.org>"
    assert parse(message.as_bytes(), Path("1700000000.M1P2.host")).kind == "email"


@pytest.mark.parametrize(
    "data",
    [
        b"From: a\nContent-Type: text/plain; charset=no-such\nContent-Transfer-Encoding: base64\n\n@@@@",
        b"Subject: =?utf-8?b?!!!?=\nDate: yesterday\nFrom: <<<>>>, ,;\n\nhi",
        b'Content-Type: multipart/mixed; boundary="x"\n\n--x\n--x\n--x--',
        b"Content-Type: multipart/mixed\n\nno boundary",
        b"Content-Type: text/plain; charset=utf-8\n\n\xff\xfe\xfd hi",
        letter().as_string().encode("utf-16"),
    ],
)
def test_malformed_messages_are_read_as_far_as_they_go(data: bytes) -> None:
    assert parse(data, Path("a.eml")).kind == "email"


def test_an_encrypted_message_says_so() -> None:
    data = b"Subject: x\nContent-Type: multipart/encrypted; boundary=x\n\n--x\n--x--"
    with pytest.raises(SourceError, match=r"a\.eml: encrypted message") as caught:
        parse(data, Path("a.eml"))
    assert caught.value.hint


def test_an_outlook_message() -> None:
    parsed = parse(make.msg("Quarterly figures", "Dear all,\r\nthe cod is größer.\r\n"), Path("a.msg"))
    assert parsed.text == (
        'Subject: Quarterly figures\nFrom: "Ann Sender" <ann@example.org>\n\nDear all,\nthe cod is größer.'
    )
    assert (parsed.title, parsed.kind) == ("Quarterly figures", "outlook")


PARTS = b"From: a@b\nSubject: s\nContent-Type: multipart/mixed; boundary=x\n\n"


@pytest.mark.parametrize(
    ("header", "attachments", "said"),
    [
        (b"Content-Type: text/plain", 0, "parts beyond 500"),
        (
            b"Content-Type: text/plain\nContent-Disposition: attachment; filename=a.txt",
            500,
            "parts beyond 500; attachments beyond 200 of 500",
        ),
    ],
)
def test_of_very_many_parts_the_first_are_read_and_the_rest_is_told(header: bytes, attachments: int, said: str) -> None:
    parsed = parse(PARTS + (b"--x\n" + header + b"\n\nhello\n") * 20_000 + b"--x--\n", Path("a.eml"))
    assert parsed.text.count("hello") == (200 if attachments else 500)
    assert parsed.metadata["left_out"] == said


@pytest.mark.parametrize("name", ["Subject", "To", "Content-Type", "Content-Disposition"])
@pytest.mark.parametrize(
    "unit", ["=?utf-8?q?a?= ", "=?utf-8?q?a?=", "=?utf-8?q?a?= <a@b.c>, ", '"', "((a)", "a,", "a=b;", "a*0*=b;", "\\"]
)
def test_a_header_of_any_length_takes_no_square_of_time(name: str, unit: str) -> None:
    data = f"From: a@b\n{name}: {unit * 50_000}\nX-Last: x\n\nhello\n"
    parsed = parse(data.encode(), Path("a.eml"))
    assert "hello" in parsed.text
    assert f"what is beyond 4,000 characters of {name}, or nests too deep" in str(parsed.metadata["left_out"])
    assert len(parsed.text) < 10_000


@pytest.mark.parametrize(
    "data",
    [
        PARTS + b"--x\nContent-Type: multipart/mixed; boundary=x\n\n" * 20_000 + b"hello",
        b"From: a@b\nContent-Type: multipart/mixed; boundary=" + b"(" * 100_000 + b"\n\nhello\n",
        b"From: a@b\n" + b"To: a@b\n" * 100_000 + b"\nhello\n",
    ],
)
def test_odd_boundaries_and_very_many_headers_are_read(data: bytes) -> None:
    assert parse(data, Path("a.eml")).text


def test_a_thousand_messages_in_messages_are_refused() -> None:
    levels = "Content-Type: message/rfc822\n\n" * 1000
    with pytest.raises(SourceError, match="nested too deep"):
        parse(f"From: a@b\n{levels}From: a@b\n\nhello\n".encode(), Path("a.eml"))


def test_a_thousand_parts_in_parts_are_told() -> None:
    levels = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(1000))
    parsed = parse(f"From: a@b\n{levels}Content-Type: text/plain\n\nhello\n".encode(), Path("a.eml"))
    assert "nests too deep" in str(parsed.metadata["left_out"])


def test_an_attachment_that_cannot_be_read_is_told() -> None:
    message = letter()
    message.add_attachment(b"%PDF-1.4 cut off", maintype="application", subtype="pdf", filename="c.pdf")
    message.add_attachment(b"\x89PNG\r\n\x1a\n\0", maintype="image", subtype="png", filename="cod.png")
    parsed = parse(message.as_bytes(), Path("a.eml"))
    assert parsed.metadata["left_out"] == (
        "an attachment, c.pdf: damaged PDF, it cannot be opened; an attachment, cod.png: a PNG image, not a document"
    )


def test_a_picture_that_the_body_shows_is_no_loss() -> None:
    message = letter()
    message.add_alternative("<p>Dear Bob,<img src='cid:logo'></p>", subtype="html")
    _, html = message.iter_parts()
    assert isinstance(html, EmailMessage)
    html.add_related(b"\x89PNG\r\n\x1a\n\0", maintype="image", subtype="png", cid="<logo>", filename="logo.png")
    assert "left_out" not in parse(message.as_bytes(), Path("a.eml")).metadata


TABLE = "<table><tr><th>Post<th>Euros<tr><td>Scaffold<td>7,300<tr><td>Paint<td>2,150</table>"


@pytest.mark.parametrize(
    ("plain", "html", "read"),
    [
        ("See the table below.", f"<p>See the table below.</p>{TABLE}", "html"),
        ("Your program cannot show this message.", f"<p>Dear Bob, these are the costs:</p>{TABLE}", "html"),
        ("Post Euros Scaffold 7,300 Paint 2,150", TABLE, "html"),
        ("  \n", "<p>Only here.</p>", "html"),
        (
            "Dear Bob, the crane comes at nine.",
            "<p>Dear <b>Bob</b>, the crane comes at nine.",
            "plain",
        ),
        (
            "Dear Bob, the crane comes at nine.",
            "<style>p { color: red; margin: 0 }</style><p>Dear Bob",
            "plain",
        ),
        ("Dear Bob, the crane comes at nine.", "", "plain"),
    ],
)
def test_of_two_versions_the_fuller_one_is_read(plain: str, html: str, read: str) -> None:
    message = letter()
    message.set_content(plain)
    message.add_alternative(html, subtype="html")
    text = parse(message.as_bytes(), Path("a.eml")).text
    assert text.endswith({"plain": plain.strip(), "html": parse(html.encode(), Path("a.html")).text}[read])


def test_a_richer_version_inside_related_parts_is_found() -> None:
    message = letter()
    message.set_content("See below.")
    message.add_alternative(TABLE, subtype="html")
    _, html = message.iter_parts()
    assert isinstance(html, EmailMessage)
    html.add_related(b"\x89PNG\r\n\x1a\n\0", maintype="image", subtype="png", cid="<logo>")
    assert "Paint | 2,150" in parse(message.as_bytes(), Path("a.eml")).text


def test_a_message_of_apple_mail() -> None:
    data = letter().as_bytes()
    kept = str(len(data)).encode() + b"\n" + data + b'<?xml version="1.0"?><plist><dict/></plist>'
    parsed = parse(kept, Path("1234.emlx"))
    assert (parsed.kind, parsed.title) == ("email", "Catch of the day")
    assert "plist" not in parsed.text
