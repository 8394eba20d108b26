"""EML and Outlook MSG: sender, recipients, subject, body and attachments."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from email.message import EmailMessage, MIMEPart
from email.parser import BytesParser
from email.policy import EmailPolicy
from email.utils import parsedate_to_datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple, cast

from connectors.document import BlockKind
from connectors.encoding import BinaryContentError, decode
from connectors.errors import SourceError
from connectors.formats.limits import text_for
from connectors.formats.markup.webpage import parse_html
from connectors.formats.sniff import OpaqueContentError
from connectors.parsed import Parsed, TextBuilder, one_line
from connectors.summaries import shortened

ParseAttachment = Callable[[bytes, Path], Parsed]
"""How an attached file is parsed; raises `SourceError` for what cannot be read."""

Part = MIMEPart | EmailMessage

_MAX_PARTS = 200  # attachments that are read
_MAX_BODIES = 500  # parts of any kind that are looked at
_NEW_WORDS = 0.15  # the share of words that make one version of a message fuller than another
_WORD = re.compile(r"\w+")
_OUTLOOK_PICTURE = re.compile(r"image\d{3}\.\w+")  # of the body: its program numbers them
_TAG = re.compile(r"<[^<>]*>")
_MAX_NAME = 40  # characters of the name of a header, when it is told
_WIDE = ("utf-16", "utf-32", "utf16", "utf32", "ucs")  # encodings with zero bytes
_MAX_HEADER = 4000  # characters as sent: the parsers of headers take the square of that
_ENCRYPTED_FILES = (".p7m", ".pgp-encrypted")
_ENCRYPTED = ("application/pkcs7-mime", "application/x-pkcs7-mime", "multipart/encrypted")


class _Body:
    """A part of a message that is shown; one of HTML is parsed when somebody asks what it says, and once."""

    def __init__(self, content: str, *, is_html: bool) -> None:
        self.content = content
        self.is_html = is_html

    @cached_property
    def parsed(self) -> Parsed:
        """What it says."""
        return parse_html(self.content) if self.is_html else _plain(self.content)


class Letter(NamedTuple):
    """A message, whatever format it came in."""

    fields: dict[str, str]
    body: Parsed
    attachments: list[tuple[str, bytes]]
    shown: frozenset[str] = frozenset()  # the names of pictures that stand in the body

    def parsed(self, kind: str, parse: ParseAttachment, builder: TextBuilder) -> Parsed:
        """The message as text: who wrote to whom, the body, and what its attachments say."""
        fields = {name: one_line(value)[:_MAX_HEADER] for name, value in self.fields.items()}
        names = ", ".join(one_line(name) or "unnamed" for name, _ in self.attachments)
        lines = [f"{name}: {value}" for name, value in {**fields, "Attachments": names}.items() if value]
        builder.paragraph("\n".join(lines))
        builder.embed(self.body)
        if len(self.attachments) > _MAX_PARTS:
            builder.leave_out(f"attachments beyond {_MAX_PARTS} of {len(self.attachments):,}")
        for name, data in self.attachments[:_MAX_PARTS]:
            part = self._attachment(name, data, parse, builder)
            if part.text.strip():
                builder.heading(f"Attachment: {name}", 1)
            builder.embed(part)
        people = {name.lower(): fields[name] for name in ("From", "To", "Cc")}
        metadata = {**people, "date": _iso_date(fields["Date"]), "attachments": names}
        return builder.build(kind, fields["Subject"], metadata)

    def _attachment(self, name: str, data: bytes, parse: ParseAttachment, builder: TextBuilder) -> Parsed:
        """What an attached file says; where it cannot be read that is left out, for the message itself can."""
        try:
            return parse(data, Path(one_line(name) or "unnamed"))
        except SourceError as error:
            if not (isinstance(error, OpaqueContentError) and name in self.shown):
                builder.leave_out(f"an attachment, {error}")
            return Parsed("", "")


class _BoundedPolicy(EmailPolicy):
    """Reads headers of a bounded length, each once.

    The library's parser takes gigabytes for some ten thousand encoded words, and reads a header for every question.
    """

    cut: set[str]  # the names of headers that were longer, or nest comments too deep

    def __init__(self) -> None:
        super().__init__(message_factory=EmailMessage, refold_source="none")
        object.__setattr__(self, "cut", set())  # a policy keeps its attributes from being set
        object.__setattr__(self, "header_fetch_parse", lru_cache(maxsize=1000)(self._read))

    def _read(self, name: str, value: str) -> Any:
        try:
            return super().header_fetch_parse(name, value)
        except RecursionError:
            self.cut.add(name[:_MAX_NAME].title())
            return super().header_fetch_parse(name, "")

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        """The name of a header and its value, up to the last whole word."""
        name, value = super().header_source_parse(sourcelines)
        if len(value) > _MAX_HEADER:
            self.cut.add(name[:_MAX_NAME].title())
            value = " ".join(value[:_MAX_HEADER].rsplit(None, 1)[:1])
        return name, value


def parse_eml(data: bytes, parse: ParseAttachment) -> Parsed:
    """An RFC 822 message: the fullest of its bodies; attachments are parsed where they can be."""
    builder = TextBuilder(text_for(len(data)))
    return read_letter(data, builder).parsed("email", parse, builder)


def parse_emlx(data: bytes, parse: ParseAttachment) -> Parsed:
    """A message as Apple Mail keeps it: its length, the message, then what the program notes about it."""
    length, _, rest = data.partition(b"\n")
    return parse_eml(rest[: int(length)], parse)


def read_letter(data: bytes, builder: TextBuilder) -> Letter:
    """The message in `data`; `builder` is told what of it is left out."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in data[:64]:
        data = decode(data).text.encode()
    policy = _BoundedPolicy()
    message = cast("EmailMessage", BytesParser(policy=policy).parsebytes(data.lstrip(b"\r\n")))
    if message.get_content_type() in _ENCRYPTED:
        raise _encrypted()
    bodies, attached = _parts(message, builder, iter(range(_MAX_BODIES)))
    body = TextBuilder(text_for(len(data)))
    for part in bodies:
        body.embed(part.parsed)
    fields = {name: _header(message, name) for name in ("Subject", "From", "To", "Cc", "Date")}
    attachments = [(_name(part), _payload(part)) for part in attached]
    shown = frozenset(_name(part) for part in attached if _is_shown(part))
    if policy.cut:
        builder.leave_out(f"what is beyond {_MAX_HEADER:,} characters of {shortened(policy.cut)}, or nests too deep")
    return Letter(fields, body.build("text"), attachments, shown)


def parse_msg(data: bytes, parse: ParseAttachment) -> Parsed:
    """An Outlook message."""
    from oxmsg import Message

    message = Message.load(io.BytesIO(data))
    recipients = ", ".join(f"{one.name} <{one.email_address}>" for one in message.recipients)
    headers = {name.lower(): value for name, value in message.message_headers.items()}
    sent = message.sent_date.isoformat() if message.sent_date else headers.get("date", "")
    fields = {
        "Subject": message.subject,
        "From": message.sender or "",
        "To": headers.get("to", recipients),
        "Cc": headers.get("cc", ""),
        "Date": sent,
    }
    attachments = [(one.file_name or "", one.file_bytes or b"") for one in message.attachments]
    if "SMIME" in message.message_class or any(name.endswith(_ENCRYPTED_FILES) for name, _ in attachments):
        raise _encrypted()
    bodies = [
        _Body(message.body or "", is_html=False),
        _Body(message.html_body or "", is_html=True),
    ]
    body = TextBuilder(text_for(len(data)))
    for part in _fullest([body for body in bodies if body.content.strip()]):
        body.embed(part.parsed)
    shown = frozenset(name for name, _ in attachments if _OUTLOOK_PICTURE.fullmatch(name))
    letter = Letter(fields, body.build("text"), attachments, shown)
    return letter.parsed("outlook", parse, TextBuilder(text_for(len(data))))


def _encrypted() -> SourceError:
    return SourceError("encrypted message", hint="save it decrypted from the mail program")


def _plain(text: str | None) -> Parsed:
    builder = TextBuilder()
    builder.paragraph(text or "")
    return builder.build("text")


def _parts(part: Part, builder: TextBuilder, count: Iterator[int]) -> tuple[list[_Body], list[Part]]:
    """The parts that make the body, of alternatives the fullest, and the attached ones.

    No more parts are looked at than `count` has numbers for.
    """
    if part.get_content_type() == "message/rfc822" or not part.is_multipart():
        is_body = part.get_content_type() in {"text/plain", "text/html"} and not part.is_attachment()
        return ([_body(part)], []) if is_body else ([], [part])
    children = []
    for child in part.iter_parts():
        if next(count, None) is None:
            builder.leave_out(f"parts beyond {_MAX_BODIES}")
            break
        children.append(_parts(child, builder, count))
    bodies = [body for found, _ in children for body in found]
    attached = [one for _, found in children for one in found]
    if part.get_content_type() == "multipart/alternative":
        bodies = _fullest([body for body in bodies if body.content.strip()])
    return bodies, attached


def _fullest(bodies: list[_Body]) -> list[_Body]:
    """Of alternatives the plain text, unless that is a placeholder for the HTML, or has lost its tables."""
    plain = [body for body in bodies if not body.is_html]
    rich = [body for body in bodies if body.is_html]
    if not plain or not rich:
        return plain or rich[:1]
    said = _words(body.content for body in plain)
    # The source has all words of the page, and more: where nothing is new in it, it need not be parsed.
    may_have_tables = any("<table" in body.content.lower() for body in rich)
    if not may_have_tables and len(_words(_TAG.sub(" ", body.content) for body in rich) - said) <= _NEW_WORDS * len(
        said
    ):
        return plain
    shown = _words(body.parsed.text for body in rich)
    is_fuller = len(shown - said) > _NEW_WORDS * len(shown) and len(shown - said) > len(said - shown)
    has_tables = any(block.kind is BlockKind.TABLE for body in rich for block in body.parsed.blocks)
    return rich if is_fuller or (has_tables and len(said - shown) <= _NEW_WORDS * len(said)) else plain


def _words(texts: Iterable[str]) -> set[str]:
    return {word for text in texts for word in _WORD.findall(text.casefold())}


def _body(part: Part) -> _Body:
    charset = part.get_content_charset()
    payload = _payload(part)
    if not (charset or "").startswith(_WIDE):
        payload = payload.replace(b"\x00", b"")  # old programs left them; no letter of these encodings has one
    try:
        text = decode(payload, charset).text
    except BinaryContentError:
        return _Body("[the body of this message is not text]", is_html=False)
    return _Body(text, is_html=part.get_content_type() == "text/html")


def _is_shown(part: Part) -> bool:
    """Whether a part is a picture of the body: a logo, a signature."""
    is_picture = part.get_content_maintype() == "image"
    return is_picture and (part.get("Content-ID") is not None or part.get_content_disposition() == "inline")


def _payload(part: Part) -> bytes:
    """The decoded bytes of a part; nothing where its transfer encoding is broken beyond use."""
    try:
        if part.get_content_type() == "message/rfc822":
            return bytes(part.get_content().as_bytes())
        found = part.get_payload(decode=True)
    except (LookupError, ValueError, TypeError, AttributeError):
        return b""
    return found if isinstance(found, bytes) else b""


def _name(part: Part) -> str:
    if part.get_content_type() == "message/rfc822":
        return f"{_header(part.get_content(), 'Subject') or 'message'}.eml"
    try:
        return part.get_filename() or part.get_content_type()
    except (LookupError, ValueError, TypeError, AttributeError):
        return "unnamed"


def _header(message: Part, name: str) -> str:
    """A header as text; as raw text where the standard library's parser trips over a malformed one."""
    try:
        return str(message.get(name, ""))
    except (LookupError, ValueError, TypeError, AttributeError):
        return next((str(value) for key, value in message.raw_items() if key.lower() == name.lower()), "")


def _iso_date(value: str) -> str:
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            return read(value).isoformat()
        except (ValueError, TypeError, IndexError):
            continue
    return ""
