"""Rows are shown as a table where there is room for one, else one below the other."""

from __future__ import annotations

import pytest

from cli.output.rows import print_rows
from cli.output.terminal import stdout
from rag.sql.values import Rows

PRODUCTS = Rows(
    ("article_number", "name", "price", "description"),
    (
        ("TW-1140", "Manta wetsuit 3 mm", 189, "For summer water of 20 degrees and more. Back zip, sealed seams."),
        ("TW-2001", "Pilot mask", None, "Low volume,\n\x1b[31mtempered glass"),
    ),
)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    def show(width: int, rows: Rows = PRODUCTS, limit: int = 100) -> list[str]:
        monkeypatch.setenv("COLUMNS", str(width))
        stdout.cache_clear()
        print_rows(rows, limit)
        stdout.cache_clear()
        return [line.rstrip() for line in capfd.readouterr().out.splitlines()]

    return show


def test_where_there_is_room_it_is_a_table(shown):
    lines = shown(100)
    assert lines[1].split() == ["article_number", "name", "price", "description"]
    assert lines[3].split()[:6] == ["TW-1140", "Manta", "wetsuit", "3", "mm", "189"]


def test_where_there_is_none_each_row_is_a_list(shown):
    lines = shown(60)
    assert lines[:3] == ["article_number  TW-1140", "name            Manta wetsuit 3 mm", "price           189"]
    assert lines[3] == "description     For summer water of 20 degrees and more."
    assert "\x1b" not in "".join(lines)
    assert len([line for line in lines if line.startswith("article_number")]) == 2


def test_one_column_is_a_table_however_wide(shown):
    assert shown(40, Rows(("a name longer than forty characters, which happens",), ((1,),)))[-2].split() == ["1"]


def test_no_more_rows_than_asked_for(shown):
    assert len([line for line in shown(60, limit=1) if line.startswith("article_number")]) == 1
