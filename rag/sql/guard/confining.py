"""Confines a statement: whatever it reads, it reads from what offers the allowed columns alone.

Every table in the syntax tree is replaced by a query in its place, `(SELECT "id", "name" FROM "public"."customers") AS
"customers"`: a whole row of it, a `*`, a NATURAL JOIN or a system column then holds nothing else. Every name is looked
up among what the sources offer, and is written in quotes, so that the database takes it for that name and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from sqlglot import exp  # noqa: TID253 — only what checks a statement imports this module

from rag.sql.allowed import AllowedTable, AllowList, SqlDialect, similar
from rag.sql.errors import RefusedError
from rag.sql.guard.dialects import written
from rag.sql.guard.offers import columns_of_call, result_name
from rag.sql.guard.scopes import Meaning, Output, Place, SelectScope

Ctes = Mapping[str, Output | None]
"""What the names of WITH give; None for one whose query comes later."""

_SIMPLER = "write it in a simpler way"
_TABLE_PARTS = frozenset({"this", "alias", "db", "joins", "sample", "only", "ordinality"})
_TIMES = frozenset({"utc_date", "utc_time", "utc_timestamp"})  # functions that MariaDB knows without parentheses
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.In, exp.Between)
_GROUPINGS = ("grouping_sets", "cube", "rollup", "totals", "all")


def confine(statement: exp.Expr, allowed: AllowList) -> None:
    """Rewrite a statement in place so that it reads what is allowed and nothing else.

    What is confined stays as it is.

    Raises:
        RefusedError: it names what is not there or may not be read.
    """
    confiner = _Confiner(allowed)
    confiner.query(statement, {}, None)
    confiner.check_complete(statement)


class _Confiner:
    """Rewrites the queries of a statement from the outside in."""

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
        self._see(node)
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
            case exp.Subquery() if _is_group(node):
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
            known.update({self._fold_table(cte.args["alias"].this): None for cte in clause.expressions})
        for cte in clause.expressions:
            alias = cte.args["alias"]
            name = self._fold_table(alias.this)

            def own(output: Output, name: str = name, alias: exp.Expr = alias) -> Ctes:
                return {name: self._renamed(output, alias)}

            around: dict[str, Output | None] = dict(known)
            if name in ctes:
                around[name] = ctes[name]
            else:
                around.pop(name, None)  # only what follows its first query can mean the name itself
            output = self.query(cte.this, around, outer, named=True, on_first=own if recursive else None)
            known[name] = self._renamed(output, alias)
            self._write_alias(alias)
        return known

    def _select(self, node: exp.Select, ctes: Ctes, outer: SelectScope | None, *, named: bool) -> Output:
        scope = SelectScope(self._dialect, outer)
        self._from(node, ctes, scope)
        scope.aliases.update(self._fold(each.args["alias"]) for each in node.expressions if isinstance(each, exp.Alias))
        self._visit_all(node.expressions, ctes, scope)
        if self._dialect is SqlDialect.POSTGRESQL:  # there ORDER BY knows a result by the name that nobody wrote
            unnamed = [
                each for each in node.expressions if not isinstance(each, exp.Alias) and self._star(each) is None
            ]
            scope.aliases.update(result_name(each, self._dialect) for each in unnamed)
        for key, value in node.args.items():
            if key not in {"with_", "from_", "joins", "laterals", "expressions"}:
                self._visit_all(value, ctes, scope)
        if self._dialect is SqlDialect.POSTGRESQL:
            self._complete_groups(node, scope)
        return self._output(node, scope, named=named)

    def _modifiers(self, node: exp.Expr, output: Output, ctes: Ctes, outer: SelectScope | None) -> None:
        """ORDER BY, LIMIT and the like after a set operation or a parenthesis."""
        scope = SelectScope(self._dialect, outer, [Place("", output)])
        for key, value in node.args.items():
            if key not in {"this", "expression", "with_", "alias", "joins"}:
                self._visit_all(value, ctes, scope)

    def _values(self, node: exp.Values, ctes: Ctes, outer: SelectScope | None) -> Output:
        first = node.expressions[0]
        cells = first.expressions if isinstance(first, exp.Tuple) else [first]
        names = tuple(f"column{number}" for number in range(1, len(cells) + 1))
        if self._dialect is SqlDialect.MARIADB:
            names = tuple(result_name(cell, self._dialect) for cell in cells)
        output = Output(tuple(self._dialect.fold(name, quoted=True) for name in names), names)
        for key, value in node.args.items():
            if key not in {"with_", "alias"}:
                self._visit_all(value, ctes, SelectScope(self._dialect, outer, [Place("", output)]))
        return output

    # FROM

    def _from(self, node: exp.Expr, ctes: Ctes, scope: SelectScope) -> None:
        """Add the sources of FROM and JOIN to `scope`, then look at what joins them."""
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
            self._see(column)
            identifier = column.this if isinstance(column, exp.Column) else column
            scope.meaning(identifier.name, self._fold(identifier))
            self._write(identifier)
        self._visit_all(join.args.get("on"), ctes, scope)

    def _source(self, node: exp.Expr, ctes: Ctes, scope: SelectScope) -> None:
        """Add one source of FROM, and what is joined to it inside a parenthesis, to `scope`."""
        self._see(node)
        nested = list(node.args.get("joins") or ())
        match node:
            case exp.Table() if not isinstance(node.this, exp.Identifier):
                self._function(node, node.this, ctes, scope)
            case exp.Table():
                self._table(node, ctes, scope)
            case exp.Subquery() if _is_group(node):
                if node.args.get("alias"):
                    raise RefusedError("a JOIN in parentheses has an alias", hint="give one to each table instead")
                self._source(node.this, ctes, scope)
            case exp.Subquery() if (table := self._confined(node)) is not None:
                self._see_all(node)
                self._visit_all(node.this.args["from_"].this.args.get("sample"), ctes, scope)
                self._add_table(table, node, scope)
            case exp.Subquery() | exp.Values():
                self._derived(node, self.query(node, ctes, scope, named=True), scope)
            case exp.Lateral() if isinstance(node.this, exp.Subquery):
                self._derived(node, self.query(node.this, ctes, scope, named=True), scope)
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
        self._visit_all(node.args.get("sample"), ctes, scope)
        folded = self._fold_table(identifier)
        if schema is None and folded in ctes:
            output = ctes[folded]
            if output is None:
                raise RefusedError(
                    f"{identifier.name} is read before WITH defines it", hint="put what is read first into WITH first"
                )
            self._write_table(identifier)
            self._derived(node, output, scope, fallback=identifier)
            return
        table = self._find(identifier, schema)
        subquery = exp.Subquery(
            this=self._confinement(table, node),
            alias=alias or exp.TableAlias(this=exp.to_identifier(self._written_table(identifier), quoted=True)),
            joins=node.args.get("joins"),
        )
        self._see_all(subquery.this)
        self._see(subquery)
        node.replace(subquery)
        self._add_table(table, subquery, scope)

    def _confinement(self, table: AllowedTable, node: exp.Table) -> exp.Select:
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

    def _confined(self, node: exp.Subquery) -> AllowedTable | None:
        """The table of which `node` gives all that may be read and nothing else, as `_table` writes it."""
        clause = node.this.args.get("from_") if isinstance(node.this, exp.Select) else None
        source = clause.this if clause is not None else None
        if not isinstance(source, exp.Table) or not isinstance(source.this, exp.Identifier):
            return None
        schema = source.args.get("db")
        table = self._allowed.find(source.name, schema.name if schema else "", quoted=True, schema_quoted=True)
        if table is None or bool(schema) != bool(table.schema or self._allowed.default_schema):
            return None
        confinement = self._confinement(table, source.copy())
        same = written(confinement, self._dialect) == written(node.this, self._dialect)
        return table if same else None

    def _see_all(self, node: exp.Expr) -> None:
        for each in node.find_all(exp.Column, exp.Table, exp.Query):
            self._see(each)

    def _add_table(self, table: AllowedTable, node: exp.Subquery, scope: SelectScope) -> None:
        names = tuple(self._dialect.fold(column, quoted=True) for column in table.columns)
        self._derived(node, Output(names, table.columns), scope, table=table)

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
            output = self._renamed(output, alias)
            self._write_alias(alias)
        name = self._fold_table(identifier) if identifier is not None else ""
        scope.places.append(Place(name, output, table, identifier.name if identifier is not None else ""))

    def _function(self, node: exp.Expr, call: exp.Expr, ctes: Ctes, scope: SelectScope) -> None:
        """A function in FROM. Its arguments may name what stands before it."""
        self._visit_all(call.args.get("expressions") if call is node else call, ctes, scope)
        alias = node.args.get("alias")
        given = alias.this if alias is not None else None
        name = self._fold_table(given) if given is not None else str(call.name or call.key).lower()
        columns = columns_of_call(call, name, self._dialect)
        output = Output(tuple(self._dialect.fold(each, quoted=True) for each in columns), columns)
        if alias is not None:
            output = self._renamed(output, alias)
        place = node.args.get("offset") or node.args.get("ordinality")
        if place:  # WITH ORDINALITY; a name that it was given was read as this, not as a column of the alias
            last = exp.to_identifier("ordinality", quoted=True) if place is True else place
            output = Output((*output.names, self._fold(last)), (*output.shown, last.name))
            self._write(last)
        self._derived(node, output, scope, fallback=exp.to_identifier(name, quoted=True))

    # SELECT

    def _star(self, node: exp.Expr) -> str | None:
        """The alias of `t.*` folded, an empty one for `*`; None for anything else."""
        if isinstance(node, exp.Star):
            return ""
        if isinstance(node, exp.Column) and isinstance(node.this, exp.Star):
            return self._fold_table(node.args["table"]) if node.args.get("table") else ""
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
                names.append(self._fold(identifier))
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

    def _complete_groups(self, node: exp.Select, scope: SelectScope) -> None:
        """Group by what depends on a key that is grouped by: PostgreSQL knows of the key of a table, not of a query."""
        group = node.args.get("group")
        if group is None or any(group.args.get(kind) for kind in _GROUPINGS):
            return
        grouped = [each for each in group.expressions if isinstance(each, exp.Column)]
        for place in scope.places:
            if place.table is None or not place.table.key:
                continue
            alone = [
                name for name in place.output.names if sum(name in each.output.names for each in scope.places) == 1
            ]
            mine = {each.name for each in grouped if _belongs(each, place, alone)}
            if not mine.issuperset(place.table.key):
                continue
            wanted = {each.name for each in node.find_all(exp.Column) if _belongs(each, place, alone)}
            for name in place.output.names:
                if name in wanted - mine:
                    table = exp.to_identifier(place.alias, quoted=True)
                    column = exp.Column(this=exp.to_identifier(name, quoted=True), table=table)
                    self._see(column)
                    group.append("expressions", column)

    # expressions

    def _visit_all(self, value: object, ctes: Ctes, scope: SelectScope) -> None:
        for node in value if isinstance(value, list) else [value]:
            if isinstance(node, exp.Expression):
                self._visit(node, ctes, scope)

    def _visit(self, node: exp.Expr, ctes: Ctes, scope: SelectScope) -> None:
        """Write the columns of an expression, and confine the queries in it."""
        match node:
            case exp.Subquery() | exp.Select() | exp.SetOperation():
                self.query(node, ctes, scope)
            case exp.Column():
                self._column(node, scope)
            case exp.Table() | exp.Join() | exp.From() | exp.Lateral():
                raise RefusedError(f"{node.sql()}: a table where none can be", hint="read from tables in FROM")
            case exp.In() if node.args.get("field") is not None:
                raise RefusedError(f"IN {node.args['field'].sql()}: a table as a list", hint="write IN (SELECT …)")
            case exp.Star() if any(node.args.values()):
                raise RefusedError(f"{node.sql()} is not allowed", hint="name the columns")
            case exp.Alias():
                self._visit_all(node.this, ctes, scope)
                self._write(node.args["alias"])
            case _:
                for value in list(node.args.values()):
                    self._visit_all(value, ctes, scope)

    def _column(self, node: exp.Column, scope: SelectScope) -> None:
        self._see(node)
        table = node.args.get("table")
        if self._dialect is SqlDialect.MARIADB and table is None and node.name.lower() in _TIMES:
            node.replace(exp.Anonymous(this=node.name.upper()))
            return
        if node.args.get("catalog"):
            raise RefusedError(f"{node.sql()}: another database", hint="write the name of the column alone")
        folded = self._fold_table(table) if table is not None else ""
        if isinstance(node.this, exp.Star):
            if not any(not folded or place.alias == folded for around in scope.around() for place in around.places):
                raise RefusedError(f"{node.sql()}: there is no such table here", hint="name a table that is in FROM")
            if any(node.this.args.values()):
                raise RefusedError(f"{node.sql()} is not allowed", hint="name the columns")
        else:
            if self._is_text(node, scope):
                node.replace(exp.Literal.string(node.name))
                return
            meaning = scope.meaning(node.sql(comments=False), self._fold(node.this), folded)
            if meaning is Meaning.ROW:
                self._write_table(node.this)
            else:
                self._write(node.this)
        if table is not None:
            self._write_table(table)
            node.set("db", None)  # a confined table has one name, the one it has in FROM

    def _is_text(self, node: exp.Column, scope: SelectScope) -> bool:
        """Whether SQLite takes a name in double quotes for a text: one that no column has, compared with something."""
        if self._dialect is not SqlDialect.SQLITE or node.table or not node.this.args.get("quoted"):
            return False
        places = [place for around in scope.around() for place in around.places]
        name = self._fold(node.this)
        if any(name in place.output.names or place.hides(name) for place in places):
            return False
        return isinstance(node.parent, _COMPARISONS) and node.arg_key in {"expression", "expressions", "low", "high"}

    # names

    def _renamed(self, output: Output, alias: exp.Expr) -> Output:
        """`output` with the columns that an alias like `t(a, b)` gives names to."""
        columns = _alias_columns(alias)
        return output.renamed(tuple(map(self._fold, columns)), tuple(each.name for each in columns))

    def _write_alias(self, alias: exp.Expr) -> None:
        if alias.this is not None:
            self._write_table(alias.this)
        for column in _alias_columns(alias):
            self._write(column)

    def _write(self, identifier: exp.Expr) -> None:
        """Write a name as the database understands it, in quotes."""
        if self._dialect is SqlDialect.POSTGRESQL:
            identifier.set("this", self._fold(identifier))
        identifier.set("quoted", True)

    def _write_table(self, identifier: exp.Expr) -> None:
        identifier.set("this", self._written_table(identifier))
        identifier.set("quoted", True)

    def _written_table(self, identifier: exp.Expr) -> str:
        return self._fold_table(identifier) if self._dialect is SqlDialect.POSTGRESQL else identifier.name

    def _fold(self, identifier: exp.Expr) -> str:
        return self._dialect.fold(identifier.name, quoted=bool(identifier.args.get("quoted")))

    def _fold_table(self, identifier: exp.Expr) -> str:
        return self._dialect.fold_table(identifier.name, quoted=bool(identifier.args.get("quoted")))


def _alias_columns(alias: exp.Expr) -> Sequence[exp.Expr]:
    return [each.this if isinstance(each, exp.ColumnDef) else each for each in alias.args.get("columns") or ()]


def _belongs(column: exp.Column, place: Place, alone: Sequence[str]) -> bool:
    """Whether a column, as written, is one of a source; `alone` are the names that no other source has."""
    return column.table == place.alias if column.table else column.name in alone


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
    if isinstance(inner, exp.Subquery):
        return bool(inner.args.get("joins") or inner.args.get("alias"))
    return isinstance(inner, exp.Table)
