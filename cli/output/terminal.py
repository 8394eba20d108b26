"""Terminal output: data on stdout, everything else on stderr, control characters neutralised."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from functools import cache
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_READABLE_COLUMNS = 110
_NARROWEST = 20
_LONGEST_MESSAGE = 1_000
_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
# Control characters (escape sequences start with one), overrides of the writing direction, and lone surrogates, which
# is how Python reads a file name that is not valid Unicode.
_UNPRINTABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_UNSAFE_IN_JSON = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    r"""`text` without anything that moves the cursor, changes colours or cannot be encoded.

    >>> printable("a\x1b[31mb\r\nc")
    'a�[31mb\nc'
    """
    return _UNPRINTABLE.sub("\ufffd", _LINE_ENDS.sub("\n", text))


def one_line(text: str) -> str:
    r"""`text` as one printable line.

    >>> one_line(" a\n\n b ")
    'a b'
    """
    return " ".join(printable(text).split())


def shortened(text: str, limit: int) -> str:
    """`text` as one printable line of at most `limit` characters.

    >>> shortened("refunds are paid", 10)
    'refunds …'
    """
    line = one_line(text)
    return line if len(line) <= limit else f"{line[: limit - 2].rstrip()} …"


def near(uri: str) -> str:
    """A path below the current folder, or a file of SQLite there, as it is written there; anything else as it is."""
    here = str(Path.cwd()) + os.sep
    for scheme in ("", "sqlite:///"):
        if uri.startswith(scheme + here) and uri != scheme + here:
            return scheme + uri.removeprefix(scheme + here)
    return uri


def encodable(text: str) -> str:
    """`text` from the command line, with bytes that were no Unicode replaced: models and databases refuse them."""
    return _SURROGATES.sub("\ufffd", text)


def grouped(number: int) -> str:
    """A count as people read it.

    >>> grouped(4210)
    '4 210'
    """
    return f"{number:,}".replace(",", " ")


def in_lines(parts: Sequence[str], width: int | None) -> list[str]:
    """Short texts joined by dots, in lines that end between two of them; in one where there is no width.

    >>> in_lines(["added 3", "failed 1", "0.4 s"], 20)
    ['added 3 · failed 1 ·', '0.4 s']
    """
    lines = [""]
    for place, part in enumerate(parts):
        piece = part if place == len(parts) - 1 else f"{part} ·"
        if lines[-1] and width is not None and len(lines[-1]) + 1 + len(piece) > width:
            lines.append("")
        lines[-1] += f" {piece}" if lines[-1] else piece
    return lines


def tolerate_any_text() -> None:
    """Let printing succeed where the terminal's encoding lacks a character."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


@cache
def data_stream() -> TextIOWrapper:
    """The real stdout, whatever `sys.stdout` is sent to meanwhile; nowhere, when the caller has closed it."""
    return sys.__stdout__ or Path(os.devnull).open("w", encoding="utf-8")


@cache
def stdout() -> Console:
    """The console for data. Markup and emoji codes are off: what is printed comes from documents."""
    from rich.console import Console

    console = Console(file=data_stream(), markup=False, emoji=False, highlight=False)
    console.width = min(console.width, _READABLE_COLUMNS)
    return console


@cache
def stderr() -> Console:
    """The console for progress and messages."""
    from rich.console import Console

    return Console(stderr=True, markup=False, emoji=False, highlight=False)


def put(console: Console, *lines: str | Text) -> None:
    """Print lines of text: to a terminal broken between words, to a program as they are."""
    for line in lines:
        console.print(line, soft_wrap=not console.is_terminal)


def put_behind(console: Console, lead: Text, body: Text) -> None:
    """Print `body` behind `lead`: to a terminal broken between words, and as far in."""
    from rich.text import Text

    lines = body.wrap(console, max(console.width - lead.cell_len, _NARROWEST)) if console.is_terminal else [body]
    for number, line in enumerate(lines):
        if console.is_terminal:
            line.rstrip()
        start = Text(" " * lead.cell_len) if number else lead.copy()
        console.print(start.append_text(line), soft_wrap=True)


def note(message: str) -> None:
    """Print a message of one or more lines for people, on stderr."""
    put(stderr(), printable(message))


def warn(label: str, message: str, hint: str = "") -> None:
    """Print `label: message` and, where there is one, `hint: hint`, on stderr."""
    from rich.text import Text

    put(stderr(), Text.assemble((f"{label}: ", "bold red"), shortened(message, _LONGEST_MESSAGE)))
    _advise(hint)


def caution(message: str, hint: str = "") -> None:
    """Print what did not go as it should have and stopped nothing, and where there is one, `hint: hint`, on stderr."""
    from rich.text import Text

    put_behind(stderr(), Text("⚠ ", "yellow"), Text(shortened(message, _LONGEST_MESSAGE), "yellow"))
    _advise(hint)


def _advise(hint: str) -> None:
    from rich.text import Text

    if hint:
        put_behind(stderr(), Text("hint: ", "bold cyan"), Text(shortened(hint, _LONGEST_MESSAGE)))


def print_json(data: dict[str, Any]) -> None:
    """Print one JSON object on stdout, in UTF-8 whatever the terminal speaks."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, indent=2)
    safe = _UNSAFE_IN_JSON.sub(lambda match: f"\\u{ord(match.group()):04x}", text) + "\n"
    stream = data_stream()
    stream.buffer.write(safe.encode())
    stream.flush()


@contextmanager
def only_data_on_stdout() -> Iterator[None]:
    """Send to stderr what other people's code prints while ours works: a model's module, a parser."""
    with redirect_stdout(sys.stderr):
        yield
