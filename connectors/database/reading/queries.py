"""Describes the result of a query as a table, with its columns, before any row is read."""

from __future__ import annotations

from sqlalchemy import Connection, exc

from connectors.database.access.failures import reason_of
from connectors.database.access.options import DatabaseOptions
from connectors.database.reading.statements import looks_like
from connectors.database.structure.kinds import ColumnKind
from connectors.database.structure.tables import Column, Table
from connectors.errors import SourceError

# What psycopg reads as it is; everything else is asked for as text.
_POSTGRESQL = {
    "bool": ColumnKind.BOOLEAN,
    "int2": ColumnKind.INTEGER,
    "int4": ColumnKind.INTEGER,
    "int8": ColumnKind.INTEGER,
    "float4": ColumnKind.FLOAT,
    "float8": ColumnKind.FLOAT,
    "numeric": ColumnKind.DECIMAL,
    "date": ColumnKind.DATE,
    "timestamp": ColumnKind.DATETIME,
    "timestamptz": ColumnKind.DATETIME,
    "text": ColumnKind.TEXT,
    "varchar": ColumnKind.TEXT,
    "bytea": ColumnKind.BINARY,
}


def result_of(connection: Connection, options: DatabaseOptions) -> Table:
    """A query as the table that its rows make.

    Raises:
        SourceError: the database does not understand it.
    """
    try:
        result = connection.execute(looks_like(options.query))
    except exc.DBAPIError as error:
        raise SourceError(
            f"the query {options.query_name} cannot be run: {reason_of(error)}",
            hint="try it in the database's own shell: one SELECT, every column with a name of its own",
        ) from None
    with result:
        described = result.cursor.description if result.cursor else ()
        columns = tuple(Column(each[0], _kind(each[1], connection.dialect.name)) for each in described)
    names = [column.name for column in columns]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise SourceError(
            f"the query {options.query_name} has two columns {twice!r}", hint="give one another name: SELECT … AS …"
        )
    return Table(options.query_name, columns=columns)


def _kind(code: object, dialect: str) -> ColumnKind:
    """The kind of a column by the number its driver has for the type."""
    match dialect:
        case "postgresql":
            import psycopg

            known = psycopg.adapters.types.get(code) if isinstance(code, int) else None
            return _POSTGRESQL.get(known.name, ColumnKind.OTHER) if known else ColumnKind.OTHER
        case "mysql":
            return _mysql_kind(code)
        case _:
            return ColumnKind.TEXT


def _mysql_kind(code: object) -> ColumnKind:
    from pymysql.constants import FIELD_TYPE  # type: ignore[import-untyped]

    kinds = {
        ColumnKind.INTEGER: (FIELD_TYPE.TINY, FIELD_TYPE.SHORT, FIELD_TYPE.LONG, FIELD_TYPE.INT24, FIELD_TYPE.LONGLONG),
        ColumnKind.DECIMAL: (FIELD_TYPE.DECIMAL, FIELD_TYPE.NEWDECIMAL),
        ColumnKind.FLOAT: (FIELD_TYPE.FLOAT, FIELD_TYPE.DOUBLE),
        ColumnKind.DATE: (FIELD_TYPE.DATE, FIELD_TYPE.NEWDATE),
        ColumnKind.DATETIME: (FIELD_TYPE.DATETIME, FIELD_TYPE.TIMESTAMP),
        ColumnKind.TIME: (FIELD_TYPE.TIME,),
    }
    return next((kind for kind, codes in kinds.items() if code in codes), ColumnKind.TEXT)
