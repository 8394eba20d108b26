"""Telling a server to stop a statement whose process was killed: the server would not notice for a while."""

from __future__ import annotations

import contextlib

from sqlalchemy import URL, create_engine, exc, text

from rag.sql.allowed import Dialect

_SECONDS = 3
_STATEMENTS = {
    Dialect.POSTGRESQL: "SELECT pg_terminate_backend(:backend)",
    Dialect.MARIADB: "KILL CONNECTION :backend",
}


def stop_on_server(url: URL, dialect: Dialect, backend: int) -> None:
    """End the session `backend` on the server of `url`; a server that does not answer has its own limit on time."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": _SECONDS})
    with contextlib.suppress(exc.SQLAlchemyError), engine.connect() as connection:
        connection.execute(text(_STATEMENTS[dialect]), {"backend": backend})
    engine.dispose()
