"""The process started by `rag.sql.executor`: reads one request from stdin, answers with two JSON lines, and exits.

The first line confirms the connection and names the handle by which the server can stop it. The second has the rows, or
the reason why there are none.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from rag.sql.allowed import AllowList, SqlDialect
from rag.sql.limits import StatementLimits
from rag.sql.process.collecting import collected
from rag.sql.process.confinement import close_all_doors, limit_memory, set_alarm
from rag.sql.process.session import FailedError, Request, StatementSession, too_large
from rag.sql.process.tripwire import second_look

_START_SECONDS = 20


def main() -> None:
    """Run the request."""
    data = json.loads(sys.stdin.buffer.read())
    request = Request(
        data["sql"], AllowList.from_json(data["allowed"]), StatementLimits(**data["limits"]), data["connect"]
    )
    set_alarm(_START_SECONDS + request.limits.seconds)
    limit_memory(request.limits.memory)
    try:
        _answer(_run(request))
    except FailedError as error:
        _answer(_failure(error))
    except MemoryError:
        _answer(_failure(too_large(request.limits)))
    # Not the ordinary way out: drivers would read what is left, or take leave of the server politely.
    os._exit(0)


def _failure(error: FailedError) -> dict[str, Any]:
    return {"kind": error.kind, "error": str(error), "hint": error.hint}


def _run(request: Request) -> dict[str, Any]:
    session = _session(request)
    _answer({"backend": session.backend})
    close_all_doors()
    second_look(request.sql, request.allowed.dialect)
    columns, rows = session.select(request.sql)
    return collected(columns, rows, request.limits)


def _session(request: Request) -> StatementSession:
    match request.allowed.dialect:
        case SqlDialect.SQLITE:
            from rag.sql.process.sqlite import SQLiteSession

            return SQLiteSession(request)
        case SqlDialect.POSTGRESQL:
            from rag.sql.process.postgresql import PostgreSQLSession

            return PostgreSQLSession(request)
        case SqlDialect.MARIADB:
            from rag.sql.process.mariadb import MariaDBSession

            return MariaDBSession(request)


def _answer(data: dict[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(data).encode() + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
