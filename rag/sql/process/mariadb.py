"""MariaDB and MySQL in the process: one unbuffered cursor in one read-only transaction."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import pymysql  # type: ignore[import-untyped]  # noqa: TID253 — only the process that runs a statement imports this
from pymysql.constants import CLIENT  # type: ignore[import-untyped]  # noqa: TID253
from pymysql.cursors import SSCursor  # type: ignore[import-untyped]  # noqa: TID253

from rag.sql.limits import StatementLimits
from rag.sql.process.plans import Relation, read_by_statement, relations, stored_in_statement
from rag.sql.process.session import FailedError, Request, too_large, too_long

_CONNECT_SECONDS = 10
_LOCK_SECONDS = 2
_TOO_LONG = frozenset({1317, 1969, 3024})  # interrupted; max_statement_time; max_execution_time
_REFUSED = frozenset({1044, 1142, 1143, 1227, 1290, 1370, 1792})  # no right to it; a write in a read-only transaction
_CUT = frozenset({1260, 1301})  # a value that the server made shorter, or NULL because it was too long
_OUT_OF_RANGE = 1690
_REWRITTEN = 1003  # the note in which EXPLAIN says what it made of a statement
_NO_PLAN = frozenset({1142, 1345})  # not shown to who may read a view and not the tables behind it
_TIMES = ("max_statement_time = {seconds}", "max_execution_time = {milliseconds}")  # MariaDB's and MySQL's
_SETTINGS = (
    "lock_wait_timeout = {lock}",
    "innodb_lock_wait_timeout = {lock}",
    "group_concat_max_len = {size}",
    # Strings, names and operators are what the guard takes them for, whatever the server is set to: ORACLE, MSSQL and
    # others of its modes each stand for several.
    (
        "sql_mode = CONCAT('STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',"
        " IF(FIND_IN_SET('ONLY_FULL_GROUP_BY', @@sql_mode), ',ONLY_FULL_GROUP_BY', ''))"
    ),
    "TRANSACTION READ ONLY",
)


class MariaDBSession:
    """A read-only transaction."""

    def __init__(self, request: Request) -> None:
        self._limits = request.limits
        self._allowed = request.allowed
        arguments = {"connect_timeout": _CONNECT_SECONDS, "charset": "utf8mb4", **request.connect}
        flags = arguments.pop("client_flag", 0) & ~CLIENT.MULTI_STATEMENTS & ~CLIENT.LOCAL_FILES
        try:
            self._connection = pymysql.connect(
                **{
                    **arguments,
                    "client_flag": flags,
                    "local_infile": False,
                    "cursorclass": SSCursor,
                    "autocommit": True,
                }
            )
            self.backend: int | None = self._connection.thread_id()
            self._settle()
        except (pymysql.MySQLError, OSError) as error:
            raise FailedError("unreachable", _message(error), "is the server running, and the address right?") from None

    def _settle(self) -> None:
        values = {
            "seconds": self._limits.seconds,
            "milliseconds": max(1, int(self._limits.seconds * 1_000)),
            "lock": _LOCK_SECONDS,
            "size": self._limits.size,
        }
        with self._connection.cursor() as cursor:
            for time in _TIMES:
                with contextlib.suppress(pymysql.MySQLError):  # each server knows one of them
                    cursor.execute(f"SET SESSION {time.format(**values)}")
            for setting in _SETTINGS:
                cursor.execute(f"SET SESSION {setting.format(**values)}")
            cursor.execute("START TRANSACTION READ ONLY")
            cursor.execute("SELECT @@tx_read_only" if self._is_mariadb else "SELECT @@transaction_read_only")
            if cursor.fetchall() != [(1,)]:
                raise FailedError("unreachable", "the server gives no read-only transaction")

    @property
    def _is_mariadb(self) -> bool:
        return "mariadb" in str(self._connection.get_server_info()).lower()

    def select(self, sql: str) -> tuple[list[str], Iterator[Sequence[object]]]:
        """Run a statement."""
        # Never closed: closing an unbuffered cursor reads all the rows that are left. The process ends instead.
        cursor: Any = self._connection.cursor()
        try:
            self._check_plan(sql)
            cursor.execute(sql)
        except (pymysql.MySQLError, MemoryError) as error:
            raise _explained(error, self._limits) from None
        return [column[0] for column in cursor.description or ()], self._rows(cursor)

    def _check_plan(self, sql: str) -> None:
        """Refuse what the server would read or call, as it wrote the statement out, beside what is allowed."""
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN {'EXTENDED ' * self._is_mariadb}{sql}")
                cursor.fetchall()
        except pymysql.MySQLError as error:
            if error.args and error.args[0] in _NO_PLAN:
                return
            raise
        notes = [message for _, code, message in self._connection.show_warnings() if int(code) == _REWRITTEN]
        allowed = relations(self._allowed)
        read = frozenset[Relation]().union(*map(read_by_statement, notes)) - allowed
        called = frozenset[str]().union(*map(stored_in_statement, notes))
        if not (read or called):
            return
        views = self._views(allowed)
        read = self._existing(read.difference(*map(read_by_statement, views)))
        called = called.difference(*map(stored_in_statement, views))
        if read and "" not in views:  # a definition that this user may not see is empty
            raise FailedError("refused", f"the server would read {'.'.join(min(read))}", "read what is listed alone")
        if called and "" not in views:
            raise FailedError("refused", f"the server would call {min(called)}()", "use the usual functions")

    def _existing(self, found: frozenset[Relation]) -> frozenset[Relation]:
        """Those that are tables: what EXTRACT(YEAR FROM …) names is a column."""
        with self._connection.cursor() as cursor:
            for schema, name in found:
                sql = "SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s"
                cursor.execute(sql, [schema, name])
                if not cursor.fetchall():
                    found -= {(schema, name)}
        return found

    def _views(self, allowed: frozenset[Relation]) -> frozenset[str]:
        """The definitions of the views among what is allowed, and of those that they read."""
        definitions: dict[Relation, str] = {}
        wanted = allowed
        with self._connection.cursor() as cursor:
            cursor.execute("SELECT TABLE_SCHEMA, TABLE_NAME, VIEW_DEFINITION FROM information_schema.VIEWS")
            known = {(schema, name): definition or "" for schema, name, definition in cursor.fetchall()}
        while new := {relation for relation in wanted if relation in known and relation not in definitions}:
            definitions.update((relation, known[relation]) for relation in new)
            wanted = frozenset[Relation]().union(*(read_by_statement(known[relation]) for relation in new))
        return frozenset(definitions.values())

    def _rows(self, cursor: Any) -> Iterator[Sequence[object]]:
        try:
            while (row := cursor.fetchone()) is not None:
                yield row
            self._check_complete(cursor)
        except (pymysql.MySQLError, MemoryError) as error:
            raise _explained(error, self._limits) from None

    def _check_complete(self, cursor: Any) -> None:
        """Refuse rows in which the server has shortened a value, which it says in a warning alone."""
        warnings = self._connection.show_warnings() if cursor.warning_count else ()
        for _, code, message in warnings:
            if int(code) in _CUT:
                raise FailedError(
                    "limit", f"a value is longer than the server gives: {message}", "ask for less at once"
                )


def _message(error: BaseException) -> str:
    return " ".join(str(error.args[1] if len(error.args) > 1 else error).split())


def _explained(error: BaseException, limits: StatementLimits) -> FailedError:
    if isinstance(error, MemoryError):
        return too_large(limits)
    code = error.args[0] if error.args else 0
    if code in _TOO_LONG:
        return too_long(limits)
    if code == _OUT_OF_RANGE and "exp(char_length(" in _message(error):  # from `rag.sql.guard.growth`
        return FailedError(
            "limit", "a text is too long to replace something in it on MariaDB", "shorten it first: LEFT(text, 1000)"
        )
    return FailedError("refused" if code in _REFUSED else "database", _message(error))
