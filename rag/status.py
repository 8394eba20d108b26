"""The state of a knowledge base: its contents, their sources, and its size."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.source import LeftOut
from indexes.catalog.schema import SCHEMA_VERSION
from rag.indexing.left_out import LEFT_OUT_FACT, load_left_out

if TYPE_CHECKING:
    from indexes.catalog.reading import Reading
    from indexes.catalog.rows import SourceCount
    from rag.retrieval.tuned import Tuning


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """One registered source; `facts` are the state of it that was read last (of a repository, its commit; `notes`).

    `left_out` counts the files and folders that the built-in list, their size or their kind left out.
    """

    uri: str
    documents: int
    chunks: int
    facts: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True)
class Status:
    """The state of a knowledge base; `sizes` maps a part to its bytes, `tuning` is false if everything is default."""

    path: str
    generation: int
    schema_version: int
    documents: int
    chunks: int
    encoder: str
    sources: tuple[SourceStatus, ...]
    sizes: Mapping[str, int]
    tuning: Tuning


def read_status(path: Path, reading: Reading, tuning: Tuning) -> Status:
    """The state of the knowledge base in the folder `path`, whose catalog `reading` reads."""
    generation = reading.generation()
    return Status(
        path=str(path),
        generation=generation,
        schema_version=SCHEMA_VERSION,
        documents=reading.count_documents(generation),
        chunks=reading.count_chunks(generation),
        encoder=reading.setting("encoder_name"),
        sources=tuple(_source(source) for source in reading.count_sources(generation)),
        sizes=sizes_on_disk(path, reading.token_bytes()),
        tuning=tuning,
    )


def _source(counted: SourceCount) -> SourceStatus:
    facts = {name: fact for name, fact in counted.facts.items() if name != LEFT_OUT_FACT}
    return SourceStatus(counted.uri, counted.documents, counted.chunks, facts, load_left_out(counted.facts))


def sizes_on_disk(folder: Path, token_bytes: int) -> dict[str, int]:
    """Bytes on disk by part."""
    catalog = _count_bytes(folder.glob("catalog.sqlite*"))
    # Not Path.rglob, which raises when a writer removes a folder under it.
    parts = {
        part: _count_bytes(Path(at, name) for at, _, names in os.walk(folder / part) for name in names)
        for part in ("sparse", "dense")
    }
    return {"catalog": max(0, catalog - token_bytes), "tokens": token_bytes, **parts}


def _count_bytes(files: Iterable[Path]) -> int:
    total = 0
    for file in files:
        with suppress(FileNotFoundError):  # a writer has removed it meanwhile
            total += file.stat().st_size
    return total
