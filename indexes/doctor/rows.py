"""Checks the rows of the catalog: documents, their filter attributes, chunks and vectors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sqlalchemy import Column, Select, and_, exists, false, func, or_, select

from connectors.document import DocumentName, MetadataValue
from indexes.catalog.form_rows import compare_forms
from indexes.catalog.reading import Ids, Reading, expand
from indexes.catalog.rows import (
    attribute_values,
    blob_checksum,
    checksum,
    document_checksum,
    load_location,
    load_metadata,
    names_checksum,
)
from indexes.catalog.schema import alive, attributes, chunks, documents, names, token_vectors, vectors
from indexes.doctor.findings import REPAIR, Findings, named
from indexes.encoding.late import TOKEN_BYTES
from indexes.errors import DamagedError
from indexes.terms.names import normal

_PAGE = 1_000  # rows in memory at a time
_LARGEST = 1 << 62  # of a number that counts


@dataclass(frozen=True, slots=True)
class Held:
    """What is alive according to the catalog, as far as it can be trusted.

    Attributes:
        ids: the chunks of the published generation, ascending.
        lacking: those without a vector.
        first, counts, owners: where the chunks of every sound document are, ascending, and its id.
        damaged: ids of the documents that are not sound, and whether the published generation sees them.
    """

    ids: Ids
    lacking: Ids
    first: Ids
    counts: Ids
    owners: Ids
    damaged: Mapping[int, bool]

    def chunks_of(self, document_ids: Collection[int]) -> Ids:
        """The chunks of those of these documents that are sound."""
        chosen = np.isin(self.owners, list(document_ids))
        return expand(np.stack([self.first[chosen], self.counts[chosen]], axis=1))


class RowExamination:
    """The checks of documents, attributes, chunks, vectors and token vectors, on one snapshot of the catalog."""

    def __init__(self, reading: Reading, found: Findings) -> None:
        self._reading = reading
        self._found = found
        self._generation = reading.generation()
        self._pending = reading.pending_generation()
        self._encoder = reading.setting("encoder")
        self._dimensions = reading.dimensions()

    def check_documents(self) -> Held:
        """Documents one by one, and what filters know of them."""
        connection = self._reading.connection
        registered = set(self._reading.source_uris().values())
        visible = alive(self._generation)
        concerned = visible if self._pending is None else or_(visible, alive(self._pending))
        problems: list[str] = []
        unlike: list[str] = []
        ranges: list[tuple[int, int, int, bool]] = []
        newest: dict[str, int] = {}
        damaged: dict[int, bool] = {}
        repeated = select(documents.c.uri).where(visible).group_by(documents.c.uri).having(func.count() > 1)
        twice = set(connection.scalars(repeated))
        statement = select(documents, visible.label("visible")).where(concerned)
        for page in self._pages(statement, documents.c.id):
            stored = self._attributes(page[0].id, page[-1].id)
            called = self._names(page[0].id, page[-1].id)
            for row in page:
                if row.checksum != document_checksum(row.id, row._mapping):
                    problems.append(f"document {row.id} ({row.uri}) is not what was written")
                elif row.names != called.get(row.id, 0):
                    problems.append(f"the names in document {row.id} ({row.uri}) are not what was written")
                elif row.source_id not in registered:
                    problems.append(f"document {row.id} ({row.uri}) has no source")
                elif (metadata := _sound_metadata(row)) is None:
                    problems.append(f"document {row.id} ({row.uri}) holds what nobody writes")
                else:
                    if row.uri in twice:
                        self._blame(newest, row, problems)
                    ranges.append((row.first_chunk, row.chunks, row.id, bool(row.visible)))
                    values = attribute_values(row.id, metadata)
                    entries = [(row.id, entry["key"], entry["text"], entry["number"]) for entry in values]
                    if Counter(entries) != Counter(stored.get(row.id, [])):
                        unlike.append(f"the filter attributes of {row.uri} differ from its metadata")
                        self._found.metadata[row.id] = metadata
                    continue
                self._found.documents[row.id] = str(row.uri)
                damaged[row.id] = bool(row.visible)
        total = f"{len(ranges)} as written"
        self._found.add("documents", problems, total, _forget_hint(self._found.documents))
        for table in (attributes, names):
            owned = exists(select(1).where(documents.c.id == table.c.document_id))
            if loose := connection.scalar(select(func.count()).select_from(table).where(~owned)):
                unlike.append(f"{loose} {table.name} belong to no document")
        self._found.attributes = bool(unlike)
        self._found.add("attributes", unlike, "as the metadata says", f"{REPAIR} rewrites them from the metadata")
        rows = np.array(sorted(ranges), np.int64).reshape(-1, 4)
        self._reading.check_ranges(rows[:, :2], "documents")
        ids = expand(rows[rows[:, 3] == 1, :2])
        return Held(ids, ids[:0], rows[:, 0], rows[:, 1], rows[:, 2], damaged)

    def _blame(self, newest: dict[str, int], row: Any, problems: list[str]) -> None:
        """Of two documents with one URI, blame the older."""
        before = newest.get(row.uri)
        newest[row.uri] = row.id
        if before is not None:
            problems.append(f"there are two documents {row.uri}")
            self._found.documents[before] = str(row.uri)

    def _attributes(self, first: int, last: int) -> dict[int, list[tuple[Any, ...]]]:
        stored: dict[int, list[tuple[Any, ...]]] = {}
        for row in self._reading.connection.execute(
            select(attributes).where(attributes.c.document_id.between(first, last))
        ):
            stored.setdefault(row.document_id, []).append(tuple(row))
        return stored

    def _names(self, first: int, last: int) -> dict[int, int]:
        """Document → the checksum of its names, which no look-up finds under another form."""
        stored: dict[int, list[DocumentName]] = {}
        for row in self._reading.connection.execute(select(names).where(names.c.document_id.between(first, last))):
            text = row.text if row.normal == normal(row.text) else ""
            stored.setdefault(row.document_id, []).append(DocumentName(text, row.role, row.start))
        return {key: names_checksum(called) for key, called in stored.items()}

    def check_names(self) -> None:
        """What names can be found by, against what is made of the names."""
        problems = compare_forms(self._reading.connection)
        self._found.forms = bool(problems)
        self._found.add("names", problems, "found by all their forms", f"{REPAIR} rebuilds the forms from the names")

    def check_chunks(self, held: Held, *, keeps_tokens: bool) -> Held:
        """Chunks one by one, each with its vector of record and its token vectors."""
        seen = _Seen(held, keeps_tokens, self._dimensions)
        for page in self._pages(_with_vectors(self._encoder), chunks.c.id):
            for row in page:
                seen.look_at(row)
        seen.count()
        found = self._found
        found.hashes = seen.hashes
        blamed = self._uris(seen.blamed)
        found.documents.update(blamed)
        found.lost = np.union1d(held.chunks_of(found.documents), np.array(seen.lost, np.int64))
        again = "the next `rag index` embeds them again"
        if not self._reading.lacks_vectors():
            again = f"{REPAIR} drops them, and {again}"
        found.add("chunks", seen.problems, f"{seen.counts.sum()} as written", _forget_hint(blamed))
        found.add("vectors", seen.vector_problems, "one for every passage", again)
        kept = "some for every passage" if keeps_tokens else "none are kept"
        found.add("tokens", seen.token_problems, kept, again)
        ids = np.union1d(held.ids, np.array(seen.visible, np.int64))
        return replace(held, ids=ids, lacking=np.array(seen.lacking, np.int64))

    def _uris(self, blamed: Collection[int]) -> dict[int, str]:
        uris: dict[int, str] = {}
        for batch in self._reading.batched(sorted(blamed)):
            statement = select(documents.c.id, documents.c.uri).where(documents.c.id.in_(batch))
            uris.update((row.id, str(row.uri)) for row in self._reading.connection.execute(statement))
        return uris

    def check_orphans(self) -> None:
        """Vectors to which no chunk refers, or of another encoder, or kept although none should be."""
        count = 0
        for table, kept in ((vectors, True), (token_vectors, self._reading.keeps_tokens())):
            used = exists(select(1).where(chunks.c.text_hash == table.c.text_hash)) if kept else false()
            unused = select(func.count()).select_from(table).where(or_(table.c.encoder != self._encoder, ~used))
            count += self._reading.connection.scalar(unused) or 0
        if self._reading.setting("embedding"):
            self._found.add("orphans", [], f"{count} vectors of an interrupted run; the next `rag index` deletes them")
            return
        self._found.orphans = count
        problems = [f"{count} vectors belong to no passage or to another encoder"] if count else []
        self._found.add("orphans", problems, "no vector is left over", f"{REPAIR} deletes them")

    def _pages(self, statement: Select[Any], key: Column[int]) -> Iterator[Sequence[Any]]:
        """Pages of rows, by ascending key."""
        rows = self._reading.connection.execute(statement.order_by(key).limit(_PAGE)).all()
        while rows:
            yield rows
            after = rows[-1][0]
            rows = self._reading.connection.execute(statement.where(key > after).order_by(key).limit(_PAGE)).all()


class _Seen:
    """Statistics of the chunks checked so far.

    Attributes:
        counts: how many there are of each sound document.
        blamed: ids of the documents that have a damaged chunk.
        lost: chunks of damaged documents, and of none.
        visible: those of them that the published generation sees.
        lacking: chunks without a vector.
        hashes: texts whose vector or token vectors are missing or damaged.
    """

    def __init__(self, held: Held, keeps_tokens: bool, dimensions: int) -> None:
        self._held = held
        self._owners = set(held.owners.tolist())
        self._keeps_tokens = keeps_tokens
        self._dimensions = dimensions
        self.counts = np.zeros(len(held.first), np.int64)
        self.problems: list[str] = []
        self.vector_problems: list[str] = []
        self.token_problems: list[str] = []
        self.blamed: set[int] = set()
        self.lost: list[int] = []
        self.visible: list[int] = []
        self.lacking: list[int] = []
        self.hashes: set[bytes] = set()

    def look_at(self, row: Any) -> None:
        """Check one chunk, with its vectors of record."""
        held = self._held
        place = int(np.searchsorted(held.first, row.id, side="right")) - 1
        if place < 0 or row.id >= held.first[place] + held.counts[place]:
            self._look_at_stray(row)
            return
        self.counts[place] += 1
        owner = int(held.owners[place])
        expected = checksum(row.id, row.document_id, row.text, row.context, row.location, row.text_hash)
        if row.checksum != expected or row.document_id != owner or not _is_sound(row):
            self.problems.append(f"passage {row.id} is not what was written")
            self.blamed.add(owner)
            return
        if row.vector is None:
            self.lacking.append(row.id)
        if trouble := _vector_trouble(row, self._dimensions):
            self.vector_problems.append(f"the vector of passage {row.id} is {trouble}")
            self.hashes.add(row.text_hash)
        if trouble := _token_trouble(row, kept=self._keeps_tokens):
            self.token_problems.append(f"a token vector of passage {row.id} is {trouble}")
            self.hashes.add(row.text_hash)

    def count(self) -> None:
        """After the last chunk: check that every document has all of its chunks."""
        held = self._held
        for place in np.flatnonzero(self.counts != held.counts).tolist():
            owner = int(held.owners[place])
            self.problems.append(f"document {owner} has {self.counts[place]} of its {held.counts[place]} passages")
            self.blamed.add(owner)

    def _look_at_stray(self, row: Any) -> None:
        """A chunk that is not where those of a sound document are; those of dead documents are of no concern."""
        if row.document_id in self._held.damaged:
            self.lost.append(row.id)
            if self._held.damaged[row.document_id]:
                self.visible.append(row.id)
        elif row.owner is None or row.document_id in self._owners:
            self.problems.append(f"passage {row.id} belongs to no document")
            self.lost.append(row.id)


def _with_vectors(encoder: str) -> Select[Any]:
    """Every chunk, the id of its document if that exists, and its vectors of record."""
    return (
        select(
            chunks,
            documents.c.id.label("owner"),
            vectors.c.vector,
            vectors.c.checksum.label("vector_checksum"),
            token_vectors.c.codes,
            token_vectors.c.checksum.label("codes_checksum"),
        )
        .outerjoin(documents, documents.c.id == chunks.c.document_id)
        .outerjoin(vectors, and_(vectors.c.text_hash == chunks.c.text_hash, vectors.c.encoder == encoder))
        .outerjoin(
            token_vectors, and_(token_vectors.c.text_hash == chunks.c.text_hash, token_vectors.c.encoder == encoder)
        )
    )


def _is_sound(row: Any) -> bool:
    """Whether a passage holds what is written there, and not only a checksum that fits."""
    try:
        load_location(row.location)
    except (ValueError, TypeError, IndexError, RecursionError):
        return False
    return isinstance(row.text, str) and isinstance(row.context, str) and isinstance(row.text_hash, bytes)


def _sound_metadata(row: Any) -> dict[str, MetadataValue] | None:
    """The metadata of a document; None where its row holds what nobody writes, under a checksum that fits."""
    texts = (row.uri, row.title, row.kind, row.language)
    numbers = (row.first_chunk, row.chunks, row.born)
    if not all(isinstance(text, str) for text in texts) or not all(isinstance(each, int) for each in numbers):
        return None
    if min(numbers) < 0 or max(numbers) > _LARGEST:
        return None
    try:
        return load_metadata(row.metadata, row.id)
    except DamagedError:
        return None


def _vector_trouble(row: Any, dimensions: int) -> str:
    if row.vector is None:
        return "missing"
    whole = row.vector_checksum == blob_checksum(row.text_hash, row.vector) and len(row.vector) == 2 * dimensions
    return "" if whole else "not what was written"


def _token_trouble(row: Any, *, kept: bool) -> str:
    if row.codes is None or not kept:
        return "missing" if kept else ""
    whole = row.codes_checksum == blob_checksum(row.text_hash, row.codes) and len(row.codes) % TOKEN_BYTES == 0
    return "" if whole else "not what was written"


def _forget_hint(blamed: Mapping[int, str]) -> str:
    uris = named(list(blamed.values()))
    return f"{REPAIR} drops what is damaged, and the next `rag index` reads it again from its source: {uris}"
