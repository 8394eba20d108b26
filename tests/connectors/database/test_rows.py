from __future__ import annotations

from typing import Any

import pytest

from connectors.document import DocumentName
from connectors.errors import ConfigurationError, SourceError
from connectors.source import Added, Changed, Configured, Noting, Removed, Source, Unchanged
from tests.connectors.database.conftest import SHOP, Database, documents, failures, kinds, listed, remember


def test_each_row_is_a_document_a_person_can_read(database: Database) -> None:
    database.run(*SHOP)
    source = database.source()
    assert isinstance(source, Source)
    assert isinstance(source, Configured)
    assert isinstance(source, Noting)
    found = documents(listed(source))
    lamp = found["product/1"]
    assert lamp.text == (
        "body: A lamp for the head.\nIt shines far.\n\n"
        "title: Headlamp\nid: 1\nprice: 39.90\nweight: 0.25\nsold: true\nadded: 2024-05-06 07:08:09\n"
        "maker_id: Müller & Söhne (1)\ntag: light; outdoor"
    ).replace("39.90", "39.9" if database.dialect == "sqlite" else "39.90")
    assert (lamp.title, lamp.context, lamp.kind) == ("Headlamp", "product: Headlamp", "row")
    assert lamp.uri == f"{source.uri}#product/1"
    assert found["product/3"].text == "id: 3"
    assert found["product/3"].title == "product 3"
    assert found["tag/2"].text == "label: outdoor\nid: 2\nproduct: Headlamp; Rope"
    assert set(kinds(listed(source))) == {"maker/1", "maker/2", "product/1", "product/2", "product/3", "tag/1", "tag/2"}
    assert source.notes == ("product_tag: only joins product and tag, so its rows are rendered with theirs",)


def test_what_an_editor_of_web_pages_wrote_is_read_as_it_is_shown(database: Database) -> None:
    database.run(
        "CREATE TABLE page (id INTEGER PRIMARY KEY, body VARCHAR(500), rule VARCHAR(99))",
        "INSERT INTO page VALUES (1, '<p>Open <b>daily</b>&nbsp;from 9.</p><ul><li>not on Sundays</li></ul>',"
        " 'a < b > c')",
        "INSERT INTO page VALUES (2, 'Salt &amp; vinegar<br>Fish', '<none> of <these>')",
        "INSERT INTO page VALUES (3, '<p><script>alert(1)</script></p>', '</p>')",
    )
    found = documents(listed(database.source()))
    assert "Open daily from 9." in " ".join(found["page/1"].text.split())
    assert "- not on Sundays" in found["page/1"].text
    assert "rule: a < b > c" in found["page/1"].text
    assert "Salt & vinegar" in found["page/2"].text
    assert "rule: <none> of <these>" in found["page/2"].text
    assert "alert" not in found["page/3"].text


def test_metadata_is_typed(database: Database) -> None:
    database.run(*SHOP)
    found = documents(listed(database.source()))
    name = database.engine.url.database or ""
    assert dict(found["product/1"].metadata) == {
        "table": "product",
        "database": "shop" if database.dialect == "sqlite" else name,
        "id": 1,
        "product.title": "Headlamp",
        "price": 39.9,
        "weight": 0.25,
        "sold": True,
        "added": "2024-05-06T07:08:09",
        "maker_id": 1,
    }
    assert found["product/2"].metadata["added"] == "2024-05-06"
    assert found["product/2"].metadata["price"] == 5
    assert found["product/2"].metadata["sold"] is False
    assert found["maker/1"].metadata["founded"] == "1921-03-04"


def test_a_column_called_like_a_filter_of_all_documents_keeps_out_of_its_way(database: Database) -> None:
    database.run(
        'CREATE TABLE t (id INTEGER PRIMARY KEY, kind INTEGER, "table" INTEGER)', "INSERT INTO t VALUES (1, 2, 3)"
    )
    metadata = documents(listed(database.source()))["t/1"].metadata
    assert (metadata["t.kind"], metadata["t.table"], metadata["table"]) == (2, 3, "t")


def test_names_are_what_people_call_a_row(database: Database) -> None:
    database.run(
        "CREATE TABLE person (code VARCHAR(9) PRIMARY KEY, first_name VARCHAR(20), last_name VARCHAR(20),"
        " city VARCHAR(30))",
        *(f"INSERT INTO person VALUES ('P-{n}', 'Ann', 'Lee{n}', '{'Bern' if n % 2 else 'Oslo'}')" for n in range(9)),
    )
    document = documents(listed(database.source()))["person/P-3"]
    assert document.title == "Ann Lee3"
    assert set(document.names) == {
        DocumentName("Ann Lee3", "person.first_name", document.text.index("Ann")),
        DocumentName("Ann", "person.first_name", document.text.index("Ann")),
        DocumentName("Lee3", "person.last_name", document.text.index("Lee3")),
        DocumentName("P-3", "person.code", document.text.index("P-3")),
        DocumentName("Bern", "person.city", document.text.index("Bern")),
    }


def test_short_text_is_a_name_and_what_a_row_refers_to_is_one_too(database: Database) -> None:
    database.run(
        "CREATE TABLE maker (code VARCHAR(9) PRIMARY KEY, motto VARCHAR(90))",
        "CREATE TABLE product (id INTEGER PRIMARY KEY, symbol VARCHAR(9), maker_code VARCHAR(9),"
        " FOREIGN KEY (maker_code) REFERENCES maker (code))",
        f"INSERT INTO maker VALUES ('M/1', '{'We make what lights up. ' * 3}')",
        "INSERT INTO product VALUES (1, 'LMP', 'M/1'), (2, NULL, NULL)",
    )
    found = documents(listed(database.source()))
    product = found["product/1"]
    assert DocumentName("LMP", "product.symbol", product.text.index("LMP")) in product.names
    assert [name.text for name in product.names if name.role == "product.maker_code -> maker"] == [
        found["maker/M%2F1"].uri
    ]
    assert {name.text for name in found["maker/M%2F1"].names} == {"M/1"}  # nobody calls it by its motto
    assert found["product/2"].names == (DocumentName("2", "product.id", 4),)


def test_a_number_that_is_a_key_is_a_name_and_no_other_number_is(database: Database) -> None:
    database.run(
        'CREATE TABLE "order" (id INTEGER PRIMARY KEY, number INTEGER NOT NULL UNIQUE, pieces INTEGER)',
        "CREATE TABLE line (order_id INTEGER, place INTEGER, PRIMARY KEY (order_id, place),"
        ' FOREIGN KEY (order_id) REFERENCES "order" (id))',
        'INSERT INTO "order" VALUES (1007, 24, 3)',
        "INSERT INTO line VALUES (1007, 1)",
    )
    found = documents(listed(database.source()))
    assert {(name.text, name.role) for name in found["order/1007"].names} == {
        ("1007", "order.id"),
        ("24", "order.number"),
    }
    assert [name.role for name in found["line/1007,1"].names] == ["line.order_id -> order"]


def test_odd_names_and_keys_of_every_script(database: Database) -> None:
    table = 'Ünïcode "Sélect" %s' if database.dialect != "mysql" else "Ünïcode Sélect %s"
    quoted = table.replace('"', '""')
    database.run(
        f'CREATE TABLE "{quoted}" ("Order" VARCHAR(20), "größe-%d" INTEGER, "naïve:col" VARCHAR(40),'
        ' PRIMARY KEY ("Order", "größe-%d"))',
        f"INSERT INTO \"{quoted}\" VALUES ('a/b#c, d~é', 1, '東京'), ('', 2, 'x'), ('a/b#c', 3, NULL)",
    )
    source = database.source()
    found = {event.uri.partition("#")[2]: event for event in documents(listed(source)).values() if event.kind == "row"}
    path = next(iter(found)).partition("/")[0]
    assert "/" not in path
    assert "#" not in path
    assert " " not in path
    assert set(found) == {f"{path}/a%2Fb%23c%2C%20d%7Eé,1", f"{path}/,2", f"{path}/a%2Fb%23c,3"}
    assert "naïve:col: 東京" in found[f"{path}/a%2Fb%23c%2C%20d%7Eé,1"].text
    known = remember(source, listed(source))
    assert set(kinds(listed(source, known)).values()) == {Unchanged}


def test_binary_and_secret_columns_and_values_stay_out_and_it_is_said(database: Database) -> None:
    binary = {"sqlite": "BLOB", "postgresql": "BYTEA", "mysql": "BLOB"}[database.dialect]
    database.run(
        f"CREATE TABLE account (id INTEGER PRIMARY KEY, name VARCHAR(20), photo {binary}, password_hash VARCHAR(80),"
        ' "apiKey" VARCHAR(80), note VARCHAR(200), token_count INTEGER)',
        "INSERT INTO account VALUES (1, 'ann', NULL, 's3cret-hash', 's3cret-key', '$2b$12$s3cretEixZaYVK1fsbw1Z', 7)",
        "INSERT INTO account VALUES (2, 'bob', NULL, 's3cret-hash', 's3cret-key', 'likes tea', 8)",
    )
    source = database.source()
    found = documents(listed(source))
    assert found["account/1"].text == "name: ann\nid: 1\ntoken_count: 7"
    assert "s3cret" not in repr(found)
    assert "password_hash" in found["account"].text, "that there is such a column is no secret"
    notes = "\n".join(source.notes)
    assert "account: left out photo (binary)" in notes
    assert "account: left out password_hash, apiKey (look secret)" in notes
    assert "account: left out 1 value of note that looks secret" in notes
    named = documents(listed(database.source(text_columns=["name", "apiKey"])))
    assert named["account/1"].text == "name: ann\napiKey: s3cret-key", "whoever names it means it"


def test_a_table_without_a_key_is_known_by_the_content_of_its_rows(database: Database) -> None:
    database.run(
        "CREATE TABLE log (level VARCHAR(9), message VARCHAR(90))",
        "INSERT INTO log VALUES ('info', 'started'), ('info', 'started'), ('warn', 'slow'), (NULL, NULL)",
    )
    source = database.source()
    first = listed(source)
    rows = kinds(first)
    assert len(rows) == 3, "equal rows are one document"
    known = remember(source, first)
    database.run("UPDATE log SET message = 'very slow' WHERE level = 'warn'", "DELETE FROM log WHERE level IS NULL")
    second = kinds(listed(source, known))
    assert sorted(kind.__name__ for kind in second.values()) == ["Added", "Removed", "Removed", "Unchanged"]


def test_keys_that_lack_values(database: Database) -> None:
    database.run(
        "CREATE TABLE t (a VARCHAR(9) UNIQUE, b INTEGER)",
        "INSERT INTO t VALUES (NULL, 1), (NULL, 2), ('x', 3), ('y', NULL)",
    )
    source = database.source(tables=["t"], key=["a"])
    first = listed(source)
    assert len(kinds(first)) == 4
    assert {"t/x", "t/y"} < set(first)
    assert set(kinds(listed(source, remember(source, first))).values()) == {Unchanged}


def test_a_view_is_read_where_it_is_named(database: Database) -> None:
    database.run(*SHOP, "CREATE VIEW cheap AS SELECT id, title FROM product WHERE price < 10")
    source = database.source()
    everything = listed(source)
    assert "cheap" in everything, "its structure is told"
    assert not any(place.startswith("cheap/") for place in everything)
    assert "views are not read unless they are named: cheap" in source.notes
    assert kinds(listed(database.source(tables=["cheap"], key=["id"]))) == {"cheap/2": Added}
    (by_content,) = kinds(listed(database.source(tables=["cheap"])))
    assert by_content.startswith("cheap/~")


def test_tables_are_chosen(database: Database) -> None:
    database.run(*SHOP)

    def tables(**options: Any) -> set[str]:
        return {place.partition("/")[0] for place in kinds(listed(database.source(**options)))}

    assert tables(tables=["maker"]) == {"maker"}
    assert tables(tables=["PRODUCT_TAG"]) == {"product_tag"}, "a link table that is named is read; capitals may differ"
    assert tables(exclude_tables=["product", "maker"]) == {"tag"}
    with pytest.raises(SourceError, match="no table 'prodcut'") as caught:
        tables(tables=["prodcut"])
    assert "product" in caught.value.hint


def test_text_columns_make_the_text_and_the_others_remain_filters(database: Database) -> None:
    database.run(*SHOP)
    source = database.source(tables=["product"], text_columns=["title", "body"])
    lamp = documents(listed(source))["product/1"]
    assert lamp.text == "title: Headlamp\nbody: A lamp for the head.\nIt shines far."
    assert lamp.metadata["maker_id"] == 1
    with pytest.raises(SourceError, match="'bdoy'") as caught:
        listed(database.source(tables=["product"], text_columns=["bdoy"]))
    assert "body" in caught.value.hint


def test_a_query_is_a_source_of_its_own(database: Database) -> None:
    database.run(*SHOP)
    query = (
        "SELECT p.id AS id, p.title AS name, m.name AS maker, p.added FROM product p JOIN maker m ON m.id = p.maker_id"
        " WHERE p.title <> ':nothing' -- all of them\n;"
    )
    source = database.source(query=query, key=["id"], name="offers")
    assert source.uri == f"{database.source().uri}#offers"
    events = listed(source)
    assert kinds(events, rows_only=False) == {"offers/1": Added, "offers/2": Added}
    offer = documents(events)["offers/1"]
    assert (offer.title, offer.metadata["added"], offer.metadata["table"]) == (
        "Headlamp",
        "2024-05-06T07:08:09",
        "offers",
    )
    known = remember(source, events)
    database.run("DELETE FROM product_tag WHERE product_id = 2", "DELETE FROM product WHERE id = 2")
    assert kinds(listed(source, known)) == {"offers/1": Unchanged, "offers/2": Removed}


def test_a_query_that_cannot_be_run(database: Database) -> None:
    database.run(*SHOP)
    for query, reason in (("SELECT nothing FROM product", "nothing"), ("DELETE FROM product", "cannot be run")):
        with pytest.raises(SourceError, match=reason) as caught:
            listed(database.source(query=query, key=["id"]))
        assert caught.value.hint
    with pytest.raises(SourceError, match="'sku'"):
        listed(database.source(query="SELECT id FROM product", key=["sku"]))


def test_a_key_that_does_not_tell_rows_apart_is_reported(database: Database) -> None:
    database.run(*SHOP)
    source = database.source(query="SELECT product_id, tag_id FROM product_tag", key=["product_id"], name="q")
    events = listed(source)
    assert "1 rows share their product_id" in failures(events)["q/*"].error
    assert kinds(events)["q/1"] is Added


def test_options_are_checked(database: Database) -> None:
    for options, reason in (
        ({"tabels": ["x"]}, "tabels"),
        ({"tables": 3}, "tables"),
        ({"query": "SELECT 1", "tables": ["x"]}, "query"),
        ({"name": "x"}, "query"),
        ({"key": ["id"]}, "key"),
        ({"tables": ["a"], "exclude_tables": ["a"]}, "excluded"),
        ({"password_from": "hunter2"}, "env:NAME"),
    ):
        with pytest.raises(ConfigurationError, match=reason) as caught:
            database.source(**options)
        assert caught.value.hint
        assert "hunter2" not in str(caught.value) + caught.value.hint


def test_a_changed_label_changes_the_rows_that_say_it(database: Database) -> None:
    database.run(*SHOP)
    source = database.source()
    known = remember(source, listed(source))
    database.run("UPDATE maker SET name = 'Acme Inc.' WHERE id = 2", "UPDATE tag SET label = 'lights' WHERE id = 1")
    changed = {place for place, kind in kinds(listed(source, known)).items() if kind is Changed}
    assert changed == {"maker/2", "product/2", "tag/1", "product/1"}


@pytest.mark.parametrize("database", ["mysql"], indirect=True)
def test_keys_whose_capitals_do_not_count(database: Database) -> None:
    database.run(
        "CREATE TABLE a (k VARCHAR(9) PRIMARY KEY, name VARCHAR(20))",
        "CREATE TABLE b (k VARCHAR(9) PRIMARY KEY, name VARCHAR(20), a_k VARCHAR(9),"
        " FOREIGN KEY (a_k) REFERENCES a (k))",
        "CREATE TABLE ab (a VARCHAR(9), b VARCHAR(9), PRIMARY KEY (a, b), FOREIGN KEY (a) REFERENCES a (k),"
        " FOREIGN KEY (b) REFERENCES b (k))",
        "INSERT INTO a VALUES ('x', 'Ex')",
        "INSERT INTO b VALUES ('p', 'Pe', 'X')",
        "INSERT INTO ab VALUES ('X', 'P')",
    )
    found = documents(listed(database.source()))
    assert found["a/x"].text == "name: Ex\nk: x\nb: Pe"
    assert found["b/p"].text == "name: Pe\nk: p\na_k: Ex (X)\na: Ex"
