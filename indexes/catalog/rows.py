"""The rows of the catalog as typed data, for reading and writing."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.document import DocumentName, Location, Metadata, MetadataValue, Place, Symbol, with_context
from connectors.source import Facts
from indexes.errors import DamagedError
from indexes.terms.names import normal


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A document to write to the catalog."""

    id: int
    source_id: int
    uri: str
    title: str
    kind: str
    language: str
    revision: str
    stamp: str
    metadata: Metadata
    first_chunk: int
    chunks: int
    names: Sequence[DocumentName] = ()


@dataclass(frozen=True, slots=True)
class ChunkRow:
    """A chunk to write to the catalog. `text_hash` identifies the indexed text (context and text)."""

    id: int
    document_id: int
    text: str
    context: str
    location: Location
    text_hash: bytes


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A chunk read from the catalog, with the fields of its document that a hit needs."""

    id: int
    text: str
    context: str
    location: Location
    uri: str
    title: str
    kind: str
    language: str
    metadata: Metadata

    @property
    def indexed_text(self) -> str:
        """What the indexes see: the context, then the text."""
        return with_context(self.context, self.text)


@dataclass(frozen=True, slots=True)
class SourceCount:
    """A registered source, how much of it is indexed, and its state when last read."""

    uri: str
    documents: int
    chunks: int
    facts: Facts = field(default_factory=dict)


def document_values(row: DocumentRow, born: int) -> dict[str, Any]:
    """A document as the values of its columns."""
    values = {
        "id": row.id,
        "source_id": row.source_id,
        "uri": row.uri,
        "title": row.title,
        "kind": row.kind,
        "language": row.language,
        "revision": row.revision,
        "stamp": row.stamp,
        "metadata": dump_metadata(row.metadata),
        "names": names_checksum(row.names),
        "first_chunk": row.first_chunk,
        "chunks": row.chunks,
        "born": born,
    }
    return values | {"checksum": document_checksum(row.id, values)}


def chunk_values(row: ChunkRow) -> dict[str, Any]:
    """A chunk as the values of its columns."""
    location = dump_location(row.location)
    return {
        "id": row.id,
        "document_id": row.document_id,
        "text": row.text,
        "context": row.context,
        "location": location,
        "text_hash": row.text_hash,
        "checksum": checksum(row.id, row.document_id, row.text, row.context, location, row.text_hash),
    }


def attribute_values(document_id: int, metadata: Metadata) -> list[dict[str, Any]]:
    """The metadata of a document as the rows that filters look up."""
    return [
        {"document_id": document_id, "key": key, "text": attribute_text(value), "number": attribute_number(value)}
        for key, value in metadata.items()
    ]


def name_values(document_id: int, names: Sequence[DocumentName]) -> list[dict[str, Any]]:
    """The names of a document as the rows that are looked up."""
    return [
        {
            "normal": normal(name.text),
            "role": name.role,
            "document_id": document_id,
            "start": name.start,
            "text": name.text,
        }
        for name in names
    ]


def names_checksum(names: Sequence[DocumentName]) -> int:
    """The CRC-32 of the names of a document, in any order; 0 for none."""
    entries = sorted(f"{name.text}\x1e{name.role}\x1e{name.start}" for name in names)
    return checksum(*entries) if entries else 0


def attribute_text(value: MetadataValue) -> str:
    """A metadata value as filters compare it: `true` and `false` as people write them, the rest as it prints."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def attribute_number(value: MetadataValue) -> float | None:
    """The finite number that a metadata value is or reads as, None for any other."""
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def checksum(*values: str | bytes | int) -> int:
    """The CRC-32 of some columns: what tells a damaged row from a good one.

    >>> checksum("a", b"b", 3) == checksum("a", b"b", 3) != checksum("ab", b"", 3)
    True
    """
    parts = [value if isinstance(value, bytes) else str(value).encode("utf-8", "replace") for value in values]
    return zlib.crc32(b"\x1f".join(parts))


def document_checksum(document_id: int, values: Mapping[str, Any]) -> int:
    """The CRC-32 of the columns of a document: neither stamp nor source, which change during its life."""
    return checksum(document_id, *map(values.__getitem__, _LASTING))


def blob_checksum(text_hash: object, blob: object) -> int:
    """The CRC-32 of the vector of a text: another text's vector, which a damaged look-up may fetch, does not fit.

    It is -1, which no CRC-32 is, of what is no bytes.
    """
    if not isinstance(text_hash, bytes) or not isinstance(blob, bytes):
        return -1
    return zlib.crc32(blob, zlib.crc32(text_hash))


def stored_chunk(row: Any) -> StoredChunk:
    """A chunk from a result row that joins chunks and documents.

    Raises:
        DamagedError: the row is not what was written.
    """
    if row.checksum != checksum(row.id, row.document_id, row.text, row.context, row.location, row.text_hash):
        raise DamagedError(f"passage {row.id}")
    if row.document_checksum != document_checksum(row.document_id, row._mapping):
        raise DamagedError(f"document {row.document_id}")
    # Whoever writes a catalog can write checksums that fit: the types are looked at too.
    texts = {name: row._mapping[name] for name in ("text", "context", "uri", "title", "kind", "language")}
    if not all(isinstance(text, str) for text in texts.values()):
        raise DamagedError(f"passage {row.id}")
    metadata = load_metadata(row.metadata, row.document_id)
    try:
        location = load_location(row.location)
    except (ValueError, TypeError, IndexError, RecursionError) as error:
        raise DamagedError(f"the location of passage {row.id}") from error
    return StoredChunk(id=row.id, location=location, metadata=metadata, **texts)


def load_metadata(text: Any, document_id: int) -> dict[str, MetadataValue]:
    """The metadata that `dump_metadata` stored.

    Raises:
        DamagedError: it is none.
    """
    what = f"the metadata of document {document_id}"
    metadata = load_object(text, what)
    if not all(isinstance(value, str | int | float) for value in metadata.values()):
        raise DamagedError(what)
    return metadata


def load_object(text: Any, what: str) -> dict[str, Any]:
    """The JSON object in a column.

    Raises:
        DamagedError: `what` is none.
    """
    try:
        found = json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise DamagedError(what) from error
    if not isinstance(found, dict):
        raise DamagedError(what)
    return found


def dump_metadata(metadata: Metadata) -> str:
    """Metadata as it is stored: JSON, which has no NaN and no infinity, so those are kept as text."""
    values = {
        key: str(value) if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in metadata.items()
    }
    return json.dumps(values, ensure_ascii=False)


def dump_location(at: Location) -> str:
    """A location as it is stored: a JSON list, which is a third of the object's size."""
    symbol = at.symbol and [at.symbol.name, at.symbol.kind, *at.symbol.signature, *at.symbol.docstring]
    row = [at.start, at.end, at.line_start, at.line_end, at.page_start, at.page_end, symbol, *at.headings]
    # Last, and only where the lines are not the file's: most files are text.
    return json.dumps(row if at.has_lines and not at.places else [*row, [at.has_lines, *at.places]], ensure_ascii=False)


def load_location(dumped: str) -> Location:
    """The location that `dump_location` stored.

    Raises:
        ValueError, TypeError, IndexError, RecursionError: it is none.
    """
    start, end, line_start, line_end, page_start, page_end, symbol, *headings = json.loads(dumped)
    code = _symbol(*symbol) if symbol else None
    numbers = (start, end, line_start, line_end, page_start or 0, page_end or 0)
    if not all(isinstance(each, int) for each in numbers) or not 0 <= start <= end:
        raise ValueError(f"no numbers: {numbers}")
    extra: list[Any] = headings.pop() if headings and isinstance(headings[-1], list) else [True]
    if not all(isinstance(each, str) for each in headings):
        raise TypeError(f"no headings: {headings}")
    places = tuple(_place(each) for each in extra[1:])
    return Location(
        start, end, line_start, line_end, page_start, page_end, tuple(headings), code, "", places, bool(extra[0])
    )


def _place(dumped: list[Any]) -> Place:
    start, name, unit, first, last = dumped
    if not all(isinstance(each, int) for each in (start, first, last)) or not isinstance(name + unit, str):
        raise TypeError(f"no place: {name!r}")
    return Place(start, name, unit, first, last)


def _symbol(name: str, kind: str, *spans: int) -> Symbol:
    if not isinstance(name, str) or not isinstance(kind, str) or not all(isinstance(each, int) for each in spans):
        raise TypeError(f"no symbol: {name!r}")
    return Symbol(name, kind, (spans[0], spans[1]), (spans[2], spans[3]))


_LASTING = ("uri", "title", "kind", "language", "revision", "metadata", "names", "first_chunk", "chunks")
