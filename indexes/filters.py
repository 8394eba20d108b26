"""Metadata filters: which chunks a search may return, decided by the catalog before either index is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, String, exists, func, or_, select

from connectors.errors import ConfigurationError
from indexes.catalog import Ids, Reading
from indexes.schema import alive, chunks, documents

_COLUMN_KEYS = ("uri", "title", "kind", "language")


def filtered_chunks(reading: Reading, filters: Mapping[str, Sequence[str]], generation: int) -> Ids:
    """Ids of the live chunks whose document matches every key with one of its values.

    Keys are `uri`, `title`, `kind`, `language` and the documents' metadata; values compare as text, numbers also
    by value.

    Raises:
        ConfigurationError: for a key that no live document has.
    """
    conditions = [_condition(reading, key, values, generation) for key, values in filters.items()]
    rows = reading.connection.execute(
        select(chunks.c.id)
        .join(documents, documents.c.id == chunks.c.document_id)
        .where(alive(chunks, generation), *conditions)
        .order_by(chunks.c.id)
    )
    return np.fromiter((row[0] for row in rows), dtype=np.int64)


def _condition(reading: Reading, key: str, values: Sequence[str], generation: int) -> ColumnElement[bool]:
    if key in _COLUMN_KEYS:
        return documents.c[key].in_(values)
    if key not in metadata_keys(reading, generation):
        known = ", ".join(sorted({*_COLUMN_KEYS, *metadata_keys(reading, generation)}))
        raise ConfigurationError(f"unknown filter key {key!r}", hint=f"the keys here are: {known}")
    # Not by JSON path: a key comes from a document, and a quotation mark in it would be the end of the path.
    each = func.json_each(documents.c.metadata).table_valued("key", "value", name="entry")
    same = or_(*(_equals(each.c.value, value) for value in values))
    return exists(select(1).select_from(each).where(each.c.key == key, same))


def metadata_keys(reading: Reading, generation: int) -> set[str]:
    """Every metadata key of a live document."""
    each = func.json_each(documents.c.metadata).table_valued("key", name="entry")
    rows = reading.connection.execute(
        select(each.c.key).select_from(documents).join(each, alive(documents, generation)).distinct()
    )
    return {row[0] for row in rows}


def _equals(stored: ColumnElement[Any], value: str) -> ColumnElement[bool]:
    same = func.cast(stored, String) == value
    try:
        number = float(value)
    except ValueError:
        return {"true": or_(same, stored.is_(True)), "false": or_(same, stored.is_(False))}.get(value.lower(), same)
    return or_(same, stored == number)
