"""Refuses what nobody looked at: whatever reads something must have been confined, wherever it stands."""

from __future__ import annotations

from sqlglot import exp  # noqa: TID253 — only what checks a statement imports this module

from rag.sql.errors import RefusedError


class Coverage:
    """The queries, tables and columns that were looked at."""

    def __init__(self) -> None:
        self._seen: dict[int, exp.Expr] = {}  # by identity; held here, so that no other node can get the same one

    def see(self, node: exp.Expr) -> None:
        """Take note of a node."""
        self._seen[id(node)] = node

    def see_all(self, node: exp.Expr) -> None:
        """Take note of everything in a node."""
        for each in node.find_all(exp.Column, exp.Table, exp.Query):
            self.see(each)

    def check(self, statement: exp.Expr) -> None:
        """Refuse a statement with a query, table or column in a place where nobody looked."""
        for node in statement.find_all(exp.Column, exp.Table, exp.Query, exp.Values):
            if id(node) not in self._seen:
                raise RefusedError(
                    f"{node.sql(comments=False)} stands where it cannot be checked", hint="write it in a simpler way"
                )
