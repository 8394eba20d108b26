"""Renders the schema as documents: the tables, the contents of their columns, and their foreign keys."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence

from connectors.database.structure.plans import path_of
from connectors.database.structure.tables import Column, ForeignKey, Schema, Table
from connectors.document import SCHEMA, Document
from connectors.parsed import clean, one_line

_MOST_VALUES = 30
_PRODUCTS = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mysql": "MySQL"}


def schema_documents(base: str, schema: Schema, tables: Sequence[Table]) -> Iterator[Document]:
    """One document about the whole database, and one about each of these tables.

    How many rows there are is not said: the documents change when the structure does.
    """
    yield _document(base, f"Tables of {schema.database}", _overview(schema, tables), {"database": schema.database})
    for table in tables:
        what = "View" if table.is_view else "Table"
        metadata = {"database": schema.database, "table": table.label}
        text = "\n".join(_described(table, schema, {each.label for each in tables}))
        yield _document(f"{base}#{path_of(table)}", f"{what} {table.label} of {schema.database}", text, metadata)


def _document(uri: str, title: str, text: str, metadata: dict[str, str]) -> Document:
    text = clean(text)
    revision = hashlib.blake2b(f"{title}\n{text}".encode(), digest_size=16).hexdigest()
    return Document(
        uri=uri,
        title=title,
        text=text,
        kind=SCHEMA,
        revision=revision,
        metadata=dict(metadata),
        context=title,
        has_lines=False,
    )


def _overview(schema: Schema, tables: Iterable[Table]) -> str:
    product = _PRODUCTS.get(schema.dialect, schema.dialect)
    lines = [f"The {product} database {schema.database} has these tables and their columns:", ""]
    for table in tables:
        columns = ", ".join(column.name for column in table.columns)
        comment = f" — {one_line(table.comment)}" if table.comment else ""
        lines.append(f"{table.label}{' (view)' if table.is_view else ''}: {columns}{comment}")
    return "\n".join(lines)


def _described(table: Table, schema: Schema, told: set[str]) -> Iterator[str]:
    what = "view" if table.is_view else "table"
    yield f"The {what} {table.label} has these columns:"
    if table.comment:
        yield one_line(table.comment)
    yield ""
    pointing = {key.columns[0]: key for key in table.foreign_keys if len(key.columns) == 1}
    for column in table.columns:
        yield _column(column, table, pointing.get(column.name))
    for key in table.foreign_keys:
        if len(key.columns) > 1:
            yield f"({', '.join(key.columns)}) points to {key.table} ({', '.join(key.referred)})"
    if len(table.primary_key) > 1:
        yield f"primary key: {', '.join(table.primary_key)}"
    for unique in table.unique_keys:
        if len(unique) > 1:
            yield f"unique: {', '.join(unique)}"
    for other in schema.tables:
        for key in other.foreign_keys:
            if key.table == table.label and other.label in told:
                yield f"{other.label} ({', '.join(key.columns)}) points here"


def _column(column: Column, table: Table, pointing: ForeignKey | None) -> str:
    parts = [column.sql_type.lower()] if column.sql_type else []
    if (column.name,) == table.primary_key:
        parts.append("primary key")
    elif (column.name,) in table.unique_keys:
        parts.append("unique")
    if pointing is not None:
        parts.append(f"points to {pointing.table} ({pointing.referred[0]})")
    if column.comment:
        parts.append(one_line(column.comment))
    if column.values:
        parts.append(f"one of: {', '.join(one_line(value) for value in column.values[:_MOST_VALUES])}")
    return f"{column.name}: {'; '.join(parts)}" if parts else column.name
