"""Finds who defines and who calls a name, among the documents of one repository."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Select, func, select

from connectors.source import REPOSITORY
from indexes.catalog.reading import Reading
from indexes.catalog.rows import load_object
from indexes.catalog.schema import alive, documents, names, sources
from indexes.terms.names import normal


class RepositoryScope:
    """The documents in the same repository as a document, or in the same source if it is in none.

    Sources are of one repository when the same was recorded of them (`connectors.source.Recorded`).
    """

    def __init__(self, reading: Reading, uri: str, generation: int) -> None:
        self._reading = reading
        self._generation = generation
        self._sources = _sources_around(reading, uri, generation)

    def count(self, role: str, texts: Collection[str]) -> dict[str, int]:
        """Text → at how many places it has this role; names that nobody has are absent."""
        counted = self._rows(role, texts, names.c.text, func.count()).group_by(names.c.text)
        return {text: int(count) for text, count in self._reading.connection.execute(counted)}

    def places(self, role: str, texts: Collection[str], limit: int) -> list[tuple[str, str, int]]:
        """Text, document and offset of the first `limit` places where one of these texts has this role."""
        found = self._rows(role, texts, names.c.text, documents.c.uri, names.c.start)
        ordered = found.order_by(documents.c.uri, names.c.start, names.c.text).limit(limit)
        return [(row.text, row.uri, row.start) for row in self._reading.connection.execute(ordered)]

    def within(self, uri: str, role: str, first: int, last: int) -> list[tuple[str, int]]:
        """Text and offset of what has this role in a stretch of a document, both ends inclusive, in order."""
        found = self._reading.connection.execute(
            select(names.c.text, names.c.start)
            .join(documents, documents.c.id == names.c.document_id)
            .where(
                documents.c.uri == uri,
                alive(self._generation),
                names.c.role == role,
                names.c.start.between(first, last),
            )
            .order_by(names.c.start, func.length(names.c.text))
        )
        return [(row.text, row.start) for row in found]

    def chunks(self, uris: Sequence[str]) -> dict[str, range]:
        """Document → the ids of its chunks."""
        found = self._reading.connection.execute(
            select(documents.c.uri, documents.c.first_chunk, documents.c.chunks).where(
                documents.c.uri.in_(uris), alive(self._generation)
            )
        )
        return {row.uri: range(row.first_chunk, row.first_chunk + row.chunks) for row in found}

    def _rows(self, role: str, texts: Collection[str], *columns: Any) -> Select[Any]:
        """Capitals count here, which they do not where names are looked up as people type them."""
        return (
            select(*columns)
            .join(documents, documents.c.id == names.c.document_id)
            .where(
                names.c.normal.in_({normal(text) for text in texts}),
                names.c.role == role,
                names.c.text.in_(texts),
                documents.c.source_id.in_(self._sources),
                alive(self._generation),
            )
        )


def _sources_around(reading: Reading, uri: str, generation: int) -> list[int]:
    found = reading.find_document(uri, generation)
    if found is None:
        return []
    rows = reading.connection.execute(select(sources.c.id, sources.c.facts)).all()
    repositories = {row.id: load_object(row.facts, f"the state of source {row.id}").get(REPOSITORY) for row in rows}
    own = repositories.get(found[0])
    return [found[0]] if own is None else sorted(key for key, other in repositories.items() if other == own)
