"""Column kinds: reduces the hundreds of types of three databases to the ones that matter for reading."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import Dialect, exc, types
from sqlalchemy.dialects import mysql, postgresql


class ColumnKind(StrEnum):
    """The kind of values in a column, whatever the database calls it.

    SQLite lets any value into any column: there a kind is what was declared, not what is found.
    """

    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    TIME = "time"
    TEXT = "text"
    ENUM = "enum"
    UUID = "uuid"
    JSON = "json"
    BINARY = "binary"
    OTHER = "other"

    @property
    def is_number(self) -> bool:
        """Whether the values can be counted with."""
        return self in {ColumnKind.INTEGER, ColumnKind.DECIMAL, ColumnKind.FLOAT}

    @property
    def is_moment(self) -> bool:
        """Whether the values are dates, with or without a time."""
        return self in {ColumnKind.DATE, ColumnKind.DATETIME}


# The first that fits counts, so the narrower stand before the wider.
_KINDS: tuple[tuple[type[types.TypeEngine[Any]], ColumnKind], ...] = (
    (mysql.YEAR, ColumnKind.INTEGER),
    (mysql.BIT, ColumnKind.BINARY),
    (types.Boolean, ColumnKind.BOOLEAN),
    (types.Integer, ColumnKind.INTEGER),
    (types.Float, ColumnKind.FLOAT),
    (types.Numeric, ColumnKind.DECIMAL),
    (types.DateTime, ColumnKind.DATETIME),
    (types.Date, ColumnKind.DATE),
    (types.Time, ColumnKind.TIME),
    (types.JSON, ColumnKind.JSON),
    (postgresql.JSON, ColumnKind.JSON),
    (types.Enum, ColumnKind.ENUM),
    (mysql.SET, ColumnKind.ENUM),
    (types.Uuid, ColumnKind.UUID),
    (postgresql.CITEXT, ColumnKind.TEXT),
    (types.String, ColumnKind.TEXT),
    (postgresql.BYTEA, ColumnKind.BINARY),
    (types.LargeBinary, ColumnKind.BINARY),
    (types.BINARY, ColumnKind.BINARY),
    (types.VARBINARY, ColumnKind.BINARY),
)


def kind_of(reflected: types.TypeEngine[Any]) -> ColumnKind:
    """The kind of a type that SQLAlchemy reflected.

    >>> kind_of(types.VARCHAR(20)), kind_of(types.REAL())
    (<ColumnKind.TEXT: 'text'>, <ColumnKind.FLOAT: 'float'>)
    """
    if isinstance(reflected, mysql.TINYINT) and reflected.display_width == 1:
        return ColumnKind.BOOLEAN  # that is what MySQL makes of BOOLEAN
    if isinstance(reflected, mysql.BIT) and reflected.length in {None, 1}:
        return ColumnKind.BOOLEAN
    if isinstance(reflected, postgresql.DOMAIN):
        return kind_of(reflected.data_type)
    return next((kind for type_, kind in _KINDS if isinstance(reflected, type_)), ColumnKind.OTHER)


def type_name(reflected: types.TypeEngine[Any], dialect: Dialect) -> str:
    """The type as it is written in SQL; empty for a column that has none."""
    try:
        return str(reflected.compile(dialect))
    except exc.CompileError:
        return ""
