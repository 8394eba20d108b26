"""Help, versions and wrong usage: what a newcomer meets first."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Rag, environment

VERBS = [
    "index",
    "search",
    "ask",
    "chat",
    "sql",
    "card",
    "demo",
    "status",
    "remove",
    "eval",
    "tune",
    "doctor",
    "models",
]
NESTED = [
    *("models pull", "models list", "demo add", "demo list", "demo remove"),
    *("card add", "card list", "card show", "card remove", "card trust", "card ask", "card train"),
]
# Modules that would make every start slow.
SLOW = {
    "numpy",
    "sqlalchemy",
    "tantivy",
    "faiss",
    "openvino",
    "tokenizers",
    "langchain_core",
    "lxml",
    "rag.knowledge_base",
}


def test_rag_alone_prints_help(rag: Rag) -> None:
    ran = rag()
    assert ran.code == 0
    assert all(verb in ran.out for verb in VERBS)
    assert ran.err == ""


@pytest.mark.parametrize("verb", [*VERBS, *NESTED])
def test_every_verb_explains_itself_with_two_examples(rag: Rag, verb: str) -> None:
    ran = rag(*verb.split(), "-h")
    assert ran.code == 0
    examples = ran.out.partition("Examples")[2].partition("╭")[0]
    assert len([line for line in examples.splitlines() if line.strip().startswith("rag ")]) == 2
    assert "<bool>" not in ran.out


def test_help_imports_nothing_slow() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "cli.main", "--help"],
        env=environment(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "typer" in imported
    assert not imported & SLOW


def test_version(rag: Rag) -> None:
    ran = rag("--version")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("pilotfish ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["serch"], "search"),
        (["search"], "QUERY"),
        (["search", "x", "--jsn"], "--jsn"),
        (["search", "how", "do", "refunds", "work"], "put several words in quotes"),
        (["search", "x", "-k", "many"], "-k"),
        (["search", "x", "--mode", "best"], "hybrid"),
        (["search", "x", "--kb", "there"], "--kb comes before the verb"),
        (["search", "x", "--filter", "pdf"], "KEY=VALUE"),
        (["models", "pull", "nothing"], "smollm2"),
    ],
)
def test_wrong_usage_is_told_with_a_hint(rag: Rag, arguments: list[str], said: str) -> None:
    ran = rag(*arguments)
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.startswith("error: ")
    assert "\nhint: " in ran.err
    assert said in ran.err


@pytest.mark.parametrize("verb", [["search", "x"], ["ask", "x"], ["status"], ["remove", "x"], ["index"], ["tune", "x"]])
def test_without_a_knowledge_base(rag: Rag, verb: list[str], tmp_path: Path) -> None:
    ran = rag(*verb)
    assert ran.code == 3
    assert ran.out == ""
    assert "error: no knowledge base" in ran.err
    assert "rag index" in ran.err
    assert not list(tmp_path.iterdir())


def test_a_knowledge_base_named_but_not_there(rag: Rag, tmp_path: Path) -> None:
    ran = rag("--kb", "nowhere", "search", "x")
    assert ran.code == 3
    assert "nowhere" in ran.err
    assert not list(tmp_path.iterdir())


def test_models_are_listed(rag: Rag, tmp_path: Path) -> None:
    cache = {"PILOTFISH_CACHE": str(tmp_path)}
    listed = rag("models", "list", "--json", env=cache).json
    assert listed["folder"].startswith(str(tmp_path))
    assert [(model["name"], model["present"]) for model in listed["models"]] == [("smollm2", False)]
    assert "smollm2" in rag("models", "list", env=cache).out
