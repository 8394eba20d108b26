"""`rag index`, `rag remove` and `rag status`, as processes over real folders."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import Rag, Shop, write_shop


def test_index_as_json(shop: Shop) -> None:
    done = shop.indexed
    assert done.code == 1, "one document is broken"
    assert done.err == ""
    assert done.json["documents"] == {"added": 3, "changed": 0, "unchanged": 0, "removed": 0, "failed": 1}
    (failure,) = done.json["failures"]
    assert failure["uri"].endswith("broken.pdf")
    assert failure["error"]
    assert done.json["embedded"] == done.json["chunks"]["added"] == done.json["chunks"]["total"] > 0
    assert done.json["generation"] == 1
    assert done.json["seconds"] > 0


def test_status_as_json(shop: Shop) -> None:
    state = shop.rag("status", "--json").json
    assert state["path"] == str(shop.folder / ".rag")
    assert state["sources"] == [{"uri": str(shop.folder / "docs"), "documents": 3, "chunks": state["chunks"]}]
    assert state["documents"] == 3
    assert state["sizes"]["catalog"] > 0


def test_status_for_people(shop: Shop) -> None:
    ran = shop.rag("status")
    assert ran.code == 0
    assert str(shop.folder / "docs") in ran.out.replace("\n", "")
    assert "documents" in ran.out


def test_a_knowledge_base_is_found_from_below(shop: Shop, rag: Rag) -> None:
    assert rag("status", "--json", cwd=shop.folder / "docs").json["path"] == str(shop.folder / ".rag")


def test_the_life_of_a_folder(rag: Rag, tmp_path: Path) -> None:
    write_shop(tmp_path)
    (tmp_path / "docs" / "broken.pdf").unlink()
    first = rag("index", "docs")
    assert first.code == 0
    assert first.out.startswith("added 3 · changed 0 · unchanged 0 · removed 0 · failed 0 · chunks ")

    again = rag("index")
    assert "unchanged 3" in again.out
    assert "embedded 0" in again.out

    (tmp_path / "docs" / "shipping.md").write_text("# Shipping\n\nWe now ship to Iceland.\n")
    (tmp_path / "docs" / "hostile.md").unlink()
    changed = rag("index")
    assert "added 0 · changed 1 · unchanged 1 · removed 1 · failed 0" in changed.out

    unknown = rag("remove", "elsewhere")
    assert unknown.code == 2
    assert str(tmp_path / "docs") in unknown.err
    removed = rag("remove", "docs", "--json")
    assert removed.code == 0
    assert removed.json["documents"]["removed"] == 2
    assert removed.json["chunks"]["total"] == 0
    empty = rag("index")
    assert empty.code == 2
    assert "no sources" in empty.err


def test_failures_are_told_by_name_and_the_rest_is_indexed(rag: Rag, tmp_path: Path) -> None:
    write_shop(tmp_path)
    ran = rag("index", "docs")
    assert ran.code == 1
    assert "failed 1" in ran.out
    assert "failed: docs/broken.pdf: " in ran.err
    assert "hint: " in ran.err


def test_many_failures_are_counted_instead_of_listed(rag: Rag, tmp_path: Path) -> None:
    for number in range(23):
        (tmp_path / f"{number}.pdf").write_bytes(b"%PDF-1.7\nbroken\n")
    ran = rag("index", tmp_path)
    assert ran.code == 1
    assert ran.err.count("failed: ") == 20
    assert "and 3 more; --json lists them all" in ran.err


def test_a_folder_that_does_not_exist_leaves_nothing_behind(rag: Rag, tmp_path: Path) -> None:
    ran = rag("index", "dosc")
    assert ran.code == 1
    assert "dosc" in ran.err
    assert not list(tmp_path.iterdir())


def test_one_missing_folder_does_not_stop_the_others(rag: Rag, tmp_path: Path) -> None:
    write_shop(tmp_path)
    (tmp_path / "docs" / "broken.pdf").unlink()
    ran = rag("index", "dosc", "docs", "--json")
    assert ran.code == 1
    assert ran.json["documents"]["added"] == 3
    assert "dosc" in ran.json["failures"][0]["uri"]


def test_a_name_that_is_no_unicode(rag: Rag, tmp_path: Path) -> None:
    try:
        (tmp_path / os.fsdecode(b"caf\xe9.md")).write_text("# Coffee\n\nIt is served until noon.\n")
    except OSError:
        pytest.skip("this file system refuses such names")
    (tmp_path / "tea.md").write_text("# Tea\n\nIt is served all day.\n")
    ran = rag("index", tmp_path)
    assert "added " in ran.out
    as_json = rag("index", tmp_path, "--json")
    assert as_json.json["documents"]["unchanged"] >= 1


def test_a_knowledge_base_of_a_newer_schema(shop: Shop, rag: Rag, tmp_path: Path) -> None:
    newer = tmp_path / "newer"
    shutil.copytree(shop.folder / ".rag", newer)
    with sqlite3.connect(newer / "catalog.sqlite") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    for verb in (["status"], ["search", "refunds"], ["index"]):
        ran = rag("--kb", newer, *verb)
        assert ran.code == 1
        assert "newer pilotfish" in ran.err
        assert "hint: " in ran.err
        assert ran.out == ""


def test_a_knowledge_base_that_is_something_else(rag: Rag, tmp_path: Path) -> None:
    (tmp_path / "catalog.sqlite").write_text("not a database at all, whatever its name says" * 100)
    ran = rag("--kb", tmp_path, "status")
    assert ran.code == 1
    assert str(tmp_path) in ran.err


def test_a_knowledge_base_inside_its_own_source_is_no_document(rag: Rag, tmp_path: Path) -> None:
    (tmp_path / "tea.md").write_text("# Tea\n\nIt is served all day.\n")
    for counts in ("added 1 · changed 0 · unchanged 0", "added 0 · changed 0 · unchanged 1"):
        ran = rag("--kb", "index-of-tea", "index", ".")
        assert (ran.code, ran.err) == (0, "")
        assert ran.out.startswith(counts)


def test_what_is_left_out_is_told_once_and_counted_every_time(rag: Rag, tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    (docs / "coverage").mkdir(parents=True)
    (docs / "coverage" / "policy.md").write_text("# Policy\n\nStorm damage has an excess of 450 euros.\n")
    (docs / "council.vtt").write_text("WEBVTT\n\n00:01.000 --> 00:04.000\nThe council repairs the quay in May.\n")
    for name in ("a.png", "b.png", "c.png", "film.mkv"):
        (docs / name).write_bytes(b"x")
    (docs / "scan").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))
    first = rag("index", "docs", "--json").json
    assert first["documents"]["added"] == 2
    assert first["left_out"] == [
        {"reason": "pictures", "count": 3, "examples": ["a.png", "b.png", "c.png"]},
        {"reason": "sound and films", "count": 1, "examples": ["film.mkv"]},
        {"reason": "files that are no documents by their content", "count": 1, "examples": ["scan"]},
    ]
    assert rag("status", "--json").json["sources"][0]["left_out"] == first["left_out"]
    assert "left out: pictures 3 (a.png, b.png, …)" in rag("status").out
    again = rag("index")
    assert "left out" not in again.err, "it is no news"
    (docs / "d.png").write_bytes(b"x")
    assert "docs: left out: pictures 4 (a.png, b.png, …), sound and films 1 (film.mkv)" in rag("index").err
    assert rag("index", "--json").json["left_out"][0]["count"] == 4
    assert "policy.md" in rag("search", "storm damage excess", "-k", "1").out
    assert "council.vtt" in rag("search", "when is the quay repaired", "-k", "1").out
