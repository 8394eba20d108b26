"""Database servers that tests connect to: each test gets a new, empty database, dropped when it ends."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import URL, create_engine, exc, make_url, text

POSTGRESQL = os.environ.get("PILOTFISH_TEST_POSTGRESQL", "postgresql+psycopg://postgres@127.0.0.1:5432/test")
MARIADB = os.environ.get("PILOTFISH_TEST_MARIADB", "mysql+pymysql://root@127.0.0.1:3306/test")
_START = {
    POSTGRESQL: "no PostgreSQL at {}: start one (Debian: `pg_ctlcluster 15 main start`), or set "
    "PILOTFISH_TEST_POSTGRESQL to the URL of one where databases may be made",
    MARIADB: "no MariaDB at {}: start one (Debian: `service mariadb start`), or set "
    "PILOTFISH_TEST_MARIADB to the URL of one where databases may be made",
}


@contextmanager
def new_database(server: str) -> Iterator[URL]:
    """The URL, for SQLAlchemy, of an empty database on `server`; skips the test where no server answers."""
    name = f"pilotfish_{secrets.token_hex(6)}"
    try:
        _run(server, f"CREATE DATABASE {name}")
    except exc.OperationalError:
        if os.environ.get("PILOTFISH_TEST_SERVERS") == "required":
            raise
        pytest.skip(_START[server].format(make_url(server).render_as_string()))
    try:
        yield make_url(server).set(database=name)
    finally:
        _run(server, f"DROP DATABASE {name}" + (" WITH (FORCE)" if server is POSTGRESQL else ""))


def _run(server: str, statement: str) -> None:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(statement))
    finally:
        engine.dispose()
