"""Restricts an SQLite connection to reading the file it was opened for."""

from __future__ import annotations

import sqlite3
from functools import partial

_READS = frozenset(
    {
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_RECURSIVE,
        sqlite3.SQLITE_TRANSACTION,
        sqlite3.SQLITE_SAVEPOINT,
    }
)
# PRAGMAs that only tell. Others are refused: `query_only` can be reset by one.
_TELLING = frozenset(
    {
        "table_info",
        "table_xinfo",
        "table_list",
        "index_list",
        "index_info",
        "index_xinfo",
        "foreign_key_list",
        "database_list",
        "data_version",
        "encoding",
    }
)
_FUNCTIONS = frozenset({"load_extension", "fts3_tokenizer", "readfile", "writefile", "edit"})
"""Functions that reach beyond the database."""


def only_read_sqlite(connection: sqlite3.Connection) -> None:
    """Let a connection read its file and do nothing else: no write, no ATTACH, no PRAGMA that sets anything.

    What SQLite keeps as text need not be UTF-8; what is not is read with replacement characters.
    """
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA trusted_schema = OFF")  # a hostile file must not call functions from its views
    connection.execute("PRAGMA cell_size_check = ON")
    connection.text_factory = partial(str, encoding="utf-8", errors="replace")
    connection.set_authorizer(_allowed)


def _allowed(action: int, first: str | None, second: str | None, _database: str | None, _source: str | None) -> int:
    # The second is how a full-text index declares itself when it is opened. A statement that means it is refused by
    # SQLite, and the file is read-only.
    if action in _READS or (action, first) == (sqlite3.SQLITE_UPDATE, "sqlite_master"):
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() not in _FUNCTIONS:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_PRAGMA:
        pragma = (first or "").lower()
        # SQLAlchemy asks for the second when it connects; with an argument it would set something.
        if pragma in _TELLING or (pragma == "read_uncommitted" and second is None):
            return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY
