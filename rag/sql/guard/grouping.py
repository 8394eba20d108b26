"""Completes GROUP BY with what depends on a key that is grouped by."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp  # noqa: TID253 — only what checks a statement imports this module

from rag.sql.guard.coverage import Coverage
from rag.sql.guard.scopes import Place, SelectScope

_GROUPINGS = ("grouping_sets", "cube", "rollup", "totals", "all")


def complete_groups(node: exp.Select, scope: SelectScope, coverage: Coverage) -> None:
    """Group by what depends on a key that is grouped by: PostgreSQL knows of the key of a table, not of a query."""
    group = node.args.get("group")
    if group is None or any(group.args.get(kind) for kind in _GROUPINGS):
        return
    grouped = [each for each in group.expressions if isinstance(each, exp.Column)]
    for place in scope.places:
        if place.table is None or not place.table.key:
            continue
        alone = [name for name in place.output.names if sum(name in each.output.names for each in scope.places) == 1]
        mine = {each.name for each in grouped if _belongs(each, place, alone)}
        if not mine.issuperset(place.table.key):
            continue
        wanted = {each.name for each in node.find_all(exp.Column) if _belongs(each, place, alone)}
        for name in place.output.names:
            if name in wanted - mine:
                table = exp.to_identifier(place.alias, quoted=True)
                column = exp.Column(this=exp.to_identifier(name, quoted=True), table=table)
                coverage.see(column)
                group.append("expressions", column)


def _belongs(column: exp.Column, place: Place, alone: Sequence[str]) -> bool:
    """Whether a column, as written, is one of a source; `alone` are the names that no other source has."""
    return column.table == place.alias if column.table else column.name in alone
