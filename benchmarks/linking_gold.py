"""The literals of gold SQL, each with the column it is compared with and what sort of literal it is."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, traverse_scope

from indexes.terms.analyzer import analyze
from indexes.terms.names import normal

_DATE = re.compile(r"\d{4}-\d{2}(-\d{2}.*)?|\d{1,2}:\d{2}(:\d{2})?|[-+]?\d+ (day|month|year|hour)s?|now")
_COMPARED = (exp.EQ, exp.NEQ, exp.Like, exp.ILike)
_WRAPPERS = (exp.Lower, exp.Upper, exp.Trim, exp.Paren, exp.Collate)


class Sort(StrEnum):
    """What a literal is."""

    NAME = "name"  # a value of the column it is compared with
    PART = "part of a name"  # within values of that column, as a word or more
    DATE = "date or time"
    NUMBER = "number"
    PATTERN = "pattern"  # of LIKE: wildcards inside it, or less than a word
    ABSENT = "not in the column"
    UNRESOLVED = "compared with no stored column"


@dataclass(frozen=True, slots=True)
class Literal:
    """A string that gold SQL compares with a column; both are empty where it is an expression."""

    table: str
    column: str
    text: str
    sort: Sort

    @property
    def role(self) -> str:
        """The column as names have it, in lower case."""
        return f"{self.table}.{self.column}".lower()


class Database:
    """A SQLite file, read only: its schema and the values of its columns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with closing(self._connect()) as connection:
            tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            self.columns = {
                table: {row[1]: row[2] for row in connection.execute(f"PRAGMA table_info({_quoted(table)})")}
                for table in tables
                if not table.startswith("sqlite_")
            }
        self._values: dict[tuple[str, str], dict[str, str]] = {}

    @property
    def schema(self) -> dict[str, object]:
        """The same as sqlglot takes it."""
        return dict(self.lowered)

    @cached_property
    def lowered(self) -> dict[str, dict[str, str]]:
        """Table → column → type, all in lower case."""
        return {
            table.lower(): {column.lower(): type_ or "TEXT" for column, type_ in columns.items()}
            for table, columns in self.columns.items()
        }

    def values(self, table: str, column: str) -> Mapping[str, str]:
        """Normal form → a distinct value of a column, as text."""
        key = (table.lower(), column.lower())
        if key not in self._values:
            with closing(self._connect()) as connection:
                rows = connection.execute(f"SELECT DISTINCT {_quoted(column)} FROM {_quoted(table)}")  # noqa: S608
                self._values[key] = {normal(str(row[0])): str(row[0]) for row in rows if row[0] is not None}
        return self._values[key]

    def rows(self, table: str, column: str, value: str) -> frozenset[int]:
        """The numbers of the rows that have `value` in a column, in whatever case."""
        with closing(self._connect()) as connection:
            found = connection.execute(f"SELECT rowid, {_quoted(column)} FROM {_quoted(table)}")  # noqa: S608
            return frozenset(
                number for number, text in found if text is not None and normal(str(text)) == normal(value)
            )

    def read(self, table: str, columns: Sequence[str]) -> Iterator[tuple[object, ...]]:
        """The number of each row of a table, and its values in these columns."""
        with closing(self._connect()) as connection:
            wanted = ", ".join(["rowid", *map(_quoted, columns)])
            yield from connection.execute(f"SELECT {wanted} FROM {_quoted(table)}")  # noqa: S608

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{self.path}?mode=ro&immutable=1", uri=True)


def literals(sql: str, database: Database) -> frozenset[Literal]:
    """The strings that a query compares with columns by =, <>, IN or LIKE.

    Raises:
        SqlglotError: the query cannot be parsed.
    """
    tree = sqlglot.parse_one(sql, dialect="sqlite")
    try:
        tree = qualify(
            tree, schema=database.schema, dialect="sqlite", validate_qualify_columns=False, quote_identifiers=False
        )
    except SqlglotError:
        return frozenset()
    found = set()
    for scope in traverse_scope(tree):
        for side, text, is_like in _comparisons(scope):
            found.add(_literal(_resolved(side, scope), text, database, is_like=is_like))
    return frozenset(found)


def mentioned(literal: Literal, question: str) -> bool:
    """Whether the question has the literal: to the letter but for spaces and signs, or each of its words as a stem."""
    if re.search(rf"\b{re.escape(normal(literal.text))}\b", normal(question)):
        return True
    stems = set(analyze(question))
    words = analyze(literal.text)
    return bool(words) and stems.issuperset(words)


def _comparisons(scope: Scope) -> Iterator[tuple[exp.Expr, str, bool]]:
    for node in scope.walk():
        if isinstance(node, exp.In):
            for each in node.expressions:
                if (text := _string(each)) is not None:
                    yield _bare(node.this), text, False
        elif isinstance(node, _COMPARED):
            for side, other in ((node.left, node.right), (node.right, node.left)):
                if (text := _string(other)) is not None:
                    yield _bare(side), text, isinstance(node, exp.Like | exp.ILike)


def _bare(node: exp.Expr) -> exp.Expr:
    while isinstance(node, _WRAPPERS):
        node = node.this
    return node


def _string(node: exp.Expr) -> str | None:
    node = _bare(node)
    return str(node.this) if isinstance(node, exp.Literal) and node.is_string else None


def _resolved(node: exp.Expr, scope: Scope) -> tuple[str, str] | None:
    """The table and column that an expression is, through aliases and subqueries."""
    if not isinstance(node, exp.Column):
        return None
    source = scope.sources.get(node.table)
    parent = scope.parent
    while source is None and parent is not None:  # a subquery may name what is around it
        source, parent = parent.sources.get(node.table), parent.parent
    if isinstance(source, exp.Table):
        return source.name, node.name
    if isinstance(source, Scope):
        query = source.expression
        for projection in query.selects if isinstance(query, exp.Query) else ():
            if projection.alias_or_name == node.name:
                return _resolved(_bare(projection.unalias()), source)
    return None


def _literal(place: tuple[str, str] | None, text: str, database: Database, *, is_like: bool) -> Literal:
    table, column = place or ("", "")
    bare = text.strip("%") if is_like else text
    if column not in database.lowered.get(table, ()):
        return Literal(table, column, bare, Sort.DATE if _DATE.fullmatch(bare) else Sort.UNRESOLVED)
    return Literal(table, column, bare, _sort(bare, database.values(table, column), is_like=is_like))


def _sort(text: str, values: Mapping[str, str], *, is_like: bool) -> Sort:
    if _DATE.fullmatch(text):
        return Sort.DATE
    if re.fullmatch(r"[-+]?[\d.,]+", text):
        return Sort.NUMBER
    if is_like and not normal(text):
        return Sort.PATTERN
    if normal(text) in values:
        return Sort.NAME
    if is_like:
        if "%" in text or "_" in text:
            joined = normal(text.replace("%", " "))
            return Sort.NAME if joined in values else Sort.PATTERN
        word = re.compile(rf"\b{re.escape(normal(text))}\b")
        return Sort.PART if any(word.search(value) for value in values) else Sort.PATTERN
    return Sort.ABSENT


def _quoted(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def variants(sqls: Sequence[str], database: Database) -> list[frozenset[Literal]]:
    """The literals of every accepted query that can be parsed, without repeats."""
    found: dict[frozenset[Literal], None] = {}
    for sql in sqls:
        with suppress(SqlglotError):
            found[literals(sql, database)] = None
    return list(found)
