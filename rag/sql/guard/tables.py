"""The tables that may be read, each as the query that gives what may be read of it and nothing else."""

from __future__ import annotations

from sqlglot import exp  # noqa: TID253 — only what checks a statement imports this module

from rag.sql.allowed import AllowedTable, AllowList, SqlDialect, similar
from rag.sql.errors import RefusedError
from rag.sql.guard.dialects import written


class Tables:
    """Finds tables by name, and writes and recognises the queries that confine them."""

    def __init__(self, allowed: AllowList) -> None:
        self._allowed = allowed
        self._dialect = allowed.dialect

    def find(self, identifier: exp.Identifier, schema: exp.Identifier | None) -> AllowedTable:
        """The table of this name.

        Raises:
            RefusedError: there is none that may be read; the hint says which it may have been.
        """
        place = schema.name if schema is not None else ""
        quoted = bool(identifier.args.get("quoted"))
        schema_quoted = schema is not None and bool(schema.args.get("quoted"))
        table = self._allowed.find(identifier.name, place, quoted=quoted, schema_quoted=schema_quoted)
        if table is not None:
            return table
        shown = f"{place}.{identifier.name}" if place else identifier.name
        known = [each.name for each in self._allowed.tables]
        likely = similar(identifier.name, known)
        if self._dialect is SqlDialect.POSTGRESQL and identifier.name in known and not quoted:
            hint = f'write it in double quotes: "{identifier.name}"'
        else:
            hint = f"did you mean {' or '.join(likely)}?" if likely else f"the tables are: {', '.join(known)}"
        raise RefusedError(f"there is no table {shown!r} that may be read", hint=hint)

    def confinement(self, table: AllowedTable, node: exp.Table) -> exp.Select:
        """The query that gives what may be read of a table, with the TABLESAMPLE and the ONLY of `node`."""
        schema = table.schema or self._allowed.default_schema
        source = exp.Table(
            this=exp.to_identifier(table.name, quoted=True),
            db=exp.to_identifier(schema, quoted=True) if schema else None,
            sample=node.args.get("sample"),
            only=node.args.get("only"),
        )
        columns = [exp.Column(this=exp.to_identifier(name, quoted=True)) for name in table.columns]
        return exp.Select(expressions=columns or [exp.Null()], from_=exp.From(this=source))

    def confined(self, node: exp.Subquery) -> AllowedTable | None:
        """The table of which `node` gives all that may be read and nothing else, as `confinement` writes it."""
        clause = node.this.args.get("from_") if isinstance(node.this, exp.Select) else None
        source = clause.this if clause is not None else None
        if not isinstance(source, exp.Table) or not isinstance(source.this, exp.Identifier):
            return None
        schema = source.args.get("db")
        table = self._allowed.find(source.name, schema.name if schema else "", quoted=True, schema_quoted=True)
        if table is None or bool(schema) != bool(table.schema or self._allowed.default_schema):
            return None
        confinement = self.confinement(table, source.copy())
        same = written(confinement, self._dialect) == written(node.this, self._dialect)
        return table if same else None
