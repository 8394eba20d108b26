"""`rag doctor` as a person and as a program meets it."""

from __future__ import annotations

import os
import shlex
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Rag, Ran, Shop, write_shop
from tests.rag.gguf_files import CHAT


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
    before, after = ran.out.count("FAILED"), ran.out.splitlines()[-16:]
    assert before == 2
    assert all(line.startswith("ok") for line in after)
    assert "repaired: dropped" in ran.err
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


@pytest.fixture
def carded(indexed_shop: tuple[Path, Ran], rag: Rag, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop with cards and a demonstration, and a user with a key of their own."""
    monkeypatch.setenv("PILOTFISH_DATA", str(tmp_path / "data"))
    folder = tmp_path / "shop"
    shutil.copytree(indexed_shop[0], folder)
    (folder / "terms.csv").write_text("term,definition\nRMA,a number that allows a parcel to be returned\n")
    (folder / "small.gguf").write_bytes(CHAT)
    carded = Shop(folder, indexed_shop[1], rag)
    for line in (
        ["card", "add", "terms", "terms.csv"],
        ["card", "add", "small", "small.gguf", "--description", "parcels"],
        ["demo", "add", "How long do refunds take?", "14 days. [1]"],
    ):
        assert carded.rag(*line).code == 0
    return carded


def failures(ran: Ran) -> dict[str, tuple[str, str]]:
    """Each failed check: what was found, and the hint."""
    assert ran.code == 1
    return {check["name"]: (check["detail"], check["hint"]) for check in ran.json["checks"] if not check["ok"]}


def test_cards_and_demonstrations_that_are_whole(carded: Shop, shop: Shop) -> None:
    whole = {check["name"]: check for check in carded.rag("doctor", "--json").json["checks"]}
    assert (whole["cards"]["ok"], whole["cards"]["detail"]) == (True, "can be asked: small, terms")
    assert (whole["demonstrations"]["ok"], whole["demonstrations"]["detail"]) == (True, "1 can be read")
    none = {check["name"]: check for check in shop.rag("doctor", "--json").json["checks"]}
    assert none["cards"]["detail"] == none["demonstrations"]["detail"] == "there are none"


def test_a_model_that_has_vanished(carded: Shop) -> None:
    (carded.folder / "small.gguf").unlink()
    detail, hint = failures(carded.rag("doctor", "--json"))["cards"]
    assert f"the card 'small' cannot be asked: its file {carded.folder / 'small.gguf'} cannot be read" in detail
    assert hint == "put it back, or remove the card: rag card remove small"


def test_bytes_that_changed_under_the_same_size_and_time(carded: Shop) -> None:
    terms = carded.folder / ".rag" / "cards" / "terms" / "terms.jsonl"
    times = terms.stat()
    terms.write_bytes(terms.read_bytes().replace(b"allows", b"denies"))
    os.utime(terms, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert "terms.jsonl has changed since the card was added" in failures(carded.rag("doctor", "--json"))["cards"][0]


def test_a_knowledge_base_behind_a_card_that_has_vanished(carded: Shop) -> None:
    shutil.copytree(carded.folder / ".rag", carded.folder / "law")
    assert carded.rag("card", "add", "law", "law", "--description", "law").code == 0
    assert carded.rag("doctor").code == 0
    shutil.rmtree(carded.folder / "law")
    detail, hint = failures(carded.rag("doctor", "--json"))["cards"]
    assert detail == f"the card 'law' cannot be asked: there is no knowledge base in {carded.folder / 'law'}"
    assert hint.endswith("rag card remove law")


def test_a_knowledge_base_behind_a_card_that_is_damaged(carded: Shop) -> None:
    shutil.copytree(carded.folder / ".rag", carded.folder / "law")
    assert carded.rag("card", "add", "law", "law", "--description", "law").code == 0
    (carded.folder / "law" / "catalog.sqlite").write_bytes(b"nothing of a database" * 100)
    assert "the card 'law' cannot be opened: " in failures(carded.rag("doctor", "--json"))["cards"][0]


def test_every_card_that_nobody_here_added_is_named(carded: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTFISH_DATA", str(carded.folder / "somebody-else"))
    told = [check for check in carded.rag("doctor", "--json").json["checks"] if check["name"] == "cards"]
    assert [check["ok"] for check in told] == [False, False]
    for name, check in zip(("small", "terms"), told, strict=True):
        assert check["detail"] == f"the card '{name}' cannot be asked: you did not add it on this machine"
        assert check["hint"].endswith(f"rag card trust {name}")
    assert carded.rag("card", "trust", "small").code == carded.rag("card", "trust", "terms").code == 0
    assert "you did not add" in failures(carded.rag("doctor", "--json"))["demonstrations"][0]
    assert carded.rag("trust", "demonstrations").code == 0
    assert list(failures(carded.rag("doctor", "--json"))) == ["sparse"]  # which needs no leave, and is made anew
    assert carded.rag("doctor", "--repair").code == 0
    assert carded.rag("doctor").code == 0


def test_damaged_cards_and_demonstrations_are_told_and_never_deleted(carded: Shop) -> None:
    card = carded.folder / ".rag" / "cards" / "terms" / "card.json"
    demonstrations = carded.folder / ".rag" / "demonstrations.json"
    card.write_bytes(card.read_bytes()[:-7])
    demonstrations.write_bytes(demonstrations.read_bytes().replace(b"14 days", b"15 days"))
    before = card.read_bytes(), demonstrations.read_bytes()

    ran = carded.rag("doctor", "--repair")
    assert ran.code == 1
    assert "repaired: " not in ran.err
    assert "--repair cannot fix any of this" in ran.err
    assert ran.out.count("FAILED") == 2, "told once where nothing could be repaired"
    told = failures(carded.rag("doctor", "--repair", "--json"))
    assert "the card 'terms' is damaged" in told["cards"][0]
    assert told["cards"][1].endswith("rag card remove terms")
    assert told["demonstrations"][0] == f"{demonstrations} is damaged: it is not what was written"
    assert told["demonstrations"][1] == "delete it, and add the demonstrations again"
    assert (card.read_bytes(), demonstrations.read_bytes()) == before

    assert carded.rag("card", "remove", "terms").code == 0
    demonstrations.unlink()
    assert carded.rag("doctor").code == 0


def test_no_knowledge_base(rag: Rag) -> None:
    assert rag("doctor").code == 3
