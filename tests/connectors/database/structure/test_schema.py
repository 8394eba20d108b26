from __future__ import annotations

import pytest

from connectors.database.access.address import parse_address
from connectors.database.access.connecting import connect
from connectors.database.structure.kinds import ColumnKind
from connectors.database.structure.labels import label_columns
from connectors.database.structure.schema import reflect
from connectors.database.structure.secrets import is_secret, looks_secret
from connectors.database.structure.tables import Column, Schema, Table
from rag.sql.allowed import SqlDialect
from rag.sql.description import table_text
from tests.connectors.database.conftest import SHOP, Database, documents, kinds, listed


def reflected(database: Database) -> Schema:
    engine = connect(*parse_address(database.spec))
    try:
        return reflect(engine, name="shop")
    finally:
        engine.dispose()


def test_tables_columns_and_keys(database: Database) -> None:
    database.run(
        *SHOP, "CREATE VIEW cheap AS SELECT id FROM product", "CREATE TABLE own (a VARCHAR(9) NOT NULL UNIQUE)"
    )
    schema = reflected(database)
    assert [(table.label, table.is_view) for table in schema.tables] == [
        ("cheap", True),
        ("maker", False),
        ("own", False),
        ("product", False),
        ("product_tag", False),
        ("tag", False),
    ]
    product, link, own = (schema.by_label[name] for name in ("product", "product_tag", "own"))
    assert {column.name: column.kind for column in product.columns} == {
        "id": ColumnKind.INTEGER,
        "title": ColumnKind.TEXT,
        "price": ColumnKind.DECIMAL,
        "weight": ColumnKind.FLOAT,
        "sold": ColumnKind.BOOLEAN,
        "added": ColumnKind.DATETIME,
        "body": ColumnKind.TEXT,
        "maker_id": ColumnKind.INTEGER,
    }
    assert (product.primary_key, link.primary_key, own.primary_key) == (("id",), ("product_id", "tag_id"), ())
    assert own.unique_keys == (("a",),)
    assert [(key.columns, key.table, key.referred) for key in product.foreign_keys] == [
        (("maker_id",), "maker", ("id",))
    ]
    assert {key.table for key in link.foreign_keys} == {"product", "tag"}
    assert schema.find("PRODUCT") is product
    assert schema.broken == ()


def test_samples_are_all_the_values_of_a_column_that_has_few_and_never_secret(database: Database) -> None:
    database.run(
        "CREATE TABLE account (id INTEGER PRIMARY KEY, status VARCHAR(20), password VARCHAR(20), email VARCHAR(40),"
        " note VARCHAR(200))",
        *(
            f"INSERT INTO account VALUES ({n}, '{('open', 'closed', 'on hold')[n % 3]}', 'hunter2', 'u{n}@example.org',"
            f" '{'long ' * 30}')"
            for n in range(40)
        ),
    )
    table = reflected(database).by_label["account"]
    assert {column.name: column.samples for column in table.columns if column.samples} == {
        "status": ("closed", "on hold", "open")
    }
    text = documents(listed(database.source()))["account"].text
    assert "one of: closed, on hold, open" in text
    assert "password" in text
    assert "hunter2" not in text


def test_the_values_that_a_column_allows_are_told_of_an_empty_table(database: Database) -> None:
    database.run(
        "CREATE TABLE voyage (id INTEGER PRIMARY KEY, sea VARCHAR(9) CHECK (sea IN ('calm', 'rough', 'stormy')),"
        " stars INTEGER CHECK (stars = 1 OR stars = 2), days INTEGER CHECK (days > 3), ship VARCHAR(9))"
    )
    expected = {"sea": ("calm", "rough", "stormy"), "stars": ("1", "2")}
    table = reflected(database).by_label["voyage"]
    assert {column.name: column.allowed for column in table.columns if column.allowed} == expected
    text = documents(listed(database.source()))["voyage"].text
    assert "one of: calm, rough, stormy" in text
    dialect = {"mysql": SqlDialect.MARIADB}.get(database.dialect) or SqlDialect(database.dialect)
    assert "values: 'calm', 'rough', 'stormy'" in table_text(table, dialect)


@pytest.mark.parametrize("database", ["postgresql", "mysql"], indirect=True)
def test_the_values_of_an_enumerated_type_are_told(database: Database) -> None:
    if database.dialect == "postgresql":
        database.run("CREATE TYPE mood AS ENUM ('sad', 'happy')", "CREATE TABLE person (id INTEGER, now mood)")
    else:
        database.run("CREATE TABLE person (id INTEGER, now ENUM('sad', 'happy'), likes SET('sea', 'sun'))")
    table = reflected(database).by_label["person"]
    assert table.by_name["now"].allowed == ("sad", "happy")
    if database.dialect == "mysql":
        assert table.by_name["likes"].allowed == ("sea", "sun")
    assert "one of: sad, happy" in documents(listed(database.source()))["person"].text


def test_the_structure_is_told(database: Database) -> None:
    database.run(*SHOP)
    found = documents(listed(database.source()))
    assert {found[place].kind for place in ("", "maker", "product", "product_tag", "tag")} == {"schema"}
    assert "maker: id, name, founded\nproduct: id, title" in found[""].text
    assert "maker_id: int" in found["product"].text
    assert "points to maker (id)" in found["product"].text
    assert "product_tag (product_id) points here" in found["product"].text
    assert "primary key: product_id, tag_id" in found["product_tag"].text


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_schemas_comments_partitions_and_materialized_views(database: Database) -> None:
    database.run(
        'CREATE SCHEMA "Sales"',
        'CREATE TABLE "Sales"."order" (id INTEGER PRIMARY KEY, name TEXT)',
        'COMMENT ON TABLE "Sales"."order" IS \'what was bought\'',
        'COMMENT ON COLUMN "Sales"."order".name IS \'as the customer calls it\'',
        'CREATE TABLE line (id INTEGER, order_id INTEGER REFERENCES "Sales"."order", PRIMARY KEY (id))'
        " PARTITION BY RANGE (id)",
        "CREATE TABLE line_1 PARTITION OF line FOR VALUES FROM (0) TO (100)",
        "CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS n FROM line",
        'INSERT INTO "Sales"."order" VALUES (1, \'boots\')',
        "INSERT INTO line VALUES (7, 1)",
    )
    schema = reflected(database)
    assert [table.label for table in schema.tables] == ["Sales.order", "line", "totals"]
    order = schema.by_label["Sales.order"]
    assert (order.comment, order.by_name["name"].comment) == ("what was bought", "as the customer calls it")
    events = listed(database.source())
    assert set(kinds(events)) == {"Sales.order/1", "line/7"}
    assert documents(events)["line/7"].text == "id: 7\norder_id: boots (1)"
    assert "as the customer calls it" in documents(events)["Sales.order"].text
    assert set(kinds(listed(database.source(tables=["Sales.order"])))) == {"Sales.order/1"}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_full_text_index_of_sqlite_is_one_table(database: Database) -> None:
    database.run(
        "CREATE VIRTUAL TABLE page USING fts5(title, body)", "INSERT INTO page VALUES ('Tides', 'The moon pulls.')"
    )
    assert [table.label for table in reflected(database).tables] == ["page"]
    (place,) = kinds(listed(database.source()))
    assert place.startswith("page/~")


@pytest.mark.parametrize(
    ("table", "columns", "label"),
    [
        ("album", ["id", "artist", "title"], ("title",)),
        ("Customers", ["CustomerID", "ContactName", "CompanyName", "City", "Region"], ("CompanyName",)),
        ("employee", ["last_name", "first_name", "title", "email"], ("first_name", "last_name")),
        ("person", ["firstname", "lastname", "name", "city"], ("name",)),
        ("product", ["sku", "product_name", "colour", "file_name"], ("product_name",)),
        ("users", ["username", "password", "city", "bio", "mail"], ("username",)),
        ("genres", ["status", "genre"], ("genre",)),
        ("categories", ["category_name", "file_title"], ("category_name",)),
        ("territories", ["territory_description"], ("territory_description",)),
        ("ticket", ["status", "body"], ()),
        ("refunds", ["reason", "remark"], ()),
        ("event", ["description"], ()),
        ("session", ["device_type", "device_id"], ()),
        ("ticket", ["status", "priority"], ()),
        ("log", ["a", "b", "c", "d"], ()),
        ("token", ["token", "api_key"], ()),
    ],
)
def test_a_row_is_called_by_what_reads_most_like_a_name(table: str, columns: list[str], label: tuple[str, ...]) -> None:
    assert label_columns(Table(table, columns=tuple(Column(name, ColumnKind.TEXT) for name in columns))) == label


def test_no_value_is_a_sample_where_one_looks_secret(database: Database) -> None:
    database.run(
        "CREATE TABLE device (id INTEGER PRIMARY KEY, remark VARCHAR(60), state VARCHAR(20))",
        *(f"INSERT INTO device VALUES ({n}, '{('{SSHA}0c1c51ac', 'none')[n % 2]}', 'on')" for n in range(40)),
    )
    table = reflected(database).by_label["device"]
    assert {column.name: column.samples for column in table.columns if column.samples} == {"state": ("on",)}
    assert "0c1c51ac" not in documents(listed(database.source()))["device"].text


@pytest.mark.parametrize(
    ("name", "kind", "secret"),
    [
        ("password", ColumnKind.TEXT, True),
        ("PasswordHash", ColumnKind.TEXT, True),
        ("user_pwd", ColumnKind.TEXT, True),
        ("APIKey", ColumnKind.TEXT, True),
        ("stripe_secret_key", ColumnKind.TEXT, True),
        ("sessionId", ColumnKind.UUID, True),
        ("salt", ColumnKind.TEXT, True),
        ("token_count", ColumnKind.INTEGER, False),
        ("password_changed_at", ColumnKind.DATETIME, False),
        ("hashtag", ColumnKind.TEXT, False),
        ("passport", ColumnKind.TEXT, False),
        ("secretary", ColumnKind.TEXT, False),
        ("key", ColumnKind.TEXT, False),
    ],
)
def test_columns_that_look_secret(name: str, kind: ColumnKind, secret: bool) -> None:
    assert looks_secret(name, kind) is secret


@pytest.mark.parametrize(
    "value",
    [
        "$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW",
        "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$hash",
        "pbkdf2_sha256$600000$salt$hash",
        "{SSHA}0c1c51ac",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE",
    ],
)
def test_values_that_look_secret(value: str) -> None:
    assert is_secret(value)
    assert not is_secret(f"see {value[:3]}")
