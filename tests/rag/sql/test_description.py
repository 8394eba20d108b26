"""Which tables a model sees, and how they are written."""

from __future__ import annotations

from connectors.database.structure.kinds import ColumnKind
from connectors.database.structure.tables import Column, ForeignKey, Table
from rag.llm.tokens import estimate_tokens
from rag.sql.allowed import SqlDialect
from rag.sql.description import describe, ordered, table_text

CUSTOMERS = Table(
    "customers",
    columns=(
        Column("id", ColumnKind.INTEGER, "INTEGER"),
        Column("Full Name", ColumnKind.TEXT, "TEXT", comment="as they sign"),
    ),
    primary_key=("id",),
    comment="Who buys here",
)
ORDERS = Table(
    "orders",
    columns=(
        Column("id", ColumnKind.INTEGER, "INTEGER"),
        Column("customer_id", ColumnKind.INTEGER, "INTEGER"),
        Column("status", ColumnKind.TEXT, "VARCHAR(20)", samples=("open", "paid", "re\nturned <b>")),
    ),
    primary_key=("id",),
    foreign_keys=(ForeignKey(("customer_id",), "customers", ("id",)),),
)
ITEMS = Table(
    "items",
    schema="sales",
    columns=(Column("orderId", ColumnKind.INTEGER), Column("line", ColumnKind.INTEGER, "INTEGER")),
    primary_key=("orderId", "line"),
    foreign_keys=(ForeignKey(("orderId",), "orders", ("id",)),),
)
WEATHER = Table("weather_stations", columns=tuple(Column(f"reading_{n}", ColumnKind.FLOAT, "REAL") for n in range(60)))
TABLES = (CUSTOMERS, ITEMS, ORDERS, WEATHER)


def test_a_table_is_written_as_it_would_be_made() -> None:
    assert table_text(ORDERS, SqlDialect.SQLITE) == (
        "CREATE TABLE orders (\n"
        "  id INTEGER PRIMARY KEY,\n"
        "  customer_id INTEGER REFERENCES customers (id),\n"
        "  status VARCHAR(20) -- values: 'open', 'paid', 're turned ‹b›'\n"
        ");"
    )
    assert table_text(CUSTOMERS, SqlDialect.MARIADB) == (
        "CREATE TABLE customers ( -- Who buys here\n  id INTEGER PRIMARY KEY,\n  `Full Name` TEXT -- as they sign\n);"
    )
    assert table_text(ITEMS, SqlDialect.POSTGRESQL) == (
        "CREATE TABLE sales.items (\n"
        '  "orderId" REFERENCES orders (id),\n'
        "  line INTEGER,\n"
        '  PRIMARY KEY ("orderId", line)\n'
        ");"
    )


def test_what_matters_comes_first_and_its_neighbours_with_it() -> None:
    names = [table.name for table in ordered("which orders were returned?", TABLES)]
    assert names == ["orders", "items", "customers", "weather_stations"]
    assert next(iter(ordered("how warm is it?", TABLES, ["weather_stations"]))).name == "weather_stations"
    assert next(iter(ordered("reading 7 of the stations", TABLES))).name == "weather_stations"


def test_the_budget_is_kept() -> None:
    for budget in (0, 20, 60, 120, 400, 3_000):
        text = describe("which orders are open?", TABLES, SqlDialect.SQLITE, budget, estimate_tokens)
        assert estimate_tokens(text) <= budget
    assert text.count("CREATE TABLE") == len(TABLES)
    small = describe("which orders are open?", TABLES, SqlDialect.SQLITE, 120, estimate_tokens)
    assert "orders" in small
    assert "weather" not in small
