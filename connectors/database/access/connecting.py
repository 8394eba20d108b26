"""Opens read-only connections within seconds, or refuses with a reason."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, exc

from connectors.database.access.address import DatabaseAddress, DatabaseDialect
from connectors.database.access.credentials import Ask, Credentials, ask_on_terminal
from connectors.database.access.failures import PasswordError, connection_error, too_slow
from connectors.database.access.reading_only import only_read_sqlite
from connectors.errors import SourceError

CONNECT_SECONDS = 10
BUSY_SECONDS = 10  # how long to wait for a writer of an SQLite file


def connect(
    address: DatabaseAddress,
    credentials: Credentials,
    *,
    ask: Ask = ask_on_terminal,
    timeout: float = CONNECT_SECONDS,
    busy_seconds: float = BUSY_SECONDS,
) -> Engine:
    """An engine whose every connection can only read; each transaction sees one state of the database.

    One connection has been made when this returns, so a refusal is told here. The engine keeps one connection; it may
    be used by one thread at a time.

    Args:
        address: where the database is.
        credentials: who reads it.
        ask: asks for the password where one is needed and none is known.
        timeout: seconds to wait for the server.
        busy_seconds: how long to wait for a writer of an SQLite file.

    Raises:
        SourceError: there is no such database, nobody answers, or the password is refused.
        ConfigurationError: the driver is not installed.
    """
    if address.dialect is DatabaseDialect.SQLITE:
        return _connected(address, _sqlite_engine(address, busy_seconds), ())
    user, password = credentials.user_name(address.uri), credentials.find_password(address.uri)
    try:
        return _connected(address, _server_engine(address, user, password, timeout), (password or "",))
    except PasswordError:
        asked = ask(address.uri) if password is None else None
        if asked is None:
            raise
    return _connected(address, _server_engine(address, user, asked, timeout), (asked,))


def _connected(address: DatabaseAddress, engine: Engine, secrets: tuple[str, ...]) -> Engine:
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1")
    except exc.DBAPIError as error:
        engine.dispose()
        # Not `from error`: what a driver says may hold the password.
        raise connection_error(address, error, secrets) from None
    except BaseException:
        engine.dispose()
        raise
    return engine


def _sqlite_engine(address: DatabaseAddress, busy_seconds: float) -> Engine:
    file = Path(address.database)
    if not file.is_file():
        what = "is a folder" if file.is_dir() else "does not exist"
        raise SourceError(f"{address.uri}: {address.database} {what}", hint="check the path of the file")
    # The same thread need not use it throughout: a generator may be finished by another one.
    engine = create_engine(address.url(), creator=lambda: _open_sqlite(file, busy_seconds), pool_size=1)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def _open_sqlite(file: Path, busy_seconds: float) -> sqlite3.Connection:
    """A connection to a file that stays as it is.

    In WAL mode also a reader needs a file beside the database. Where none can be made, nobody writes either: then the
    file may be read as one that never changes, unless a journal says that it is not complete.
    """
    for mode in ("mode=ro", "mode=ro&immutable=1"):
        connection = sqlite3.connect(
            f"file:{quote(str(file))}?{mode}",
            uri=True,
            timeout=busy_seconds,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            only_read_sqlite(connection)
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError as error:
            connection.close()
            journal = file.with_name(f"{file.name}-wal")
            is_complete = not (journal.exists() and journal.stat().st_size)
            if "unable to open" not in str(error) or "immutable" in mode or not is_complete:
                raise
        except BaseException:
            connection.close()
            raise
        else:
            return connection
    raise AssertionError  # the second mode returned or raised


def _server_engine(address: DatabaseAddress, user: str, password: str | None, timeout: float) -> Engine:
    arguments: dict[str, Any] = {"connect_timeout": max(1, int(timeout))}
    if address.dialect is DatabaseDialect.MYSQL:
        arguments |= {"charset": "utf8mb4"} if "charset" not in address.parameters else {}
    engine = create_engine(
        address.url(user, password),
        connect_args=arguments,
        pool_size=1,
        isolation_level="REPEATABLE READ",
        hide_parameters=True,  # errors must not repeat what rows hold
    )

    @event.listens_for(engine, "do_connect")
    def _connect(dialect: Any, _record: Any, args: Any, parameters: Any) -> Any:
        # The timeouts of the drivers are for each address of a host and each step, and none is for its name.
        return _within(timeout, lambda: dialect.loaded_dbapi.connect(*args, **parameters), address)

    @event.listens_for(engine, "handle_error")
    def _let_go(context: Any) -> None:
        cursor = getattr(context.execution_context, "cursor", None)
        if context.is_disconnect and cursor is not None:  # psycopg warns of cursors that nobody closed
            with suppress(context.dialect.loaded_dbapi.Error):
                cursor.close()

    prepare = _prepare_postgresql if address.dialect is DatabaseDialect.POSTGRESQL else _prepare_mysql
    event.listen(engine, "connect", prepare)
    if address.dialect is DatabaseDialect.MYSQL:

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")

    return engine


def _prepare_postgresql(connection: Any, _record: Any) -> None:
    connection.read_only = True
    was, connection.autocommit = connection.autocommit, True
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
        cursor.execute("SET idle_in_transaction_session_timeout = 0")  # embedding goes on while a transaction waits
        cursor.execute("SET DateStyle = 'ISO'")
        cursor.execute("SET IntervalStyle = 'postgres'")
        cursor.execute("SET TimeZone = 'UTC'")
        cursor.execute("SET client_min_messages = 'error'")
    connection.autocommit = was


def _prepare_mysql(connection: Any, _record: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION TRANSACTION READ ONLY")
        cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SET time_zone = '+00:00'")
        # The server hangs up on who does not read on for a minute, which embedding may well take.
        cursor.execute("SET SESSION net_write_timeout = 86400, wait_timeout = 86400")


def _within(seconds: float, make: Callable[[], Any], address: DatabaseAddress) -> Any:
    """What `make` returns, if it does in time; else it is left behind, and what it makes is closed."""
    made: list[Any] = []
    failed: list[BaseException] = []
    late = threading.Event()

    def run() -> None:
        try:
            made.append(make())
        except BaseException as error:  # noqa: BLE001 - raised again below, in the thread that waits
            failed.append(error)
        if late.is_set() and made:
            made[0].close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if failed:
        raise failed[0]
    if not made:
        late.set()
        raise too_slow(address)
    return made[0]
