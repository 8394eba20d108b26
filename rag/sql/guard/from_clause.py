"""FROM and JOIN: adds what a SELECT reads from to its scope, each table as the query that confines it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from sqlglot import exp  # noqa: TID253 — only what checks a statement imports this module

from rag.sql.allowed import AllowedTable, AllowList
from rag.sql.errors import RefusedError
from rag.sql.guard.coverage import Coverage
from rag.sql.guard.names import Names
from rag.sql.guard.offers import columns_of_call
from rag.sql.guard.scopes import Ctes, Output, Place, SelectScope
from rag.sql.guard.tables import Tables

_TABLE_PARTS = frozenset({"this", "alias", "db", "joins", "sample", "only", "ordinality"})


class Confining(Protocol):
    """Confines the queries and expressions that stand in FROM."""

    def query(self, node: exp.Expr, ctes: Ctes, outer: SelectScope | None, *, named: bool = False) -> Output:
        """Confine a query; returns the columns that it gives."""
        ...

    def visit_all(self, value: object, ctes: Ctes, scope: SelectScope) -> None:
        """Confine what is an expression, or a list of them."""
        ...


class FromClause:
    """Adds the sources of SELECTs to their scopes, and rewrites them in place."""

    def __init__(self, allowed: AllowList, names: Names, coverage: Coverage, confining: Confining) -> None:
        self._dialect = allowed.dialect
        self._tables = Tables(allowed)
        self._names = names
        self._coverage = coverage
        self._confining = confining

    def add_sources(self, node: exp.Expr, ctes: Ctes, scope: SelectScope) -> None:
        """Add the sources of the FROM and the JOINs of `node` to `scope`, then look at what joins them."""
        clause = node.args.get("from_")
        joins = list(_joins(node)) + (list(_nested_joins(clause.this)) if clause else [])
        if clause is not None:
            self._source(clause.this, ctes, scope)
        for join in _joins(node):
            joins.extend(_nested_joins(join.this))
            self._source(join.this, ctes, scope)
        for lateral in node.args.get("laterals") or ():
            self._source(lateral, ctes, scope)
        for join in joins:
            self._join(join, ctes, scope)

    def _join(self, join: exp.Join, ctes: Ctes, scope: SelectScope) -> None:
        for column in join.args.get("using") or ():
            self._coverage.see(column)
            identifier = column.this if isinstance(column, exp.Column) else column
            scope.meaning(identifier.name, self._names.fold(identifier))
            self._names.write(identifier)
        self._confining.visit_all(join.args.get("on"), ctes, scope)

    def _source(self, node: exp.Expr, ctes: Ctes, scope: SelectScope) -> None:
        """Add one source of FROM, and what is joined to it inside a parenthesis, to `scope`."""
        self._coverage.see(node)
        nested = list(node.args.get("joins") or ())
        match node:
            case exp.Table() if not isinstance(node.this, exp.Identifier):
                self._function(node, node.this, ctes, scope)
            case exp.Table():
                self._table(node, ctes, scope)
            case exp.Subquery() if is_group(node):
                if node.args.get("alias"):
                    raise RefusedError("a JOIN in parentheses has an alias", hint="give one to each table instead")
                self._source(node.this, ctes, scope)
            case exp.Subquery() if (table := self._tables.confined(node)) is not None:
                self._coverage.see_all(node)
                self._confining.visit_all(node.this.args["from_"].this.args.get("sample"), ctes, scope)
                self._add_table(table, node, scope)
            case exp.Subquery() | exp.Values():
                self._derived(node, self._confining.query(node, ctes, scope, named=True), scope)
            case exp.Lateral() if isinstance(node.this, exp.Subquery):
                self._derived(node, self._confining.query(node.this, ctes, scope, named=True), scope)
            case exp.Lateral() | exp.Unnest():
                self._function(node, node.this or node, ctes, scope)
            case _:
                raise RefusedError(f"{type(node).__name__} cannot stand in FROM", hint="read from tables and queries")
        for join in nested:
            self._source(join.this, ctes, scope)

    def _table(self, node: exp.Table, ctes: Ctes, scope: SelectScope) -> None:
        identifier, alias, schema = node.this, node.args.get("alias"), node.args.get("db")
        if node.args.get("catalog"):
            raise RefusedError(f"{node.sql()}: another database", hint="write the name of the table alone")
        if further := [key for key, value in node.args.items() if value and key not in _TABLE_PARTS]:
            raise RefusedError(f"{node.sql()}: {further[0]} is not allowed", hint="write the name of the table alone")
        self._confining.visit_all(node.args.get("sample"), ctes, scope)
        folded = self._names.fold_table(identifier)
        if schema is None and folded in ctes:
            output = ctes[folded]
            if output is None:
                raise RefusedError(
                    f"{identifier.name} is read before WITH defines it", hint="put what is read first into WITH first"
                )
            self._names.write_table(identifier)
            self._derived(node, output, scope, fallback=identifier)
            return
        table = self._tables.find(identifier, schema)
        subquery = exp.Subquery(
            this=self._tables.confinement(table, node),
            alias=alias or exp.TableAlias(this=exp.to_identifier(self._names.written_table(identifier), quoted=True)),
            joins=node.args.get("joins"),
        )
        self._coverage.see_all(subquery.this)
        self._coverage.see(subquery)
        node.replace(subquery)
        self._add_table(table, subquery, scope)

    def _add_table(self, table: AllowedTable, node: exp.Subquery, scope: SelectScope) -> None:
        names = tuple(self._dialect.fold(column, quoted=True) for column in table.columns)
        self._derived(node, Output(names, table.columns), scope, table=table)

    def _derived(
        self,
        node: exp.Expr,
        output: Output,
        scope: SelectScope,
        *,
        table: AllowedTable | None = None,
        fallback: exp.Identifier | None = None,
    ) -> None:
        """Add a source under its alias, or under the name `fallback`."""
        alias = node.args.get("alias")
        identifier = alias.this if alias is not None and alias.this is not None else fallback
        if alias is not None:
            output = self._names.renamed(output, alias)
            self._names.write_alias(alias)
        name = self._names.fold_table(identifier) if identifier is not None else ""
        scope.places.append(Place(name, output, table, identifier.name if identifier is not None else ""))

    def _function(self, node: exp.Expr, call: exp.Expr, ctes: Ctes, scope: SelectScope) -> None:
        """A function in FROM. Its arguments may name what stands before it."""
        self._confining.visit_all(call.args.get("expressions") if call is node else call, ctes, scope)
        alias = node.args.get("alias")
        given = alias.this if alias is not None else None
        name = self._names.fold_table(given) if given is not None else str(call.name or call.key).lower()
        columns = columns_of_call(call, name, self._dialect)
        output = Output(tuple(self._dialect.fold(each, quoted=True) for each in columns), columns)
        if alias is not None:
            output = self._names.renamed(output, alias)
        place = node.args.get("offset") or node.args.get("ordinality")
        if place:  # WITH ORDINALITY; a name that it was given was read as this, not as a column of the alias
            last = exp.to_identifier("ordinality", quoted=True) if place is True else place
            output = Output((*output.names, self._names.fold(last)), (*output.shown, last.name))
            self._names.write(last)
        self._derived(node, output, scope, fallback=exp.to_identifier(name, quoted=True))


def _joins(node: exp.Expr) -> Iterator[exp.Join]:
    yield from node.args.get("joins") or ()


def _nested_joins(node: exp.Expr) -> Iterator[exp.Join]:
    """The joins inside a parenthesis in FROM."""
    for join in _joins(node):
        yield join
        yield from _nested_joins(join.this)
    if is_group(node):
        yield from _nested_joins(node.this)


def is_group(node: exp.Expr) -> bool:
    """Whether a parenthesis in FROM holds tables and their joins instead of a query."""
    inner = node.this if isinstance(node, exp.Subquery) else None
    if isinstance(inner, exp.Subquery):
        return bool(inner.args.get("joins") or inner.args.get("alias"))
    return isinstance(inner, exp.Table)
