"""An unchanged re-sync of a database of a million rows: rows a second, and the memory it takes.

    python benchmarks/databases.py
    python benchmarks/databases.py --rows 100000 --postgresql postgresql://postgres@127.0.0.1/bench

The table has ten columns, a text of some 150 characters among them, and a foreign key to ten thousand customers, whose
names are told with each row. Embedding a million rows would take hours and has its own benchmarks, so the knowledge
base is prepared without: every row is stored in the catalog as a document with its revision, and without passages. The
re-sync is the real one, `KnowledgeBase.index` in a process of its own: every row is read and hashed, its revision
looked up in the catalog, and what is known held against what was met. "Peak" is the highest resident memory of that
process, less what it was when the knowledge base was open and the encoder loaded. Then 1% of the rows are updated, and
the source alone is asked what changed, with the prepared catalog: the documents are written, not embedded. The size of
the prepared catalog is that of its pages in use (`dbstat`).

On a busy machine figures by the clock are too low; those by processor time change little. The database given by
--postgresql must exist and be empty; it is left filled.
"""

from __future__ import annotations

import argparse
import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, make_url, text

from benchmarks.common import command_line
from connectors.database.source import DatabaseSource
from connectors.source import Added, Changed, Unchanged
from indexes.store import CATALOG_FILE
from indexes.writer import Batch, NewDocument
from rag import KnowledgeBase

CUSTOMERS = 10_000
BATCH = 20_000
TEXT = """the parcel did not arrive in time and the customer asks for a refund of what was paid by card when it was
ordered in the shop on the first day of the sale with a voucher that had expired before"""
WORDS = TEXT.split()
TABLES = [
    "CREATE TABLE customer (id INTEGER PRIMARY KEY, name VARCHAR(80) NOT NULL)",
    """
    CREATE TABLE ticket (
        id INTEGER PRIMARY KEY,
        customer_id INTEGER REFERENCES customer (id),
        subject VARCHAR(80),
        body TEXT,
        status VARCHAR(20),
        priority INTEGER,
        price NUMERIC(8, 2),
        opened TIMESTAMP,
        closed TIMESTAMP,
        rating DOUBLE PRECISION
    )""",
]


def main() -> None:
    """Fill the databases, prepare a knowledge base for each, measure, print."""
    parser = command_line(__doc__, as_json=True)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--postgresql", help="the URL of an empty database")
    parser.add_argument("--no-sqlite", action="store_true", help="measure only the database of --postgresql")
    parser.add_argument("--resync", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.resync:
        print(json.dumps(resync(arguments.resync)))
        return
    figures: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        if not arguments.no_sqlite:
            figures["sqlite"] = measure(f"sqlite:///{home / 'bench.db'}", home / "sqlite", arguments.rows)
        if arguments.postgresql:
            figures["postgresql"] = measure(arguments.postgresql, home / "postgresql", arguments.rows)
    if arguments.json:
        print(json.dumps(figures))
        return
    for database, found in figures.items():
        for name, value in found.items():
            print(f"{database:<12}{name:<34}{value:>12,.1f}")


def measure(url: str, home: Path, rows: int) -> dict[str, float]:
    """The figures of one database, which is filled first."""
    engine = create_engine(make_url(url.replace("postgresql://", "postgresql+psycopg://")))
    fill(engine, rows)
    Path(home).mkdir()
    start = time.process_time()
    count = prepare(url, home)
    prepared = time.process_time() - start
    command = [sys.executable, __file__, "--resync", str(home)]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    with engine.begin() as connection:
        connection.execute(text("UPDATE ticket SET priority = priority + 1 WHERE id % 100 = 7"))
    start = time.process_time()
    changed = changes(url, home)
    return {
        "documents": count,
        "stored, rows/s (processor)": count / prepared,
        **catalog_sizes(home),
        **found,
        "changed": changed,
        "1% changed, rows/s (processor)": count / (time.process_time() - start),
    }


def fill(engine: Engine, rows: int) -> None:
    """Make the tables and their rows."""
    with engine.begin() as connection:
        for statement in TABLES:
            connection.execute(text(statement))
        insert(connection, "customer", ({"id": n, "name": f"Customer {n:x}"} for n in range(CUSTOMERS)))
        insert(connection, "ticket", map(ticket, range(rows)))
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))


def ticket(number: int) -> dict[str, object]:
    """One row, always the same for its number."""
    turn = number % len(WORDS)
    return {
        "id": number,
        "customer_id": number * 7919 % CUSTOMERS,
        "subject": f"{WORDS[turn]} {WORDS[number // 7 % len(WORDS)]} {number:x}",
        "body": " ".join([*WORDS[turn:], *WORDS[:turn]][:28]),
        "status": ("open", "waiting", "closed")[number % 3],
        "priority": number % 5,
        "price": number % 10_000 / 100,
        "opened": f"2024-{number % 12 + 1:02}-{number % 28 + 1:02} 10:00:00",
        "closed": None if number % 3 else f"2025-{number % 12 + 1:02}-{number % 28 + 1:02} 12:30:00",
        "rating": number % 50 / 10,
    }


def insert(connection: Connection, table: str, rows: Iterator[dict[str, object]]) -> None:
    """Insert rows, some thousands at a time."""
    while block := list(islice(rows, BATCH)):
        names = ", ".join(block[0])
        values = ", ".join(f":{name}" for name in block[0])
        connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), block)  # noqa: S608


def prepare(url: str, home: Path) -> int:
    """Store every document without passages; returns how many there are."""
    source = DatabaseSource(url)
    base = KnowledgeBase.open(home)
    count = 0
    with base._store.writer() as writer:
        source_id = writer.register(source.uri, source.options)
        events = (event for event in source.events({}) if isinstance(event, Added))
        while block := list(islice(events, BATCH)):
            count += len(block)
            writer.commit(Batch([NewDocument(source_id, each.document, [], each.stamp) for each in block]))
    base.close()
    return count


def catalog_sizes(home: Path) -> dict[str, float]:
    """Megabytes of the prepared catalog: all of it, and of that the tables by which names in questions are found."""
    with closing(sqlite3.connect(f"file:{home / CATALOG_FILE}?mode=ro", uri=True)) as connection:
        pages = "SELECT coalesce(sum(pgsize), 0) / 1e6 FROM dbstat"
        ((total,),) = connection.execute(pages).fetchall()
        of_names = "name IN (SELECT name FROM sqlite_schema WHERE tbl_name IN ('names', 'name_forms', 'name_roles'))"
        ((names,),) = connection.execute(f"{pages} WHERE {of_names}").fetchall()
    return {"catalog, MB": total, "of that for names, MB": names}


def resync(home: Path) -> dict[str, float]:
    """Bring an unchanged knowledge base up to date: what it takes."""
    base = KnowledgeBase.open(home)
    base._store.encoder.encode(["warm up"])
    before = resident()
    start, processor = time.perf_counter(), time.process_time()
    report = base.index()
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    if report.added or report.changed or report.removed or report.failures or report.embedded:
        raise AssertionError(report)
    return {
        "unchanged": report.unchanged,
        "unchanged, rows/s": report.unchanged / seconds,
        "a second of processor time": report.unchanged / processor,
        "embedded": report.embedded,
        "peak above the start, MB": peak() - before,
    }


def changes(url: str, home: Path) -> int:
    """How many rows the source says have changed, held against the catalog."""
    source = DatabaseSource(url)
    base = KnowledgeBase.open(home)
    with base._store.writer() as writer:
        events = [type(event) for event in source.events(writer.known(source.uri)) if not isinstance(event, Unchanged)]
    base.close()
    if set(events) - {Changed}:
        raise AssertionError(set(events))
    return len(events)


def resident() -> float:
    """Megabytes of memory this process has now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def peak() -> float:
    """The most megabytes of memory this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


if __name__ == "__main__":
    main()
