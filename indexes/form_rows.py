"""Forms of names: kept with the names in the catalog, so that a name is found by more than how it is written."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import Connection, select

from connectors.document import CALLS, DEFINES, Name
from indexes.forms import forms
from indexes.names import is_of_row, normal
from indexes.reading import batched
from indexes.schema import names, storable


def add_forms(connection: Connection, added: Iterable[Name]) -> None:
    """Note what the names of rows among these can be found by, and which columns and references they come from."""
    found, roles = set(), set()
    for name in added:
        if is_of_row(name.role):
            found.add(storable(normal(name.text)))
        if name.role not in {DEFINES, CALLS}:
            roles.add((storable(name.role),))
    # Straight to the driver: a name has some six forms, which took SQLAlchemy as long as all the rest together.
    if pairs := [(form, each) for each in found for form in forms(each)]:
        connection.exec_driver_sql("INSERT OR IGNORE INTO name_forms (form, normal) VALUES (?, ?)", pairs)
    if roles:
        connection.exec_driver_sql("INSERT OR IGNORE INTO name_roles (role) VALUES (?)", list(roles))


def normals_of(connection: Connection, documents: Sequence[int]) -> set[str]:
    """The normal forms of the names of these documents."""
    return set(connection.scalars(select(names.c.normal).where(names.c.document_id.in_(documents))))


def drop_unused_forms(connection: Connection, normals: Collection[str]) -> None:
    """Forget what those of these normal forms can be found by that no document has any more."""
    used: set[str] = set()
    for batch in batched(sorted(normals)):
        used.update(connection.scalars(select(names.c.normal).where(names.c.normal.in_(batch)).distinct()))
    if pairs := [(form, each) for each in set(normals) - used for form in forms(each)]:
        connection.exec_driver_sql("DELETE FROM name_forms WHERE form = ? AND normal = ?", pairs)
