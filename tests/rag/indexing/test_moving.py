"""A knowledge base that is moved or copied with its folder reads the files that are there, and loses nothing."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest

from rag import KnowledgeBase


def shop(file: Path, city: str) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT)")
        database.execute(
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER REFERENCES customers, city TEXT)"
        )
        database.execute("INSERT INTO customers VALUES (1, 'Ada Lovelace')")
        database.execute("INSERT INTO orders VALUES (7, 1, ?)", (city,))


@pytest.fixture(params=["project", "what next?", "a%41 #b", "line\nbreak", "x" * 200])
def project(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A folder with a knowledge base of two documents, a database and a committed file, all inside."""
    project = tmp_path / request.param
    (project / "docs").mkdir(parents=True)
    (project / "docs" / "a.md").write_text("# Lamps\n\nThe lamps are lit at dusk.")
    (project / "docs" / "b.md").write_text("# Boats\n\nThe boats are green.")
    shop(project / "shop.db", "Bern")
    bare = project / "code.git"
    work = tmp_path / "work"
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run([*git, "init", "-q", str(work)], check=True)
    (work / "notes.md").write_text("# Committed\n\nWinches are oiled in March.")
    subprocess.run([*git, "-C", str(work), "add", "."], check=True)
    subprocess.run([*git, "-C", str(work), "commit", "-qm", "x"], check=True)
    subprocess.run([*git, "clone", "-q", "--bare", str(work), str(bare)], check=True)
    with closing(KnowledgeBase.open(project / ".rag")) as kb:
        report = kb.index(project / "docs", f"sqlite:///{quote(str(project / 'shop.db'))}", bare)
        assert not report.failures
        assert report.added >= 4
    return project


def places(folder: Path) -> set[str]:
    with closing(KnowledgeBase.open(folder, create=False)) as kb:
        found = {hit.uri for question in ("lamps", "boats", "Bern", "winches") for hit in kb.search(question, k=5)}
        assert all(check.ok for check in kb.check()), [check for check in kb.check() if not check.ok]
    return found


@pytest.mark.parametrize("take", [shutil.move, shutil.copytree], ids=["moved", "copied"])
def test_the_sources_of_the_folder_follow(project: Path, tmp_path: Path, take: Callable[..., object]) -> None:
    before = places(project / ".rag")
    there = tmp_path / "else where?" / "new"
    there.parent.mkdir()
    take(project, there)
    (there / "docs" / "a.md").write_text("# Lamps\n\nThe lamps are lit at noon.")
    said: list[str] = []
    with closing(KnowledgeBase.open(there / ".rag", create=False, notify=said.append)) as kb:
        assert not kb.foreign_sources()
        assert "dusk" in kb.search("lamps lit", k=1)[0].text
        report = kb.index()
        assert not report.failures
        assert (report.added, report.removed, report.changed, report.embedded) == (0, 0, 1, 1)
        assert "noon" in kb.search("lamps lit", k=1)[0].text
        assert {source.uri for source in kb.status().sources}.isdisjoint({str(project / "docs")})
    assert said == [f"the knowledge base has moved: 3 of its sources are now those in {there}"]
    now = places(there / ".rag")
    assert len(now) == len(before)
    assert not now & before
    if take is shutil.copytree:
        assert places(project / ".rag") == before  # the original is as it was


def test_what_is_not_there_keeps_its_name(project: Path, tmp_path: Path) -> None:
    before = places(project / ".rag")
    (tmp_path / "alone").mkdir()
    shutil.copytree(project / ".rag", tmp_path / "alone" / ".rag")
    assert places(tmp_path / "alone" / ".rag") == before


def test_another_name_of_the_same_folder_is_no_move(project: Path, tmp_path: Path) -> None:
    before = places(project / ".rag")
    (tmp_path / "alias").symlink_to(project)
    assert places(tmp_path / "alias" / ".rag") == before


def test_a_sender_leads_nobody_out_of_the_folder(project: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key.md").write_text("# Key\n\nThe key is 551.")
    (project / "link").symlink_to(tmp_path / "secret")
    with closing(sqlite3.connect(project / ".rag" / "catalog.sqlite")) as catalog, catalog:
        catalog.execute("UPDATE settings SET value = '/' WHERE key = 'home'")
        for uri in ("/../secret", "/link", "//../secret", "/docs/../../secret", "sqlite:////../secret/x.db"):
            catalog.execute("INSERT INTO sources (uri) VALUES (?)", (uri,))
    with closing(KnowledgeBase.open(project / ".rag", create=False)) as kb:
        kb.index()
        assert not any("551" in hit.text for hit in kb.search("the key 551"))
        assert kb.foreign_sources()
