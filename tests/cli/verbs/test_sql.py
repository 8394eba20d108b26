"""`rag sql`: the statement and its rows for people, one object for programs, and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Rag, Ran
from tests.rag.sql.shop import SECRET, checksum, sqlite_shop

MODEL = """
def good(messages):
    return "```sql\\nSELECT name, price FROM products ORDER BY price DESC LIMIT 2\\n```"

def secret(messages):
    return "SELECT password FROM customers"

def destroyer(messages):
    return "DROP TABLE customers"

def learning(messages):
    again = "tried" in messages[-1]["content"]
    return "SELECT COUNT(*) AS n FROM products" if again else "SELECT nam FROM products"

def empty(messages):
    return "SELECT name FROM products WHERE price > 1000"

def all_of_it(messages):
    return "SELECT * FROM customers"
"""
QUESTION = "Which two products are the dearest?"


@pytest.fixture
def shop(tmp_path: Path) -> str:
    (tmp_path / "sqlmodel.py").write_text(MODEL)
    return f"sqlite:///{sqlite_shop(tmp_path).database}"


def test_the_sql_and_its_rows(rag: Rag, shop: str) -> None:
    ran = rag("sql", QUESTION, "--database", shop, "--llm", "sqlmodel:good")
    assert ran.code == 0
    assert ran.out.startswith("SELECT name, price FROM products ORDER BY price DESC LIMIT 2\n")
    lines = [line.split() for line in ran.out.splitlines()]
    assert ["Rope", "40", "m", "120"] in lines
    assert ran.err == ""


def test_as_json(rag: Rag, shop: str) -> None:
    given = rag("sql", QUESTION, "--database", shop, "--llm", "sqlmodel:good", "--json").json
    assert given["question"] == QUESTION
    assert given["sql"] == "SELECT name, price FROM products ORDER BY price DESC LIMIT 2"
    assert given["columns"] == ["name", "price"]
    assert given["rows"] == [["Rope 40 m", 120], ["Headlamp", 39.9]]
    assert given["error"] is None
    assert given["truncated"] is False
    assert given["database"] == shop


def test_what_is_refused_is_said_and_nothing_changes(rag: Rag, shop: str) -> None:
    path = Path(shop.removeprefix("sqlite:///"))
    before = path.read_bytes()
    ran = rag("sql", QUESTION, "--database", shop, "--llm", "sqlmodel:destroyer")
    assert ran.code == 1
    assert ran.out == ""
    assert ran.err.count("✗ DROP is no SELECT") == 3
    assert "error: DROP is no SELECT" in ran.err
    failed = rag("sql", QUESTION, "--database", shop, "--llm", "sqlmodel:secret", "--json")
    assert failed.code == 1
    assert failed.json["error"] == "the column 'password' of 'customers' may not be read"
    assert failed.json["rows"] == []
    assert len(failed.json["attempts"]) == 3
    assert SECRET not in rag("sql", QUESTION, "--database", shop, "--llm", "sqlmodel:all_of_it").out
    assert path.read_bytes() == before


def test_a_model_that_learns_from_its_error(rag: Rag, shop: str) -> None:
    ran = rag("sql", "How many products are there?", "--database", shop, "--llm", "sqlmodel:learning")
    assert ran.code == 0
    assert "✗ there is no column 'nam' (did you mean name?)" in ran.err
    assert ran.out.split()[-1] == "4"


def test_no_rows_and_few_rows(rag: Rag, shop: str) -> None:
    assert "no rows" in rag("sql", QUESTION, "--database", shop, "--llm", "sqlmodel:empty").out
    ran = rag("sql", QUESTION, "--database", shop, "--llm", "sqlmodel:good", "--rows", "1")
    assert "⚠ only the first 1 rows" in ran.err
    assert rag("sql", QUESTION, "--database", shop, "--llm", "sqlmodel:good", "--rows", "1", "--json").json["truncated"]


def test_the_registered_database_is_the_one(rag: Rag, shop: str) -> None:
    assert rag("index", shop, "--exclude-table", "reviews").code == 0
    assert rag("sql", QUESTION, "--llm", "sqlmodel:good", "--json").json["database"] == shop
    assert rag("sql", QUESTION, "--llm", "sqlmodel:good", "--database", "shop").code == 0
    (Path(shop.removeprefix("sqlite:///")).parent / "other").mkdir()
    other = f"sqlite:///{sqlite_shop(Path(shop.removeprefix('sqlite:///')).parent / 'other').database}"
    assert rag("index", other).code == 0
    ran = rag("sql", QUESTION, "--llm", "sqlmodel:good")
    assert ran.code == 2
    assert "2 databases are registered" in ran.err
    assert "--database" in ran.err


def test_wrong_usage(rag: Rag, shop: str, tmp_path: Path) -> None:
    def refused(*arguments: str, code: int = 2) -> Ran:
        ran = rag("sql", *arguments)
        assert ran.code == code
        assert ran.out == ""
        assert "hint: " in ran.err
        return ran

    assert "needs a language model" in refused(QUESTION, "--database", shop).err
    assert "is empty" in refused(" ", "--database", shop, "--llm", "sqlmodel:good").err
    assert "is not a database" in refused(QUESTION, "--database", "nowhere", "--llm", "sqlmodel:good").err
    assert "seconds is 0" in refused(QUESTION, "--database", shop, "--llm", "sqlmodel:good", "--seconds", "0").err
    gone = refused(QUESTION, "--database", f"sqlite:///{tmp_path}/gone.db", "--llm", "sqlmodel:good", code=1)
    assert "does not exist" in gone.err
    refused(QUESTION, "--llm", "sqlmodel:good", code=3)


def test_ask_cites_rows_and_says_their_sql(rag: Rag, shop: str, tmp_path: Path) -> None:
    (tmp_path / "both.py").write_text(
        "def chat(messages):\n"
        "    if 'You write one SQL query' in messages[0]['content']:\n"
        "        return 'SELECT name, price FROM products WHERE price > 100'\n"
        "    return 'The dearest product is the Rope 40 m at 120 [1].'\n"
    )
    assert rag("index", shop).code == 0
    ran = rag("ask", "Which product has the highest price?", "--llm", "both:chat", "--sql")
    assert ran.code == 0
    assert "SELECT name, price FROM products WHERE price > 100" in " ".join(ran.out.split())
    given = rag("ask", "Which product has the highest price?", "--llm", "both:chat", "--sql", "--json").json
    assert given["sql"]["rows"] == [["Rope 40 m", 120]]
    assert given["citations"][0]["supported"] is True
    assert given["citations"][0]["location"]["text"] == "SELECT name, price FROM products WHERE price > 100"
    plain = rag("ask", "Which product has the highest price?", "--llm", "both:chat", "--no-sql", "--json").json
    assert plain["sql"] is None
    assert json.dumps(given)


def test_the_file_stays_as_it_is(rag: Rag, shop: str) -> None:
    from sqlalchemy import make_url

    before = checksum(make_url(shop))
    rag("sql", QUESTION, "--database", shop, "--llm", "sqlmodel:all_of_it")
    assert checksum(make_url(shop)) == before
