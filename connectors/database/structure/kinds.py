"""The kinds of columns that matter for reading: what three databases have hundreds of types for."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import Dialect, exc, types
from sqlalchemy.dialects import mysql, postgresql


class Kind(StrEnum):
    """What the values of a column are, whatever the database calls it.

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
        return self in {Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT}

    @property
    def is_moment(self) -> bool:
        """Whether the values are dates, with or without a time."""
        return self in {Kind.DATE, Kind.DATETIME}


# The first that fits counts, so the narrower stand before the wider.
_KINDS: tuple[tuple[type[types.TypeEngine[Any]], Kind], ...] = (
    (mysql.YEAR, Kind.INTEGER),
    (mysql.BIT, Kind.BINARY),
    (types.Boolean, Kind.BOOLEAN),
    (types.Integer, Kind.INTEGER),
    (types.Float, Kind.FLOAT),
    (types.Numeric, Kind.DECIMAL),
    (types.DateTime, Kind.DATETIME),
    (types.Date, Kind.DATE),
    (types.Time, Kind.TIME),
    (types.JSON, Kind.JSON),
    (postgresql.JSON, Kind.JSON),
    (types.Enum, Kind.ENUM),
    (mysql.SET, Kind.ENUM),
    (types.Uuid, Kind.UUID),
    (postgresql.CITEXT, Kind.TEXT),
    (types.String, Kind.TEXT),
    (postgresql.BYTEA, Kind.BINARY),
    (types.LargeBinary, Kind.BINARY),
    (types.BINARY, Kind.BINARY),
    (types.VARBINARY, Kind.BINARY),
)


def kind_of(reflected: types.TypeEngine[Any]) -> Kind:
    """The kind of a type that SQLAlchemy reflected.

    >>> kind_of(types.VARCHAR(20)), kind_of(types.REAL())
    (<Kind.TEXT: 'text'>, <Kind.FLOAT: 'float'>)
    """
    if isinstance(reflected, mysql.TINYINT) and reflected.display_width == 1:
        return Kind.BOOLEAN  # that is what MySQL makes of BOOLEAN
    if isinstance(reflected, mysql.BIT) and reflected.length in {None, 1}:
        return Kind.BOOLEAN
    if isinstance(reflected, postgresql.DOMAIN):
        return kind_of(reflected.data_type)
    return next((kind for type_, kind in _KINDS if isinstance(reflected, type_)), Kind.OTHER)


def type_name(reflected: types.TypeEngine[Any], dialect: Dialect) -> str:
    """The type as it is written in SQL; empty for a column that has none."""
    try:
        return str(reflected.compile(dialect))
    except exc.CompileError:
        return ""
