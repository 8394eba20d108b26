"""A file as a Document: its title, its modification time, and how much of it is read."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from connectors.document import CODE, FILE_NAME, Document, DocumentName, MetadataValue
from connectors.formats import PARSER_VERSION
from connectors.source import Options

MAX_BYTES = 100 * 1024 * 1024
"""Files larger than this are reported instead of read, unless the source is told otherwise."""

DEFAULTS: Options = {"use_ignore": True, "include": [], "exclude": [], "max_bytes": MAX_BYTES, "vendored": False}


def file_document(
    uri: str, name: Path, folder: str, data: bytes, revision: str, metadata: Mapping[str, MetadataValue]
) -> Document:
    """The document in a file called `name`, in `folder` of its source, with what else is known of it.

    Raises `SourceError` naming the file when it cannot be read.
    """
    from connectors.formats import parse

    parsed = parse(data, name)
    return Document(
        uri=uri,
        title=parsed.title or name.name,
        text=parsed.text,
        kind=parsed.kind,
        revision=revision,
        metadata={
            **parsed.metadata,
            "filename": name.name,
            "extension": name.suffix.lower().removeprefix("."),
            "folder": folder,
            "size": len(data),
            **metadata,
        },
        context=parsed.title,
        blocks=parsed.blocks,
        pages=parsed.pages,
        names=parsed.names if parsed.kind == CODE else (*parsed.names, DocumentName(name.stem, FILE_NAME)),
        places=parsed.places,
        has_lines=parsed.has_lines,
    )


def revision_of(data: bytes) -> str:
    """What tells one content of a file, read by this version of the parsers, from another."""
    return hashlib.blake2b(data, digest_size=20, person=str(PARSER_VERSION).encode()).hexdigest()


def printable(path: str) -> str:
    """A path as it can be stored and shown: names are bytes, and not all of them are text."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
