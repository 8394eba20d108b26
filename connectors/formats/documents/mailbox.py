"""Mailboxes: mbox files and the folders of Thunderbird, which keep many messages in one file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import process_time

from connectors.document import LEFT_OUT, BlockKind
from connectors.errors import SourceError
from connectors.formats.documents.mail import ParseAttachment, read_letter
from connectors.formats.limits import seconds_for, text_for
from connectors.parsed import Parsed, TextBuilder, one_line

# A message begins with a line that names its sender and the time, and goes on with a header. Some programs write no
# time; where one is written, a line without it is a sentence: "From the board".
_BEGINNING = re.compile(rb"^From [^\r\n]{0,200}\d\d:\d\d[^\r\n]{0,100}\r?\n(?=>?[A-Za-z][\w-]*:)", re.MULTILINE)
_TIMELESS_BEGINNING = re.compile(rb"^From [^\r\n]{0,300}\r?\n(?=>?[A-Za-z][\w-]*:)", re.MULTILINE)
_ESCAPED = re.compile(rb"^>(>*From )", re.MULTILINE)
_STATUS = re.compile(rb"^X-Mozilla-Status: *([0-9A-Fa-f]{4})\s*$", re.MULTILINE)
_DELETED = 0x0008  # a message that Thunderbird shows no more, and will take out of the file
_HEAD = 4000  # bytes in which the status is looked for
_SHARE_OF_TIME = 0.5  # of what the file may take: the rest is for messages whose attachments are not read any more
_MOST_TOLD = 5  # messages whose left-out parts are named


def parse_mailbox(data: bytes, parse: ParseAttachment) -> Parsed:
    """All messages, each below its subject; one that cannot be read is named, and the others are read."""
    builder = TextBuilder(text_for(len(data)))
    missing: list[str] = []
    count = 0
    end = process_time() + _SHARE_OF_TIME * seconds_for(len(data))
    for count, message in enumerate(_messages(data), 1):
        if not builder.room:
            builder.leave_rest_out()
            break
        part = _read(message, parse if process_time() < end else _skip, builder.room)
        builder.place("", "message", count)
        builder.heading(part.title or f"Message {count}", 1)
        builder.embed(_below(part))
        if LEFT_OUT in part.metadata:
            missing.append(f"in message {count:,} {part.metadata[LEFT_OUT]}")
    for what in missing[:_MOST_TOLD]:
        builder.leave_out(what)
    if len(missing) > _MOST_TOLD:
        builder.leave_out(f"parts of {len(missing) - _MOST_TOLD:,} more messages")
    return builder.build("mailbox", metadata={"messages": count})


def _messages(data: bytes) -> Iterator[bytes]:
    """The messages, as they were before they were put into one file, without deleted ones."""
    pattern = _BEGINNING if _BEGINNING.search(data) else _TIMELESS_BEGINNING
    beginnings = [found for found in pattern.finditer(data) if _is_set_off(data, found.start())]
    ends = [found.start() for found in beginnings[1:]] + [len(data)]
    for found, end in zip(beginnings, ends, strict=False):
        message = _ESCAPED.sub(rb"\1", data[found.end() : end])
        status = _STATUS.search(message[:_HEAD])
        if status is None or not int(status[1], 16) & _DELETED:
            yield message


def _is_set_off(data: bytes, start: int) -> bool:
    """Whether nothing or an empty line is in front of a place."""
    before = data[max(start - len(b"\r\n\r\n"), 0) : start]
    return before.endswith((b"\n\n", b"\n\r\n")) or not before.strip()


def _skip(_data: bytes, path: Path) -> Parsed:
    raise SourceError(f"{path.name}: the attachments of this mailbox take too long to read")


def _read(message: bytes, parse: ParseAttachment, room: int) -> Parsed:
    builder = TextBuilder(room)
    try:
        return read_letter(message, builder).parsed("email", parse, builder)
    except SourceError as error:
        return Parsed("", "email", metadata={LEFT_OUT: one_line(str(error))})


def _below(part: Parsed) -> Parsed:
    """A message whose headings stand below its subject."""
    blocks = (
        replace(block, level=block.level + 1) if block.kind is BlockKind.HEADING else block for block in part.blocks
    )
    metadata = {name: value for name, value in part.metadata.items() if name != LEFT_OUT}
    return replace(part, blocks=tuple(blocks), metadata=metadata)
