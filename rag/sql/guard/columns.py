"""Columns in expressions: looked up among what the sources offer, and written so that nothing else is meant."""

from __future__ import annotations

from sqlglot import exp  # noqa: TID253 — only what checks a statement imports this module

from rag.sql.allowed import SqlDialect
from rag.sql.errors import RefusedError
from rag.sql.guard.coverage import Coverage
from rag.sql.guard.names import Names
from rag.sql.guard.scopes import Meaning, SelectScope

_TIMES = frozenset({"utc_date", "utc_time", "utc_timestamp"})  # functions that MariaDB knows without parentheses
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.In, exp.Between)


class Columns:
    """Looks up and rewrites columns in place."""

    def __init__(self, dialect: SqlDialect, names: Names, coverage: Coverage) -> None:
        self._dialect = dialect
        self._names = names
        self._coverage = coverage

    def write(self, node: exp.Column, scope: SelectScope) -> None:
        """Write a column in quotes.

        Raises:
            RefusedError: no source offers it.
        """
        self._coverage.see(node)
        table = node.args.get("table")
        if self._dialect is SqlDialect.MARIADB and table is None and node.name.lower() in _TIMES:
            node.replace(exp.Anonymous(this=node.name.upper()))
            return
        if node.args.get("catalog"):
            raise RefusedError(f"{node.sql()}: another database", hint="write the name of the column alone")
        folded = self._names.fold_table(table) if table is not None else ""
        if isinstance(node.this, exp.Star):
            if not any(not folded or place.alias == folded for around in scope.around() for place in around.places):
                raise RefusedError(f"{node.sql()}: there is no such table here", hint="name a table that is in FROM")
            if any(node.this.args.values()):
                raise RefusedError(f"{node.sql()} is not allowed", hint="name the columns")
        else:
            if self._is_text(node, scope):
                node.replace(exp.Literal.string(node.name))
                return
            meaning = scope.meaning(node.sql(comments=False), self._names.fold(node.this), folded)
            if meaning is Meaning.ROW:
                self._names.write_table(node.this)
            else:
                self._names.write(node.this)
        if table is not None:
            self._names.write_table(table)
            node.set("db", None)  # a confined table has one name, the one it has in FROM

    def _is_text(self, node: exp.Column, scope: SelectScope) -> bool:
        """Whether SQLite takes a name in double quotes for a text: one that no column has, compared with something."""
        if self._dialect is not SqlDialect.SQLITE or node.table or not node.this.args.get("quoted"):
            return False
        places = [place for around in scope.around() for place in around.places]
        name = self._names.fold(node.this)
        if any(name in place.output.names or place.hides(name) for place in places):
            return False
        return isinstance(node.parent, _COMPARISONS) and node.arg_key in {"expression", "expressions", "low", "high"}
