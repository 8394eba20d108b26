"""The schema of a database, from its own description: tables and views, their columns and keys."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace

from sqlalchemy import Connection, Engine, Inspector, exc, inspect, text
from sqlalchemy.engine.interfaces import ReflectedColumn

from connectors.database.access.failures import reason_of
from connectors.database.structure.constraints import values_of_check, values_of_type
from connectors.database.structure.estimates import partitions, row_estimates, shadow_tables
from connectors.database.structure.kinds import kind_of, type_name
from connectors.database.structure.samples import add_samples
from connectors.database.structure.tables import Broken, Column, ForeignKey, Schema, Table

_SYSTEM_SCHEMAS = ("information_schema", "pg_")
_MARIADB_CHECKS = text(
    "SELECT CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS"
    " WHERE CONSTRAINT_SCHEMA = DATABASE() AND TABLE_NAME = :table"
)


def reflect(database: Engine | Connection, *, name: str = "", samples: bool = True) -> Schema:
    """What is in the database that `database` is connected to.

    System tables, partitions of a table and the tables that a full-text index keeps for itself are left out.

    Args:
        database: from `connect`; with a connection, its transaction is used.
        name: what to call the database.
        samples: whether to look for columns with few values, which reads some of every table.

    Raises:
        sqlalchemy.exc.DBAPIError: the connection is lost.
    """
    if isinstance(database, Engine):
        with database.connect() as connection:
            return reflect(connection, name=name, samples=samples)
    with warnings.catch_warnings():  # of types SQLAlchemy does not know, and indexes on expressions
        warnings.simplefilter("ignore", exc.SAWarning)
        return _Reflection(database, name).schema(samples=samples)


class _Reflection:
    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self._name = name
        self._inspector: Inspector = inspect(connection)
        self._default = self._inspector.default_schema_name

    def schema(self, *, samples: bool) -> Schema:
        tables: list[Table] = []
        broken: list[Broken] = []
        estimates = row_estimates(self._connection)
        for found in self._names():
            try:
                with self._connection.begin_nested():
                    table = self._table(found)
                    rows = estimates.get((found.schema or self._default, found.name))
                    table = replace(table, rows=None if found.is_view else rows)
                    tables.append(add_samples(self._connection, table) if samples else table)
            except exc.NoSuchTableError:
                continue  # dropped meanwhile
            except exc.UnreflectableTableError as error:
                broken.append(Broken(found, str(error)))
            except exc.DBAPIError as error:
                if error.connection_invalidated:
                    raise
                broken.append(Broken(found, reason_of(error)))
        tables.sort(key=lambda table: table.label)
        known = {(table.schema or self._default or "", table.name.casefold()): table.label for table in tables}
        resolved = tuple(replace(table, foreign_keys=tuple(self._resolved(table, known))) for table in tables)
        return Schema(self._name, self._connection.dialect.name, resolved, tuple(broken))

    def _names(self) -> Iterator[Table]:
        """Every table and view, by name only."""
        hidden = shadow_tables(self._connection) | partitions(self._connection)
        for schema in self._schemas():
            inspector = self._inspector
            views = set(inspector.get_view_names(schema))
            if self._connection.dialect.name == "postgresql":
                views.update(inspector.get_materialized_view_names(schema))
            for name in [*inspector.get_table_names(schema), *sorted(views)]:
                if (schema or self._default, name) not in hidden:
                    yield Table(name, schema, is_view=name in views)

    def _schemas(self) -> list[str | None]:
        """None for the default schema, first; those of others, where a database has several."""
        if self._connection.dialect.name != "postgresql":
            return [None]
        others = self._inspector.get_schema_names()
        return [None, *(name for name in others if name != self._default and not name.startswith(_SYSTEM_SCHEMAS))]

    def _table(self, found: Table) -> Table:
        inspector, name, schema = self._inspector, found.name, found.schema
        columns = tuple(self._column(column) for column in inspector.get_columns(name, schema))
        if found.is_view:
            return replace(found, columns=columns, comment=self._comment(found))
        checked = self._checked(found)
        columns = tuple(replace(one, allowed=one.allowed or checked.get(one.name.casefold(), ())) for one in columns)
        foreign = (
            # The schema of what is referred to stands in front of its name until all labels are known.
            ForeignKey(
                tuple(key["constrained_columns"]),
                f"{key['referred_schema'] or self._default or ''}\0{key['referred_table']}",
                tuple(key["referred_columns"]),
            )
            for key in inspector.get_foreign_keys(name, schema)
        )
        return replace(
            found,
            columns=columns,
            primary_key=tuple(inspector.get_pk_constraint(name, schema)["constrained_columns"]),
            foreign_keys=tuple(foreign),
            unique_keys=self._unique_keys(found, columns),
            comment=self._comment(found),
        )

    def _column(self, column: ReflectedColumn) -> Column:
        reflected = column["type"]
        sql_type = type_name(reflected, self._connection.dialect)
        nullable = bool(column.get("nullable", True))
        kind, allowed = kind_of(reflected), values_of_type(reflected)
        return Column(column["name"], kind, sql_type, nullable, column.get("comment") or "", allowed=allowed)

    def _checked(self, found: Table) -> dict[str, tuple[str, ...]]:
        """Column, in small letters → the values that a CHECK lists for it."""
        if getattr(self._connection.dialect, "is_mariadb", False):  # where SQLAlchemy sees none of a column's own
            conditions = list(self._connection.execute(_MARIADB_CHECKS, {"table": found.name}).scalars())
        else:
            checks = self._inspector.get_check_constraints(found.name, found.schema)
            conditions = [check["sqltext"] for check in checks]
        listed = (values_of_check(condition, self._connection.dialect.name) for condition in conditions)
        return {column.casefold(): values for column, values in filter(None, listed)}

    def _unique_keys(self, found: Table, columns: tuple[Column, ...]) -> tuple[tuple[str, ...], ...]:
        required = {column.name for column in columns if not column.nullable}
        name, schema = found.name, found.schema
        keys = {tuple(key["column_names"]) for key in self._inspector.get_unique_constraints(name, schema)}
        # SQLite tells of some constraints only by the indexes it makes for them.
        automatic = {"include_auto_indexes": True} if self._connection.dialect.name == "sqlite" else {}
        for index in self._inspector.get_indexes(name, schema, **automatic):
            is_partial = any("where" in option for option in index.get("dialect_options", {}))
            if index["unique"] and not is_partial:
                keys.add(tuple(name or "" for name in index["column_names"]))  # None stands for an expression
        return tuple(sorted((key for key in keys if key and required.issuperset(key)), key=lambda key: (len(key), key)))

    def _comment(self, found: Table) -> str:
        try:
            return self._inspector.get_table_comment(found.name, found.schema)["text"] or ""
        except (NotImplementedError, exc.NoSuchTableError):  # SQLite has none; nor have views of MySQL
            return ""

    def _resolved(self, table: Table, known: Mapping[tuple[str, str], str]) -> Iterator[ForeignKey]:
        """The foreign keys that lead somewhere, by the label of where; SQLite writes names in any capitals."""
        for key in table.foreign_keys:
            schema, _, name = key.table.partition("\0")
            label = known.get((schema, name.casefold()))
            if label is not None and key.referred and len(key.referred) == len(key.columns):
                yield replace(key, table=label)
