"""The catalog: the one truth of a knowledge base, in SQLAlchemy (SQLite in WAL mode by default).

It holds sources, documents, chunks and the vectors of record. Rows carry the generation in which they were born and
died; generation g sees what was born at or before g and has not died at or before g. Publishing a generation is one
update of one row, so a reader sees all of it or nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from sqlalchemy import (
    Connection,
    and_,
    bindparam,
    delete,
    exc,
    func,
    insert,
    or_,
    select,
    update,
)

from connectors.source import Known
from indexes.errors import NoKnowledgeBaseError, StoreError
from indexes.rows import ChunkRow, DocumentRow, SourceCount, StoredChunk, dump_location, dump_metadata, stored_chunk
from indexes.schema import (
    MIGRATIONS,
    SCHEMA_VERSION,
    alive,
    chunks,
    documents,
    open_engine,
    settings,
    sources,
    token_vectors,
    vectors,
)

_IN_LIMIT = 5_000  # ids bound in one statement; SQLite allows 32,766


T = TypeVar("T")
Vectors = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]


class Catalog:
    """The database behind a knowledge base. Reading and writing happen through `reading()` and `writing()`."""

    def __init__(self, path: Path, *, create: bool) -> None:
        self.path = path
        if not create and not path.exists():
            raise NoKnowledgeBaseError(f"no catalog at {path}", hint="run `rag index PATH` to create a knowledge base")
        self._refusal: StoreError | None = None
        self._engine = open_engine(path)
        try:
            self._migrate(create=create)
        except exc.DatabaseError as error:
            self.close()
            self._refusal = database_error(path, error)
            if not _is_complete(path):
                raise self._refusal from error
            self._open_frozen(self._refusal)
        except StoreError:
            self.close()
            raise

    def _open_frozen(self, refusal: StoreError) -> None:
        """Open what a read-only or full disk refuses: a reader in WAL mode keeps a file of its own beside it."""
        self._engine = open_engine(self.path, frozen=True)
        try:
            self._migrate(create=False)
        except exc.DatabaseError as error:
            self.close()
            raise database_error(self.path, error) from error
        except NoKnowledgeBaseError:  # there would be one, had the disk not refused its tables
            self.close()
            raise refusal from None

    def check_writable(self) -> None:
        """Raise the `StoreError` that stands between this catalog and a change, if there is one."""
        if self._refusal is not None:
            raise self._refusal

    def _migrate(self, *, create: bool) -> None:
        with self._engine.connect() as connection:
            version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
        if version > SCHEMA_VERSION:
            raise StoreError(
                f"{self.path.parent} was written by a newer pilotfish (schema {version}, this one reads "
                f"{SCHEMA_VERSION})",
                hint="upgrade with `pip install --upgrade pilotfish`",
            )
        if version == 0 and not create:
            # Also what a run leaves that was killed before its first table.
            raise NoKnowledgeBaseError(f"there is no pilotfish catalog in {self.path}", hint="run `rag index PATH`")
        if version == SCHEMA_VERSION:
            return
        with self.writing() as transaction:
            connection = transaction.connection
            # Read again inside the transaction: another process may have migrated in between.
            version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
            for number in range(version, SCHEMA_VERSION):
                MIGRATIONS[number](connection)
            connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """Open one consistent snapshot of the catalog; writers are neither blocked nor seen."""
        with _translated(self.path), self._engine.connect() as connection, connection.begin():
            yield Reading(connection)

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        """Open one transaction; it commits on leaving and rolls back on an error."""
        with (
            _translated(self.path),
            self._engine.connect().execution_options(immediate=True) as connection,
            connection.begin(),
        ):
            yield Writing(connection)

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


class Reading:
    """A consistent snapshot of the catalog."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def setting(self, key: str, default: str = "") -> str:
        """The value stored under `key`."""
        value = self.connection.scalar(select(settings.c.value).where(settings.c.key == key))
        return default if value is None else str(value)

    def generation(self) -> int:
        """The published generation (0 before the first)."""
        return int(self.setting("generation", "0"))

    def pending_generation(self) -> int | None:
        """The generation that was written but never published (a crash lies behind), or None."""
        published = self.generation()
        for table in (documents, chunks):
            for column in (table.c.born, table.c.died):
                latest = self.connection.scalar(select(func.max(column)))
                if latest is not None and latest > published:
                    return int(latest)
        return None

    def known(self, source_id: int, generation: int) -> dict[str, Known]:
        """URI → revision and stamp of every live document of a source."""
        rows = self.connection.execute(
            select(documents.c.uri, documents.c.revision, documents.c.stamp).where(
                documents.c.source_id == source_id, alive(documents, generation)
            )
        )
        return {uri: Known(revision=revision, stamp=stamp) for uri, revision, stamp in rows}

    def source_uris(self) -> dict[str, int]:
        """URI → id of every registered source."""
        return {uri: int(key) for key, uri in self.connection.execute(select(sources.c.id, sources.c.uri))}

    def count_sources(self, generation: int) -> list[SourceCount]:
        """How much is indexed of each source."""
        counts: dict[int, int] = dict(
            self.connection.execute(
                select(documents.c.source_id, func.count())
                .join(chunks, chunks.c.document_id == documents.c.id)
                .where(alive(documents, generation), alive(chunks, generation))
                .group_by(documents.c.source_id)
            ).all()
        )
        rows = self.connection.execute(
            select(sources.c.id, sources.c.uri, func.count(documents.c.id))
            .outerjoin(documents, and_(documents.c.source_id == sources.c.id, alive(documents, generation)))
            .group_by(sources.c.id)
            .order_by(sources.c.uri)
        )
        return [SourceCount(uri=uri, documents=n, chunks=counts.get(key, 0)) for key, uri, n in rows]

    def count_chunks(self, generation: int) -> int:
        """Live chunks."""
        return int(
            self.connection.scalar(select(func.count()).select_from(chunks).where(alive(chunks, generation))) or 0
        )

    def count_documents(self, generation: int) -> int:
        """Live documents."""
        statement = select(func.count()).select_from(documents).where(alive(documents, generation))
        return int(self.connection.scalar(statement) or 0)

    def languages(self, generation: int) -> tuple[str, ...]:
        """The languages of the live documents, the commonest first."""
        rows = self.connection.execute(
            select(documents.c.language)
            .where(alive(documents, generation), documents.c.language != "")
            .group_by(documents.c.language)
            .order_by(func.count().desc(), documents.c.language)
        )
        return tuple(row[0] for row in rows)

    def find_document(self, uri: str, generation: int) -> tuple[int, Known] | None:
        """The source id of the live document with this URI, and what is remembered of it."""
        row = self.connection.execute(
            select(documents.c.source_id, documents.c.revision, documents.c.stamp).where(
                documents.c.uri == uri, alive(documents, generation)
            )
        ).first()
        return None if row is None else (int(row.source_id), Known(row.revision, row.stamp))

    def chunks_by_id(self, ids: Sequence[int]) -> dict[int, StoredChunk]:
        """The stored chunks with these ids; unknown ids are absent."""
        found: dict[int, StoredChunk] = {}
        for batch in batched(ids):
            rows = self.connection.execute(_STORED_CHUNKS.where(chunks.c.id.in_(batch)))
            found.update((row.id, stored_chunk(row)) for row in rows)
        return found

    def chunks_of_generation(self, after: int, through: int) -> Iterator[StoredChunk]:
        """Chunks born in (after, through] that are alive at `through`."""
        rows = self.connection.execution_options(yield_per=1_000).execute(
            _STORED_CHUNKS.where(chunks.c.born > after, alive(chunks, through)).order_by(chunks.c.id)
        )
        return (stored_chunk(row) for row in rows)

    def dead_chunks(self, after: int, through: int) -> Ids:
        """Ids of the chunks that died in (after, through]."""
        rows = self.connection.execute(select(chunks.c.id).where(chunks.c.died > after, chunks.c.died <= through))
        return np.fromiter((row[0] for row in rows), dtype=np.int64)

    def missing_vectors(self, encoder: str, hashes: Iterable[bytes]) -> set[bytes]:
        """Which of these text hashes have no vector of record."""
        wanted = set(hashes)
        for batch in batched(sorted(wanted)):
            rows = self.connection.execute(
                select(vectors.c.text_hash).where(vectors.c.encoder == encoder, vectors.c.text_hash.in_(batch))
            )
            wanted.difference_update(row[0] for row in rows)
        return wanted

    def vectors_of_generation(self, encoder: str, after: int, through: int, dimensions: int) -> tuple[Ids, Vectors]:
        """Ids and vectors [n, dimensions] of the chunks born in (after, through] and alive at `through`."""
        rows = self.connection.execute(
            select(chunks.c.id, vectors.c.vector)
            .join(vectors, and_(vectors.c.text_hash == chunks.c.text_hash, vectors.c.encoder == encoder))
            .where(chunks.c.born > after, alive(chunks, through))
            .order_by(chunks.c.id)
        ).all()
        ids = np.fromiter((row[0] for row in rows), dtype=np.int64, count=len(rows))
        joined = b"".join(row[1] for row in rows)
        return ids, np.frombuffer(joined, dtype=np.float16).reshape(len(rows), dimensions).astype(np.float32)

    def tokens_by_id(self, encoder: str, ids: Sequence[int]) -> dict[int, bytes]:
        """Chunk id → packed token vectors, where there are any."""
        found: dict[int, bytes] = {}
        for batch in batched(ids):
            rows = self.connection.execute(
                select(chunks.c.id, token_vectors.c.codes)
                .join(
                    token_vectors,
                    and_(token_vectors.c.text_hash == chunks.c.text_hash, token_vectors.c.encoder == encoder),
                )
                .where(chunks.c.id.in_(batch))
            )
            found.update((int(key), codes) for key, codes in rows)
        return found

    def unencoded_chunks(self, encoder: str, generation: int) -> Iterator[tuple[bytes, str]]:
        """(text hash, indexed text) of live chunks without a vector of record, each hash once."""
        rows = self.connection.execute(
            select(chunks.c.text_hash, chunks.c.context, chunks.c.text)
            .outerjoin(vectors, and_(vectors.c.text_hash == chunks.c.text_hash, vectors.c.encoder == encoder))
            .where(alive(chunks, generation), vectors.c.text_hash.is_(None))
            .group_by(chunks.c.text_hash)
            .order_by(func.min(chunks.c.id))
        )
        return ((row.text_hash, f"{row.context}\n{row.text}" if row.context else row.text) for row in rows)


class Writing(Reading):
    """A transaction that may also change the catalog."""

    def set_setting(self, key: str, value: str) -> None:
        """Store `value` under `key`."""
        changed = self.connection.execute(update(settings).where(settings.c.key == key).values(value=value))
        if not changed.rowcount:
            self.connection.execute(insert(settings).values(key=key, value=value))

    def take_ids(self, counter: str, count: int) -> int:
        """Reserve `count` ids that were never used before; returns the first."""
        first = int(self.setting(counter, "1"))
        self.set_setting(counter, str(first + count))
        return first

    def add_source(self, uri: str) -> int:
        """Register a source, or find it registered; returns its id."""
        key = self.connection.scalar(select(sources.c.id).where(sources.c.uri == uri))
        if key is None:
            key = self.connection.execute(insert(sources).values(uri=uri)).inserted_primary_key[0]  # type: ignore[index]
        return int(key)

    def drop_source(self, source_id: int) -> None:
        """Forget a source whose documents are gone."""
        self.connection.execute(delete(sources).where(sources.c.id == source_id))

    def move_documents(self, source_id: int, to: int, place: str) -> None:
        """Give the documents of a source that are at or below `place` to another source."""
        inside = documents.c.uri.startswith(f"{place.rstrip('/')}/", autoescape=True)
        self.connection.execute(
            update(documents)
            .where(documents.c.source_id == source_id, or_(documents.c.uri == place, inside))
            .values(source_id=to)
        )

    def add_documents(self, rows: Iterable[DocumentRow], born: int) -> None:
        """Insert documents born in generation `born`."""
        values = [
            {
                "id": row.id,
                "source_id": row.source_id,
                "uri": row.uri,
                "title": row.title,
                "kind": row.kind,
                "language": row.language,
                "revision": row.revision,
                "stamp": row.stamp,
                "metadata": dump_metadata(row.metadata),
                "born": born,
            }
            for row in rows
        ]
        if values:
            self.connection.execute(insert(documents), values)

    def add_chunks(self, rows: Iterable[ChunkRow], born: int) -> None:
        """Insert chunks born in generation `born`."""
        values = [
            {
                "id": row.id,
                "document_id": row.document_id,
                "text": row.text,
                "context": row.context,
                "location": dump_location(row.location),
                "text_hash": row.text_hash,
                "born": born,
            }
            for row in rows
        ]
        if values:
            self.connection.execute(insert(chunks), values)

    def kill_documents(self, uris: Sequence[str], died: int) -> int:
        """Mark the live documents with these URIs, and their chunks, dead; returns how many chunks died."""
        killed = 0
        for batch in batched(uris):
            doomed = select(documents.c.id).where(documents.c.uri.in_(batch), documents.c.died.is_(None))
            ids = [row[0] for row in self.connection.execute(doomed)]
            for part in batched(ids):
                killed += self.connection.execute(
                    update(chunks).where(chunks.c.document_id.in_(part), chunks.c.died.is_(None)).values(died=died)
                ).rowcount
                self.connection.execute(update(documents).where(documents.c.id.in_(part)).values(died=died))
        return killed

    def set_stamps(self, stamps: Mapping[str, str]) -> None:
        """Remember newer stamps of unchanged documents."""
        if stamps:
            self.connection.execute(
                update(documents).where(documents.c.uri == bindparam("at"), documents.c.died.is_(None)),
                [{"at": uri, "stamp": stamp} for uri, stamp in stamps.items()],
            )

    def add_vectors(self, encoder: str, hashes: Sequence[bytes], values: Vectors, codes: Sequence[bytes]) -> None:
        """Store vectors of record (as 16-bit floats), and token vectors where `codes` is not empty."""
        rows = zip(hashes, values.astype(np.float16), strict=True)
        self.connection.execute(
            insert(vectors).prefix_with("OR IGNORE"),
            [{"encoder": encoder, "text_hash": key, "vector": vector.tobytes()} for key, vector in rows],
        )
        if codes:
            self.connection.execute(
                insert(token_vectors).prefix_with("OR IGNORE"),
                [
                    {"encoder": encoder, "text_hash": key, "codes": code}
                    for key, code in zip(hashes, codes, strict=True)
                ],
            )

    def drop_dead(self, through: int) -> None:
        """Delete the rows that died at or before generation `through`."""
        self.connection.execute(delete(chunks).where(chunks.c.died <= through))
        self.connection.execute(delete(documents).where(documents.c.died <= through))

    def drop_orphan_vectors(self) -> int:
        """Delete vectors that no chunk refers to; returns how many."""
        used = select(chunks.c.text_hash)
        dropped = self.connection.execute(delete(vectors).where(vectors.c.text_hash.not_in(used))).rowcount
        self.connection.execute(delete(token_vectors).where(token_vectors.c.text_hash.not_in(used)))
        return dropped


def database_error(path: Path, error: exc.DatabaseError) -> StoreError:
    """The database's complaint in words that name the knowledge base."""
    reason = str(error.orig or error)
    hint = ""
    if "disk is full" in reason:
        hint = "free some space and run the command again; what was published before is untouched"
    elif "malformed" in reason or "not a database" in reason:
        hint = "the catalog is damaged: restore it from a backup, or move the folder away and index again"
    elif "readonly" in reason or "unable to open" in reason:
        hint = "check that the folder exists and that you may write to it"
    elif "disk I/O" in reason:
        hint = "check that the disk has free space and works; what was published before is untouched"
    elif "locked" in reason:
        hint = "another program holds the database: close it and try again"
    return StoreError(f"{path}: {reason}", hint=hint)


def _is_complete(path: Path) -> bool:
    """Whether the database needs no journal beside it: whoever used it last has closed it, and nobody uses it now."""
    journal = path.with_name(f"{path.name}-wal")
    return path.exists() and path.stat().st_size > 0 and not (journal.exists() and journal.stat().st_size)


def batched(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Cut `items` into pieces that one SQL statement can bind."""
    for start in range(0, len(items), _IN_LIMIT):
        yield items[start : start + _IN_LIMIT]


_STORED_CHUNKS = select(
    chunks.c.id,
    chunks.c.text,
    chunks.c.context,
    chunks.c.location,
    documents.c.uri,
    documents.c.title,
    documents.c.kind,
    documents.c.language,
    documents.c.metadata,
).join(documents, documents.c.id == chunks.c.document_id)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except exc.DatabaseError as error:
        raise database_error(path, error) from error
