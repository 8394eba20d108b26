"""Quotes names from a database, always: capitals, spaces and reserved words are valid in names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnClause, TableClause, column, table
from sqlalchemy.sql.elements import quoted_name


def quoted(name: str) -> quoted_name:
    """A name that is quoted in every statement."""
    return quoted_name(name, quote=True)


def quoted_column(name: str) -> ColumnClause[Any]:
    """A column by its name alone, without a type: its values come as the driver has them."""
    return column(quoted(name))


def quoted_table(name: str, schema: str | None = None, columns: Sequence[str] = ()) -> TableClause:
    """A table by its name, in the default schema or in another, with these columns."""
    within = None if schema is None else quoted(schema)
    return table(quoted(name), *map(quoted_column, columns), schema=within)
