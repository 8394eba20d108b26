"""The SELECT statements that read rows: values in the driver's plainest form, and none that is too long."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    String,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    text,
)
from sqlalchemy.types import NullType

from connectors.database.access.address import DatabaseDialect
from connectors.database.structure.kinds import ColumnKind
from connectors.database.structure.plans import JoinTable, Plan
from connectors.database.structure.quoting import quoted_column, quoted_table
from connectors.database.structure.tables import Column, ForeignKey, Table

MAX_CELL_BYTES = 4_000_000
"""A longer value is reported, not read: of many rows with such values only some would fit into memory."""

TOO_LONG = "\x02too long\x03"
"""Stands, with the length behind it, where a value is too long. ASCII: it must go with every character set."""

_PLAIN = frozenset(
    {ColumnKind.INTEGER, ColumnKind.DECIMAL, ColumnKind.FLOAT, ColumnKind.BOOLEAN, ColumnKind.TEXT, ColumnKind.BINARY}
)
_CAN_BE_LONG = frozenset({ColumnKind.TEXT, ColumnKind.JSON, ColumnKind.OTHER})
# By these, rows can be read in order, page after page: what is read is what compares. Enums compare by number, floats
# and JSON hardly at all.
_ORDERED = frozenset(
    {
        ColumnKind.INTEGER,
        ColumnKind.DECIMAL,
        ColumnKind.TEXT,
        ColumnKind.DATE,
        ColumnKind.DATETIME,
        ColumnKind.UUID,
        ColumnKind.BINARY,
    }
)


@dataclass(frozen=True, slots=True)
class RowQuery:
    """A SELECT and its columns.

    Attributes:
        select: has the key first, then the plan's columns, then the labels of what the plan's pointers point to.
        rows: what is selected from.
        key: the columns of the key.
        pages: whether it can be read page by page, in the order of the key.
    """

    select: Select[Any]
    rows: FromClause
    key: tuple[ColumnElement[Any], ...]
    pages: bool


def statement(plan: Plan, dialect: DatabaseDialect) -> RowQuery:
    """How the rows of `plan` are read."""
    rows = _rows(plan)
    key = tuple(rows.c[name] for name in plan.key)
    told = [_cell(rows.c[column.name], column, dialect) for column in plan.columns]
    source, labels = rows, []
    for number, pointer in enumerate(plan.pointers):
        if not pointer.label:
            continue
        target = _table(pointer.target).alias(f"p{number}")
        source = source.outerjoin(target, _joins(rows, pointer.key, target))
        by_name = pointer.target.by_name
        labels += [_short(target.c[name], by_name[name], dialect) for name in pointer.label]
    identity = [_plain(rows.c[name], plan.table.by_name[name], dialect) for name in plan.key]
    columns = [each.label(f"c{place}") for place, each in enumerate([*identity, *told, *labels])]
    return RowQuery(select(*columns).select_from(source), rows, key, _has_pages(plan, dialect))


def _has_pages(plan: Plan, dialect: DatabaseDialect) -> bool:
    """Whether an index gives the rows in the order of their key; the others are read by one statement.

    So are those of SQLite, a file: no connection to it can drop, and its keys may lack values or hold any type.
    """
    is_indexed = plan.key in {plan.table.primary_key, *plan.table.unique_keys} - {()}
    is_ordered = all(plan.table.by_name[name].kind in _ORDERED for name in plan.key)
    return is_indexed and is_ordered and dialect is not DatabaseDialect.SQLITE


def page(of: RowQuery, after: Sequence[Any] | None, limit: int) -> Select[Any]:
    """The next `limit` rows after the one whose key is `after`, in the order of the key."""
    found = of.select.order_by(*of.key).limit(limit)
    return found if after is None else found.where(_beyond(of.key, after))


def newer(of: RowQuery, cursor: str, than: Any) -> RowQuery:
    """Only the rows whose cursor is at least `than`, or that have none."""
    column = of.rows.c[cursor]
    is_newer = or_(column >= _bound("cursor", than), column.is_(None))
    return replace(of, select=of.select.where(is_newer))


def keys_only(of: RowQuery, plan: Plan, dialect: DatabaseDialect) -> RowQuery:
    """The keys of all rows, and nothing else."""
    by_name = plan.table.by_name
    names = [_plain(of.rows.c[name], by_name[name], dialect).label(f"c{i}") for i, name in enumerate(plan.key)]
    return replace(of, select=select(*names).select_from(of.rows))


def chosen(of: RowQuery, keys: Sequence[Sequence[Any]]) -> Select[Any]:
    """The rows with these keys."""
    return of.select.where(among(of.key, keys))


def among(columns: Sequence[ColumnElement[Any]], keys: Sequence[Sequence[Any]]) -> ColumnElement[bool]:
    """Whether the columns have one of these sets of values."""
    if len(columns) == 1:
        return columns[0].in_(bindparam("keys", [key[0] for key in keys], expanding=True, type_=NullType()))
    return or_(
        *(and_(*(column == _bound(None, value) for column, value in zip(columns, key, strict=True))) for key in keys)
    )


def linked(link: JoinTable, near: Table, keys: Sequence[Sequence[Any]], dialect: DatabaseDialect) -> Select[Any]:
    """What the rows of `near` with these keys are joined with: their key, the key of the other row, and its name."""
    between, rows = _table(link.table).alias("between"), _table(near).alias("near")
    target = _table(link.far.target).alias("far")
    # The key is that of the row itself: what points to it may be written in other capitals, where those do not count.
    source = between.join(rows, _joins(between, link.near, rows)).outerjoin(
        target, _joins(between, link.far.key, target)
    )
    key = [rows.c[name] for name in link.near.referred]
    other = [between.c[name] for name in link.far.key.columns]
    names = [_short(target.c[name], link.far.target.by_name[name], dialect) for name in link.far.label]
    told = [
        *(_plain(each, near.by_name[each.name], dialect) for each in key),
        *(_plain(each, link.table.by_name[each.name], dialect) for each in other),
        *names,
    ]
    columns = [each.label(f"c{place}") for place, each in enumerate(told)]
    return select(*columns).select_from(source).where(among(key, keys)).order_by(*key, *other)


def _joins(near: FromClause, key: ForeignKey, far: FromClause) -> ColumnElement[bool]:
    pairs = zip(key.columns, key.referred, strict=True)
    return and_(*(near.c[one] == far.c[other] for one, other in pairs))


def looks_like(query: str) -> Select[Any]:
    """No row of a query, to see what its columns are."""
    return select(text("*")).select_from(text(f"({_escaped(query)}\n) AS r")).limit(0)


def _rows(plan: Plan) -> FromClause:
    if not plan.query:
        whole: FromClause = _table(plan.table).alias("r")
        return whole
    names = [quoted_column(column.name) for column in plan.table.columns]
    rows: FromClause = text(_escaped(plan.query)).columns(*names).subquery("r")
    return rows


def _escaped(query: str) -> str:
    """A query as SQLAlchemy takes it as it stands: a colon begins no parameter."""
    return re.sub(r"(?<!\\):", r"\\:", query.strip().rstrip(";"))


def _table(of: Table) -> Any:
    return quoted_table(of.name, of.schema, [column.name for column in of.columns])


def _plain(value: ColumnElement[Any], column: Column, dialect: DatabaseDialect) -> ColumnElement[Any]:
    """A value that every driver reads alike: what is no number and no text comes as the text the database writes.

    Also because drivers refuse some: dates after the year 9999 or of the year 0, infinite ones.
    """
    if dialect is DatabaseDialect.SQLITE or (column.kind in _PLAIN and not column.sql_type.startswith("BIT")):
        return value
    return cast(value, BigInteger if column.kind is ColumnKind.BOOLEAN else Text)


def _cell(value: ColumnElement[Any], column: Column, dialect: DatabaseDialect) -> ColumnElement[Any]:
    """A value to be told, or `TOO_LONG` and its length."""
    plain = _plain(value, column, dialect)
    if column.kind not in _CAN_BE_LONG or (dialect is not DatabaseDialect.SQLITE and _is_bounded(column.sql_type)):
        return plain
    length = func.length(plain) if dialect is DatabaseDialect.SQLITE else func.octet_length(plain)
    said = literal(TOO_LONG, String) + cast(length, String)
    return case((length > MAX_CELL_BYTES, said), else_=plain)


def _short(value: ColumnElement[Any], column: Column, dialect: DatabaseDialect) -> ColumnElement[Any]:
    """The beginning of a name."""
    return func.substr(_plain(value, column, dialect), 1, 200)


def _is_bounded(sql_type: str) -> bool:
    """Whether the type says how long a value can be, and servers hold to it."""
    found = re.search(r"\((\d+)\)", sql_type)
    return found is not None and int(found[1]) <= MAX_CELL_BYTES // 4


def _beyond(key: Sequence[ColumnElement[Any]], after: Sequence[Any]) -> ColumnElement[bool]:
    """Whether a row comes after another, in a form that every server finds by its index."""
    values = [_bound(f"after{place}", value) for place, value in enumerate(after)]
    if len(key) == 1:
        beyond: ColumnElement[bool] = key[0] > values[0]
        return beyond
    # The first comparison alone would do for none but the index.
    steps = [
        and_(*(key[place] == values[place] for place in range(last)), key[last] > values[last])
        for last in range(len(key))
    ]
    return and_(key[0] >= values[0], or_(*steps))


def _bound(name: str | None, value: Any) -> Any:
    """A value without a type: a server takes it as what it is compared with."""
    return bindparam(name, value, type_=NullType())
