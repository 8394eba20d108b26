"""Database servers that tests connect to: each test gets a new, empty database, dropped when it ends."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL

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


@contextmanager
def postgresql_with_passwords(password: str) -> Iterator[URL]:
    """A PostgreSQL server of one's own that asks for passwords (SCRAM); skips the test where there is no `initdb`."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    found = programs[-1] if programs else shutil.which("initdb")
    if not found:
        if os.environ.get("PILOTFISH_TEST_SERVERS") == "required":
            raise FileNotFoundError("initdb, of PostgreSQL")
        pytest.skip("needs PostgreSQL's own programs (Debian: postgresql)")
    programs_folder = Path(found).parent
    owner = {"user": "postgres"} if os.geteuid() == 0 else {}  # the server refuses to run as root
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="pilotfish-postgresql-") as folder:
        if owner:
            shutil.chown(folder, "postgres")

        def run(program: str, *arguments: str) -> None:
            subprocess.run([programs_folder / program, *arguments], cwd="/", check=True, stdout=DEVNULL, **owner)

        secret = Path(folder, "secret")
        secret.write_text(password)
        secret.chmod(0o644)
        data = f"{folder}/data"
        run("initdb", "-D", data, "-U", "postgres", "-A", "scram-sha-256", f"--pwfile={secret}", "--no-sync")
        settings = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
        run("pg_ctl", "-D", data, "-l", f"{folder}/log", "-w", "-o", settings, "start")
        try:
            yield URL.create("postgresql", "postgres", host="127.0.0.1", port=port, database="postgres")
        finally:
            run("pg_ctl", "-D", data, "-m", "immediate", "stop")


def _run(server: str, statement: str) -> None:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(statement))
    finally:
        engine.dispose()
