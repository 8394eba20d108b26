"""Tables and views, their columns and keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from connectors.database.structure.kinds import ColumnKind


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes:
        name: as the database has it, capitals included.
        kind: what its values are.
        sql_type: the type as the database writes it; empty where it declares none.
        nullable: whether a row may lack a value.
        comment: what the schema says about it.
        samples: all of its values where they are few and short, sorted; empty otherwise, and where it looks secret.
        allowed: the values that its type or a CHECK allows, in their order; empty where it allows any.
    """

    name: str
    kind: ColumnKind
    sql_type: str = ""
    nullable: bool = True
    comment: str = ""
    samples: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()

    @property
    def values(self) -> tuple[str, ...]:
        """All the values that it may have or has, as far as that is known."""
        return self.allowed or self.samples


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """Columns whose values are the `referred` columns of a row of `table` (`Table.label`)."""

    columns: tuple[str, ...]
    table: str
    referred: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table or a view.

    Attributes:
        name: without its schema.
        schema: the schema it is in; None for the default one, whose tables need not be qualified.
        is_view: whether it is a view.
        columns: in the order of the table.
        primary_key: names of its columns; empty for none.
        foreign_keys: what its rows point to.
        unique_keys: other sets of columns, none of them nullable, that tell rows apart.
        comment: what the schema says about it.
        rows: about how many there are; None where that is not cheap to know.
    """

    name: str
    schema: str | None = None
    is_view: bool = False
    columns: tuple[Column, ...] = ()
    primary_key: tuple[str, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    unique_keys: tuple[tuple[str, ...], ...] = ()
    comment: str = ""
    rows: int | None = None

    @property
    def label(self) -> str:
        """The name people use: qualified where the schema is not the default one."""
        return f"{self.schema}.{self.name}" if self.schema else self.name

    @cached_property
    def by_name(self) -> Mapping[str, Column]:
        """The columns by name."""
        return {column.name: column for column in self.columns}


@dataclass(frozen=True, slots=True)
class Broken:
    """A table or view that cannot be inspected (such as a view of a dropped table), with the reason."""

    table: Table
    reason: str


@dataclass(frozen=True)
class Schema:
    """Everything readable in a database.

    Attributes:
        database: its name.
        dialect: `sqlite`, `postgresql` or `mysql`.
        tables: sorted by label; views too.
        broken: what cannot be looked at.
    """

    database: str
    dialect: str
    tables: tuple[Table, ...]
    broken: tuple[Broken, ...] = ()

    @cached_property
    def by_label(self) -> Mapping[str, Table]:
        """The tables by label."""
        return {table.label: table for table in self.tables}

    def find(self, name: str) -> Table | None:
        """The table a person means by `name`: exactly so written, else whatever the capitals if that is one only."""
        if name in self.by_label:
            return self.by_label[name]
        alike = [table for table in self.tables if table.label.casefold() == name.casefold()]
        return alike[0] if len(alike) == 1 else None
