"""The rows of a SQLite database as documents with names, for the tests of what finds them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

from connectors.document import Document, DocumentName
from connectors.source import Added, Event, KnownDocument

SHOP = """
CREATE TABLE customers (customer_id TEXT PRIMARY KEY, first_name TEXT, last_name TEXT, city TEXT, status TEXT);
CREATE TABLE suppliers (supplier_code TEXT PRIMARY KEY, company_name TEXT, country TEXT);
CREATE TABLE products (product_code TEXT PRIMARY KEY, name TEXT, category TEXT,
    supplier_code TEXT REFERENCES suppliers (supplier_code));
CREATE TABLE orders (order_id INTEGER PRIMARY KEY, customer_id TEXT REFERENCES customers (customer_id),
    product_code TEXT REFERENCES products (product_code), status TEXT, order_type TEXT);
INSERT INTO customers VALUES
    ('C-1001', 'Maria', 'Anders', 'Berlin', 'active'), ('C-1002', 'Maria', 'Lopez', 'México', 'active'),
    ('C-1003', 'Thomas', 'Anders', 'Rostock', 'inactive'), ('C-1004', 'Jean-Luc', 'Müller', 'New Order', 'active');
INSERT INTO suppliers VALUES
    ('SUP-01', 'Exotic Liquids Ltd.', 'United Kingdom'), ('SUP-02', 'The Pasta House', 'Italy'),
    ('SUP-03', 'Kangaroo Tools (Pty) Ltd', 'Australia');
INSERT INTO products VALUES
    ('KX-0142-B', 'Harbour Lantern', 'Lighting', 'SUP-01'), ('KX-0143-B', 'Garden Lantern', 'Lighting', 'SUP-01'),
    ('PA-7', 'Tagliatelle', 'Food', 'SUP-02'), ('WR-19', 'Torque Wrench', 'Tools', 'SUP-03');
INSERT INTO orders VALUES
    (10248, 'C-1001', 'KX-0142-B', 'open', 'new'), (10249, 'C-1002', 'PA-7', 'open', 'new'),
    (10250, 'C-1003', 'WR-19', 'closed', 'first'), (10251, 'C-1001', 'PA-7', 'new', 'first');
"""
ADDRESS = "sqlite:///shop.db"


def shop(path: Path) -> Path:
    """A small database of a shop, at `path`."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SHOP)
    return path


class Rows:
    """Every row of every table a document, named by its text columns and its key, and by the rows it refers to."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def uri(self) -> str:
        return ADDRESS

    def size_hint(self) -> int | None:
        return None

    def events(self, known: Mapping[str, KnownDocument]) -> Iterator[Event]:
        for document in documents(self._path):
            yield Added(document)


def documents(path: Path) -> Iterator[Document]:
    """The rows of a database."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            key = next(row["name"] for row in connection.execute(f"PRAGMA table_info({table})") if row["pk"])
            refers = {row["from"]: row["table"] for row in connection.execute(f"PRAGMA foreign_key_list({table})")}
            for row in connection.execute(f"SELECT * FROM {table}").fetchall():
                yield _document(table, key, refers, row)


def _document(table: str, key: str, refers: Mapping[str, str], row: sqlite3.Row) -> Document:
    text, names = "", []
    for column, value in zip(row.keys(), map(str, row), strict=True):
        text += f"{column}: "
        if column in refers:
            names.append(
                DocumentName(f"{ADDRESS}#{refers[column]}/{value}", f"{table}.{column} -> {refers[column]}", len(text))
            )
        else:
            names.append(DocumentName(value, f"{table}.{column}", len(text)))
        text += f"{value}\n"
    uri = f"{ADDRESS}#{table}/{row[key]}"
    return Document(uri, f"{table} {row[key]}", text, "row", str(hash(text)), {"table": table}, names=tuple(names))
