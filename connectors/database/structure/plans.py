"""Plans what to read of each table and how to render it, once, before any row is read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote

from connectors.database.access.options import DatabaseOptions
from connectors.database.structure.kinds import ColumnKind
from connectors.database.structure.labels import label_columns
from connectors.database.structure.secrets import looks_secret
from connectors.database.structure.tables import Column, ForeignKey, Schema, Table

RENDERING = "2"
"""Goes up when the same row would be told in other words: all rows are then written anew."""


@dataclass(frozen=True, slots=True)
class Pointer:
    """A foreign key, and the label columns of the row it points to; none if that row has no name."""

    key: ForeignKey
    target: Table
    label: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JoinTable:
    """A table that only joins two others: its rows are rendered with the rows of both.

    Attributes:
        table: the table between the two.
        near: its foreign key to the rows that are told.
        far: its foreign key to what they are joined with.
    """

    table: Table
    near: ForeignKey
    far: Pointer

    @property
    def label(self) -> str:
        """What the joined rows are introduced by."""
        return self.far.target.label


@dataclass(frozen=True)
class Plan:
    """How to read the rows of one table, view or query.

    Attributes:
        table: where they are.
        query: the SQL, where they are those of a query.
        key: the columns that tell them apart; none where only their content does.
        columns: what is told of them, in this order.
        text: the columns that make the text; the others are metadata only.
        label: the columns that name a row.
        pointers: foreign keys whose target is told by name.
        links: tables that join them with others.
        cursor: the column that grows when a row changes; empty for none.
    """

    table: Table
    query: str = ""
    key: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    text: tuple[str, ...] = ()
    label: tuple[str, ...] = ()
    pointers: tuple[Pointer, ...] = ()
    links: tuple[JoinTable, ...] = ()
    cursor: str = ""

    @cached_property
    def path(self) -> str:
        """The table's part of the URI of its rows."""
        return path_of(self.table)

    @cached_property
    def shape(self) -> bytes:
        """A fingerprint of all that decides how a row is told, 16 bytes: another one makes every row a changed one.

        Nothing of it depends on the values that other rows have.
        """
        told = (
            RENDERING,
            self.table.label,
            self.key,
            [(column.name, column.kind) for column in self.columns],
            self.text,
            self.label,
            [(pointer.key, pointer.target.label, pointer.label) for pointer in self.pointers],
            [(link.table.label, link.near, link.far.key, link.far.target.label, link.far.label) for link in self.links],
        )
        return hashlib.blake2b(repr(told).encode("utf-8", "surrogatepass"), digest_size=16).digest()


@dataclass(frozen=True, slots=True)
class ReadingPlan:
    """What to read of a database, and notes for the user about what is left out."""

    plans: tuple[Plan, ...]
    notes: tuple[str, ...]


def path_of(table: Table) -> str:
    """The name of a table in a URI; a dot parts schema and name, and is escaped inside both."""
    return ".".join(part_of(name) for name in (table.schema, table.name) if name)


def part_of(name: str) -> str:
    """One name or key in a URI.

    >>> part_of("Order Details"), part_of("a/b~c"), part_of("Müller")
    ('Order%20Details', 'a%2Fb%7Ec', 'Müller')
    """
    if name.isalnum():
        return name
    escaped = (each if each.isalnum() or each in "_-" else quote(each, safe="", errors="replace") for each in name)
    return "".join(escaped).replace("~", "%7E").replace(".", "%2E")


def plan(schema: Schema, chosen: Sequence[Table], options: DatabaseOptions) -> ReadingPlan:
    """How each of the chosen tables is read; tables that only join others are told with those."""
    planner = _Planner(schema, chosen, options)
    return ReadingPlan(tuple(planner.plans()), tuple(planner.notes()))


def plan_query(table: Table, options: DatabaseOptions) -> ReadingPlan:
    """How the rows of a query are read, whose result looks like `table`."""
    planner = _Planner(Schema("", "", (table,)), (table,), options)
    return ReadingPlan(tuple(planner.plans()), tuple(planner.notes()))


class _Planner:
    def __init__(self, schema: Schema, chosen: Sequence[Table], options: DatabaseOptions) -> None:
        self._schema = schema
        self._options = options
        named = {table.label for name in options.tables if (table := schema.find(name))}
        joining = [table for table in chosen if table.label not in named and is_link(table, schema)]
        self._links = [table for table in joining if self._ends(table, chosen)]
        self._tables = [table for table in chosen if table not in self._links]

    @staticmethod
    def _ends(link: Table, chosen: Sequence[Table]) -> bool:
        """Whether any table is read that it can be told with."""
        return any(key.table == table.label for key in link.foreign_keys for table in chosen)

    def plans(self) -> Iterator[Plan]:
        for table in self._tables:
            columns = tuple(
                column for column in table.columns if not (self._is_binary(column) or self._is_secret(column))
            )
            shown = {column.name for column in columns}
            text = tuple(name for name in self._options.text_columns if name in shown)
            yield Plan(
                table,
                query=self._options.query,
                key=self._key(table),
                columns=columns,
                text=text,
                label=label_columns(table),
                pointers=tuple(self._pointers(table, shown)),
                links=tuple(self._links_of(table)),
                cursor=self._options.cursor if self._options.cursor in table.by_name else "",
            )

    def notes(self) -> Iterator[str]:
        """What is left out, table by table."""
        for table in self._tables:
            binary = [column.name for column in table.columns if self._is_binary(column)]
            secret = [column.name for column in table.columns if self._is_secret(column)]
            looks = "looks secret" if len(secret) == 1 else "look secret"
            for reason, names in (("binary", binary), (looks, secret)):
                if names:
                    yield f"{table.label}: left out {', '.join(names)} ({reason})"
        for link in self._links:
            ends = [key.table for key in link.foreign_keys[:2]]
            yield f"{link.label}: only joins {' and '.join(ends)}, so its rows are rendered with theirs"

    def _is_binary(self, column: Column) -> bool:
        return column.kind is ColumnKind.BINARY

    def _is_secret(self, column: Column) -> bool:
        asked_for = column.name in self._options.text_columns
        return not self._is_binary(column) and not asked_for and looks_secret(column.name, column.kind)

    def _key(self, table: Table) -> tuple[str, ...]:
        if self._options.key and all(name in table.by_name for name in self._options.key):
            return self._options.key
        return table.primary_key or (table.unique_keys[0] if table.unique_keys else ())

    def _pointers(self, table: Table, shown: set[str]) -> Iterator[Pointer]:
        told: set[str] = set()
        for key in table.foreign_keys:
            target = self._schema.by_label[key.table]
            if shown.issuperset(key.columns) and told.isdisjoint(key.columns):
                told.update(key.columns)
                yield Pointer(key, target, label_columns(target))

    def _links_of(self, table: Table) -> Iterator[JoinTable]:
        for link in self._links:
            for near in link.foreign_keys:
                far = next((key for key in link.foreign_keys if key is not near), None)
                if near.table == table.label and far and near.referred == self._key(table):
                    target = self._schema.by_label[far.table]
                    yield JoinTable(link, near, Pointer(far, target, label_columns(target)))


def is_link(table: Table, schema: Schema) -> bool:
    """Whether a table only joins two others: two foreign keys, and besides them at most a number of its own and dates.

    A table that others point to is told by itself.
    """
    if table.is_view or len(table.foreign_keys) != 2:  # noqa: PLR2004
        return False
    pointing = {name for key in table.foreign_keys for name in key.columns}
    own = [column for column in table.columns if column.name not in pointing]
    is_bare = all(column.kind.is_moment or (column.name,) == table.primary_key for column in own)
    return is_bare and not any(key.table == table.label for other in schema.tables for key in other.foreign_keys)
