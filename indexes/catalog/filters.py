"""Metadata filters: which chunks a search may return, decided by the catalog before either index is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, true

from connectors.document import MetadataValue
from connectors.errors import ConfigurationError
from indexes.catalog.reading import Ids, Reading
from indexes.catalog.rows import attribute_number, attribute_text
from indexes.catalog.schema import alive, attributes, documents

Values = MetadataValue | Sequence[MetadataValue]
Condition = Values | Mapping[str, Values]

_COLUMN_KEYS = ("uri", "title", "kind", "language")
_COMPARISONS: Mapping[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    ">=": lambda stored, value: stored >= value,
    ">": lambda stored, value: stored > value,
    "<=": lambda stored, value: stored <= value,
    "<": lambda stored, value: stored < value,
}
_FIRST_INEXACT = 2**53  # from here on, whole numbers share floats
OPERATORS = ("=", "prefix", *_COMPARISONS)


def filtered_chunks(reading: Reading, filters: Mapping[str, Condition], generation: int) -> Ids:
    """Ids of the live chunks whose document meets the condition of every key, ascending.

    Keys are `uri`, `title`, `kind`, `language` and the documents' metadata. A condition is a value, several values of
    which one must match, or a mapping of operators to values: `=` and `prefix` (one of all their values must match),
    `>=`, `>`, `<=` and `<` (all must hold). Numbers compare by value, and so does text that reads as a number when it
    is compared with one; everything else compares as text, so dates should be written year first.

    Raises:
        ConfigurationError: for a key that no document has, or an operator that does not exist.
    """
    met = [_condition(reading, key, condition) for key, condition in filters.items()]
    return reading.chunk_ids(alive(generation), *met)


def _condition(reading: Reading, key: str, condition: Condition) -> ColumnElement[bool]:
    if not isinstance(condition, Mapping):
        condition = {"=": condition}
    if unknown := sorted(set(condition) - set(OPERATORS)):
        raise ConfigurationError(
            f"unknown operator {unknown[0]!r} in the filter of {key!r}", hint=f"choose from: {', '.join(OPERATORS)}"
        )
    if key in _COLUMN_KEYS:
        return _test(documents.c[key], None, condition)
    if not reading.connection.scalar(_entries(key).limit(1)):
        keys = {*_COLUMN_KEYS, *reading.connection.scalars(select(attributes.c.key).distinct())}
        raise ConfigurationError(f"unknown filter key {key!r}", hint=f"the keys here are: {', '.join(sorted(keys))}")
    return documents.c.id.in_(_entries(key).where(_test(attributes.c.text, attributes.c.number, condition)))


def _entries(key: str) -> Select[tuple[int]]:
    return select(attributes.c.document_id).where(attributes.c.key == key)


def _test(
    text: ColumnElement[str], number: ColumnElement[float] | None, condition: Mapping[str, Values]
) -> ColumnElement[bool]:
    either = [_equals(text, number, value) for value in _each(condition.get("=", ()))]
    either += [_starts_with(text, attribute_text(value)) for value in _each(condition.get("prefix", ()))]
    tests = [or_(false(), *either)] if {"=", "prefix"} & set(condition) else []
    tests += [
        _compares(text, number, _COMPARISONS[operator], value)
        for operator in _COMPARISONS
        for value in _each(condition.get(operator, ()))
    ]
    return and_(true(), *tests)


def _each(values: Values) -> Sequence[MetadataValue]:
    return values if isinstance(values, Sequence) and not isinstance(values, str) else [values]


def _equals(text: ColumnElement[str], number: ColumnElement[float] | None, value: MetadataValue) -> ColumnElement[bool]:
    same = text == attribute_text(value)
    numeric = attribute_number(value)
    if number is None or numeric is None:
        return same
    # Long identifiers that differ may be the same float.
    whole = attribute_text(value).removeprefix("-").isdecimal()
    return same if whole and abs(numeric) >= _FIRST_INEXACT else or_(same, number == numeric)


def _starts_with(text: ColumnElement[str], prefix: str) -> ColumnElement[bool]:
    # The lower bound lets the index be used; LIKE would ignore case.
    return and_(text >= prefix, func.substr(text, 1, len(prefix)) == prefix)


def _compares(
    text: ColumnElement[str],
    number: ColumnElement[float] | None,
    compare: Callable[[Any, Any], ColumnElement[bool]],
    value: MetadataValue,
) -> ColumnElement[bool]:
    numeric = attribute_number(value)
    return compare(text, attribute_text(value)) if number is None or numeric is None else compare(number, numeric)
