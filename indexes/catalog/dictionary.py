"""The dictionary of a generation: maps what people type to possible names, and names to their rows."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, FromClause, and_, exists, literal, select, text

from indexes.catalog.reading import Reading
from indexes.catalog.schema import alive, documents, name_roles, names
from indexes.terms.names import StoredName, normal, reference

_SEVERAL = 2


@dataclass(frozen=True, slots=True)
class Meaning:
    """One possible meaning of a name: as written in one column, or in code."""

    normal: str
    role: str
    text: str


class Dictionary:
    """Looks names up in one generation of the catalog."""

    def __init__(self, reading: Reading, generation: int) -> None:
        self._connection = reading.connection
        self._generation = generation

    def roles(self) -> tuple[str, ...]:
        """Every `table.column` that has names, and the roles of names in code."""
        return tuple(self._connection.scalars(select(name_roles.c.role).order_by(name_roles.c.role)))

    def known(self, forms: Collection[str]) -> set[str]:
        """Those of these forms that any name has."""
        return {row[0] for row in self._connection.execute(_KNOWN, {"forms": json.dumps(sorted(forms))})}

    def having(self, forms: Collection[str], limit: int) -> dict[str, list[str]]:
        """Form → the normal forms of names that have it, at most `limit` and one more, which says there are more."""
        found: dict[str, list[str]] = {}
        for form, name in self._connection.execute(_HAVING, {"forms": json.dumps(sorted(forms)), "limit": limit}):
            found.setdefault(form, []).append(name)
        return found

    def meanings(self, normals: Collection[str]) -> dict[str, list[Meaning]]:
        """Normal form → what it is in each of its roles."""
        found: dict[str, list[Meaning]] = {}
        for row in self._connection.execute(_MEANINGS, {"normals": json.dumps(sorted(normals))}):
            found.setdefault(row.normal, []).append(Meaning(row.normal, row.role, row.text))
        return found

    def rows(self, meaning: Meaning, limit: int) -> list[StoredName]:
        """The live documents that a name stands for, at most `limit`, the oldest first."""
        wanted = _NAMED.where(_is(names, meaning), alive(self._generation)).order_by(*_IN_ORDER).limit(limit)
        return [_stored_name(row) for row in self._connection.execute(wanted)]

    def rows_of_both(self, first: Meaning, second: Meaning, limit: int) -> list[StoredName]:
        """The live documents that two names together stand for, at most `limit`; each as its first name is in it."""
        both = exists().where(_other.c.document_id == names.c.document_id, _is(_other, second))
        wanted = _NAMED.where(_is(names, first), both, alive(self._generation)).order_by(*_IN_ORDER).limit(limit)
        return [_stored_name(row) for row in self._connection.execute(wanted)]

    def passage(self, row: StoredName) -> int | None:
        """The chunk in which a name stands; None for a document without any."""
        if len(row.chunks) < _SEVERAL:
            return next(iter(row.chunks), None)
        wanted = {"first": row.chunks.start, "last": row.chunks.stop - 1, "start": row.start}
        found = self._connection.scalar(_PASSAGE, wanted)
        return row.chunks.start if found is None else int(found)

    def referred(self, uri: str, limit: int) -> list[StoredName]:
        """The live documents that a row refers to, at most `limit`; their role says which table."""
        there = (documents.c.uri == uri, alive(self._generation), alive(self._generation, _target))
        return [_stored_name(row) for row in self._connection.execute(_REFERRED.where(*there).limit(limit))]

    def referring(self, uri: str, limit: int) -> list[StoredName]:
        """The live documents that refer to a row, at most `limit` from each column, the oldest first."""
        meanings = self.meanings([normal(uri)]).get(normal(uri), ())
        return [row for each in meanings if reference(each.role) for row in self.rows(each, limit)]

    def names_of_chunks(self, ids: Collection[int], normals: Collection[str]) -> list[tuple[int, str, str]]:
        """Chunk, normal form and role of these names, where the document of one of these chunks has them."""
        wanted = {"ids": json.dumps(sorted(ids)), "normals": json.dumps(sorted(normals))}
        return [(row.id, row.normal, row.role) for row in self._connection.execute(_NAMES_OF_CHUNKS, wanted)]


def _is(table: FromClause, meaning: Meaning) -> ColumnElement[bool]:
    return and_(table.c.normal == meaning.normal, table.c.role == meaning.role)


def _stored_name(row) -> StoredName:  # type: ignore[no-untyped-def]
    return StoredName(row.text, row.role, row.start, row.uri, range(row.first_chunk, row.first_chunk + row.chunks))


_KNOWN = text(
    "SELECT value FROM json_each(:forms) WHERE EXISTS (SELECT 1 FROM name_forms WHERE name_forms.form = value)"
)
# The inner query is a seek and `limit` steps: a word that a million names have costs no more than another.
_HAVING = text(
    "SELECT wanted.value, name_forms.normal FROM json_each(:forms) AS wanted CROSS JOIN name_forms"
    " ON name_forms.form = wanted.value AND name_forms.normal <= coalesce((SELECT inner_forms.normal FROM name_forms"
    " AS inner_forms WHERE inner_forms.form = wanted.value ORDER BY inner_forms.normal LIMIT 1 OFFSET :limit),"
    " char(1114111)) ORDER BY wanted.value, name_forms.normal"
)
# From role to role by seeks, past the rows between them.
_MEANINGS = text(
    "WITH RECURSIVE pairs(normal, role) AS ("
    " SELECT value, (SELECT min(names.role) FROM names WHERE names.normal = value) FROM json_each(:normals)"
    " UNION ALL SELECT pairs.normal, (SELECT min(names.role) FROM names WHERE names.normal = pairs.normal"
    " AND names.role > pairs.role) FROM pairs WHERE pairs.role IS NOT NULL)"
    " SELECT normal, role, (SELECT names.text FROM names WHERE names.normal = pairs.normal AND names.role = pairs.role"
    " LIMIT 1) AS text FROM pairs WHERE role IS NOT NULL ORDER BY normal, role"
)
_NAMED = select(
    names.c.text, names.c.role, names.c.start, documents.c.uri, documents.c.first_chunk, documents.c.chunks
).join(documents, documents.c.id == names.c.document_id)
_IN_ORDER = (names.c.document_id, names.c.start)
_other = names.alias()
_target = documents.alias()
# Chunks are numbered in the order they stand in.
_PASSAGE = text(
    "SELECT id FROM chunks WHERE id BETWEEN :first AND :last AND json_extract(location, '$[0]') <= :start"
    " ORDER BY id DESC LIMIT 1"
)
_REFERRED = (
    select(
        _target.c.title.label("text"),
        names.c.role,
        literal(0).label("start"),
        _target.c.uri,
        _target.c.first_chunk,
        _target.c.chunks,
    )
    .select_from(documents)
    .join(names, and_(names.c.document_id == documents.c.id, names.c.role.contains("->")))
    .join(_target, _target.c.uri == names.c.text)
    .order_by(names.c.role)
)
_NAMES_OF_CHUNKS = text(
    "SELECT chunks.id, names.normal, names.role FROM json_each(:ids) AS wanted JOIN chunks ON chunks.id = wanted.value"
    " JOIN names ON names.document_id = chunks.document_id AND names.normal IN (SELECT value FROM json_each(:normals))"
)
