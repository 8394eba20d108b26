"""The names of columns that nobody wrote: of the results of an expression, and of what functions give as tables."""

from __future__ import annotations

import re

from sqlglot import exp  # noqa: TID253 — only what checks a statement imports this module

from rag.sql.allowed import SqlDialect
from rag.sql.guard.dialects import written

_LONGEST = 60  # characters of a name: servers cut longer ones
_UNNAMED = "?column?"
# What PostgreSQL calls by another name than it is written by.
_TYPES = {
    "int": "int4", "integer": "int4", "bigint": "int8", "smallint": "int2", "real": "float4", "float": "float8",
    "double": "float8", "boolean": "bool", "decimal": "numeric", "char": "bpchar",
}  # fmt: skip
_CALLS = {"trim": "btrim"}

_COLUMNS = {
    SqlDialect.POSTGRESQL: {
        **dict.fromkeys(["json_each", "json_each_text", "jsonb_each", "jsonb_each_text"], ("key", "value")),
        **dict.fromkeys(["json_array_elements", "json_array_elements_text"], ("value",)),
        **dict.fromkeys(["jsonb_array_elements", "jsonb_array_elements_text"], ("value",)),
    },
    SqlDialect.SQLITE: {
        **dict.fromkeys(
            ["json_each", "json_tree"],
            ("key", "value", "type", "atom", "id", "parent", "fullkey", "path", "json", "root"),
        ),
        "generate_series": ("value", "start", "stop", "step"),
    },
    SqlDialect.MARIADB: {},
}
"""The columns of functions in FROM; any other has one, by its own name or its alias."""


def columns_of_call(call: exp.Expr, alias: str, dialect: SqlDialect) -> tuple[str, ...]:
    """The columns that a function in FROM has; `alias` is its name there."""
    if isinstance(call, exp.JSONTable):
        return tuple(column.name for column in call.find_all(exp.JSONColumnDef) if column.name)
    return _COLUMNS[dialect].get(_called(call, dialect), (alias,))


def result_name(node: exp.Expr, dialect: SqlDialect) -> str:
    """What the database calls the result of an expression without AS; other than PostgreSQL by its text.

    >>> import sqlglot
    >>> [result_name(sqlglot.parse_one(text, read="postgres"), SqlDialect.POSTGRESQL) for text in (
    ...     "count(*)", "1 + 1", "'3'::int", "CASE WHEN TRUE THEN 1 END", "lower('A')::text")]
    ['count', '?column?', 'int4', 'case', 'lower']
    """
    if dialect is SqlDialect.POSTGRESQL:
        return _of_postgresql(node)[0]
    text = written(node, dialect)
    return text if len(text) <= _LONGEST else ""


def _of_postgresql(node: exp.Expr) -> tuple[str, bool]:
    """The name, and whether a cast keeps it."""
    match node:
        case exp.Paren() | exp.Bracket() | exp.Collate():
            return _of_postgresql(node.this)
        case exp.Column():
            return node.name, True
        case exp.Cast():
            name, kept = _of_postgresql(node.this)
            kind = str(node.to.this.value).lower() if isinstance(node.to, exp.DataType) else ""
            return (name, True) if kept else (_TYPES.get(kind, kind), False)
        case exp.Case():
            default = node.args.get("default")
            name, kept = _of_postgresql(default) if default is not None else ("", False)
            return (name, True) if kept else ("case", False)
        case exp.Exists():
            return "exists", True
        case exp.Subquery():
            selected = node.this.selects if isinstance(node.this, exp.Query) else ()
            first = selected[0] if selected else None
            return (first.alias, True) if first is not None and first.alias else (_UNNAMED, False)
        case exp.Func() if not isinstance(node, exp.Binary | exp.Unary):
            name = _called(node, SqlDialect.POSTGRESQL)
            return (_CALLS.get(name, name), True) if name else (_UNNAMED, False)
        case _:
            return _UNNAMED, False


def _called(call: exp.Expr, dialect: SqlDialect) -> str:
    """The name by which the database calls a function, in lower case."""
    found = re.match(r"(\w+)(?:\(|\[|$)", written(call, dialect))
    return found[1].lower() if found else ""
