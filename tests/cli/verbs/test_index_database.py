"""`rag index` of databases: flags, what is left out, what is stored of credentials."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import URL, create_engine, text

from tests.cli.conftest import Rag

SHOP = """
CREATE TABLE maker (id INTEGER PRIMARY KEY, name TEXT, password TEXT);
CREATE TABLE product (id INTEGER PRIMARY KEY, title TEXT, price REAL, maker_id INTEGER REFERENCES maker (id));
INSERT INTO maker VALUES (1, 'Acme', 's3cret'), (2, 'Bolt', 's3cret');
INSERT INTO product VALUES (1, 'Headlamp', 39.9, 1), (2, 'Climbing rope', 89, 2), (3, 'Tent', 350, 1);
CREATE VIEW cheap AS SELECT id, title FROM product WHERE price < 100;
"""


@pytest.fixture
def shop_db(tmp_path: Path) -> Path:
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.executescript(SHOP)
    connection.close()
    return tmp_path / "shop.db"


def test_the_life_of_a_database(rag: Rag, shop_db: Path) -> None:
    first = rag("index", "sqlite:///shop.db")
    assert first.code == 0
    assert "added 9 · changed 0" in first.out, "five rows, three structures, and the whole"
    assert "maker: left out password (looks secret)" in first.err
    assert "\nshop.db: views are not read unless they are named: cheap" in f"\n{first.err}", "no long address"
    assert "left out" not in rag("index").err, "it was said"

    found = rag("search", "rope", "--filter", "table=product", "--filter", "price<100", "--json").json["hits"]
    assert found[0]["uri"] == f"sqlite:///{shop_db}#product/2"
    assert found[0]["metadata"]["maker_id"] == 2
    which = rag("search", "which table has the price of products", "--filter", "kind=schema", "--json").json["hits"]
    assert which[0]["uri"] == f"sqlite:///{shop_db}#product"

    with sqlite3.connect(shop_db) as connection:
        connection.execute("UPDATE product SET price = 99 WHERE id = 2")
        connection.execute("DELETE FROM product WHERE id = 3")
    connection.close()
    again = rag("index", "--json")
    assert again.json["documents"] == {"added": 0, "changed": 1, "unchanged": 7, "removed": 1, "failed": 0}
    assert any("password" in note for note in again.json["notes"])
    removed = rag("remove", "sqlite:///shop.db", "--json")
    assert removed.json["documents"]["removed"] == 8


def test_what_was_asked_for_is_remembered(rag: Rag, shop_db: Path) -> None:
    rag("index", "sqlite:///shop.db", "--table", "product", "--text-columns", "title")
    for again in (rag("index", "--json"), rag("index", "sqlite:///shop.db", "--json")):
        assert again.json["documents"]["unchanged"] == 5
        assert again.json["chunks"]["added"] == 0
    other = rag("index", "sqlite:///shop.db", "--exclude-table", "product", "--json").json["documents"]
    assert (other["added"], other["removed"]) == (4, 4), "the makers and a view come, the products go"


def test_a_query_and_a_view(rag: Rag, shop_db: Path) -> None:
    query = "SELECT p.id, p.title AS name, m.name AS maker FROM product p JOIN maker m ON m.id = p.maker_id"
    assert rag("index", "sqlite:///shop.db", "--query", query, "--key", "id", "--name", "offers").code == 0
    assert rag("index", "sqlite:///shop.db", "--table", "cheap", "--key", "id").code == 0
    sources = rag("status", "--json").json["sources"]
    counts = {source["uri"]: source["documents"] for source in sources}
    assert counts == {f"sqlite:///{shop_db}#offers": 3, f"sqlite:///{shop_db}": 4}
    again = rag("index", "--json")
    assert again.code == 0
    assert again.json["documents"]["unchanged"] == 7
    assert rag("search", "Bolt", "--json").json["hits"][0]["uri"] == f"sqlite:///{shop_db}#offers/2"
    assert rag("remove", f"sqlite:///{shop_db}#offers", "--json").json["documents"]["removed"] == 3


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["docs", "--table", "product"], "--table needs a database"),
        (["--table", "product"], "--table needs a database"),
        (["sqlite:///shop.db", "--exclude", "*.md"], "--exclude needs a folder"),
        (["sqlite:///shop.db", "--no-ignore"], "--no-ignore needs a folder"),
        (["sqlite:///shop.db", "--query", "SELECT 1", "--table", "product"], "a query already says"),
        (["sqlite:///shop.db", "--name", "x"], "there is none"),
        (["sqlite:///shop.db", "--key", "id"], "a key needs"),
        (["sqlite:///shop.db", "sqlite:///b.db", "--query", "SELECT 1"], "one database"),
        (["sqlite:///shop.db", "--password-env", "A", "--password-keyring", "B"], "exclude each other"),
        (["sqlite://shop.db"], "names no file"),
        (["oracle://scott:s3cret@host/db"], "oracle databases are not supported"),
    ],
)
def test_wrong_combinations(rag: Rag, shop_db: Path, arguments: list[str], reason: str) -> None:
    ran = rag("index", *arguments)
    assert ran.code == 2
    assert reason in ran.err
    assert "hint: " in ran.err
    assert "s3cret" not in ran.err
    assert not (shop_db.parent / ".rag").exists(), "nothing is left behind"


def test_folders_keep_their_patterns(rag: Rag, tmp_path: Path) -> None:
    for name in ("a.md", "b.md", "c.log"):
        (tmp_path / "docs").mkdir(exist_ok=True)
        (tmp_path / "docs" / name).write_text(f"# {name}\n\nwords of {name}\n")
    (tmp_path / "docs" / ".gitignore").write_text("c.log\n")
    ran = rag("index", "docs", "--exclude", "b.md", "--include", "c.log", "--json")
    assert ran.json["documents"]["added"] == 2
    assert rag("index", "--json").json["documents"]["unchanged"] == 2
    assert rag("index", "docs", "--no-ignore", "--json").json["documents"]["added"] == 2, "b.md and .gitignore"


def test_a_file_that_is_not_there_leaves_nothing_behind(rag: Rag, tmp_path: Path) -> None:
    ran = rag("index", "sqlite:///gone.db")
    assert ran.code == 1
    assert "no such file" in ran.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("folder", [[], ["--kb", "made/for/it"]])
def test_a_server_that_does_not_answer_leaves_nothing_behind(rag: Rag, tmp_path: Path, folder: list[str]) -> None:
    ran = rag(*folder, "index", "postgresql://ann:s3cret@127.0.0.1:1/shop", "--json")
    assert ran.code == 1
    assert ran.json["documents"]["failed"] == 1
    assert "no knowledge base was made" in ran.err
    assert not list(tmp_path.rglob("catalog.sqlite"))
    assert not (tmp_path / ".rag").exists()
    assert rag(*folder, "status").code == 3


def test_a_server_that_does_not_answer_costs_nothing_that_is_there(rag: Rag, shop_db: Path) -> None:
    assert rag("index", "sqlite:///shop.db").code == 0
    assert rag("index", "postgresql://127.0.0.1:1/shop").code == 1
    assert rag("status", "--json").json["documents"] == 9


def test_a_value_that_is_too_long_fails_every_run_until_it_is_left_out(rag: Rag, shop_db: Path) -> None:
    with sqlite3.connect(shop_db) as connection:
        connection.execute("CREATE TABLE manual (id INTEGER PRIMARY KEY, title TEXT, body TEXT)")
        connection.execute("INSERT INTO manual VALUES (1, 'Of the tent', hex(zeroblob(2000001)))")
    connection.close()
    first = rag("index", "sqlite:///shop.db", "--table", "manual", "--json")
    again = rag("index", "--json")
    assert [first.code, again.code] == [1, 1]
    assert again.json["failures"] == first.json["failures"] != []
    assert again.json["documents"]["unchanged"] == first.json["documents"]["added"]
    assert rag("search", "manual of the tent", "--json").json["hits"][0]["uri"].endswith("#manual/1")
    rag("remove", "sqlite:///shop.db")
    without = rag("index", "sqlite:///shop.db", "--query", "SELECT id, title FROM manual", "--key", "id", "--json")
    assert without.code == 0


def test_a_file_of_sqlite_that_is_named_as_a_file_is_told_how_to_be_named(rag: Rag, shop_db: Path) -> None:
    ran = rag("index", "shop.db")
    assert ran.code == 1
    assert "shop.db: an SQLite database, not a document" in ran.err
    assert "rag index sqlite:///shop.db" in ran.err
    assert not (shop_db.parent / ".rag").exists()


def test_a_database_that_fails_does_not_stop_the_others(rag: Rag, shop_db: Path) -> None:
    (shop_db.parent / "broken.db").write_text("no database " * 500)
    ran = rag("index", "sqlite:///broken.db", "sqlite:///shop.db", "postgresql://ann:s3cret@127.0.0.1:1/x", "--json")
    assert ran.code == 1
    assert ran.json["documents"]["added"] == 9
    failed = [each["uri"] for each in ran.json["failures"]]
    assert failed == [f"sqlite:///{shop_db.parent}/broken.db", "postgresql://127.0.0.1:1/x"]
    assert "s3cret" not in ran.out + ran.err


def test_credentials_are_nowhere(rag: Rag, mariadb: URL, tmp_path: Path) -> None:
    engine = create_engine(mariadb)
    user = f"bob_{(mariadb.database or '')[-8:]}"
    with engine.begin() as connection:
        connection.execute(text(f"CREATE USER {user} IDENTIFIED BY 'Tr0ub4dor'"))
        connection.execute(text(f"GRANT SELECT ON {mariadb.database}.* TO {user}"))
        connection.execute(text("CREATE TABLE note (id INTEGER PRIMARY KEY, name VARCHAR(20))"))
        connection.execute(text("INSERT INTO note VALUES (1, 'hello')"))
    public = f"mariadb://127.0.0.1/{mariadb.database}"
    try:
        ran = [
            rag("index", public.replace("://", f"://{user}:Tr0ub4dor@"), "--json"),
            rag("index", "--json"),  # there is nobody to ask
            rag("index", public.replace("://", f"://{user}:${{NOTE_PW}}@"), "--json", env={"NOTE_PW": "Tr0ub4dor"}),
            rag("index", "--json", env={"NOTE_PW": "Tr0ub4dor"}),
            rag("index", "--json", env={"NOTE_PW": "Tr0ub4dor-wrong"}),
            rag("status"),
            rag("status", "--json"),
            rag("search", "hello", "--explain", "--json"),
            rag("remove", public.replace("://", "://someone:Tr0ub4dor@").replace("note", "other") + "x"),
        ]
    finally:
        with engine.begin() as connection:
            connection.execute(text(f"DROP USER {user}"))
        engine.dispose()
    assert [each.code for each in ran] == [0, 1, 0, 0, 1, 0, 0, 0, 2]
    assert "--password-env" in ran[1].json["failures"][0]["hint"]
    assert ran[3].json["documents"]["unchanged"] == 3
    assert ran[4].json["documents"]["removed"] == 0, "what was indexed stays"
    for each in ran:
        assert "Tr0ub4dor" not in each.out + each.err
    for file in (tmp_path / ".rag").rglob("*"):
        assert not file.is_file() or b"Tr0ub4dor" not in file.read_bytes()
