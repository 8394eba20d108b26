"""Checks every table and column of a statement against the allow-list; expands `*` where it would show too much."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlglot import exp  # noqa: TID253 — only what checks a statement imports this module

from rag.sql.allowed import AllowedTable, AllowList, SqlDialect, similar
from rag.sql.errors import RefusedError
from rag.sql.guard.scopes import Output, Place, SelectScope

Ctes = Mapping[str, Output]

_OPEN = Output(open=True)
_SIMPLER = "write it in a simpler way"


def check_columns(statement: exp.Expr, allowed: AllowList) -> None:
    """Refuse what reads other tables or columns than are allowed; `*` is replaced where a table hides some.

    Raises:
        RefusedError: it does.
    """
    checker = _Checker(allowed)
    checker.query(statement, {}, None)
    checker.check_complete(statement)


class _Checker:
    """Checks the queries of a statement from the outside in."""

    def __init__(self, allowed: AllowList) -> None:
        self._allowed = allowed
        self._dialect = allowed.dialect
        self._seen: dict[int, exp.Expr] = {}  # by identity; held here, so that no other node can get the same one

    def check_complete(self, statement: exp.Expr) -> None:
        """Refuse a statement with a query, table or column in a place where nobody looked."""
        for node in statement.find_all(exp.Column, exp.Table, exp.Query, exp.Values):
            if id(node) not in self._seen:
                raise RefusedError(f"{node.sql(comments=False)} stands where it cannot be checked", hint=_SIMPLER)

    def _see(self, node: exp.Expr) -> None:
        self._seen[id(node)] = node

    def query(self, node: exp.Expr, ctes: Ctes, outer: SelectScope | None) -> Output:
        """Check a query; returns the columns that it gives."""
        self._see(node)
        ctes = self._ctes(node, ctes, outer)
        match node:
            case exp.Select():
                return self._select(node, ctes, outer)
            case exp.SetOperation():
                return self._set_operation(node, ctes, outer)
            case exp.Subquery() if not node.args.get("joins") or isinstance(
                node.parent, exp.From | exp.Join | exp.Subquery
            ):
                return self._subquery(node, ctes, outer)
            case exp.Values():
                return self._values(node, ctes, outer)
            case _:
                raise RefusedError(f"{type(node).__name__} is no query", hint="write one SELECT")

    def _ctes(self, node: exp.Expr, ctes: Ctes, outer: SelectScope | None) -> Ctes:
        """Check the WITH of a query; returns the names that are known in it."""
        clause = node.args.get("with_")
        if clause is None:
            return ctes
        known = dict(ctes)
        # SQLite takes RECURSIVE for a word without meaning: every name of the WITH is known in all of it.
        recursive = bool(clause.args.get("recursive")) or self._dialect is SqlDialect.SQLITE
        if recursive and self._dialect is not SqlDialect.MARIADB:  # there a name is not known before its own query
            known.update({self._cte_name(cte): _OPEN for cte in clause.expressions})
        for cte in clause.expressions:
            if recursive:
                known[self._cte_name(cte)] = _OPEN
            output = self.query(cte.this, known, outer)
            known[self._cte_name(cte)] = self._renamed(output, cte.args["alias"])
        return known

    def _cte_name(self, cte: exp.CTE) -> str:
        identifier = cte.args["alias"].this
        table = self._allowed.find(identifier.name, quoted=bool(identifier.args.get("quoted")))
        if table is not None and table.hidden:
            raise RefusedError(
                f"WITH {identifier.name} has the name of a table with columns that may not be read",
                hint="give it another name",
            )
        return self._fold_table(identifier)

    def _select(self, node: exp.Select, ctes: Ctes, outer: SelectScope | None) -> Output:
        scope = SelectScope(self._dialect, outer)
        self._from(node, ctes, scope)
        self._expand_stars(node, scope)
        scope.aliases.update(self._fold(each.args["alias"]) for each in node.expressions if isinstance(each, exp.Alias))
        for key, value in node.args.items():
            if key not in {"with_", "from_", "joins", "laterals"}:
                self._visit_all(value, ctes, scope)
        return self._output(node, scope)

    def _set_operation(self, node: exp.SetOperation, ctes: Ctes, outer: SelectScope | None) -> Output:
        output = self.query(node.this, ctes, outer)
        self.query(node.expression, ctes, outer)
        self._modifiers(node, output, ctes, outer)
        return output

    def _subquery(self, node: exp.Subquery, ctes: Ctes, outer: SelectScope | None) -> Output:
        if _is_group(node):
            raise RefusedError("tables in parentheses are no query", hint="write SELECT … FROM them")
        output = self.query(node.this, ctes, outer)
        self._modifiers(node, output, ctes, outer)
        return output

    def _modifiers(self, node: exp.Expr, output: Output, ctes: Ctes, outer: SelectScope | None) -> None:
        """ORDER BY, LIMIT and the like after a set operation or a parenthesis."""
        scope = SelectScope(self._dialect, outer, [Place("", output)])
        for key, value in node.args.items():
            if key not in {"this", "expression", "with_", "alias", "joins"}:
                self._visit_all(value, ctes, scope)

    def _values(self, node: exp.Values, ctes: Ctes, outer: SelectScope | None) -> Output:
        for key, value in node.args.items():
            if key not in {"with_", "alias"}:
                self._visit_all(value, ctes, SelectScope(self._dialect, outer, [Place("", _OPEN)]))
        return _OPEN

    # FROM

    def _from(self, node: exp.Expr, ctes: Ctes, scope: SelectScope) -> None:
        """Add the sources of FROM and JOIN to `scope`, then check what joins them."""
        clause = node.args.get("from_")
        joins = list(_joins(node)) + (list(_nested_joins(clause.this)) if clause else [])
        if clause is not None:
            self._source(clause.this, ctes, scope)
        for join in _joins(node):
            self._source(join.this, ctes, scope)
            joins.extend(_nested_joins(join.this))
        for lateral in node.args.get("laterals") or ():
            self._source(lateral, ctes, scope)
        for join in joins:
            self._join(join, ctes, scope)

    def _join(self, join: exp.Join, ctes: Ctes, scope: SelectScope) -> None:
        hiding = next((place for place in scope.places if place.table is not None and place.table.hidden), None)
        if join.args.get("method") == "NATURAL" and hiding is not None:
            raise RefusedError(
                f"NATURAL JOIN could compare columns of {hiding.shown!r} that may not be read", hint="write JOIN … ON"
            )
        for column in join.args.get("using") or ():
            self._see(column)
            identifier = column.this if isinstance(column, exp.Column) else column
            scope.check(identifier.name, self._fold(identifier))
        self._visit_all(join.args.get("on"), ctes, scope)

    def _source(self, node: exp.Expr, ctes: Ctes, scope: SelectScope) -> None:
        """Add one source of FROM, and what is joined to it inside a parenthesis, to `scope`."""
        self._see(node)
        match node:
            case exp.Table() if not isinstance(node.this, exp.Identifier):
                self._function(node, node.this, ctes, scope)
            case exp.Table():
                self._table(node, ctes, scope)
            case exp.Subquery() if _is_group(node):
                if node.args.get("alias"):
                    raise RefusedError("a JOIN in parentheses has an alias", hint="give one to each table instead")
                self._source(node.this, ctes, scope)
            case exp.Subquery() | exp.Values():
                self._derived(node, self.query(node, ctes, scope), scope)
            case exp.Lateral() if isinstance(node.this, exp.Subquery):
                self._derived(node, self.query(node.this, ctes, scope), scope)
            case exp.Lateral() | exp.Unnest():
                self._function(node, node.this or node, ctes, scope)
            case _:
                raise RefusedError(f"{type(node).__name__} cannot stand in FROM", hint="read from tables and queries")
        for join in node.args.get("joins") or ():
            self._source(join.this, ctes, scope)
        self._visit_all(node.args.get("sample"), ctes, scope)

    def _table(self, node: exp.Table, ctes: Ctes, scope: SelectScope) -> None:
        identifier, alias = node.this, node.args.get("alias")
        schema = node.args.get("db")
        if node.args.get("catalog"):
            raise RefusedError(f"{node.sql()}: another database", hint="write the name of the table alone")
        columns = alias.args.get("columns") if alias else None
        shown = (alias and alias.name) or identifier.name
        name = self._fold_table(alias.this if alias and alias.this else identifier)
        if schema is None and (output := ctes.get(self._fold_table(identifier))) is not None:
            output = self._renamed(output, alias) if alias else output
            scope.places.append(Place(name, output, shown=shown, quoted=_quoted(alias or node)))
            return
        table = self._find(identifier, schema)
        if columns:
            raise RefusedError(f"{shown}: columns of a table are renamed in FROM", hint="rename them in SELECT, by AS")
        names = tuple(self._dialect.fold(column, quoted=True) for column in table.columns)
        scope.places.append(Place(name, Output(names, table.columns), table, shown, _quoted(alias or node)))

    def _find(self, identifier: exp.Identifier, schema: exp.Identifier | None) -> AllowedTable:
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

    def _derived(self, node: exp.Expr, output: Output, scope: SelectScope) -> None:
        alias = node.args.get("alias")
        name = self._fold_table(alias.this) if alias is not None and alias.this is not None else ""
        output = self._renamed(output, alias) if alias is not None else output
        scope.places.append(Place(name, output, shown=alias.name if alias else "", quoted=_quoted(node)))

    def _function(self, node: exp.Expr, call: exp.Expr, ctes: Ctes, scope: SelectScope) -> None:
        """A function in FROM, whose columns only the database knows. Its arguments may name what stands before it."""
        alias = node.args.get("alias")
        self._visit_all(call.args.get("expressions") if call is node else call, ctes, scope)
        shown = alias.name if alias is not None and alias.this is not None else str(call.name or call.key)
        folded = self._dialect.fold_table(shown, quoted=False)
        scope.places.append(Place(folded, Output((folded,), open=True), shown=shown))

    # SELECT

    def _expand_stars(self, node: exp.Select, scope: SelectScope) -> None:
        """Write out `*` and `t.*` where they would show columns that may not be read."""
        expanded: list[exp.Expr] = []
        for each in node.expressions:
            table = self._star(each)
            meant = [place for place in scope.places if not table or place.alias == table] if table is not None else []
            if not any(place.table is not None and place.table.hidden for place in meant):
                expanded.append(each)
                continue
            if any(join.args.get("using") or join.args.get("method") for join in _joins(node)):
                raise RefusedError("* would show columns that may not be read", hint="name the columns")
            for place in meant:
                expanded.extend(self._all_of(place))
        node.set("expressions", expanded)

    def _star(self, node: exp.Expr) -> str | None:
        """The alias of `t.*` folded, an empty one for `*`; None for anything else."""
        if isinstance(node, exp.Star):
            return ""
        if isinstance(node, exp.Column) and isinstance(node.this, exp.Star):
            return self._fold_table(node.args["table"]) if node.args.get("table") else ""
        return None

    def _all_of(self, place: Place) -> Iterator[exp.Expr]:
        table = exp.to_identifier(place.shown, quoted=place.quoted) if place.shown else None
        if place.table is None:
            yield exp.Column(this=exp.Star(), table=table)
            return
        for column in place.table.columns:
            yield exp.Column(this=exp.to_identifier(column, quoted=True), table=table and table.copy())

    def _output(self, node: exp.Select, scope: SelectScope) -> Output:
        names: list[str] = []
        shown: list[str] = []
        is_open = False
        for each in node.expressions:
            table = self._star(each)
            if table is not None:
                meant = [place.output for place in scope.places if not table or place.alias == table]
                names.extend(name for output in meant for name in output.names)
                shown.extend(name for output in meant for name in output.shown)
                is_open = is_open or any(output.open for output in meant)
            elif isinstance(each, exp.Alias | exp.Column):
                identifier = each.args["alias"] if isinstance(each, exp.Alias) else each.this
                names.append(self._fold(identifier))
                shown.append(identifier.name)
            else:
                is_open = True  # the database calls it as it likes
                names.append("")
                shown.append("")
        return Output(tuple(names), tuple(shown), open=is_open)

    # expressions

    def _visit_all(self, value: object, ctes: Ctes, scope: SelectScope) -> None:
        for node in value if isinstance(value, list) else [value]:
            if isinstance(node, exp.Expression):
                self._visit(node, ctes, scope)

    def _visit(self, node: exp.Expr, ctes: Ctes, scope: SelectScope) -> None:
        """Check the columns of an expression, and the queries in it."""
        match node:
            case exp.Subquery() | exp.Select() | exp.SetOperation():
                self.query(node, ctes, scope)
            case exp.Column():
                self._column(node, scope)
            case exp.Table() | exp.Join() | exp.From() | exp.Lateral():
                raise RefusedError(f"{node.sql()}: a table where none can be", hint="read from tables in FROM")
            case exp.In() if node.args.get("field") is not None:
                raise RefusedError(f"IN {node.args['field'].sql()}: a table as a list", hint="write IN (SELECT …)")
            case _:
                for value in node.args.values():
                    self._visit_all(value, ctes, scope)

    def _column(self, node: exp.Column, scope: SelectScope) -> None:
        self._see(node)
        table = node.args.get("table")
        if isinstance(node.this, exp.Star):
            self._whole_rows(node, scope)
            return
        shown = node.sql(comments=False)
        scope.check(shown, self._fold(node.this), self._fold_table(table) if table is not None else "")

    def _whole_rows(self, node: exp.Column, scope: SelectScope) -> None:
        """`t.*` somewhere: a list of columns, each checked already, unless it is counted or made one value."""
        table = self._star(node)
        meant = [place for around in scope.around() for place in around.places if not table or place.alias == table]
        if not meant:
            raise RefusedError(f"{node.sql()}: there is no such table here", hint="name a table that stands in FROM")
        if any(place.table is not None and place.table.hidden for place in meant):
            raise RefusedError(f"{node.sql()} holds columns that may not be read", hint="name the columns")

    # names

    def _renamed(self, output: Output, alias: exp.Expr) -> Output:
        """`output` with the columns that an alias like `t(a, b)` gives names to."""
        columns = [each.this if isinstance(each, exp.ColumnDef) else each for each in alias.args.get("columns") or ()]
        return output.renamed(tuple(map(self._fold, columns)), tuple(each.name for each in columns))

    def _fold(self, identifier: exp.Expr) -> str:
        return self._dialect.fold(identifier.name, quoted=bool(identifier.args.get("quoted")))

    def _fold_table(self, identifier: exp.Expr) -> str:
        return self._dialect.fold_table(identifier.name, quoted=bool(identifier.args.get("quoted")))


def _joins(node: exp.Expr) -> Iterator[exp.Join]:
    yield from node.args.get("joins") or ()


def _nested_joins(node: exp.Expr) -> Iterator[exp.Join]:
    """The joins inside a parenthesis in FROM."""
    for join in _joins(node):
        yield join
        yield from _nested_joins(join.this)
    if _is_group(node):
        yield from _nested_joins(node.this)


def _is_group(node: exp.Expr) -> bool:
    """Whether a parenthesis in FROM holds tables and their joins instead of a query."""
    inner = node.this if isinstance(node, exp.Subquery) else None
    return isinstance(inner, exp.Table) or (isinstance(inner, exp.Subquery) and bool(inner.args.get("joins")))


def _quoted(node: exp.Expr) -> bool:
    alias = node if isinstance(node, exp.TableAlias) else node.args.get("alias")
    identifier = alias.this if alias is not None else node.this
    return bool(isinstance(identifier, exp.Identifier) and identifier.args.get("quoted"))
