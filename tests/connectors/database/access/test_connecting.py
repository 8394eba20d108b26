from __future__ import annotations

import os
import pty
import socket
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, create_engine, exc, text

from connectors.database.access import credentials as credentials_module
from connectors.database.access.address import parse_address
from connectors.database.access.connecting import connect
from connectors.database.access.credentials import Credentials
from connectors.database.access.failures import PasswordError, ServerUnreachableError
from connectors.database.source import DatabaseSource
from connectors.database.structure.schema import reflect
from connectors.errors import ConfigurationError, PilotfishError, SourceError
from tests.connectors.database.conftest import Database
from tests.servers import postgresql_with_passwords

WRITES = [
    "INSERT INTO t VALUES (2)",
    "UPDATE t SET id = 3",
    "DELETE FROM t",
    "DROP TABLE t",
    "CREATE TABLE other (id INTEGER)",
    "CREATE VIEW other AS SELECT 1",
]
SQLITE_ESCAPES = [
    "UPDATE sqlite_master SET type = 'view'",
    "PRAGMA query_only = OFF",
    "PRAGMA writable_schema = ON",
    "PRAGMA journal_mode = DELETE",
    "ATTACH DATABASE '{folder}/new.db' AS other",
    "VACUUM INTO '{folder}/new.db'",
    "CREATE TEMP TABLE other (id INTEGER)",
    "SELECT load_extension('{folder}/new.so')",
]


def open_database(spec: str, **options: str) -> None:
    DatabaseSource(spec, options, ask=lambda _uri: None).connect().dispose()


def test_nothing_can_be_written(database: Database, tmp_path: Path) -> None:
    database.run("CREATE TABLE t (id INTEGER PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    engine = connect(*parse_address(database.spec))
    escapes = SQLITE_ESCAPES if database.dialect == "sqlite" else []
    for statement in [*WRITES, *(each.format(folder=tmp_path) for each in escapes)]:
        with engine.connect() as connection, pytest.raises(exc.DBAPIError):
            connection.execute(text(statement))
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT max(id) FROM t")) == 1
    engine.dispose()
    assert {path.name for path in tmp_path.iterdir()} <= {"shop.db"}


def test_a_file_in_wal_mode_whose_folder_cannot_be_written_to(tmp_path: Path) -> None:
    file = tmp_path / "shop.db"
    with sqlite3.connect(file) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("CREATE TABLE t (id INTEGER)")
    writer.close()
    tmp_path.chmod(0o555)
    try:
        engine = connect(*parse_address(f"sqlite:///{file}"))
        assert [table.label for table in reflect(engine).tables] == ["t"]
        engine.dispose()
    finally:
        tmp_path.chmod(0o755)


def test_what_is_no_database_says_so(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("words " * 1000)
    for name, reason in (("gone.db", "does not exist"), ("", "is a folder"), ("notes.txt", "not an SQLite database")):
        with pytest.raises(SourceError, match=reason) as caught:
            open_database(f"sqlite:///{tmp_path}/{name}")
        assert caught.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_wrong_password_and_unknown_names_are_told_without_credentials(mariadb: URL, postgresql: URL) -> None:
    host = f"127.0.0.1:{mariadb.port}"
    for spec, kind, reason in (
        (f"mariadb://root:s3cret@{host}/{mariadb.database}", PasswordError, "rejects"),
        (f"mariadb://s3cret_user@{host}/{mariadb.database}", PasswordError, "rejects"),
        (f"mariadb://root@{host}/nowhere", SourceError, "no database 'nowhere'"),
        (f"postgresql://postgres:s3cret@127.0.0.1:{postgresql.port}/nowhere", SourceError, "no database 'nowhere'"),
        (f"postgresql://s3cret_user@127.0.0.1:{postgresql.port}/test", PasswordError, "rejects"),
    ):
        with pytest.raises(kind, match=reason) as caught:
            open_database(spec)
        assert caught.value.hint
        assert spec.partition("://")[0] in str(caught.value)
        told = f"{caught.value} {caught.value.hint} {caught.value.__cause__}"
        assert "s3cret" not in told
        assert caught.value.__cause__ is None, "what a driver says may hold the password"


def test_hosts_that_do_not_answer_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as silent:  # it accepts and says nothing
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        for scheme in ("postgresql", "mariadb"):
            start = time.monotonic()
            with pytest.raises(ServerUnreachableError, match="in time") as caught:
                connect(*parse_address(f"{scheme}://ann@127.0.0.1:{port}/shop"), timeout=1)
            assert time.monotonic() - start < 9, "a second, on a busy machine"
            assert "firewall" in caught.value.hint
    for spec, reason in (
        (f"postgresql://127.0.0.1:{port}/shop", f"no server answers at 127.0.0.1:{port}"),
        (f"mysql://127.0.0.1:{port}/shop", f"no server answers at 127.0.0.1:{port}"),
        ("postgresql://nowhere.invalid/shop", "'nowhere.invalid' is not known"),
        ("mariadb://nowhere.invalid/shop", "'nowhere.invalid' is not known"),
    ):
        with pytest.raises(ServerUnreachableError, match=reason) as caught:
            open_database(spec)
        assert caught.value.hint


@pytest.fixture(scope="module")
def scram() -> Iterator[URL]:
    """A PostgreSQL server whose user has a password: `s3same-0pen`."""
    with postgresql_with_passwords("s3same-0pen") as url:
        yield url


@pytest.fixture(params=["mariadb", "postgresql"])
def guarded(request: pytest.FixtureRequest) -> URL:
    """The URL of a database whose user has a password: `s3same-0pen`."""
    return request.getfixturevalue("scram" if request.param == "postgresql" else "mariadb_with_password")


@pytest.fixture
def mariadb_with_password(mariadb: URL) -> URL:
    engine = create_engine(mariadb)
    name = f"ann_{os.getpid()}"
    with engine.begin() as connection:
        connection.execute(text(f"CREATE OR REPLACE USER {name} IDENTIFIED BY 's3same-0pen'"))
        connection.execute(text(f"GRANT SELECT ON {mariadb.database}.* TO {name}"))
        connection.execute(text("CREATE TABLE t (id INTEGER PRIMARY KEY)"))
    engine.dispose()
    return mariadb.set(drivername="mariadb", username=name, password=None)


def test_a_password_is_found_where_it_was_said_to_be(guarded: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "s3same-0pen")
    bare = guarded.render_as_string()
    with_variable = bare.replace("@", ":${SHOP_PASSWORD}@")
    source = DatabaseSource(with_variable)
    assert source.options == {"user": guarded.username, "password_from": "env:SHOP_PASSWORD"}
    again = DatabaseSource(source.uri, source.options)
    assert again.uri == source.uri
    again.connect().dispose()
    DatabaseSource(bare, {"password_from": "env:SHOP_PASSWORD"}).connect().dispose()
    monkeypatch.delenv("SHOP_PASSWORD")
    with pytest.raises(SourceError, match="SHOP_PASSWORD") as caught:
        again.connect()
    assert caught.value.hint == "export SHOP_PASSWORD=…"


def test_a_typed_password_is_used_and_not_kept(guarded: URL) -> None:
    source = DatabaseSource(guarded.render_as_string().replace("@", ":s3same-0pen@"), ask=lambda _uri: None)
    source.connect().dispose()
    assert source.options == {"user": guarded.username}
    assert "s3same-0pen" not in repr((source.uri, source.options, source.address, source.credentials))
    with pytest.raises(PasswordError) as caught:
        DatabaseSource(source.uri, source.options, ask=lambda _uri: None).connect()
    assert "--password-env" in caught.value.hint


def test_the_keyring(guarded: URL, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import keyring
    from keyring.backend import KeyringBackend

    class Kept(KeyringBackend):  # the real interface; a desktop's own cannot run in a test
        priority = 1.0  # type: ignore[assignment]

        def get_password(self, service: str, username: str) -> str | None:
            return "s3same-0pen" if (service, username) == ("shop", guarded.username) else None

        def set_password(self, service: str, username: str, password: str) -> None:
            raise NotImplementedError

    before = keyring.get_keyring()
    keyring.set_keyring(Kept())
    try:
        DatabaseSource(guarded.render_as_string(), {"password_from": "keyring:shop"}).connect().dispose()
        with pytest.raises(SourceError, match="no password") as caught:
            open_database(guarded.render_as_string(), password_from="keyring:elsewhere")
        assert caught.value.hint.startswith("keyring set elsewhere")
    finally:
        keyring.set_keyring(before)


def test_a_wrong_password_is_refused_and_not_told(guarded: URL) -> None:
    with pytest.raises(PasswordError, match="rejects") as caught:
        open_database(guarded.render_as_string().replace("@", ":s3cret@"))
    assert "s3cret" not in f"{caught.value} {caught.value.hint} {caught.value.__cause__}"
    assert caught.value.__cause__ is None


def test_no_file_of_a_knowledge_base_holds_a_password(
    guarded: URL, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from rag import KnowledgeBase

    secret = "s3same-0pen"
    monkeypatch.setenv("SHOP_PASSWORD", secret)
    base = KnowledgeBase.open(tmp_path / "kb")
    for spec in (guarded.render_as_string().replace("@", ":${SHOP_PASSWORD}@"), f"{guarded.render_as_string()}"):
        base.index(spec.replace("@", f":{secret}@") if "$" not in spec else spec)
    told = f"{base.status()} {base.index()}"
    base.close()
    files = [path for path in (tmp_path / "kb").rglob("*") if path.is_file()]
    assert any(path.name == "sources.json" for path in files)
    for holder in [told.encode(), *(path.read_bytes() for path in files)]:
        assert secret.encode() not in holder


def test_a_missing_password_is_asked_for_once(guarded: URL) -> None:
    asked: list[str] = []

    def ask(uri: str) -> str:
        asked.append(uri)
        return "s3same-0pen"

    source = DatabaseSource(guarded.render_as_string(), ask=ask)
    source.connect().dispose()
    source.connect().dispose()
    assert asked == [source.uri]


def test_asking_needs_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    parent, child = pty.openpty()
    with os.fdopen(child, "w", closefd=False) as terminal, Path(os.devnull).open() as nothing:
        monkeypatch.setattr("sys.stderr", terminal)
        monkeypatch.setattr("sys.stdin", nothing)
        assert credentials_module.ask_on_terminal("mariadb://db/shop") is None
    os.close(parent)
    os.close(child)


def test_references_that_are_none() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Credentials().stored("ann", "hunter2")
    assert isinstance(caught.value, PilotfishError)
    assert "hunter2" not in f"{caught.value}{caught.value.hint}"
