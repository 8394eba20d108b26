"""Reads one consistent snapshot of the catalog."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from sqlalchemy import ColumnElement, Connection, Select, and_, func, select

from connectors.document import with_context
from connectors.source import Facts, KnownDocument, Options
from indexes.catalog.rows import SourceCount, StoredChunk, blob_checksum, load_object, stored_chunk
from indexes.catalog.schema import (
    alive,
    chunks,
    documents,
    generations,
    graves,
    names,
    settings,
    sources,
    token_vectors,
    vectors,
)
from indexes.encoding.late import TOKEN_BYTES
from indexes.encoding.loading import SHIPPED, is_chosen
from indexes.errors import DamagedError
from indexes.limits import StoreLimits
from indexes.terms.names import StoredName

_MOST_DIMENSIONS = 65_536
_MOST_IDS = 20_000_000  # that a catalog of any size may speak of
_LEAST_ROW = 32  # bytes of a passage
_PAGES = ("page_count", "page_size")
_SAMPLE = 2_000  # token vectors that the size of all is told from

T = TypeVar("T")
Vectors = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]


SEAL = "seal "  # and the URI of a source: the setting that holds its seal
HOME = "home"  # the setting that holds the folder in which the knowledge base was when it was last written
ENCODER_SEAL = "encoder_seal"  # the setting that proves who chose the encoder


class Reading:
    """A consistent snapshot of the catalog.

    Raises (every method):
        DamagedError: a row is not what was written.
    """

    def __init__(self, connection: Connection, limits: StoreLimits) -> None:
        self.connection = connection
        self._limits = limits
        self._settings: dict[str, str] | None = None  # read once: a search asks for nine, at .3 ms each

    def batched(self, items: Sequence[T]) -> Iterator[Sequence[T]]:
        """Cut `items` into pieces that one SQL statement can bind."""
        size = self._limits.bound_at_once
        for start in range(0, len(items), size):
            yield items[start : start + size]

    def setting(self, key: str, default: str = "") -> str:
        """The value stored under `key`."""
        if self._settings is None:
            self._settings = {row.key: str(row.value) for row in self.connection.execute(select(settings))}
        return self._settings.get(key, default)

    def number(self, key: str, default: int = 0, most: int = 1 << 62) -> int:
        """The number stored under `key`.

        Raises:
            DamagedError: it is none, or above `most`.
        """
        value = self.setting(key, str(default))
        if not value.isdecimal() or not value.isascii() or len(value) > len(str(most)) or int(value) > most:
            raise DamagedError(f"the setting {key!r}")
        return int(value)

    def generation(self) -> int:
        """The published generation (0 before the first)."""
        return self.number("generation")

    def dimensions(self) -> int:
        """Of the vectors of record."""
        return self.number("dimensions", most=_MOST_DIMENSIONS)

    def pending_generation(self) -> int | None:
        """The generation that was written but never published (a crash lies behind), or None."""
        latest = self.connection.scalar(select(func.max(generations.c.number)))
        return int(latest) if latest is not None and latest > self.generation() else None

    def mark(self, generation: int) -> str:
        """What tells this generation from another with its number; empty for one long past."""
        mark = self.connection.scalar(select(generations.c.mark).where(generations.c.number == generation))
        return "" if mark is None else str(mark)

    def known(self, source_id: int, generation: int) -> dict[str, KnownDocument]:
        """URI → revision and stamp of every live document of a source."""
        rows = self.connection.execute(_KNOWN.where(documents.c.source_id == source_id, alive(generation)))
        return {row.uri: KnownDocument(row.revision, row.stamp) for row in rows}

    def known_among(self, source_id: int, generation: int, uris: Sequence[str]) -> dict[str, KnownDocument]:
        """The same of those of these documents that are there."""
        found: dict[str, KnownDocument] = {}
        for batch in self.batched(uris):
            # A bound list, and no index but that of URIs: SQLite would walk through all documents of the source.
            each = func.json_each(json.dumps(batch)).table_valued("value")
            of_source = documents.c.source_id.op("+")(0) == source_id
            wanted = _KNOWN.where(documents.c.uri.in_(select(each.c.value)), of_source, alive(generation))
            rows = self.connection.execute(wanted).all()  # at once: row by row takes as long again
            found.update((uri, KnownDocument(revision, stamp)) for uri, revision, stamp in rows)
        return found

    def known_uris(self, source_id: int, generation: int, after: int, limit: int) -> list[tuple[int, str]]:
        """Id and URI of at most `limit` live documents of a source above id `after`, by ascending id."""
        rows = self.connection.execute(
            select(documents.c.id, documents.c.uri)
            .where(documents.c.source_id == source_id, documents.c.id > after, alive(generation))
            .order_by(documents.c.id)
            .limit(limit)
        ).all()
        return [(row.id, row.uri) for row in rows]

    def count_known(self, source_id: int, generation: int) -> int:
        """Live documents of a source."""
        counted = select(func.count()).select_from(documents).where(documents.c.source_id == source_id)
        return int(self.connection.scalar(counted.where(alive(generation))) or 0)

    def source_uris(self) -> dict[str, int]:
        """URI → id of every registered source."""
        return {uri: int(key) for key, uri in self.connection.execute(select(sources.c.id, sources.c.uri))}

    def source_options(self) -> dict[str, Options]:
        """URI → what it is opened with, of every registered source."""
        rows = self.connection.execute(select(sources.c.uri, sources.c.options))
        return {uri: load_object(options, f"what {uri!r} is opened with") for uri, options in rows}

    def source_seals(self) -> dict[str, str]:
        """URI → what proves who registered it, of every source that has it."""
        self.setting("")
        return {key.removeprefix(SEAL): value for key, value in (self._settings or {}).items() if key.startswith(SEAL)}

    def facts(self, uri: str) -> Facts:
        """What state of a source was read last; nothing of one that is not registered."""
        found = self.connection.scalar(select(sources.c.facts).where(sources.c.uri == uri))
        return _facts(uri, found or "{}")

    def named(self, normals: Sequence[str], generation: int) -> dict[str, list[StoredName]]:
        """Normal form (`indexes.terms.names.normal`) → the live documents' names that have it, where there are any."""
        found: dict[str, list[StoredName]] = {}
        for batch in self.batched(sorted(set(normals))):
            rows = self.connection.execute(_NAMED.where(names.c.normal.in_(batch), alive(generation)).order_by(*_ORDER))
            for row in rows:
                found.setdefault(row.normal, []).append(_stored_name(row))
        return found

    def names_within(self, uri: str, generation: int) -> list[StoredName]:
        """The names of a live document, in the order they stand in."""
        rows = self.connection.execute(_NAMED.where(documents.c.uri == uri, alive(generation)).order_by(*_ORDER))
        return [_stored_name(row) for row in rows]

    def has_names(self) -> bool:
        """Whether there are any names at all."""
        return self.connection.scalar(select(names.c.normal).limit(1)) is not None

    def count_sources(self, generation: int) -> list[SourceCount]:
        """How much is indexed of each source."""
        total = func.coalesce(func.sum(documents.c.chunks), 0)
        rows = self.connection.execute(
            select(sources.c.uri, func.count(documents.c.id), total, sources.c.facts)
            .outerjoin(documents, and_(documents.c.source_id == sources.c.id, alive(generation)))
            .group_by(sources.c.id)
            .order_by(sources.c.uri)
        )
        return [SourceCount(uri, int(count), int(total), _facts(uri, facts)) for uri, count, total, facts in rows]

    def count_chunks(self, generation: int) -> int:
        """Live chunks."""
        return int(self.connection.scalar(select(func.sum(documents.c.chunks)).where(alive(generation))) or 0)

    def count_documents(self, generation: int) -> int:
        """Live documents."""
        return int(self.connection.scalar(select(func.count()).select_from(documents).where(alive(generation))) or 0)

    def languages(self) -> tuple[str, ...]:
        """The languages of the documents, the commonest first."""
        rows = self.connection.execute(
            select(documents.c.language)
            .where(documents.c.language != "")
            .group_by(documents.c.language)
            .order_by(func.count().desc(), documents.c.language)
        )
        return tuple(row[0] for row in rows)

    def find_document(self, uri: str, generation: int) -> tuple[int, KnownDocument] | None:
        """The source id of the live document with this URI, and what is remembered of it."""
        row = self.connection.execute(
            select(documents.c.source_id, documents.c.revision, documents.c.stamp).where(
                documents.c.uri == uri, alive(generation)
            )
        ).first()
        return None if row is None else (int(row.source_id), KnownDocument(row.revision, row.stamp))

    def passages(self, uri: str, generation: int) -> list[StoredChunk]:
        """The chunks of the live document with this URI, in their order; none where there is no such document."""
        ids = self.chunk_ids(documents.c.uri == uri, alive(generation)).tolist()
        return list(self.chunks_by_id(ids).values())

    def chunks_by_id(self, ids: Sequence[int]) -> dict[int, StoredChunk]:
        """The stored chunks with these ids; unknown ids are absent."""
        found: dict[int, StoredChunk] = {}
        for batch in self.batched(ids):
            rows = self.connection.execute(_STORED_CHUNKS.where(chunks.c.id.in_(batch)))
            found.update((row.id, stored_chunk(row)) for row in rows)
        return found

    def kinds(self, ids: Sequence[int]) -> dict[int, tuple[str, str]]:
        """The kind and the language of the document each chunk is from; unknown ids are absent."""
        found: dict[int, tuple[str, str]] = {}
        for batch in self.batched(ids):
            rows = self.connection.execute(_KINDS.where(chunks.c.id.in_(batch)))
            found.update((row.id, (row.kind, row.language)) for row in rows)
        return found

    def chunk_ids(self, *conditions: ColumnElement[bool]) -> Ids:
        """Ids of the chunks of the documents that meet every condition, ascending."""
        return expand(self._ranges(documents, *conditions))

    def born_chunks(self, after: int, through: int) -> Ids:
        """Ids of the chunks born in (after, through] that are alive at `through`, ascending."""
        return self.chunk_ids(documents.c.born > after, alive(through))

    def dead_chunks(self, after: int, through: int) -> Ids:
        """Ids of the chunks that died in (after, through], ascending, also those whose rows are gone."""
        ranges = [self._ranges(table, table.c.died > after, table.c.died <= through) for table in (documents, graves)]
        return np.unique(expand(np.concatenate(ranges)))

    def chunks_of_generation(self, after: int, through: int) -> Iterator[StoredChunk]:
        """Chunks born in (after, through] that are alive at `through`, by ascending id."""
        return (stored_chunk(row) for row in self._rows(_STORED_CHUNKS, self.born_chunks(after, through)))

    def vectors_by_id(self, encoder: str, ids: Ids, dimensions: int) -> tuple[Ids, Vectors]:
        """Those of these chunks that have a vector of record, ascending, and their vectors [n, dimensions]."""
        statement = select(chunks.c.id, chunks.c.text_hash, vectors.c.vector, vectors.c.checksum).join(
            vectors, and_(vectors.c.text_hash == chunks.c.text_hash, vectors.c.encoder == encoder)
        )
        found: list[int] = []
        blobs: list[bytes] = []
        for key, of, vector, expected in self._rows(statement, np.unique(ids)):
            if expected != blob_checksum(of, vector) or len(vector) != 2 * dimensions:
                raise DamagedError(f"the vector of passage {key}")
            found.append(key)
            blobs.append(vector)
        rows = np.frombuffer(b"".join(blobs), dtype=np.float16).reshape(len(blobs), dimensions)
        if not np.isfinite(rows).all():
            raise DamagedError(f"the vector of passage {found[int(np.argmin(np.isfinite(rows).all(axis=1)))]}")
        return np.array(found, dtype=np.int64), rows.astype(np.float32)

    def tokens_by_id(self, encoder: str, ids: Sequence[int]) -> dict[int, bytes]:
        """Chunk id → packed token vectors, where there are any."""
        statement = select(chunks.c.id, chunks.c.text_hash, token_vectors.c.codes, token_vectors.c.checksum).join(
            token_vectors, and_(token_vectors.c.text_hash == chunks.c.text_hash, token_vectors.c.encoder == encoder)
        )
        found: dict[int, bytes] = {}
        for key, of, codes, expected in self._rows(statement, np.unique(np.array(ids, np.int64))):
            if expected != blob_checksum(of, codes) or len(codes) % TOKEN_BYTES:
                raise DamagedError(f"a token vector of passage {key}")
            found[key] = codes
        return found

    def missing_vectors(self, encoder: str, hashes: Iterable[bytes]) -> set[bytes]:
        """Which of these text hashes have no vector of record."""
        wanted = set(hashes)
        for batch in self.batched(sorted(wanted)):
            rows = self.connection.execute(
                select(vectors.c.text_hash).where(vectors.c.encoder == encoder, vectors.c.text_hash.in_(batch))
            )
            wanted.difference_update(row[0] for row in rows)
        return wanted

    def count_changed(self, after: int, through: int) -> int:
        """Chunks born in (after, through] that are alive at `through`, and chunks that died in it."""
        born = self.connection.scalar(
            select(func.sum(documents.c.chunks)).where(documents.c.born > after, alive(through))
        )
        return int(born or 0) + len(self.dead_chunks(after, through))

    def lacks_vectors(self) -> bool:
        """Whether vectors may be missing until a run makes them, because a repair dropped damaged ones, say."""
        return self.setting("vectors") == "lacking"

    def foreign_encoder(self) -> str:
        """The encoder that somebody else chose, and this user has not allowed; empty where there is none."""
        spec = self.setting("encoder_spec", SHIPPED)
        return "" if is_chosen(spec, self.setting(ENCODER_SEAL)) else spec

    def keeps_tokens(self) -> bool:
        """Whether token vectors are stored here."""
        return self.setting("late", "on") == "on"

    def has_tokens(self, encoder: str) -> bool:
        """Whether there are any token vectors of this encoder."""
        some = select(token_vectors.c.text_hash).where(token_vectors.c.encoder == encoder).limit(1)
        return self.connection.scalar(some) is not None

    def token_bytes(self) -> int:
        """The size of all token vectors, from their number and the mean of some thousand of them."""
        count = self.connection.scalar(select(func.count()).select_from(token_vectors)) or 0
        some = select(func.length(token_vectors.c.codes).label("size")).limit(_SAMPLE).subquery()
        return round(count * (self.connection.scalar(select(func.avg(some.c.size))) or 0))

    def unencoded_chunks(
        self, encoder: str, generation: int, after: int, limit: int, *, tokens: bool = False
    ) -> list[tuple[int, bytes, str]]:
        """(id, text hash, indexed text) of at most `limit` live chunks above id `after` without a vector of record.

        With `tokens`, of those without token vectors. By ascending id.
        """
        vectors = token_vectors if tokens else _vectors
        rows = self.connection.execute(
            select(chunks.c.id, chunks.c.text_hash, chunks.c.context, chunks.c.text)
            .join(documents, documents.c.id == chunks.c.document_id)
            .outerjoin(vectors, and_(vectors.c.text_hash == chunks.c.text_hash, vectors.c.encoder == encoder))
            .where(chunks.c.id > after, alive(generation), vectors.c.text_hash.is_(None))
            .order_by(chunks.c.id)
            .limit(limit)
        )
        return [(row.id, row.text_hash, with_context(row.context, row.text)) for row in rows]

    def _ranges(self, table: Any, *conditions: ColumnElement[bool]) -> Ids:
        """First chunk and number of chunks [rows, 2] of documents, or of graves."""
        rows = self.connection.execute(select(table.c.first_chunk, table.c.chunks).where(*conditions)).all()
        try:
            ranges = np.array([tuple(row) for row in rows], dtype=np.int64).reshape(-1, 2)
        except (ValueError, TypeError, OverflowError) as error:
            raise DamagedError(f"the passages of {table.name}") from error
        self.check_ranges(ranges, table.name)
        return ranges

    def check_ranges(self, ranges: Ids, name: str) -> None:
        """See that first chunks and numbers of chunks [rows, 2] are what a catalog of this size can speak of.

        Raises:
            DamagedError: they are not; a few rows could have all memory filled with numbers.
        """
        pages, size = (self.connection.exec_driver_sql(f"PRAGMA {each}").scalar_one() for each in _PAGES)
        count = float(ranges[:, 1].sum(dtype=np.float64))
        if (ranges < 0).any() or count > max(_MOST_IDS, pages * size // _LEAST_ROW):
            raise DamagedError(f"the passages of {name}")

    def _rows(self, statement: Select[Any], ids: Ids) -> Iterator[Any]:
        """What `statement` selects for these chunks, by ascending id. The ids must ascend.

        Neighbours are read as ranges: a million of them is one walk through the table.
        """
        size = self._limits.rows_at_once
        for start in range(0, len(ids), size):
            page = ids[start : start + size]
            low, high = int(page[0]), int(page[-1])
            if high - low == len(page) - 1:
                wanted = statement.where(chunks.c.id.between(low, high))
            else:  # one bound list is a fifth faster than thousands of bound numbers
                each = func.json_each(str(page.tolist())).table_valued("value")
                wanted = statement.where(chunks.c.id.in_(select(each.c.value)))
            yield from self.connection.execute(wanted.order_by(chunks.c.id)).all()


def expand(ranges: Ids) -> Ids:
    """The ids in ranges given as first id and length, ascending.

    >>> expand(np.array([[7, 2], [1, 3]])).tolist()
    [1, 2, 3, 7, 8]
    """
    ranges = ranges[np.argsort(ranges[:, 0], kind="stable")]
    first, length = ranges[:, 0], ranges[:, 1]
    ends = np.cumsum(length)
    return np.arange(ends[-1] if len(ends) else 0, dtype=np.int64) + np.repeat(first - ends + length, length)


def _facts(uri: str, stored: Any) -> Facts:
    facts = load_object(stored, f"the state of {uri!r}")
    if not all(isinstance(value, str) for value in facts.values()):
        raise DamagedError(f"the state of {uri!r}")
    return facts


def _stored_name(row: Any) -> StoredName:
    chunk_ids = range(row.first_chunk, row.first_chunk + row.chunks)
    return StoredName(row.text, row.role, row.start, row.uri, chunk_ids)


_vectors = vectors
_KNOWN = select(documents.c.uri, documents.c.revision, documents.c.stamp)
_NAMED = select(
    names.c.normal,
    names.c.text,
    names.c.role,
    names.c.start,
    documents.c.uri,
    documents.c.first_chunk,
    documents.c.chunks,
).join(documents, documents.c.id == names.c.document_id)
_ORDER = (documents.c.first_chunk, documents.c.id, names.c.start, names.c.role)
_KINDS = select(chunks.c.id, documents.c.kind, documents.c.language).join(
    documents, documents.c.id == chunks.c.document_id
)
_STORED_CHUNKS = select(
    chunks.c.id,
    chunks.c.document_id,
    chunks.c.text,
    chunks.c.context,
    chunks.c.location,
    chunks.c.text_hash,
    chunks.c.checksum,
    documents.c.uri,
    documents.c.title,
    documents.c.kind,
    documents.c.language,
    documents.c.revision,
    documents.c.metadata,
    documents.c.names,
    documents.c.first_chunk,
    documents.c.chunks,
    documents.c.checksum.label("document_checksum"),
).join(documents, documents.c.id == chunks.c.document_id)
