"""The executor: runs one statement in its own process, and kills the process if it takes too long.

A statement that a database works on cannot be interrupted from within for certain: a timeout that asks politely waits
for the answer. The process is started for each statement, gets its request with the password by a pipe, and is alone in
its group. The database keeps its own limits beside: see `rag.sql.process`. A server would not notice for a while that
the process is gone, so it is told to stop the statement.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sqlalchemy import URL, create_engine, exc, text

from connectors.errors import ConfigurationError
from rag.sql.allowed import AllowList, SqlDialect
from rag.sql.errors import DatabaseUnreachableError, ExecutionError, LimitError, RefusedError, SqlError
from rag.sql.limits import StatementLimits
from rag.sql.values import Rows, from_wire

_ROOT = Path(__file__).parents[2]
_START_SECONDS = 20.0  # the interpreter, and a connection, which gives up by itself after 10
_GRACE_SECONDS = 1.0  # the database notices its own limit first, and says so better
_LONGEST_ANSWER = 64 * 1024 * 1024
# What drivers and the interpreter read: everything else, such as keys for other services, stays out of the process.
_ENVIRONMENT = ("PATH", "HOME", "LANG", "TZ", "LD_LIBRARY_PATH", "SYSTEMROOT", "SSL_CERT_FILE", "SSL_CERT_DIR")
_ENVIRONMENT_PREFIXES = ("PG", "MYSQL_", "MARIADB_", "LC_")
_DRIVERS = {SqlDialect.POSTGRESQL: "postgresql+psycopg", SqlDialect.MARIADB: "mysql+pymysql"}
_STOP_SECONDS = 3
_STOP_STATEMENTS = {
    SqlDialect.POSTGRESQL: "SELECT pg_terminate_backend(:backend)",
    SqlDialect.MARIADB: "KILL CONNECTION :backend",
}


def execute(url: URL, sql: str, allowed: AllowList, limits: StatementLimits | None = None) -> Rows:
    """Run one SELECT on the database of `url`, read-only and within `limits`.

    What may run is for the guard to decide (`rag.sql.guard.guard`): give it what the guard gave back. This lets nothing
    be changed, no file be read or written and no limit be passed, whatever the statement.

    Raises:
        RefusedError: the statement wants more than to read.
        LimitError: it took too long or too much; it is not running any more.
        ExecutionError: the database refused it.
        UnreachableError: it cannot be reached.
    """
    limits = limits or StatementLimits()
    request = {
        "sql": sql,
        "allowed": allowed.to_json(),
        "limits": asdict(limits),
        "connect": _connect_arguments(url, allowed.dialect),
    }
    answer = _Run(url, allowed.dialect, limits).ask(json.dumps(request).encode())
    if "error" in answer:
        raise _error(answer, url)
    rows = tuple(tuple(from_wire(cell) for cell in row) for row in answer["rows"])
    return Rows(tuple(answer["columns"]), rows, answer["cut"])


def stop_on_server(url: URL, dialect: SqlDialect, backend: int) -> None:
    """End the session `backend` on the server of `url`; a server that does not answer has its own limit on time."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": _STOP_SECONDS})
    with contextlib.suppress(exc.SQLAlchemyError), engine.connect() as connection:
        connection.execute(text(_STOP_STATEMENTS[dialect]), {"backend": backend})
    engine.dispose()


class _Run:
    """One process, from its start to its end."""

    def __init__(self, url: URL, dialect: SqlDialect, limits: StatementLimits) -> None:
        self._url = url
        self._dialect = dialect
        self._limits = limits
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._backend: int | None = None

    def ask(self, request: bytes) -> dict[str, Any]:
        """The last line that the process answers `request` with; it has ended when this returns."""
        process = _start()
        ended = False
        reader = threading.Thread(target=self._listen, args=(process, request), daemon=True)
        reader.start()
        try:
            hello = self._line(_START_SECONDS, DatabaseUnreachableError(f"no connection within {_START_SECONDS:.0f} s"))
            if "error" in hello:
                ended = True
                return hello
            self._backend = hello["backend"]
            late = LimitError(
                f"the statement took longer than {self._limits.seconds:g} s and was stopped",
                hint="ask for less: fewer tables, a narrower condition",
            )
            answer = self._line(self._limits.seconds + _GRACE_SECONDS, late)
            ended = True
            return answer
        finally:
            _kill(process)
            reader.join()
            process.wait()
            if not ended and self._backend is not None:
                stop_on_server(self._url, self._dialect, self._backend)

    def _line(self, seconds: float, late: SqlError) -> dict[str, Any]:
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            raise late from None
        if not line.endswith(b"\n"):
            raise LimitError(
                "the process that ran the statement ended without an answer: it may have taken more than "
                f"{self._limits.memory // 2**20} MiB of memory",
                hint="ask for fewer or shorter values",
            )
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _listen(self, process: subprocess.Popen[bytes], request: bytes) -> None:
        """Hand the request over and the lines of the answer on; an incomplete line says that there will be none."""
        assert process.stdin is not None  # noqa: S101
        assert process.stdout is not None  # noqa: S101
        with process.stdin, process.stdout:
            try:
                process.stdin.write(request)
                process.stdin.close()
                while (line := process.stdout.readline(_LONGEST_ANSWER)).endswith(b"\n"):
                    self._lines.put(line)
            except OSError:  # a broken pipe: it died while it was being told
                line = b""
            self._lines.put(line)


def _start() -> subprocess.Popen[bytes]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _ENVIRONMENT or name.startswith(_ENVIRONMENT_PREFIXES)
    }
    search = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH", ""))))
    # -P: without it the current folder comes first on the path, and anything may lie there.
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "rag.sql.process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**kept, "PYTHONPATH": search},
        start_new_session=True,
    )


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the process and whatever it may have started."""
    if hasattr(os, "killpg"):
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            process.kill()
    else:
        process.kill()


def _connect_arguments(url: URL, dialect: SqlDialect) -> dict[str, Any]:
    if dialect is SqlDialect.SQLITE:
        if not url.database or url.database == ":memory:":
            raise ConfigurationError(f"{url.render_as_string()}: a database in memory", hint="name a file")
        return {"database": str(Path(url.database.removeprefix("file:").partition("?")[0]).absolute())}
    driver = url.set(drivername=_DRIVERS[dialect])
    _, arguments = driver.get_dialect()().create_connect_args(driver)
    return dict(arguments)


def _error(answer: dict[str, Any], url: URL) -> SqlError:
    """What the process says went wrong; whatever the driver put into it, without the password."""
    kinds: dict[str, type[SqlError]] = {
        "refused": RefusedError,
        "limit": LimitError,
        "unreachable": DatabaseUnreachableError,
    }
    message = str(answer["error"])
    if url.password:
        message = message.replace(str(url.password), "***")
    return kinds.get(answer["kind"], ExecutionError)(message, hint=answer["hint"])
