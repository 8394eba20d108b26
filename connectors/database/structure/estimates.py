"""A database's own statistics on its tables: their row counts, and which tables no user made."""

from __future__ import annotations

from sqlalchemy import Connection, exc, func, select, text

from connectors.database.structure.quoting import quoted_column, quoted_table

Names = set[tuple[str | None, str]]
"""Schema and name of tables."""


def row_estimates(connection: Connection) -> dict[tuple[str | None, str], int]:
    """About how many rows each table has, by schema and name; those it is not cheap to know for are absent."""
    match connection.dialect.name:
        case "sqlite":
            return _of_sqlite(connection)
        case "postgresql":
            statement = (
                "SELECT n.nspname, c.relname, c.reltuples FROM pg_catalog.pg_class c"
                " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
                " WHERE c.relkind IN ('r', 'p', 'm') AND c.reltuples >= 0"
            )
        case _:
            statement = (
                "SELECT table_schema, table_name, table_rows FROM information_schema.tables"
                " WHERE table_schema = DATABASE() AND table_rows IS NOT NULL"
            )
    return {(schema, name): int(rows) for schema, name, rows in connection.execute(text(statement))}


def _of_sqlite(connection: Connection) -> dict[tuple[str | None, str], int]:
    """The span of its row numbers, which is found at once; counting would read the whole table."""
    number = quoted_column("rowid")
    names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars().all()
    found: dict[tuple[str | None, str], int] = {}
    for name in names:
        try:
            of = quoted_table(name)
            first, last = (connection.scalar(select(end(number)).select_from(of)) for end in (func.min, func.max))
        except exc.DBAPIError:  # one without row numbers, or of a module that is not here
            continue
        if isinstance(first, int) and isinstance(last, int):
            found["main", name] = found[None, name] = last - first + 1
        elif first is None:
            found["main", name] = found[None, name] = 0
    return found


def partitions(connection: Connection) -> Names:
    """The parts of partitioned tables: their rows are read as those of the whole."""
    if connection.dialect.name != "postgresql":
        return set()
    statement = (
        "SELECT n.nspname, c.relname FROM pg_catalog.pg_class c"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relispartition"
    )
    return {(schema, name) for schema, name in connection.execute(text(statement))}


def shadow_tables(connection: Connection) -> Names:
    """The tables in which a full-text index of SQLite keeps its own."""
    if connection.dialect.name != "sqlite":
        return set()
    rows = connection.execute(text("PRAGMA table_list")).mappings()
    return {(schema, row["name"]) for row in rows if row["type"] == "shadow" for schema in (None, "main")}
