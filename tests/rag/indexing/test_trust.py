"""A knowledge base from elsewhere opens nothing that its new owner has not allowed."""

from __future__ import annotations

import json
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from connectors.errors import ConfigurationError, SourceError
from rag import KnowledgeBase


@pytest.fixture
def heard() -> Iterator[tuple[int, list[bytes]]]:
    """A port, and what is sent to it: it answers a client of PostgreSQL until this has told who it is."""
    received: list[bytes] = []
    server = socket.create_server(("127.0.0.1", 0))

    def listen() -> None:
        while True:
            try:
                peer, _ = server.accept()
            except OSError:
                return
            with peer, suppress(OSError):
                peer.settimeout(3)
                while data := peer.recv(4096):
                    received.append(data)
                    if data.startswith(b"p"):  # the password
                        break
                    peer.send(b"N" if data[4:6] == b"\x04\xd2" else b"R\x00\x00\x00\x08\x00\x00\x00\x03")

    listening = threading.Thread(target=listen, daemon=True)
    listening.start()
    yield server.getsockname()[1], received
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    listening.join(5)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A knowledge base of a folder beside it."""
    (tmp_path / "project" / "docs").mkdir(parents=True)
    (tmp_path / "project" / "docs" / "a.md").write_text("# Orders\n\nOrder 7 is paid.")
    with closing(KnowledgeBase.open(tmp_path / "project" / ".rag")) as kb:
        kb.index(tmp_path / "project" / "docs")
    return tmp_path / "project" / ".rag"


def registered(folder: Path, uri: str, **options: str) -> None:
    """Put a source into a catalog, as somebody could who gives it away."""
    with closing(sqlite3.connect(folder / "catalog.sqlite")) as catalog, catalog:
        catalog.execute("INSERT INTO sources (uri, options, facts) VALUES (?, ?, '{}')", (uri, json.dumps(options)))


def as_somebody_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PILOTFISH_DATA", str(tmp_path / "somebody-else"))


def test_no_server_hears_of_the_environment_before_a_person_agrees(
    made: Path, heard: tuple[int, list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("psycopg")
    port, received = heard
    uri = f"postgresql://127.0.0.1:{port}/x"
    registered(made, uri, user="${OPENAI_API_KEY}", password_from="env:OTHER_SECRET")
    monkeypatch.setenv("OPENAI_API_KEY", "value-of-the-key-551")
    monkeypatch.setenv("OTHER_SECRET", "value-of-the-other-552")
    with closing(KnowledgeBase.open(made)) as kb:
        for sources in ((), (uri,)):
            (failure,) = kb.index(*sources).failures
            assert "not registered by you" in failure.error
            assert "rag trust" in failure.hint
        with pytest.raises(SourceError, match="not registered by you"):
            kb.sql("how many?", llm=lambda messages: "SELECT 1", database=uri)
        assert list(kb.foreign_sources()) == [uri]
        assert not received
        kb.trust(uri)
        assert not kb.foreign_sources()
        assert kb.index(uri).failures
    assert b"value-of-the-key-551" in b"".join(received)  # a person has agreed


def test_what_lies_beside_a_copied_knowledge_base_is_read(
    made: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(made.parent / "shop.db")) as shop, shop:
        shop.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT)")
    with closing(KnowledgeBase.open(made)) as kb:
        kb.index(f"sqlite:///{made.parent / 'shop.db'}")
    as_somebody_else(monkeypatch, tmp_path)
    with closing(KnowledgeBase.open(made)) as kb:
        assert not kb.foreign_sources()
        assert not kb.index().failures


@pytest.mark.parametrize("name", ["project#secret", "project?", "project%2f..%2fproject", "projects"])
def test_a_folder_that_is_called_like_the_project_is_not_in_it(
    made: Path, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret = tmp_path / name
    secret.mkdir()
    (secret / "b.md").write_text("# Secret")
    with closing(KnowledgeBase.open(made)) as kb:
        kb.index(secret)
    as_somebody_else(monkeypatch, tmp_path)
    with closing(KnowledgeBase.open(made)) as kb:
        assert list(kb.foreign_sources()) == [str(secret)]


@pytest.mark.parametrize("kind", ["folder", "file", "sqlite", "link"])
def test_what_lies_elsewhere_is_only_read_by_whom_registered_it(
    made: Path, kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret = tmp_path / "elsewhere"
    secret.mkdir()
    (secret / "b.md").write_text("# Secret\n\nNobody reads this.")
    with closing(sqlite3.connect(secret / "shop.db")) as shop, shop:
        shop.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT)")
    (made.parent / "link").symlink_to(secret)
    source = {
        "folder": str(secret),
        "file": str(secret / "b.md"),
        "sqlite": f"sqlite:///{secret / 'shop.db'}",
        "link": str(made.parent / "link"),
    }[kind]
    with closing(KnowledgeBase.open(made)) as kb:
        assert not kb.index(source).failures
        assert not kb.foreign_sources()
        assert not kb.index().failures
    as_somebody_else(monkeypatch, tmp_path)
    with closing(KnowledgeBase.open(made)) as kb:
        (foreign,) = kb.foreign_sources()
        assert [failure.uri for failure in kb.index().failures] == [foreign]
        assert not kb.index(source).failures  # whoever names it has agreed
        assert not kb.index().failures


def test_a_changed_registration_needs_a_new_agreement(made: Path, tmp_path: Path) -> None:
    shop = tmp_path / "shop.db"
    with closing(sqlite3.connect(shop)) as database, database:
        database.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT)")
    with closing(KnowledgeBase.open(made)) as kb:
        kb.index(f"sqlite:///{shop}")
    with closing(sqlite3.connect(made / "catalog.sqlite")) as catalog, catalog:
        catalog.execute("UPDATE sources SET options = '{\"query\": \"SELECT 1\"}' WHERE uri LIKE 'sqlite%'")
    with closing(KnowledgeBase.open(made)) as kb:
        assert len(kb.foreign_sources()) == 1
        with pytest.raises(ConfigurationError, match="not a source"):
            kb.trust("sqlite:///other.db")


def test_in_ones_own_folder_everything_needs_an_agreement(
    made: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A knowledge base that was unpacked there would have the keys in `.ssh` beside it."""
    for home in (made.parent, made.parent / "user"):
        monkeypatch.setenv("HOME", str(home))
        as_somebody_else(monkeypatch, tmp_path)
        with closing(KnowledgeBase.open(made)) as kb:
            assert list(kb.foreign_sources()) == [str(made.parent / "docs")]


@pytest.mark.parametrize("uri", ["postgresql://", "sqlite://x?y", "mysql://h:port/x", "", "file://host/x", "\x00"])
def test_a_catalog_that_names_nonsense_can_still_be_searched(made: Path, uri: str) -> None:
    registered(made, uri)
    with closing(KnowledgeBase.open(made)) as kb:
        assert kb.search("order")
        assert uri not in kb.foreign_sources() or kb.index().failures
