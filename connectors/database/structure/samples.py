"""The values of columns that have few distinct ones: a status, a country, a kind."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Text, cast, exc, func, select

from connectors.database.structure.kinds import ColumnKind
from connectors.database.structure.quoting import quoted_column, quoted_table
from connectors.database.structure.secrets import is_secret, looks_secret

if TYPE_CHECKING:
    from connectors.database.structure.tables import Column, Table

MOST = 30  # more distinct values than this are many
_LONGEST = 60  # characters
_ROWS_TRIED = 500
_ROWS_READ = 50_000
_REPEATED = 2  # how often a value must come on average
_SAMPLED = frozenset({ColumnKind.TEXT, ColumnKind.ENUM})


def add_samples(connection: Connection, table: Table) -> Table:
    """The table with the samples of its columns."""
    if table.is_view:
        return table
    single = {key[0] for key in (table.primary_key, *table.unique_keys) if len(key) == 1}
    pointing = {name for key in table.foreign_keys for name in key.columns}
    columns = tuple(
        replace(each, samples=_samples(connection, table, each))
        if each.kind in _SAMPLED and each.name not in single | pointing and not looks_secret(each.name, each.kind)
        else each
        for each in table.columns
    )
    return replace(table, columns=columns)


def _samples(connection: Connection, table: Table, of: Column) -> tuple[str, ...]:
    try:
        with connection.begin_nested():
            if not _are_few(_counted(connection, table, of, _ROWS_TRIED)):  # most columns: found out cheaply
                return ()
            counts = _counted(connection, table, of, _ROWS_READ)
    except exc.DBAPIError as error:
        if error.connection_invalidated:
            raise
        return ()  # reading the rows will tell why
    # In a table of few rows there are few values of everything: they count when they come again.
    if not _are_few(counts) or sum(counts.values()) < _REPEATED * len(counts):
        return ()
    # One that was meant for nobody says that the column's other values may be, too, whatever it is called.
    return () if any(map(is_secret, counts)) else tuple(sorted(counts))


def _counted(connection: Connection, table: Table, of: Column, rows: int) -> dict[str, int]:
    """The distinct values in the first `rows` rows and how often they are there; one too many where they are many."""
    source = quoted_table(table.name, table.schema)
    some = select(quoted_column(of.name).label("value")).select_from(source).limit(rows).subquery()
    is_enum = of.kind is ColumnKind.ENUM and connection.dialect.name == "postgresql"
    text = cast(some.c.value, Text) if is_enum else some.c.value
    # One character more than is short enough: a long text is never read whole, and is seen to be long.
    start = func.substr(text, 1, _LONGEST + 1).label("start")
    counted = select(start, func.count()).where(some.c.value.is_not(None)).group_by(start).limit(MOST + 1)
    return {value: count for value, count in connection.execute(counted) if isinstance(value, str) and value.strip()}


def _are_few(values: dict[str, int]) -> bool:
    return len(values) <= MOST and all(len(value) <= _LONGEST for value in values)
