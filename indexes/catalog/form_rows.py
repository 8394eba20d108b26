"""Stores the forms of names in the catalog, so that a name is found by more than its exact spelling."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby, islice
from operator import attrgetter

from sqlalchemy import Connection, delete, func, select

from connectors.document import CALLS, DEFINES, DocumentName
from indexes.catalog.schema import name_forms, name_roles, names, storable
from indexes.terms.forms import forms
from indexes.terms.names import is_of_row, normal

Pair = tuple[str, str]
"""A form, and the normal form of a name that has it."""
_PAGE = 10_000  # rows in memory at a time
_AT_ONCE = 500  # pairs that one statement looks up


def add_forms(connection: Connection, added: Iterable[DocumentName]) -> None:
    """Note what the names of rows among these can be found by, and which columns and references they come from."""
    found, roles = set(), set()
    for name in added:
        if is_of_row(name.role):
            found.add(storable(normal(name.text)))
        if _is_kept(name.role):
            roles.add(storable(name.role))
    _insert(connection, [(form, each) for each in found for form in forms(each)], roles)


def normals_of(connection: Connection, documents: Sequence[int]) -> set[str]:
    """The normal forms of the names of these documents."""
    return set(connection.scalars(select(names.c.normal).where(names.c.document_id.in_(documents))))


def drop_unused_forms(connection: Connection, normals: Collection[str]) -> None:
    """Forget what those of these normal forms, few enough for one statement, can be found by that no document has."""
    used = set(connection.scalars(select(names.c.normal).where(names.c.normal.in_(normals)).distinct()))
    if pairs := [(form, each) for each in set(normals) - used for form in forms(each)]:
        connection.exec_driver_sql("DELETE FROM name_forms WHERE form = ? AND normal = ?", pairs)


def compare_forms(connection: Connection, *, page: int = _PAGE, at_once: int = _AT_ONCE) -> list[str]:
    """What is wrong with the stored forms, if anything: all names are read, a page at a time."""
    wanted = kept = 0
    for pairs in _pages(connection, page):
        wanted += len(pairs)
        kept += sum(_count(connection, pairs[start : start + at_once]) for start in range(0, len(pairs), at_once))
    stored = connection.scalar(select(func.count()).select_from(name_forms)) or 0
    roles = _roles(connection) - set(connection.scalars(select(name_roles.c.role)))
    problems = [f"{wanted - kept} forms of names are missing"] if wanted > kept else []
    problems += [f"{stored - kept} forms belong to no name"] if stored > kept else []
    return problems + [f"the column {role} is missing" for role in sorted(roles)]


def restore_forms(connection: Connection, *, page: int = _PAGE) -> None:
    """Make all forms anew from the names, a page at a time."""
    connection.execute(delete(name_forms))
    for pairs in _pages(connection, page):
        _insert(connection, pairs, ())
    _insert(connection, (), _roles(connection))


def _insert(connection: Connection, pairs: Sequence[Pair], roles: Collection[str]) -> None:
    # Straight to the driver: a name has some six forms, which took SQLAlchemy as long as all the rest together.
    if pairs:
        connection.exec_driver_sql("INSERT OR IGNORE INTO name_forms (form, normal) VALUES (?, ?)", list(pairs))
    if roles:
        statement = "INSERT OR IGNORE INTO name_roles (role) VALUES (?)"
        connection.exec_driver_sql(statement, [(role,) for role in roles])


def _pages(connection: Connection, size: int) -> Iterator[list[Pair]]:
    """The forms of every name of a row, each once."""
    statement = select(names.c.normal, names.c.role).distinct().order_by(names.c.normal)
    rows = connection.execute(statement, execution_options={"yield_per": size})
    pairs = (
        (form, each)
        for each, having in groupby(rows, attrgetter("normal"))
        if any(is_of_row(row.role) for row in having)
        for form in forms(each)
    )
    while page := list(islice(pairs, size)):
        yield page


def _count(connection: Connection, pairs: Sequence[Pair]) -> int:
    """How many of these are stored."""
    wanted = ", ".join(["(?, ?)"] * len(pairs))
    found = connection.exec_driver_sql(
        f"WITH wanted (form, normal) AS (VALUES {wanted}) SELECT count(*) FROM wanted CROSS JOIN name_forms"  # noqa: S608 — marks
        " ON name_forms.form = wanted.form AND name_forms.normal = wanted.normal",
        tuple(value for pair in pairs for value in pair),
    )
    return int(found.scalar_one())


def _roles(connection: Connection) -> set[str]:
    return {role for role in connection.scalars(select(names.c.role).distinct()) if _is_kept(role)}


def _is_kept(role: str) -> bool:
    """Whether a role is a column or a reference of a database."""
    return role not in {DEFINES, CALLS}
