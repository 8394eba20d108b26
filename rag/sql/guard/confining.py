"""Confines a statement: whatever it reads, it reads from what offers the allowed columns alone.

Every table in the syntax tree is replaced by a query in its place, `(SELECT "id", "name" FROM "public"."customers") AS
"customers"`: a whole row of it, a `*`, a NATURAL JOIN or a system column then holds nothing else. Every name is looked
up among what the sources offer, and is written in quotes, so that the database takes it for that name and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp  # noqa: TID253 — only what checks a statement imports this module

from rag.sql.allowed import AllowList, SqlDialect
from rag.sql.errors import RefusedError
from rag.sql.guard.columns import Columns
from rag.sql.guard.coverage import Coverage
from rag.sql.guard.from_clause import FromClause, is_group
from rag.sql.guard.grouping import complete_groups
from rag.sql.guard.names import Names
from rag.sql.guard.offers import result_name
from rag.sql.guard.scopes import Ctes, Output, Place, SelectScope


def confine(statement: exp.Expr, allowed: AllowList) -> None:
    """Rewrite a statement in place so that it reads what is allowed and nothing else.

    What is confined stays as it is.

    Raises:
        RefusedError: it names what is not there or may not be read.
    """
    confiner = _Confiner(allowed)
    confiner.query(statement, {}, None)
    confiner.coverage.check(statement)


class _Confiner:
    """Rewrites the queries of a statement from the outside in."""

    def __init__(self, allowed: AllowList) -> None:
        self._dialect = allowed.dialect
        self.coverage = Coverage()
        self._names = Names(self._dialect)
        self._columns = Columns(self._dialect, self._names, self.coverage)
        self._from_clause = FromClause(allowed, self._names, self.coverage, self)

    def query(
        self,
        node: exp.Expr,
        ctes: Ctes,
        outer: SelectScope | None,
        *,
        named: bool = False,
        on_first: Callable[[Output], Ctes] | None = None,
    ) -> Output:
        """Confine a query; returns the columns that it gives.

        Args:
            node: the query.
            ctes: what WITH has defined around it.
            outer: the SELECT that it stands in.
            named: write a name to each of its columns, since others may ask for them.
            on_first: told what the first of several queries gives, before the others are looked at; returns what is
                known to them.
        """
        self.coverage.see(node)
        ctes = self._ctes(node, ctes, outer)
        match node:
            case exp.Select():
                output = self._select(node, ctes, outer, named=named)
            case exp.SetOperation():
                output = self.query(node.this, ctes, outer, named=named, on_first=on_first)
                known = on_first(output) if on_first is not None else ctes
                self.query(node.expression, {**ctes, **known}, outer)
                self._modifiers(node, output, ctes, outer)
                return output
            case exp.Subquery() if is_group(node):
                raise RefusedError("tables in parentheses are no query", hint="write SELECT … FROM them")
            case exp.Subquery() if not node.args.get("joins") or isinstance(
                node.parent, exp.From | exp.Join | exp.Subquery
            ):
                output = self.query(node.this, ctes, outer, named=named, on_first=on_first)
                self._modifiers(node, output, ctes, outer)
            case exp.Values():
                output = self._values(node, ctes, outer)
            case _:
                raise RefusedError(f"{type(node).__name__} is no query", hint="write one SELECT")
        return output

    def _ctes(self, node: exp.Expr, ctes: Ctes, outer: SelectScope | None) -> Ctes:
        """Confine the WITH of a query; returns the names that are known in it."""
        clause = node.args.get("with_")
        if clause is None:
            return ctes
        known: dict[str, Output | None] = dict(ctes)
        # SQLite takes RECURSIVE for a word without meaning: every name of the WITH is known in all of it.
        recursive = bool(clause.args.get("recursive")) or self._dialect is SqlDialect.SQLITE
        if recursive and self._dialect is not SqlDialect.MARIADB:  # there a name is not known before its own query
            known.update({self._names.fold_table(cte.args["alias"].this): None for cte in clause.expressions})
        for cte in clause.expressions:
            alias = cte.args["alias"]
            name = self._names.fold_table(alias.this)

            def own(output: Output, name: str = name, alias: exp.Expr = alias) -> Ctes:
                return {name: self._names.renamed(output, alias)}

            around: dict[str, Output | None] = dict(known)
            if name in ctes:
                around[name] = ctes[name]
            else:
                around.pop(name, None)  # only what follows its first query can mean the name itself
            output = self.query(cte.this, around, outer, named=True, on_first=own if recursive else None)
            known[name] = self._names.renamed(output, alias)
            self._names.write_alias(alias)
        return known

    def _select(self, node: exp.Select, ctes: Ctes, outer: SelectScope | None, *, named: bool) -> Output:
        scope = SelectScope(self._dialect, outer)
        self._from_clause.add_sources(node, ctes, scope)
        scope.aliases.update(
            self._names.fold(each.args["alias"]) for each in node.expressions if isinstance(each, exp.Alias)
        )
        self.visit_all(node.expressions, ctes, scope)
        if self._dialect is SqlDialect.POSTGRESQL:  # there ORDER BY knows a result by the name that nobody wrote
            unnamed = [
                each for each in node.expressions if not isinstance(each, exp.Alias) and self._star(each) is None
            ]
            scope.aliases.update(result_name(each, self._dialect) for each in unnamed)
        for key, value in node.args.items():
            if key not in {"with_", "from_", "joins", "laterals", "expressions"}:
                self.visit_all(value, ctes, scope)
        if self._dialect is SqlDialect.POSTGRESQL:
            complete_groups(node, scope, self.coverage)
        return self._output(node, scope, named=named)

    def _modifiers(self, node: exp.Expr, output: Output, ctes: Ctes, outer: SelectScope | None) -> None:
        """ORDER BY, LIMIT and the like after a set operation or a parenthesis."""
        scope = SelectScope(self._dialect, outer, [Place("", output)])
        for key, value in node.args.items():
            if key not in {"this", "expression", "with_", "alias", "joins"}:
                self.visit_all(value, ctes, scope)

    def _values(self, node: exp.Values, ctes: Ctes, outer: SelectScope | None) -> Output:
        first = node.expressions[0]
        cells = first.expressions if isinstance(first, exp.Tuple) else [first]
        names = tuple(f"column{number}" for number in range(1, len(cells) + 1))
        if self._dialect is SqlDialect.MARIADB:
            names = tuple(result_name(cell, self._dialect) for cell in cells)
        output = Output(tuple(self._dialect.fold(name, quoted=True) for name in names), names)
        for key, value in node.args.items():
            if key not in {"with_", "alias"}:
                self.visit_all(value, ctes, SelectScope(self._dialect, outer, [Place("", output)]))
        return output

    # SELECT

    def _star(self, node: exp.Expr) -> str | None:
        """The alias of `t.*` folded, an empty one for `*`; None for anything else."""
        if isinstance(node, exp.Star):
            return ""
        if isinstance(node, exp.Column) and isinstance(node.this, exp.Star):
            return self._names.fold_table(node.args["table"]) if node.args.get("table") else ""
        return None

    def _output(self, node: exp.Select, scope: SelectScope, *, named: bool) -> Output:
        names: list[str] = []
        shown: list[str] = []
        expressions: list[exp.Expr] = []
        for each in node.expressions:
            table = self._star(each)
            if table is not None:
                meant = [place.output for place in scope.places if not table or place.alias == table]
                names.extend(name for output in meant for name in output.names)
                shown.extend(name for output in meant for name in output.shown)
            elif isinstance(each, exp.Alias | exp.Column):
                identifier = each.args["alias"] if isinstance(each, exp.Alias) else each.this
                names.append(self._names.fold(identifier))
                shown.append(identifier.name)
            else:
                name = result_name(each, self._dialect) or f"column {len(names) + 1}"
                names.append(self._dialect.fold(name, quoted=True))
                shown.append(name)
                if named:
                    expressions.append(exp.Alias(this=each, alias=exp.to_identifier(name, quoted=True)))
                    continue
            expressions.append(each)
        node.set("expressions", expressions)
        return Output(tuple(names), tuple(shown))

    # expressions

    def visit_all(self, value: object, ctes: Ctes, scope: SelectScope) -> None:
        """Confine what is an expression, or a list of them."""
        for node in value if isinstance(value, list) else [value]:
            if isinstance(node, exp.Expression):
                self._visit(node, ctes, scope)

    def _visit(self, node: exp.Expr, ctes: Ctes, scope: SelectScope) -> None:
        """Write the columns of an expression, and confine the queries in it."""
        match node:
            case exp.Subquery() | exp.Select() | exp.SetOperation():
                self.query(node, ctes, scope)
            case exp.Column():
                self._columns.write(node, scope)
            case exp.Table() | exp.Join() | exp.From() | exp.Lateral():
                raise RefusedError(f"{node.sql()}: a table where none can be", hint="read from tables in FROM")
            case exp.In() if node.args.get("field") is not None:
                raise RefusedError(f"IN {node.args['field'].sql()}: a table as a list", hint="write IN (SELECT …)")
            case exp.Star() if any(node.args.values()):
                raise RefusedError(f"{node.sql()} is not allowed", hint="name the columns")
            case exp.Alias():
                self.visit_all(node.this, ctes, scope)
                self._names.write(node.args["alias"])
            case _:
                for value in list(node.args.values()):
                    self.visit_all(value, ctes, scope)
