"""Reads the text files of an evaluation line by line, so that every error names file and line."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from connectors.errors import SourceError

_BOM = b"\xef\xbb\xbf"


def read_lines(file: Path, hint: str = "") -> Iterator[tuple[str, str]]:
    """Where it stands (`FILE, line N`) and the text of every line that is not blank; `.gz` is unpacked.

    Args:
        file: a UTF-8 file.
        hint: what to do when it is not there.

    Raises:
        SourceError: the file is missing or unreadable, or a line is not UTF-8.
    """
    for number, line in enumerate(read_bytes(file, hint), 1):
        where = f"{file}, line {number}"
        try:
            text = line.removeprefix(_BOM if number == 1 else b"").decode()
        except UnicodeDecodeError as error:
            raise SourceError(
                f"{where}: not UTF-8 ({error.reason} at byte {error.start + 1})",
                hint="convert the file: iconv -f latin1 -t utf-8 FILE > COPY",
            ) from error
        if text.strip():
            yield where, text.rstrip("\r\n")


def read_bytes(file: Path, hint: str = "") -> Iterator[bytes]:
    """The raw lines of a file; `.gz` is unpacked.

    Raises:
        SourceError: the file is missing or unreadable.
    """
    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as lines:
            yield from lines
    except FileNotFoundError as error:
        raise SourceError(f"{file} does not exist", hint=hint) from error
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SourceError(f"{file} cannot be read: {reason}", hint="give a readable file") from error


def read_records(file: Path, hint: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Where it stands and the object, for every line of a JSONL file.

    Raises:
        SourceError: for a file that is missing or unreadable, or a line that is not a JSON object.
    """
    for where, line in read_lines(file, hint):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise SourceError(f"{where}: not JSON ({error})", hint="each line must be one JSON object") from error
        if not isinstance(record, dict):
            raise SourceError(f"{where}: not a JSON object", hint="each line must be one JSON object")
        yield where, record
