"""`docs/cli.md` is the contract: it names every flag of every verb, and every key of JSON that a real run prints."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import typer

from cli.main import app
from tests.cli.conftest import ROOT, Rag, Ran, run_process

DOCS = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
SECTIONS = re.split(r"^## ", DOCS, flags=re.MULTILINE)
OF_DATA = {"metadata", "terms"}  # their keys come from documents and questions
ELSEWHERE = {
    "location": "search",
    "copies": "search",
    "reranked": "search",
    "sql": "sql",
    "tuning": "tune",
    "statements": "ask",
    "usage": "ask",
}
MODEL = 'def chat(messages):\n    return "SELECT name FROM suppliers ORDER BY delivery_days LIMIT 1"\n'


def commands() -> dict[str, Any]:
    """Verb → its command."""
    group: Any = typer.main.get_command(app)
    verbs = {name: verb for name, verb in group.commands.items() if not hasattr(verb, "commands")}
    families = {name: verb for name, verb in group.commands.items() if hasattr(verb, "commands")}
    members = {f"{name} {sub}": verb for name, family in families.items() for sub, verb in family.commands.items()}
    return {**verbs, **members}


VERBS = commands()


def section(verb: str) -> str:
    (found,) = [text for text in SECTIONS if re.search(rf"`rag {verb}[ `]", text.partition("\n")[0])]
    return found


def keys(value: Any, verb: str) -> Iterator[tuple[str, str]]:
    """Every key in a JSON value, with the verb whose section is to name it."""
    for key, inner in value.items() if isinstance(value, dict) else ():
        yield verb, key
        if key not in OF_DATA:
            yield from keys(inner, ELSEWHERE.get(key, verb))
    for inner in value if isinstance(value, list) else ():
        yield from keys(inner, verb)


def unnamed(ran: Ran, verb: str) -> set[tuple[str, str]]:
    return {(of, key) for of, key in keys(ran.json, verb) if not re.search(rf'[`"]{re.escape(key)}[`"]', section(of))}


@pytest.mark.parametrize("verb", VERBS)
def test_every_flag_is_named(verb: str) -> None:
    flags = {flag for each in VERBS[verb].params for flag in (*each.opts, *each.secondary_opts) if flag[0] == "-"}
    missing = {flag for flag in flags - {"--help", "-h"} if not re.search(rf"(?<![\w-]){flag}(?![\w-])", section(verb))}
    assert not missing, f"docs/cli.md does not name {sorted(missing)} of `rag {verb}`"


def test_the_flags_of_all_verbs_are_named() -> None:
    group: Any = typer.main.get_command(app)
    for each in group.params:
        assert all(flag in SECTIONS[0] for flag in each.opts if flag not in {"--help", "-h"})


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ran]:
    """A folder with a knowledge base over documents, one of them broken, a database and code in a repository."""
    folder = tmp_path_factory.mktemp("contract")
    for name in ("docs", "src"):
        shutil.copytree(ROOT / "examples" / "shop" / name, folder / name)
    (folder / "docs" / "broken.pdf").write_bytes(b"%PDF-1.7\nthis is no PDF at all\n")
    (folder / "docs" / "copy.md").write_bytes((folder / "docs" / "returns.md").read_bytes())
    (folder / "model.py").write_text(MODEL)
    with closing(sqlite3.connect(folder / "shop.db")) as connection:
        connection.executescript((ROOT / "examples" / "shop" / "database.sql").read_text())
    for arguments in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", *arguments], cwd=folder / "src", check=True, capture_output=True)
    return folder, run_process("index", "docs", "src", "sqlite:///shop.db", "--json", cwd=folder)


def test_every_key_of_an_index_run_is_named(place: tuple[Path, Ran]) -> None:
    ran = place[1].json
    assert ran["failures"]
    assert ran["notes"]
    assert not unnamed(place[1], "index")


@pytest.mark.parametrize(
    "line",
    [
        ["search", "refund_amount for an opened article", "--explain", "--diversity", "0.5"],
        ["search", "refnd of an opened article"],
        ["ask", "What is kept of an opened article?", "--show-prompt", "--budget", "400"],
        ["ask", "Which supplier delivers fastest?", "--sql", "--llm", "model:chat"],
        ["sql", "Which supplier delivers fastest?", "--llm", "model:chat"],
        ["status"],
        ["doctor"],
        ["models", "list"],
        ["eval", "--generate", "5"],
        ["tune", "--reset"],
    ],
    ids=lambda line: " ".join(line[:3]),
)
def test_every_key_of_a_run_is_named(rag: Rag, place: tuple[Path, Ran], line: list[str]) -> None:
    ran = rag(*line, "--json", cwd=place[0])
    assert ran.code == 0, ran.err
    assert not unnamed(ran, "models list" if line[0] == "models" else line[0])


@pytest.mark.slow
def test_every_key_of_measuring_and_tuning_is_named(rag: Rag, place: tuple[Path, Ran]) -> None:
    folder, _ = place
    with closing(sqlite3.connect(folder / "shop.db")) as connection:
        products = connection.execute("SELECT name, 'products', article_number FROM products").fetchall()
        people = connection.execute("SELECT name, 'customers', id FROM customers").fetchall()
        orders = connection.execute("SELECT 'order ' || id, 'orders', id FROM orders").fetchall()
    asked = [
        json.dumps({"question": question.format(name), "expected": f"sqlite:///{folder}/shop.db#{table}/{key}"})
        for name, table, key in (*products, *people, *orders)
        for question in ("{}?", "What is known about {}?")
    ]
    (folder / "questions.jsonl").write_text("\n".join(asked))
    for line in (["eval", "--save", "before"], ["eval", "--against", "before", "--mode", "sparse"], ["tune"]):
        ran = rag(*line, "questions.jsonl", "--json", cwd=folder)
        assert ran.code == 0, ran.err
        assert not unnamed(ran, line[0])


def test_every_key_of_a_removal_is_named(rag: Rag, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# Tents\n\nTents are dry.")
    rag("index", "a.md")
    assert not unnamed(rag("remove", "a.md", "--json"), "remove")


def test_every_key_about_cards_is_named(rag: Rag, place: tuple[Path, Ran], tmp_path: Path) -> None:
    folder = tmp_path / "place"
    shutil.copytree(place[0], folder)
    (folder / "terms.csv").write_text("term,definition\nrestocking fee,what is kept of an opened article\n")
    key = {"PILOTFISH_DATA": str(tmp_path / "data")}
    for verb, line in (
        ("card add", ["card", "add", "terms", "terms.csv"]),
        ("card list", ["card", "list"]),
        ("card ask", ["card", "ask", "terms", "what is a restocking fee?"]),
        ("ask", ["ask", "How much is the restocking fee?"]),
        ("demo add", ["demo", "add", "How much?", "20%. [1]"]),
        ("demo list", ["demo", "list"]),
        ("doctor", ["doctor"]),
        ("card remove", ["card", "remove", "terms"]),
    ):
        ran = rag(*line, "--json", cwd=folder, env=key)
        assert ran.code == 0, ran.err
        assert not unnamed(ran, verb)
        if verb == "ask":
            (told,) = ran.json["cards"]
            assert told["statements"], "the keys of a sentence are looked at"


def test_a_key_that_is_not_named_is_found() -> None:
    assert unnamed(
        Ran(0, '{"hits": [{"symbol": 1, "metadata": {"x": 1}, "sql": {"cut": 1}, "yyy": 1}]}', ""), "search"
    ) == {
        ("search", "sql"),
        ("search", "yyy"),
    }
