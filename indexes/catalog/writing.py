"""Writes to the catalog, in a transaction."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from sqlalchemy import bindparam, delete, exists, func, insert, or_, select, update

from connectors.document import DocumentName, Metadata
from connectors.source import Facts, Options
from indexes.catalog.form_rows import add_forms, drop_unused_forms, normals_of
from indexes.catalog.moving import Move
from indexes.catalog.reading import Ids, Reading, Vectors
from indexes.catalog.rows import (
    ChunkRow,
    DocumentRow,
    attribute_values,
    blob_checksum,
    chunk_values,
    document_checksum,
    document_values,
    name_values,
    names_checksum,
)
from indexes.catalog.schema import (
    attributes,
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
from indexes.terms.names import normal, reference


class Writing(Reading):
    """A transaction that can also change the catalog."""

    def set_setting(self, key: str, value: str) -> None:
        """Store `value` under `key`."""
        changed = self.connection.execute(update(settings).where(settings.c.key == key).values(value=value))
        if not changed.rowcount:
            self.connection.execute(insert(settings).values(key=key, value=value))
        self._settings = None

    def take_ids(self, counter: str, count: int) -> int:
        """Reserve `count` ids that were never used before; returns the first."""
        first = self.number(counter, 1)
        self.set_setting(counter, str(first + count))
        return first

    def begin_generation(self, number: int) -> None:
        """Give the generation about to be written its mark."""
        self.connection.execute(insert(generations).values(number=number, mark=secrets.token_hex(8)))

    def forget_generations(self, keep: Collection[int]) -> None:
        """Drop the marks of all generations but these."""
        self.connection.execute(delete(generations).where(generations.c.number.not_in(keep)))

    def add_source(self, uri: str, options: Options | None = None) -> int:
        """Register a source, or find it registered; returns its id. `options` replace those it had, if given."""
        key = self.connection.scalar(select(sources.c.id).where(sources.c.uri == uri))
        if key is None:
            key = self.connection.execute(insert(sources).values(uri=uri)).inserted_primary_key[0]  # type: ignore[index]
        if options is not None:
            dumped = json.dumps(dict(options), ensure_ascii=False)
            self.connection.execute(update(sources).where(sources.c.id == key).values(options=dumped))
        return int(key)

    def set_facts(self, uri: str, facts: Facts) -> None:
        """Remember what state of a registered source was read."""
        dumped = json.dumps(dict(facts), ensure_ascii=False)
        self.connection.execute(update(sources).where(sources.c.uri == uri).values(facts=dumped))

    def drop_source(self, source_id: int) -> None:
        """Forget a source whose documents are gone."""
        self.connection.execute(delete(sources).where(sources.c.id == source_id))

    def rename_source(self, uri: str, move: Move) -> None:
        """Call a source, its documents and the references to them what they are called since their folder moved."""
        source_id = self.source_uris()[uri]
        self.connection.execute(update(sources).where(sources.c.id == source_id).values(uri=move(uri)))
        after = 0
        while rows := self.connection.execute(
            select(documents)
            .where(documents.c.source_id == source_id, documents.c.id > after)
            .order_by(documents.c.id)
            .limit(self._limits.bound_at_once)
        ).all():
            after = rows[-1].id
            called = self._rename_references([row.id for row in rows], move)
            changed = []
            for row in rows:
                values = {**row._mapping, "uri": move(row.uri), "names": called.get(row.id, row.names)}
                changed.append(
                    {
                        "of": row.id,
                        "uri": values["uri"],
                        "names": values["names"],
                        "checksum": document_checksum(row.id, values),
                    }
                )
            self.connection.execute(update(documents).where(documents.c.id == bindparam("of")), changed)

    def _rename_references(self, ids: Sequence[int], move: Move) -> dict[int, int]:
        """Rename what these documents refer to; returns the checksum of the names of those that changed."""
        stored: dict[int, list[DocumentName]] = {}
        for row in self.connection.execute(select(names).where(names.c.document_id.in_(ids))):
            stored.setdefault(row.document_id, []).append(DocumentName(row.text, row.role, row.start))
        renamed = {
            key: [replace(name, text=move(name.text)) if reference(name.role) else name for name in called]
            for key, called in stored.items()
        }
        changed = {key: called for key, called in renamed.items() if called != stored[key]}
        if changed:
            self.connection.execute(delete(names).where(names.c.document_id.in_(list(changed))))
            values = [value for key, called in changed.items() for value in name_values(key, called)]
            self.connection.execute(insert(names), values)
            self._drop_unused_forms({normal(name.text) for key in changed for name in stored[key]})
            add_forms(self.connection, [name for called in changed.values() for name in called])
        return {key: names_checksum(called) for key, called in changed.items()}

    def move_documents(self, source_id: int, to: int, place: str) -> None:
        """Give the documents of a source that are at or below `place` to another source."""
        folder = f"{place.rstrip('/')}/"
        inside = func.substr(documents.c.uri, 1, len(folder)) == folder  # LIKE would ignore case
        self.connection.execute(
            update(documents)
            .where(documents.c.source_id == source_id, or_(documents.c.uri == place, inside))
            .values(source_id=to)
        )

    def add_documents(self, rows: Sequence[DocumentRow], born: int) -> None:
        """Insert documents born in generation `born`, their metadata as filters look it up, and their names."""
        if rows:
            self.connection.execute(insert(documents), [document_values(row, born) for row in rows])
        if entries := [entry for row in rows for entry in attribute_values(row.id, row.metadata)]:
            self.connection.execute(insert(attributes), entries)
        if called := [value for row in rows for value in name_values(row.id, row.names)]:
            self.connection.execute(insert(names), called)
            add_forms(self.connection, [name for row in rows for name in row.names])

    def add_chunks(self, rows: Iterable[ChunkRow]) -> None:
        """Insert the chunks of documents."""
        if values := [chunk_values(row) for row in rows]:
            self.connection.execute(insert(chunks), values)

    def kill_documents(self, uris: Sequence[str], died: int) -> int:
        """Mark the live documents with these URIs dead, and with them their chunks; returns how many chunks died."""
        killed = 0
        for batch in self.batched(uris):
            doomed = documents.c.uri.in_(batch) & documents.c.died.is_(None)
            killed += sum(self.connection.scalars(select(documents.c.chunks).where(doomed)))
            self.connection.execute(update(documents).where(doomed).values(died=died))
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
        if not hashes:
            return
        blobs = [vector.tobytes() for vector in values.astype(np.float16)]
        self.connection.execute(
            insert(vectors).prefix_with("OR IGNORE"),
            [
                {"encoder": encoder, "text_hash": key, "vector": blob, "checksum": blob_checksum(key, blob)}
                for key, blob in zip(hashes, blobs, strict=True)
            ],
        )
        if codes:
            self.connection.execute(
                insert(token_vectors).prefix_with("OR IGNORE"),
                [
                    {"encoder": encoder, "text_hash": key, "codes": code, "checksum": blob_checksum(key, code)}
                    for key, code in zip(hashes, codes, strict=True)
                ],
            )

    def bury(self, through: int, limit: int) -> int:
        """Delete up to `limit` documents that died at or before `through`, with their chunks and unshared vectors.

        Where they were is remembered in a grave, for indexes that still hold them. Returns how many went.
        """
        doomed = self.connection.execute(
            select(documents.c.id, documents.c.first_chunk, documents.c.chunks, documents.c.died)
            .where(documents.c.died <= through)
            .limit(limit)
        ).all()
        for row in doomed:
            inside = chunks.c.id.between(row.first_chunk, row.first_chunk + row.chunks - 1)
            hashes = list(self.connection.scalars(select(chunks.c.text_hash).where(inside)))
            self.connection.execute(delete(chunks).where(inside))
            self._drop_unused_vectors(hashes)
        keys = [row.id for row in doomed]
        for batch in self.batched(keys):
            self._delete_documents(batch)
        if buried := [
            {"first_chunk": row.first_chunk, "chunks": row.chunks, "died": row.died} for row in doomed if row.chunks
        ]:
            self.connection.execute(insert(graves), buried)
        return len(doomed)

    def forget_documents(self, ids: Collection[int], lost: Ids, died: int) -> None:
        """Delete documents, and all the chunks `lost` with them, although their rows are not to be trusted."""
        for batch in self.batched(lost.tolist()):
            self.connection.execute(delete(chunks).where(chunks.c.id.in_(batch)))
            self.connection.execute(
                insert(graves).prefix_with("OR IGNORE"),
                [{"first_chunk": key, "chunks": 1, "died": died} for key in batch],
            )
        for batch in self.batched(sorted(ids)):
            self._delete_documents(batch)

    def restore_attributes(self, metadata: Mapping[int, Metadata]) -> None:
        """Write the attributes of these documents anew from their metadata; drop those, and names, of no document."""
        for batch in self.batched(sorted(metadata)):
            self.connection.execute(delete(attributes).where(attributes.c.document_id.in_(batch)))
        if entries := [entry for key, values in metadata.items() for entry in attribute_values(key, values)]:
            self.connection.execute(insert(attributes), entries)
        loose = [~exists(select(1).where(documents.c.id == table.c.document_id)) for table in (attributes, names)]
        normals = set(self.connection.scalars(select(names.c.normal).where(loose[1])))
        for table, condition in zip((attributes, names), loose, strict=True):
            self.connection.execute(delete(table).where(condition))
        self._drop_unused_forms(normals)

    def drop_vectors(self, hashes: Collection[bytes]) -> None:
        """Delete the vectors and the token vectors of these texts, to be embedded again."""
        for batch in self.batched(sorted(hashes)):
            for table in (vectors, token_vectors):
                self.connection.execute(delete(table).where(table.c.text_hash.in_(batch)))

    def clear_graves(self, through: int) -> None:
        """Forget the graves of chunks that died at or before `through`: no index holds them any more."""
        self.connection.execute(delete(graves).where(graves.c.died <= through))

    def sweep_vectors(self, encoder: str) -> None:
        """Delete every vector that no chunk refers to or that is another encoder's: looks at all of them."""
        for table in (vectors, token_vectors):
            used = exists(select(1).where(chunks.c.text_hash == table.c.text_hash))
            self.connection.execute(delete(table).where(or_(table.c.encoder != encoder, ~used)))

    def drop_tokens(self) -> None:
        """Delete all token vectors."""
        self.connection.execute(delete(token_vectors))

    def _delete_documents(self, ids: Sequence[int]) -> None:
        normals = normals_of(self.connection, ids)
        for table in (attributes, names):
            self.connection.execute(delete(table).where(table.c.document_id.in_(ids)))
        self.connection.execute(delete(documents).where(documents.c.id.in_(ids)))
        self._drop_unused_forms(normals)

    def _drop_unused_forms(self, normals: Collection[str]) -> None:
        for batch in self.batched(sorted(normals)):
            drop_unused_forms(self.connection, batch)

    def _drop_unused_vectors(self, hashes: Sequence[bytes]) -> None:
        for batch in self.batched(hashes):
            used = set(self.connection.scalars(select(chunks.c.text_hash).where(chunks.c.text_hash.in_(batch))))
            unused = [key for key in batch if key not in used]
            for table in (vectors, token_vectors):
                self.connection.execute(delete(table).where(table.c.text_hash.in_(unused)))
