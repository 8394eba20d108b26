"""PostgreSQL in the process: one cursor in one read-only transaction, as a role that can only read."""

from __future__ import annotations

import ipaddress  # noqa: F401 — psycopg imports these two when it first needs them, and then no file can be opened
import json
import uuid  # noqa: F401
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg  # noqa: TID253 — only the process that runs a statement imports this
from psycopg.abc import Buffer  # noqa: TID253
from psycopg.adapt import Loader  # noqa: TID253
from psycopg.pq import ExecStatus  # noqa: TID253
from psycopg.pq.abc import PGresult  # noqa: TID253
from psycopg.types.string import TextLoader  # noqa: TID253

from rag.sql.limits import StatementLimits
from rag.sql.process.plans import called_by, read_by, relations
from rag.sql.process.session import FailedError, Request, too_large, too_long

_CONNECT_SECONDS = 10
_AT_ONCE = 50
_LOCK_SECONDS = 2
_READER = "pg_read_all_data"  # from version 14 on
_AS_TEXT = ("interval", "timetz", "money")  # Python has no value for a month, and none for a zone without a day
_DATES = ("date", "timestamp", "timestamptz")
# The relations behind views: what a view reads, the parts of a table, and what these are made of.
_BEHIND = """
WITH RECURSIVE used (oid) AS (
    SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN unnest(%s::text[], %s::text[]) AS a (schema, name) ON n.nspname = a.schema AND c.relname = a.name
    UNION
    SELECT found.oid FROM used CROSS JOIN LATERAL (
        SELECT d.refobjid FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
            AND d.refclassid = 'pg_class'::regclass WHERE r.ev_class = used.oid
        UNION ALL SELECT i.inhrelid FROM pg_inherits i WHERE i.inhparent = used.oid
    ) AS found (oid)
)
SELECT n.nspname, c.relname, CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) ELSE '' END,
    (SELECT string_agg(pg_get_expr(p.polqual, p.polrelid), ' ') FROM pg_policy p WHERE p.polrelid = c.oid)
FROM used JOIN pg_class c ON c.oid = used.oid JOIN pg_namespace n ON n.oid = c.relnamespace
"""
# Functions of the server that only compute are what operators and casts become in a plan.
_OTHERS = """
SELECT DISTINCT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE p.proname = ANY (%s) AND (n.nspname <> 'pg_catalog' OR p.provolatile = 'v' OR p.proname LIKE 'pg\\_%%')
"""


class PostgreSQLSession:
    """A read-only transaction."""

    def __init__(self, request: Request) -> None:
        self._limits = request.limits
        self._allowed = request.allowed
        try:
            connection = psycopg.connect(
                **{"connect_timeout": _CONNECT_SECONDS, "application_name": "pilotfish", **request.connect},
                autocommit=True,
            )
        except psycopg.Error as error:
            raise FailedError("unreachable", _message(error), "is the server running, and the address right?") from None
        self._connection = connection
        self.backend: int | None = connection.info.backend_pid
        self._settle()

    def _settle(self) -> None:
        """Make the session one that only reads; every setting before anything of the statement is known."""
        connection, milliseconds = self._connection, max(1, int(self._limits.seconds * 1_000))
        settings = {
            "statement_timeout": milliseconds,
            "lock_timeout": _LOCK_SECONDS * 1_000,
            "idle_in_transaction_session_timeout": milliseconds + 60_000,
            "default_transaction_read_only": "on",
            "standard_conforming_strings": "on",
            "max_parallel_workers_per_gather": 0,
            "intervalstyle": "iso_8601",
            "datestyle": "ISO",
            "bytea_output": "hex",
            "client_connection_check_interval": 1_000,  # notice that this process was killed
        }
        for name, value in settings.items():
            # Older servers do not know the last one, and some systems cannot do it.
            _try(connection, f"SELECT set_config('{name}', '{value}', false)")
        superuser = connection.execute("SELECT current_setting('is_superuser')").fetchone() == ("on",)
        if superuser:
            _try(connection, f"SELECT set_config('temp_file_limit', '{self._limits.memory // 1024}', false)")
        reader = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [_READER]).fetchone()
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        if superuser and reader:  # whom nothing else stops from reading files and ending programs
            connection.execute(f"SET LOCAL ROLE {_READER}")
        # After a first query a transaction cannot be made writable any more.
        connection.execute("SELECT 1")
        _ = connection.info.timezone
        for name in _AS_TEXT:
            connection.adapters.register_loader(name, TextLoader)
        for name in _DATES:
            connection.adapters.register_loader(name, _tolerant(connection, name))

    def select(self, sql: str) -> tuple[list[str], Iterator[Sequence[object]]]:
        """Run a statement. A cursor takes nothing but a query; the protocol used takes only one."""
        try:
            self._check_plan(sql)
            self._run(f"DECLARE pilotfish NO SCROLL CURSOR FOR {sql}")
            cursor = self._connection.execute(f"FETCH {_AT_ONCE} FROM pilotfish")
            first = cursor.fetchall()
        except (psycopg.Error, MemoryError) as error:
            raise _explained(error, self._limits) from None
        return [column.name for column in cursor.description or ()], self._rows(first)

    def _run(self, sql: str) -> PGresult:
        """The result of one statement, which may not be several."""
        result = self._connection.pgconn.exec_params(sql.encode(), None)
        if result.status not in {ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK}:
            raise psycopg.errors.error_from_result(result, encoding="utf-8")
        return result

    def _check_plan(self, sql: str) -> None:
        """Refuse what the server would read or call, by its own plan, beside what is allowed."""
        plan = json.loads(self._run(f"EXPLAIN (VERBOSE, COSTS OFF, FORMAT JSON) {sql}").get_value(0, 0) or b"[]")
        allowed = relations(self._allowed)
        read, called = read_by(plan) - allowed, called_by(plan, self._allowed)
        if not (read or called):
            return
        schemas, names = zip(*allowed, strict=True)
        behind = self._connection.execute(_BEHIND, [list(schemas), list(names)]).fetchall()
        if others := sorted(read - {(schema, name) for schema, name, _, _ in behind}):
            raise FailedError("refused", f"the server would read {'.'.join(others[0])}", "read what is listed alone")
        definitions = " ".join(f"{view} {policy or ''}" for _, _, view, policy in behind)
        found = self._connection.execute(_OTHERS, [sorted(called)]).fetchall()
        if unknown := sorted(name for (name,) in found if f"{name}(" not in definitions):
            raise FailedError("refused", f"the server would call {unknown[0]}()", "use the usual functions")

    def _rows(self, batch: list[tuple[Any, ...]]) -> Iterator[Sequence[object]]:
        try:
            while batch:
                yield from batch
                batch = self._connection.execute(f"FETCH {_AT_ONCE} FROM pilotfish").fetchall()
        except (psycopg.Error, MemoryError) as error:
            raise _explained(error, self._limits) from None


def _tolerant(connection: psycopg.Connection[Any], name: str) -> type[Loader]:
    """The loader of a type of dates that gives text for what Python has no value for: infinity, and years BC."""
    loader = connection.adapters.get_loader(psycopg.adapters.types[name].oid, psycopg.pq.Format.TEXT)
    found = loader or TextLoader

    class _Tolerant(Loader):
        def __init__(self, oid: int, context: Any = None) -> None:
            super().__init__(oid, context)
            self._loader = found(oid, context)

        def load(self, data: Buffer) -> object:
            try:
                return self._loader.load(data)
            except psycopg.DataError:
                return bytes(data).decode()

    return _Tolerant


def _try(connection: psycopg.Connection[Any], statement: str) -> None:
    try:
        connection.execute(statement.encode())
    except psycopg.Error:
        return


def _message(error: BaseException) -> str:
    primary = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return primary or " ".join(str(error).split())


def _explained(error: BaseException, limits: StatementLimits) -> FailedError:
    if isinstance(error, MemoryError):
        return too_large(limits)
    if isinstance(error, psycopg.errors.QueryCanceled):
        return too_long(limits)
    if isinstance(error, psycopg.errors.DiskFull | psycopg.errors.ConfigurationLimitExceeded):
        return FailedError("limit", _message(error), "ask for less at once")
    if isinstance(error, psycopg.errors.OutOfMemory) or "out of memory" in str(error):
        return too_large(limits)
    refused = psycopg.errors.InsufficientPrivilege | psycopg.errors.ReadOnlySqlTransaction
    hint = error.diag.message_hint or "" if isinstance(error, psycopg.Error) else ""
    return FailedError("refused" if isinstance(error, refused) else "database", _message(error), hint)
