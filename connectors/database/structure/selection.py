"""Selects the tables and views to read: the named ones, or all tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from connectors.database.access.options import DatabaseOptions
from connectors.database.structure.plans import path_of
from connectors.database.structure.tables import Broken, Schema, Table
from connectors.errors import SourceError

_NAMED = 12  # tables named in a message


@dataclass(frozen=True, slots=True)
class TableSelection:
    """The selected tables and views.

    Attributes:
        tables: whose rows are read.
        described: whose structure is told: these, and views whose rows are not read.
        broken: what was to be read and cannot be.
        notes: what a person should know.
    """

    tables: tuple[Table, ...]
    described: tuple[Table, ...]
    broken: tuple[Broken, ...]
    notes: tuple[str, ...]


def choose(schema: Schema, options: DatabaseOptions, was_read: Callable[[str], bool]) -> TableSelection:
    """What the options choose of a schema.

    Args:
        schema: what there is.
        options: what was asked for.
        was_read: whether the table with this path in URIs was read before.

    Raises:
        SourceError: a table was named that is not there and never was.
    """
    excluded = {table.label for name in options.exclude_tables if (table := schema.find(name))}
    notes = [f"{name}: no such table to exclude" for name in options.exclude_tables if not schema.find(name)]
    if options.tables:
        named = [_named(name, schema, was_read) for name in options.tables]
        tables = tuple(each for each in named if isinstance(each, Table) and each.label not in excluded)
        notes += [f"{each}: the table is gone" for each in named if isinstance(each, str)]
        return TableSelection(tables, tables, tuple(each for each in named if isinstance(each, Broken)), tuple(notes))
    kept = tuple(table for table in schema.tables if table.label not in excluded)
    views = [table.label for table in kept if table.is_view]
    views += [each.table.label for each in schema.broken if each.table.is_view]
    if views:
        notes.append(f"views are not read unless they are named: {_listed(sorted(views))}")
    broken = tuple(each for each in schema.broken if not each.table.is_view)
    return TableSelection(tuple(table for table in kept if not table.is_view), kept, broken, tuple(notes))


def _named(name: str, schema: Schema, was_read: Callable[[str], bool]) -> Table | Broken | str:
    """What `name` names: a table, one that cannot be looked at, or (its name) one that was there once."""
    if table := schema.find(name):
        return table
    broken = next((each for each in schema.broken if each.table.label == name), None)
    if broken is not None:
        return broken
    within, _, bare = name.partition(".")
    if was_read(path_of(Table(name))) or (bare and was_read(path_of(Table(bare, within)))):
        return name
    there = [table.label for table in schema.tables]
    raise SourceError(
        f"{schema.database} has no table {name!r}", hint=f"it has: {_listed(there)}" if there else "it has no tables"
    )


def _listed(names: list[str]) -> str:
    rest = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")
