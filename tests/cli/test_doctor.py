"""`rag doctor` as a person and as a program meets it."""

from __future__ import annotations

import shlex
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Rag, Shop, write_shop


@pytest.fixture
def damaged(rag: Rag, tmp_path: Path) -> Shop:
    """A shop of its own, with a damaged passage and a damaged index."""
    write_shop(tmp_path)
    indexed = rag("index", "docs", "--json", cwd=tmp_path)
    with closing(sqlite3.connect(tmp_path / ".rag" / "catalog.sqlite")) as connection:
        connection.execute("UPDATE chunks SET text = 'Refunds are never paid.' WHERE text LIKE '%14 days%'")
        connection.commit()
    (tmp_path / ".rag" / "sparse" / "state.json").unlink()
    return Shop(tmp_path, indexed, rag)


def test_a_healthy_knowledge_base(shop: Shop) -> None:
    ran = shop.rag("doctor")
    assert (ran.code, ran.err) == (0, "")
    assert all(line.startswith("ok") for line in ran.out.splitlines())
    checks = shop.rag("doctor", "--json").json
    assert checks["repaired"] == []
    assert all(set(check) == {"name", "ok", "detail", "hint"} for check in checks["checks"])


def test_what_is_damaged_is_named_with_a_hint(damaged: Shop) -> None:
    ran = damaged.rag("doctor")
    assert ran.code == 1
    failed = [line for line in ran.out.splitlines() if line.startswith("FAILED")]
    assert [line.split()[1] for line in failed] == ["chunks", "sparse"]
    assert ran.out.count("rag doctor --repair") == 2
    assert str(damaged.folder / "docs" / "refunds.md") in ran.out


def test_repair_mends_and_the_next_run_reads_the_rest_again(damaged: Shop) -> None:
    ran = damaged.rag("doctor", "--repair")
    assert ran.code == 0
    before, after = ran.out.count("FAILED"), ran.out.splitlines()[-14:]
    assert before == 2
    assert all(line.startswith("ok") for line in after)
    assert "repaired: forgot" in ran.err
    assert "repaired: rebuilding the sparse index from the catalog" in ran.err

    assert damaged.rag("index", "--json").json["documents"]["added"] == 1
    assert "14 days" in damaged.rag("search", "how long do refunds take", "--json").json["hits"][0]["text"]


def test_repair_as_json(damaged: Shop) -> None:
    ran = damaged.rag("doctor", "--repair", "--json")
    assert ran.code == 0
    assert any("refunds.md" in line for line in ran.json["repaired"])
    assert all(check["ok"] for check in ran.json["checks"])


def test_a_catalog_that_cannot_be_opened_is_one_failing_check(damaged: Shop) -> None:
    (damaged.folder / ".rag" / "catalog.sqlite").write_bytes(b"nothing of a database" * 100)
    ran = damaged.rag("doctor", "--repair", "--json")
    assert ran.code == 1
    (check,) = ran.json["checks"]
    assert (check["name"], check["ok"]) == ("catalog", False)
    move, index = (shlex.split(part) for part in check["hint"].partition("again: ")[2].split(" && "))
    assert ran.json["repaired"] == []
    assert damaged.rag("search", "refunds").err.count("hint: ") == 1

    shutil.move(*move[1:])
    assert damaged.rag(*index[1:], "--json").json["documents"]["added"] == damaged.indexed.json["documents"]["added"]
    assert "14 days" in damaged.rag("search", "how long do refunds take").out


def test_the_hint_opens_sources_as_they_were_opened(rag: Rag, tmp_path: Path) -> None:
    write_shop(tmp_path)
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.executescript(
            "CREATE TABLE tent (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO tent VALUES (1, 'Dome'), (2, 'Ridge');"
            "CREATE TABLE note (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO note VALUES (1, 'private');"
        )
    rag("index", "docs", "--exclude", "broken.pdf")
    rag("index", "sqlite:///shop.db", "--table", "tent", "--text-columns", "name")
    rag("index", "sqlite:///shop.db", "--query", "SELECT id, name FROM tent WHERE name > 'E'", "--key", "id")
    before = rag("status", "--json").json
    (tmp_path / ".rag" / "catalog.sqlite").write_bytes(b"nothing of a database" * 100)

    hint = rag("doctor", "--json").json["checks"][-1]["hint"]
    move, *commands = (shlex.split(part) for part in hint.partition("again: ")[2].split(" && "))
    shutil.move(*move[1:])
    assert [rag(*command[1:]).code for command in commands] == [0, 0, 0]
    after = rag("status", "--json").json
    assert sorted(each["uri"] for each in after["sources"]) == sorted(each["uri"] for each in before["sources"])
    assert after["documents"] == before["documents"]
    assert rag("search", "private", "--mode", "sparse", "--json").json["hits"] == []


def test_no_knowledge_base(rag: Rag) -> None:
    assert rag("doctor").code == 3
