"""The rows of the catalog as typed data, on their way in and on their way out."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

from connectors.document import Location, Metadata, MetadataValue


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A document as it goes into the catalog."""

    id: int
    source_id: int
    uri: str
    title: str
    kind: str
    language: str
    revision: str
    stamp: str
    metadata: Metadata


@dataclass(frozen=True, slots=True)
class ChunkRow:
    """A chunk as it goes into the catalog. `text_hash` identifies the indexed text (context and text)."""

    id: int
    document_id: int
    text: str
    context: str
    location: Location
    text_hash: bytes


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A chunk read back, with what a hit needs of its document."""

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
        return f"{self.context}\n{self.text}" if self.context else self.text


@dataclass(frozen=True, slots=True)
class SourceCount:
    """A registered source and how much is indexed of it."""

    uri: str
    documents: int
    chunks: int


def stored_chunk(row: Any) -> StoredChunk:
    """A chunk from a result row that joins chunks and documents."""
    metadata: dict[str, MetadataValue] = json.loads(row.metadata)
    return StoredChunk(
        id=row.id,
        text=row.text,
        context=row.context,
        location=load_location(row.location),
        uri=row.uri,
        title=row.title,
        kind=row.kind,
        language=row.language,
        metadata=metadata,
    )


def dump_metadata(metadata: Metadata) -> str:
    """Metadata as it is stored: JSON, which has no NaN and no infinity, so those are kept as text."""
    values = {
        key: str(value) if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in metadata.items()
    }
    return json.dumps(values, ensure_ascii=False)


def dump_location(at: Location) -> str:
    """A location as it is stored: a JSON list, which is a third of the object's size."""
    return json.dumps(
        [at.start, at.end, at.line_start, at.line_end, at.page_start, at.page_end, *at.headings], ensure_ascii=False
    )


def load_location(dumped: str) -> Location:
    """The location that `dump_location` stored."""
    start, end, line_start, line_end, page_start, page_end, *headings = json.loads(dumped)
    return Location(start, end, line_start, line_end, page_start, page_end, tuple(headings))
