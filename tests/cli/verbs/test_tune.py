"""`rag tune` over data sheets that only their article numbers tell apart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Rag, Ran, run_process
from tests.rag.sheets import SHEETS, about_parts, write_questions, write_sheets


@pytest.fixture(scope="module")
def sheets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tune")
    write_sheets(folder / "docs")
    assert run_process("index", "docs", cwd=folder).code == 0
    write_questions(folder / "questions.jsonl", [(about_parts(sheet), f"docs/{sheet}.md") for sheet in range(SHEETS)])
    return folder


@pytest.mark.slow
def test_it_tunes_and_shows_it_and_goes_back(rag: Rag, sheets: Path) -> None:
    def here(*arguments: str | Path) -> Ran:
        return rag(*arguments, cwd=sheets)

    before = here("search", about_parts(3), "--json").json["hits"]
    dry = here("tune", "questions.jsonl", "--dry-run")
    assert dry.code == 0
    assert "20 questions to fit, 20 held out" in dry.out
    assert "nDCG@10" in dry.out
    assert dry.out.endswith("would be kept: weights\n")
    assert here("status", "--json").json["tuning"] is None

    done = here("tune", "questions.jsonl", "--json")
    assert done.code == 0
    said = done.json
    assert said["stored"] is True
    assert said["weights"]["kept"] is True
    assert said["weights"]["fitted"]["sparse"] > said["weights"]["now"]["sparse"]
    [measure] = said["weights"]["measures"]
    assert measure["after"] > measure["before"]
    assert measure["low"] > 0
    assert said["questions"] == {"fitting": 20, "held_out": 20}
    assert said["threshold"]["fitted"] is None

    state = here("status", "--json").json["tuning"]
    assert state == said["tuning"]
    assert state["evidence"]["weights"]["after"] == measure["after"]
    assert "tuned weights" in here("status").out
    after = here("search", about_parts(3), "--json").json["hits"]
    assert [hit["uri"] for hit in after] != [hit["uri"] for hit in before]

    assert here("tune", "--reset").out == "back to the defaults\n"
    assert here("tune", "--reset", "--json").json == {"reset": False}
    assert here("search", about_parts(3), "--json").json["hits"] == before


def test_what_cannot_be_tuned_on_changes_nothing(rag: Rag, sheets: Path, tmp_path: Path) -> None:
    few = write_questions(tmp_path / "few.jsonl", [(about_parts(3), str(sheets / "docs" / "3.md"))])
    broken = tmp_path / "broken.jsonl"
    broken.write_text(json.dumps({"question": "what?"}) + "\n")
    for arguments, code, message in [
        ([few], 2, "has 1 questions whose expected source is indexed, but tuning needs 20"),
        ([broken], 1, "broken.jsonl, line 1"),
        (["gone.jsonl"], 1, "gone.jsonl does not exist"),
        ([], 2, "no questions to tune on"),
        ([few, "--reset"], 2, "--reset takes no questions"),
        (["--reset", "--dry-run"], 2, "--reset takes no questions"),
        (["questions.jsonl", "--held-out", "0.95"], 2, "too few on one side"),
        (["questions.jsonl", "--topics", few], 2, "give both --topics FILE and --qrels FILE"),
    ]:
        ran = rag("tune", *arguments, cwd=sheets)
        assert ran.code == code, ran.err
        assert message in ran.err
        assert "hint: " in ran.err
        assert ran.out == ""
    assert rag("status", "--json", cwd=sheets).json["tuning"] is None
