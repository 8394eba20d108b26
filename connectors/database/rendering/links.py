"""The names of the rows that pure join tables link a row to, rendered with that row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from connectors.database.access.address import DatabaseDialect
from connectors.database.reading.scanning import Row
from connectors.database.reading.statements import linked
from connectors.database.rendering.values import shown
from connectors.database.structure.plans import JoinTable, Plan
from connectors.database.structure.tables import Table

_MOST = 30  # names told with one row; the others are counted
_KEYS_AT_ONCE = 500

Joined = tuple[str, ...]
"""For each link of a plan, what a row is joined with; empty for nothing."""


def joined(connection: Connection, plan: Plan, rows: Sequence[Row], dialect: DatabaseDialect) -> list[Joined]:
    """What each of the rows is joined with."""
    if not plan.links:
        return [()] * len(rows)
    width = len(plan.key)
    keys = [row[:width] for row in rows]
    told = [_told(connection, plan.table, link, keys, dialect) for link in plan.links]
    return [tuple(names.get(key, "") for names in told) for key in keys]


def _told(
    connection: Connection, near: Table, link: JoinTable, keys: Sequence[Row], dialect: DatabaseDialect
) -> dict[Row, str]:
    names: dict[Row, list[str]] = {}
    more: Counter[Row] = Counter()
    width, far = len(link.near.columns), len(link.far.key.columns)
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        wanted = linked(link, near, keys[start : start + _KEYS_AT_ONCE], dialect)
        result = connection.execute(wanted, execution_options={"yield_per": _KEYS_AT_ONCE})
        for row in result:
            key = tuple(row[:width])
            told = names.setdefault(key, [])
            name = _name(row[width : width + far], row[width + far :])
            if len(told) >= _MOST:
                more[key] += 1
            elif name not in told:
                told.append(name)
    return {key: "; ".join(found) + (f"; and {more[key]:,} more" if more[key] else "") for key, found in names.items()}


def _name(key: Sequence[Any], label: Sequence[Any]) -> str:
    """A row by its name, or by its key where it has none or is not there."""
    name = " ".join(text for value in label if (text := shown(value)))
    return name or ", ".join(shown(value) for value in key)
