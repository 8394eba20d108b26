"""The executor over real connections: what values become, which limits hold, and that what is killed is dead."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, NullPool, create_engine, text

from connectors.errors import ConfigurationError
from rag.sql import executor
from rag.sql.allowed import AllowedTable, AllowList, SqlDialect
from rag.sql.errors import DatabaseUnreachableError, ExecutionError, LimitError, RefusedError, SqlError
from rag.sql.executor import execute, stop_on_server
from rag.sql.limits import StatementLimits
from rag.sql.values import to_json
from tests.rag.sql.shop import allowed, build, checksum, sqlite_shop

ROOT = Path(__file__).parents[3]
PATIENCE = 30.0  # seconds: far more than anything here takes
NOTHING = AllowList(SqlDialect.SQLITE, ())


@pytest.fixture
def shop(tmp_path: Path) -> URL:
    return sqlite_shop(tmp_path)


@pytest.fixture
def big(tmp_path: Path) -> tuple[URL, AllowList]:
    path = tmp_path / "big.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE logs (id INTEGER PRIMARY KEY, body TEXT, data BLOB)")
        rows = ((number, "ä" * 3_000, b"\xff\x00" * 3_000) for number in range(500))
        connection.executemany("INSERT INTO logs VALUES (?, ?, ?)", rows)
    url = URL.create("sqlite", database=str(path))
    return url, AllowList(SqlDialect.SQLITE, (AllowedTable("logs", ("id", "body", "data")),))


def test_rows_are_cut_and_it_is_said(big: tuple[URL, AllowList]) -> None:
    url, tables = big
    rows = execute(url, "SELECT id FROM logs", tables, StatementLimits(rows=10))
    assert [row[0] for row in rows.rows] == list(range(10))
    assert rows.cut == "only the first 10 rows"
    assert not execute(url, "SELECT id FROM logs LIMIT 10", tables, StatementLimits(rows=10)).truncated


def test_bytes_are_cut_and_it_is_said(big: tuple[URL, AllowList]) -> None:
    url, tables = big
    rows = execute(url, "SELECT body FROM logs", tables, StatementLimits(size=100_000))
    assert 1 < len(rows.rows) < 50
    assert "more than 100,000 bytes" in rows.cut


def test_a_long_value_is_cut_between_characters(big: tuple[URL, AllowList]) -> None:
    url, tables = big
    rows = execute(url, "SELECT body, data FROM logs LIMIT 1", tables, StatementLimits(cell=1_001))
    assert rows.rows == (("ä" * 500, (b"\xff\x00" * 501)[:1_001]),)
    assert rows.cut == "2 values cut after 1,001 bytes"


def test_a_value_of_100_mb_costs_only_its_statement(tmp_path: Path) -> None:
    path = tmp_path / "huge.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE t (id INTEGER, body TEXT)")
        connection.execute("INSERT INTO t VALUES (1, ?)", ("x" * 100_000_000,))
    url, tables = (
        URL.create("sqlite", database=str(path)),
        AllowList(SqlDialect.SQLITE, (AllowedTable("t", ("id", "body")),)),
    )
    with pytest.raises(LimitError, match="too big") as stopped:
        execute(url, "SELECT body FROM t", tables)
    assert stopped.value.hint == "ask for a part of it: substr()"
    assert execute(url, "SELECT id FROM t", tables).rows == ((1,),)


def test_values_of_sqlite(shop: URL) -> None:
    rows = execute(shop, "SELECT NULL, 1, 9007199254740993, 0.1, 1e999, x'00ff', 'ß', CAST('a' AS BLOB)", allowed(shop))
    assert rows.rows == ((None, 1, 9007199254740993, 0.1, float("inf"), b"\x00\xff", "ß", b"a"),)
    assert json.dumps([to_json(value) for value in rows.rows[0]])


def test_values_of_postgresql(postgresql: URL) -> None:
    sql = """SELECT 12.50::numeric(10, 2), date '2024-01-31', timestamp '2024-01-31 10:00', true, 'a'::char(3),
        interval '1 month 2 days', '{"a": [1, null]}'::jsonb, ARRAY[1.5, NULL]::numeric[], '\\x00ff'::bytea,
        'infinity'::date, '0044-03-15 BC'::timestamp, gen_random_uuid() IS NOT NULL,
        'NaN'::float8::text, int4range(1, 3)"""
    found = execute(postgresql, sql, AllowList(SqlDialect.POSTGRESQL, ())).rows[0]
    assert found[:5] == (Decimal("12.50"), date(2024, 1, 31), datetime(2024, 1, 31, 10), True, "a  ")
    assert found[5] == "P1M2D"  # no number of days is a month
    assert found[6:9] == ({"a": [1, None]}, [Decimal("1.5"), None], b"\x00\xff")
    assert found[9:11] == ("infinity", "0044-03-15 00:00:00 BC")
    assert json.dumps([to_json(value) for value in found])


def test_values_of_mariadb(mariadb: URL) -> None:
    sql = """SELECT CAST(12.5 AS DECIMAL(10, 2)), DATE '2024-01-31', TIMESTAMP '2024-01-31 10:00:00', x'00ff', 'ß',
        TIMEDIFF('10:00:00', '12:30:00'), JSON_OBJECT('a', 1), NULL, CAST(1 AS UNSIGNED)"""
    found = execute(mariadb, sql, AllowList(SqlDialect.MARIADB, ())).rows[0]
    assert found[:3] == (Decimal("12.50"), date(2024, 1, 31), datetime(2024, 1, 31, 10))
    assert found[4] == "ß"
    assert str(found[5]) == "-1 day, 21:30:00"
    assert found[6:] == ('{"a": 1}', None, 1)
    assert json.dumps([to_json(value) for value in found])


@pytest.mark.parametrize("mode", ["ORACLE", "MSSQL", "ANSI", "NO_BACKSLASH_ESCAPES", "PIPES_AS_CONCAT,ANSI_QUOTES"])
def test_strings_are_strings_whatever_mode_a_server_is_in(mariadb: URL, mode: str) -> None:
    url = mariadb.update_query_dict({"init_command": f"SET sql_mode = '{mode}'"})
    (row,) = execute(url, r"""SELECT "it's", 'a\'b', 1 || 0""", AllowList(SqlDialect.MARIADB, ())).rows
    assert row == ("it's", "a'b", 1)


def test_a_thousand_columns_and_two_of_one_name(shop: URL) -> None:
    rows = execute(shop, "SELECT " + ", ".join(f"{n} AS c{n}" for n in range(1_000)) + ", 1 AS c0", allowed(shop))
    assert len(rows.columns) == len(rows.rows[0]) == 1_001
    assert rows.columns[0] == rows.columns[-1] == "c0"


ENDLESS = "SELECT COUNT(*) FROM " + ", ".join(f"order_items t{number}" for number in range(14))
RUNNING = {  # PostgreSQL names the statement while it plans it, and then what is fetched of its cursor
    "postgresql": "SELECT pid FROM pg_stat_activity WHERE state = 'active'"
    " AND (query LIKE '%order_items t13%' OR query LIKE 'FETCH % FROM pilotfish%')"
    " AND datname = current_database() AND pid <> pg_backend_pid()",
    "mariadb": "SELECT id FROM information_schema.processlist WHERE info LIKE '%order_items t13%'"
    " AND db = DATABASE() AND id <> CONNECTION_ID()",
}


class Statements:
    """The statements that a server works on in one database, by its own list."""

    def __init__(self, url: URL, server: str) -> None:
        build(url)
        self.url = url
        self._sql = text(RUNNING[server])
        self._engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)

    def running(self) -> list[int]:
        """The sessions of those that it works on now."""
        with self._engine.connect() as connection:
            return list(connection.scalars(self._sql))

    def wait(self, count: int, failed: Sequence[SqlError] = ()) -> None:
        """Wait until it works on so many.

        Raises:
            AssertionError: it took too long, or a statement failed, which is told in `failed`.
        """
        deadline = time.monotonic() + PATIENCE
        while len(found := self.running()) != count:
            assert time.monotonic() < deadline, f"{len(found)} statements are running after {PATIENCE} s, not {count}"
            assert not failed, f"the statement failed: {failed[0]}"
            time.sleep(0.05)


@pytest.fixture(params=["postgresql", "mariadb"])
def statements(request: pytest.FixtureRequest) -> Iterator[Statements]:
    url = request.getfixturevalue(request.param)
    found = Statements(url, request.param)
    yield found
    for session in found.running():  # where a test failed: they would keep the database from being dropped
        stop_on_server(url, allowed(url).dialect, session)


def test_what_is_stopped_is_stopped_on_the_server_too(statements: Statements) -> None:
    with pytest.raises(LimitError, match="took longer"):
        execute(statements.url, ENDLESS, allowed(statements.url), StatementLimits(seconds=0.5))
    assert statements.running() == []


def test_a_server_keeps_the_limit_by_itself(statements: Statements, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody tells it to stop, and the process waits for it as long as it takes."""
    monkeypatch.setattr(executor, "stop_on_server", lambda *_: None)
    monkeypatch.setattr(executor, "_GRACE_SECONDS", PATIENCE)
    with pytest.raises(LimitError, match="took longer than 1 s"):
        execute(statements.url, ENDLESS, allowed(statements.url), StatementLimits(seconds=1))
    assert statements.running() == []


def test_a_server_is_told_to_stop_when_the_process_dies(statements: Statements) -> None:
    """Long before the server's own limit."""
    failed: list[SqlError] = []

    def ask() -> None:
        try:
            execute(statements.url, ENDLESS, allowed(statements.url), StatementLimits(seconds=10 * PATIENCE))
        except SqlError as error:
            failed.append(error)

    before = children()
    asking = threading.Thread(target=ask)
    asking.start()
    statements.wait(1, failed)
    (child,) = children() - before
    os.kill(child, signal.SIGKILL)
    asking.join()
    statements.wait(0)
    assert "ended without an answer" in str(failed[0])


def test_a_server_stops_when_everybody_who_asked_is_dead(statements: Statements) -> None:
    """Killed together, they can tell it nothing."""
    request = json.dumps([statements.url.render_as_string(False), ENDLESS, allowed(statements.url).to_json(), 8])
    asking = subprocess.Popen([sys.executable, "-c", ASK], stdin=subprocess.PIPE, cwd=ROOT, text=True)
    assert asking.stdin is not None
    with asking.stdin:
        asking.stdin.write(request)
    statements.wait(1)
    (child,) = children(asking.pid)
    os.kill(asking.pid, signal.SIGKILL)
    os.kill(child, signal.SIGKILL)
    assert asking.wait() == -signal.SIGKILL
    statements.wait(0)


ASK = """
import json, sys
from sqlalchemy import make_url
from rag.sql.allowed import AllowList
from rag.sql.executor import execute
from rag.sql.limits import StatementLimits
url, sql, allowed, seconds = json.load(sys.stdin)
execute(make_url(url), sql, AllowList.from_json(allowed), StatementLimits(seconds=seconds))
"""


def test_a_process_that_answers_nobody_is_killed(shop: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped dead, it can neither look at its clock nor be asked to end: waiting for it would take for ever."""
    line = executor._Run._line

    def stopping(run: executor._Run, seconds: float, late: SqlError) -> dict[str, Any]:
        answer = line(run, seconds, late)
        for pid in children():
            os.kill(pid, signal.SIGSTOP)
        return answer

    monkeypatch.setattr(executor._Run, "_line", stopping)
    before = children()
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT COUNT(*) FROM n"
    with pytest.raises(LimitError, match="took longer"):
        execute(shop, endless, allowed(shop), StatementLimits(seconds=1.5))
    assert children() == before


def children(parent: int | None = None) -> set[int]:
    """The processes of the executor that live, of this process or another."""
    listed = subprocess.run(["ps", "-eo", "ppid=,pid=,args="], capture_output=True, text=True, check=True).stdout
    mine = (line.split() for line in listed.splitlines() if "rag.sql.process" in line)
    return {int(pid) for ppid, pid, *_ in mine if int(ppid) == (parent or os.getpid())}


def test_memory_is_limited(shop: URL) -> None:
    sql = "WITH RECURSIVE n(x) AS (SELECT 'ab' UNION ALL SELECT x || x FROM n) SELECT x FROM n ORDER BY length(x)"
    with pytest.raises(LimitError):
        execute(shop, sql, allowed(shop), StatementLimits(memory=128 * 2**20, seconds=20))


def test_threads_run_beside_each_other(shop: URL) -> None:
    tables, found = allowed(shop), []

    def ask(number: int) -> None:
        found.append(execute(shop, f"SELECT {number}", tables).rows[0][0])

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == list(range(6))


def test_the_password_reaches_the_process_by_the_pipe_alone(postgresql: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[object, dict[str, str]]] = []
    popen = subprocess.Popen

    def spy(arguments: object, **options: object) -> object:
        started.append((arguments, dict(options["env"])))  # type: ignore[call-overload]
        return popen(arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "Popen", spy)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-for-databases")
    url = postgresql.set(password="pass-word-42")
    assert execute(url, "SELECT 1", AllowList(SqlDialect.POSTGRESQL, ())).rows == ((1,),)
    shown = repr(started)
    assert "pass-word-42" not in shown
    assert "sk-not-for-databases" not in shown


def refused_password(url: URL) -> URL:
    return url.set(username="nobody_here", password="pass-word-42")


def nobody_there(url: URL) -> URL:
    return url.set(port=1, password="pass-word-42")


@pytest.mark.parametrize("broken", [refused_password, nobody_there])
def test_a_server_that_cannot_be_reached(mariadb: URL, broken: Callable[[URL], URL]) -> None:
    with pytest.raises(DatabaseUnreachableError) as failed:
        execute(broken(mariadb), "SELECT 1", AllowList(SqlDialect.MARIADB, ()))
    assert "pass-word-42" not in f"{failed.value} {failed.value.hint}"
    assert failed.value.hint


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_text("not a database at all, only some text in a file" * 100)
    for name in ("notes.db", "gone.db"):
        with pytest.raises(DatabaseUnreachableError, match=name):
            execute(URL.create("sqlite", database=str(tmp_path / name)), "SELECT 1", NOTHING)
    assert not (tmp_path / "gone.db").exists()
    with pytest.raises(ConfigurationError, match="in memory"):
        execute(URL.create("sqlite"), "SELECT 1", NOTHING)


def test_an_error_of_the_database_is_told_as_it_is(shop: URL, postgresql: URL) -> None:
    with pytest.raises(ExecutionError, match="no such function: nosuch") as failed:
        execute(shop, "SELECT nosuch(1)", allowed(shop))
    assert not isinstance(failed.value, RefusedError)
    with pytest.raises(ExecutionError, match='relation "nowhere" does not exist'):
        execute(postgresql, "SELECT * FROM nowhere", AllowList(SqlDialect.POSTGRESQL, ()))
    with pytest.raises(ExecutionError, match="division by zero"):
        execute(
            postgresql, "SELECT 1 / (x - 3) FROM generate_series(1, 200) AS x", AllowList(SqlDialect.POSTGRESQL, ())
        )


def test_a_database_in_wal_mode_is_read_and_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "wal.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE t (a INTEGER)")
        connection.execute("INSERT INTO t VALUES (1)")
        connection.commit()
        url, tables = (
            URL.create("sqlite", database=str(path)),
            AllowList(SqlDialect.SQLITE, (AllowedTable("t", ("a",)),)),
        )
        assert execute(url, "SELECT a FROM t", tables).rows == ((1,),)
    path.chmod(0o444)
    assert execute(url, "SELECT a FROM t", tables).rows == ((1,),)


def test_a_view_may_read_what_is_not_allowed_by_itself(shop: URL) -> None:
    tables = allowed(shop)
    only_view = AllowList(SqlDialect.SQLITE, tuple(table for table in tables.tables if table.name == "buyers"))
    assert execute(shop, "SELECT name FROM buyers ORDER BY name", only_view).rows[0] == ("Ada Nowak",)
    with pytest.raises(RefusedError):
        execute(shop, "SELECT name FROM customers", only_view)


def test_a_view_over_a_secret_shows_it_to_nobody(tmp_path: Path) -> None:
    url = sqlite_shop(tmp_path)
    with closing(sqlite3.connect(url.database or "")) as connection, connection:
        connection.execute("CREATE VIEW leak AS SELECT id, password AS shown FROM customers")
    before = checksum(url)
    with pytest.raises(RefusedError):
        execute(url, "SELECT shown FROM leak", allowed(url))
    assert checksum(url) == before


def test_limits_are_checked() -> None:
    with pytest.raises(ConfigurationError, match="the limit rows is 0"):
        StatementLimits(rows=0)
