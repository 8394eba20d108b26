"""The tables of the catalog, the migration from one schema version to the next, and how SQLite is opened."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import (
    URL,
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Engine,
    Float,
    ForeignKey,
    FromClause,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    TypeDecorator,
    and_,
    create_engine,
    event,
    or_,
)
from sqlalchemy.pool import QueuePool

BUSY_TIMEOUT_SECONDS = 30
LONGEST_VALUE = 64 << 20  # bytes of a value or a row: nothing that is written here comes near

_metadata = MetaData()


class Text(TypeDecorator[str]):
    """Any Python string. A lone surrogate, which no database accepts, is stored as a question mark."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """The string as UTF-8 can hold it."""
        return None if value is None else storable(value)


def storable(value: str) -> str:
    """A string as UTF-8 can hold it; every other character keeps its offset."""
    return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")


settings = Table(
    "settings",
    _metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
sources = Table(
    "sources",
    _metadata,
    Column("id", Integer, primary_key=True),
    Column("uri", Text, nullable=False, unique=True),
    Column("options", Text, nullable=False, server_default="{}"),  # JSON: what it is opened with again
    Column("facts", Text, nullable=False, server_default="{}"),  # JSON: the state of it that was read last
)
# A document's chunks have the ids first_chunk … first_chunk + chunks - 1: they are born and die with it.
documents = Table(
    "documents",
    _metadata,
    Column("id", Integer, primary_key=True),
    Column("source_id", ForeignKey("sources.id"), nullable=False),
    Column("uri", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("revision", Text, nullable=False),
    Column("stamp", Text, nullable=False),
    Column("metadata", Text, nullable=False),
    Column("names", Integer, nullable=False),  # a checksum of its names
    Column("first_chunk", Integer, nullable=False),
    Column("chunks", Integer, nullable=False),
    Column("born", Integer, nullable=False),
    Column("died", Integer),
    Column("checksum", Integer, nullable=False),
    Index("documents_uri", "uri"),
    Index("documents_source", "source_id"),
    Index("documents_language", "language"),
    Index("documents_born", "born"),
    Index("documents_died", "died", "born", "chunks"),
)
chunks = Table(
    "chunks",
    _metadata,
    Column("id", Integer, primary_key=True),
    Column("document_id", ForeignKey("documents.id"), nullable=False),
    Column("text", Text, nullable=False),
    Column("context", Text, nullable=False),
    Column("location", Text, nullable=False),
    Column("text_hash", LargeBinary, nullable=False),
    Column("checksum", Integer, nullable=False),
    Index("chunks_hash", "text_hash"),
)
# One row for each entry of a document's metadata: what filters look up. `number` is its value where it reads as one.
attributes = Table(
    "attributes",
    _metadata,
    Column("document_id", ForeignKey("documents.id"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("text", Text, nullable=False),
    Column("number", Float),
    Index("attributes_text", "key", "text", "document_id"),
    Index("attributes_number", "key", "number", "document_id"),
    sqlite_with_rowid=False,
)
# What documents are called and call others: `normal` is what is looked up, `text` what stands there.
names = Table(
    "names",
    _metadata,
    Column("normal", Text, primary_key=True),
    Column("role", Text, primary_key=True),
    Column("document_id", ForeignKey("documents.id"), primary_key=True),
    Column("start", Integer, primary_key=True),
    Column("text", Text, nullable=False),
    Index("names_document", "document_id"),
    sqlite_with_rowid=False,
)
# What names of rows can be found by (`indexes.terms.names.forms`), once for all that have the same normal form.
name_forms = Table(
    "name_forms",
    _metadata,
    Column("form", Text, primary_key=True),
    Column("normal", Text, primary_key=True),
    sqlite_with_rowid=False,
)
# The columns that names come from: what tables and columns are called. One whose rows are all gone may stay.
name_roles = Table("name_roles", _metadata, Column("role", Text, primary_key=True), sqlite_with_rowid=False)
# The chunks whose rows are gone while a derived index may still hold them.
graves = Table(
    "graves",
    _metadata,
    Column("first_chunk", Integer, primary_key=True),
    Column("chunks", Integer, nullable=False),
    Column("died", Integer, nullable=False),
    Index("graves_died", "died"),
)
# Every generation has a mark drawn by chance, which derived indexes repeat: numbers alone would come again after a
# catalog was put back from a backup.
generations = Table(
    "generations",
    _metadata,
    Column("number", Integer, primary_key=True),
    Column("mark", Text, nullable=False),
)
# The hash comes first in both keys: led by the encoder, which is the same everywhere, SQLite chose to scan the table.
# Vectors live apart from the (ten times larger) token vectors, so that reading all of the first stays quick.
vectors = Table(
    "vectors",
    _metadata,
    Column("text_hash", LargeBinary, primary_key=True),
    Column("encoder", Text, primary_key=True),
    Column("vector", LargeBinary, nullable=False),
    Column("checksum", Integer, nullable=False),
)
token_vectors = Table(
    "token_vectors",
    _metadata,
    Column("text_hash", LargeBinary, primary_key=True),
    Column("encoder", Text, primary_key=True),
    Column("codes", LargeBinary, nullable=False),
    Column("checksum", Integer, nullable=False),
)


def _create_first_schema(connection: Connection) -> None:
    _metadata.create_all(connection)


# Entry i takes a catalog from schema version i to i + 1; a new catalog runs them all.
MIGRATIONS: tuple[Callable[[Connection], None], ...] = (_create_first_schema,)

SCHEMA_VERSION = len(MIGRATIONS)
TABLES = frozenset(_metadata.tables)


def foreign_schema(connection: Connection) -> str:
    """What a database holds that no catalog does, and that could run with our statements; empty for none."""
    found = connection.exec_driver_sql(
        "SELECT type, name FROM sqlite_master WHERE type NOT IN ('table', 'index') "
        "OR type = 'table' AND (sql LIKE '%VIRTUAL%' "  # a column with `hidden` is generated by an expression
        "OR EXISTS (SELECT 1 FROM pragma_table_xinfo(sqlite_master.name) WHERE hidden <> 0))"
    ).first()
    return "" if found is None else f"the {found.type} {found.name!r}"


def alive(generation: int, table: FromClause = documents) -> ColumnElement[bool]:
    """The documents that generation `generation` sees."""
    return and_(table.c.born <= generation, or_(table.c.died.is_(None), table.c.died > generation))


def open_engine(path: Path, *, frozen: bool = False, query_only: bool = False) -> Engine:
    """Open a SQLite database in WAL mode: readers see a snapshot and are never blocked by the writer.

    A `frozen` one is only read, and needs nothing beside it that could be written. With `query_only`, files beside it
    are written, and no statement changes what it holds.
    """
    # Made of parts: in a text of the whole, a question mark or a percent sign of the path would mean something else.
    url = URL.create("sqlite", database=str(path.absolute()))
    if frozen:
        query = {"mode": "ro", "immutable": "1", "uri": "true"}
        url = URL.create("sqlite", database=f"file:{quote(str(path.absolute()))}", query=query)
    engine = create_engine(
        url,
        poolclass=QueuePool,
        max_overflow=-1,  # a search holds a connection and may need another: with a limit, many would wait for ever
        connect_args={"timeout": BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions of its own
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
        cursor = connection.cursor()
        # The file may be a stranger's: what its schema holds calls no function with effects, and pages are looked at.
        cursor.execute("PRAGMA trusted_schema = OFF")
        cursor.execute("PRAGMA cell_size_check = ON")
        if not frozen:
            cursor.execute("PRAGMA auto_vacuum = INCREMENTAL")  # of a new database, before anything else
            cursor.execute("PRAGMA journal_mode = WAL")
            cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA cache_size = -32000")
        cursor.execute(f"PRAGMA query_only = {'ON' if query_only else 'OFF'}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("immediate", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine
