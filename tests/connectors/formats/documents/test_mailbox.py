from __future__ import annotations

import mailbox
from email.message import EmailMessage
from pathlib import Path

import pytest

from connectors.document import LEFT_OUT, BlockKind
from connectors.formats import Parsed, parse
from tests.connectors.samples import make


def letter(subject: str, body: str, encoding: str = "quoted-printable") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Ines <ines@example.org>"
    message["To"] = "team@example.org"
    message["Subject"] = subject
    message["Date"] = "Tue, 04 Mar 2025 09:12:00 +0100"
    message.set_content(body, cte=encoding)
    return message


@pytest.fixture
def messages() -> list[EmailMessage]:
    plan = letter("Liftplan für März", "Für die Überführung brauchen wir größere Gurte.\n")
    invoice = letter("Crane invoice", "The crane costs 1,850 euros a day.\n\nFrom the board: yes.\nFrom me: no.\n")
    invoice.add_attachment(b"item,euros\ncrane,1850\n", maintype="text", subtype="csv", filename="costs.csv")
    return [plan, invoice, letter("Re: Crane invoice", "Approved. Book it with Hansen.\n", "base64")]


def box(path: Path, messages: list[EmailMessage]) -> bytes:
    """An mbox file, written by the standard library."""
    written = mailbox.mbox(path)
    for message in messages:
        written.add(message)
    written.close()
    return path.read_bytes()


def headings(parsed: Parsed) -> list[tuple[int, str]]:
    return [(block.level, block.label) for block in parsed.blocks if block.kind is BlockKind.HEADING]


@pytest.mark.parametrize("name", ["archive.mbox", "Inbox", "Sent.txt.mbox", "old.mbx"])
def test_every_message_is_read_below_its_subject(tmp_path: Path, messages: list[EmailMessage], name: str) -> None:
    parsed = parse(box(tmp_path / "box", messages), Path(name))
    assert (parsed.kind, parsed.metadata["messages"]) == ("mailbox", 3)
    assert headings(parsed) == [
        (1, "Liftplan für März"),
        (1, "Crane invoice"),
        (2, "Attachment: costs.csv"),
        (1, "Re: Crane invoice"),
    ]
    for said in ("größere Gurte", "crane,1850", "Book it with Hansen.", "From the board: yes.\nFrom me: no."):
        assert said in parsed.text
    assert [(place.unit, place.first) for place in parsed.places] == [("message", 1), ("message", 2), ("message", 3)]
    assert parsed.text[parsed.places[2].start :].startswith("Re: Crane invoice")
    for block in parsed.blocks:
        if block.kind is BlockKind.HEADING:
            assert parsed.text[block.start : block.end] == block.label


def test_a_folder_of_thunderbird_without_what_was_deleted(messages: list[EmailMessage]) -> None:
    status = ["0001", "0009", "0000"]
    data = b"".join(
        f"From - Tue Mar 04 09:12:00 2025\r\nX-Mozilla-Status: {code}\r\n".encode()
        + message.as_bytes().replace(b"\n", b"\r\n")
        + b"\r\n"
        for code, message in zip(status, messages, strict=True)
    )
    parsed = parse(data, Path("Inbox"))
    assert [label for _, label in headings(parsed)] == ["Liftplan für März", "Re: Crane invoice"]


def test_one_bad_message_is_named_and_the_others_are_read(tmp_path: Path, messages: list[EmailMessage]) -> None:
    messages[0].add_attachment(b"%PDF-1.4 cut", maintype="application", subtype="pdf", filename="c.pdf")
    secret = EmailMessage()
    secret["Subject"] = "Secret"
    secret["Content-Type"] = 'multipart/encrypted; boundary="x"'
    parsed = parse(box(tmp_path / "box", [messages[0], secret, messages[2]]), Path("a.mbox"))
    assert parsed.metadata[LEFT_OUT] == (
        "in message 1 an attachment, c.pdf: damaged PDF, it cannot be opened; in message 2 encrypted message"
    )
    assert "Book it with Hansen." in parsed.text


def test_very_many_losses_are_told_in_short(tmp_path: Path) -> None:
    message = letter("Photo", "See the photo.\n")
    message.add_attachment(b"\x89PNG\r\n\x1a\n\0", maintype="image", subtype="png", filename="a.png")
    parsed = parse(box(tmp_path / "box", [message] * 40), Path("a.mbox"))
    told = str(parsed.metadata[LEFT_OUT])
    assert told.count("a.png") == 5
    assert told.endswith("parts of 35 more messages")


def test_headings_of_a_message_stand_below_its_subject(tmp_path: Path) -> None:
    message = letter("News", "x")
    message.set_content("<h1>Prices</h1><p>They rise.</p>", subtype="html")
    message.add_attachment(
        make.pdf([[("Contract", 20), ("About cod.", 11)]]), maintype="application", subtype="pdf", filename="c.pdf"
    )
    parsed = parse(box(tmp_path / "box", [message, letter("Next", "Bye.\n")]), Path("a.mbox"))
    assert {level for level, label in headings(parsed) if label not in {"News", "Next"}} == {2}
    assert "About cod." in parsed.text


@pytest.mark.parametrize(
    "data",
    [
        b"From nobody\nSubject: a\n\nfirst\n\nFrom nobody\nSubject: b\n\nsecond\n",
        (
            b"From a@b Tue Mar 04 09:12:00 2025\r\nSubject: a\r\n\r\nfirst\r\n\r\n"
            b"From a@b Tue Mar 04 09:12:00 2025\r\nSubject: b\r\n\r\nsecond"
        ),
        (
            b"\n\nFrom a@b Tue Mar 04 09:12:00 2025\nSubject: a\n\nfirst\n\n>From here on\n\n"
            b"From a@b 09:12\nSubject: b\n\nsecond\n"
        ),
    ],
)
def test_mailboxes_of_many_programs(data: bytes) -> None:
    parsed = parse(data, Path("a.mbox"))
    assert [label for _, label in headings(parsed)] == ["a", "b"]
    assert "first" in parsed.text
    assert "second" in parsed.text
    assert ">From" not in parsed.text


def test_a_text_that_begins_like_a_message_is_none() -> None:
    text = "From the harbour at 09:30 we saw\nthe ferry: it was late.\n"
    assert parse(text.encode(), Path("notes")).kind == "text"
    assert parse(b"From 10:00\nNote: bring cake\n", Path("a.txt")).kind == "text"


def test_hostile_mailboxes_are_read_within_limits() -> None:
    line = b"From a@b 09:12\nSubject: a\n\n"
    assert parse(line * 20_000, Path("a.mbox")).metadata["messages"] == 20_000
    assert parse(b"From " + b"00:" * 500_000 + b"\nSubject: a\n\nsaid\n", Path("a.mbox")).kind in {"mailbox", "email"}
