"""Any file to text: detects the format by content, parses it with a fitting library, and names every failure."""

from __future__ import annotations

from pathlib import Path

from connectors.parsed import Parsed

__all__ = ["PARSER_VERSION", "Parsed", "parse"]

PARSER_VERSION = 4
"""Raised whenever the same bytes come to give another text, so that files are read again."""


def parse(data: bytes, path: Path) -> Parsed:
    r"""The content of a file, whatever its name claims it to be.

    Raises `SourceError` naming the file and the reason when it cannot be read.

    >>> parse(b"# Tides\n\nTwice a day.\n", Path("sea.md")).title
    'Tides'
    """
    # A run that finds nothing changed needs no parser, and they take a while to import.
    from connectors.formats.dispatch import parse_file

    return parse_file(data, path)
