"""Names as a database understands them: folded to be compared, and written in quotes."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp  # noqa: TID253 — only what checks a statement imports this module

from rag.sql.allowed import SqlDialect
from rag.sql.guard.scopes import Output


class Names:
    """Folds and writes the names of a dialect. What is written in quotes is taken for that name and nothing else."""

    def __init__(self, dialect: SqlDialect) -> None:
        self._dialect = dialect

    def fold(self, identifier: exp.Expr) -> str:
        """The name of a column, as it is compared."""
        return self._dialect.fold(identifier.name, quoted=bool(identifier.args.get("quoted")))

    def fold_table(self, identifier: exp.Expr) -> str:
        """The name of a table or an alias, as it is compared."""
        return self._dialect.fold_table(identifier.name, quoted=bool(identifier.args.get("quoted")))

    def write(self, identifier: exp.Expr) -> None:
        """Write the name of a column in quotes."""
        if self._dialect is SqlDialect.POSTGRESQL:
            identifier.set("this", self.fold(identifier))
        identifier.set("quoted", True)

    def write_table(self, identifier: exp.Expr) -> None:
        """Write the name of a table or an alias in quotes."""
        identifier.set("this", self.written_table(identifier))
        identifier.set("quoted", True)

    def written_table(self, identifier: exp.Expr) -> str:
        """The name of a table or an alias, as it is written in quotes."""
        return self.fold_table(identifier) if self._dialect is SqlDialect.POSTGRESQL else identifier.name

    def write_alias(self, alias: exp.Expr) -> None:
        """Write an alias and the names that it gives columns, as in `t(a, b)`, in quotes."""
        if alias.this is not None:
            self.write_table(alias.this)
        for column in _alias_columns(alias):
            self.write(column)

    def renamed(self, output: Output, alias: exp.Expr) -> Output:
        """`output` with the columns that an alias like `t(a, b)` gives names to."""
        columns = _alias_columns(alias)
        return output.renamed(tuple(map(self.fold, columns)), tuple(each.name for each in columns))


def _alias_columns(alias: exp.Expr) -> Sequence[exp.Expr]:
    return [each.this if isinstance(each, exp.ColumnDef) else each for each in alias.args.get("columns") or ()]
