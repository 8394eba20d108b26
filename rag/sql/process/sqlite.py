"""SQLite in the process: opened read-only, with an authorizer that checks every table, column and function."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from rag.sql.allowed import AllowList, SqlDialect
from rag.sql.guard.functions import allowed_functions
from rag.sql.limits import StatementLimits
from rag.sql.process.session import FailedError, Request, too_large, too_long

_STEPS = 5_000  # instructions of SQLite's machine between two looks at the clock
# SQLite has them as functions.
_OPERATORS = frozenset({"->", "->>", "match", "regexp", "current_date", "current_time", "current_timestamp"})
_TABLE_FUNCTIONS = frozenset({"json_each", "json_tree", "generate_series"})
_ROW_IDS = frozenset({"rowid", "oid", "_rowid_"})
_ROOM = 1_024


class SQLiteSession:
    """A database file, opened read-only, in which a statement can name only what is allowed."""

    backend = None

    def __init__(self, request: Request) -> None:
        self._limits = request.limits
        path = Path(request.connect["database"])
        try:
            self._connection = _opened(path, request.limits.seconds)
            self._prepare(request)
        except sqlite3.Error as error:
            raise FailedError("unreachable", f"{path}: {error}", "is it a SQLite database that may be read?") from None

    def _prepare(self, request: Request) -> None:
        connection, limits = self._connection, request.limits
        # A file that came from elsewhere may hold views that call what they should not, and pages that lie.
        for setting in ("trusted_schema = OFF", "temp_store = MEMORY", "cell_size_check = ON", "mmap_size = 0"):
            connection.execute(f"PRAGMA {setting}").fetchall()
        connection.text_factory = lambda data: data.decode(errors="replace")
        for function in _TABLE_FUNCTIONS:  # made when first named, which the authorizer would not let happen
            with contextlib.suppress(sqlite3.Error):
                connection.execute(f"SELECT 1 FROM {function}(NULL) LIMIT 0").close()  # noqa: S608 — names from above
        names = connection.execute("SELECT lower(name) FROM sqlite_master").fetchall()
        views = _read_by_views(connection, request.allowed)
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, max(limits.size * 4, _ROOM))
        connection.setlimit(sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 1)
        connection.setlimit(sqlite3.SQLITE_LIMIT_WORKER_THREADS, 0)
        connection.set_authorizer(Authorizer(request.allowed, views, frozenset(name for (name,) in names)))

    def select(self, sql: str) -> tuple[list[str], Iterator[Sequence[object]]]:
        """Run a statement."""
        deadline = time.monotonic() + self._limits.seconds
        self._connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
        try:
            cursor = self._connection.execute(sql)
        except (sqlite3.Error, sqlite3.Warning, MemoryError) as error:
            raise _explained(error, self._limits) from None
        return [column[0] for column in cursor.description or ()], self._rows(cursor)

    def _rows(self, cursor: sqlite3.Cursor) -> Iterator[Sequence[object]]:
        try:
            yield from cursor
        except (sqlite3.Error, MemoryError) as error:
            raise _explained(error, self._limits) from None


def _opened(path: Path, seconds: float) -> sqlite3.Connection:
    """A connection to a file that stays as it is, after a first read: no file need be opened later.

    In WAL mode a reader needs a file beside the database. Where none can be made nobody writes either: then it is read
    as a file that never changes, unless its journal says that it is not complete.
    """
    journal = path.with_name(f"{path.name}-wal")
    is_complete = not (journal.exists() and journal.stat().st_size)
    for mode in ("mode=ro", "mode=ro&immutable=1"):
        connection = sqlite3.connect(f"file:{quote(str(path))}?{mode}", uri=True, isolation_level=None, timeout=seconds)
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError as error:
            connection.close()
            if "unable to open" not in str(error) or "immutable" in mode or not (is_complete and path.is_file()):
                raise
        else:
            return connection
    raise AssertionError  # the second mode returned or raised


class Authorizer:
    """Tells SQLite, while it compiles a statement, whether the statement may use what it names."""

    def __init__(self, allowed: AllowList, views: frozenset[tuple[str, str, str]], names: frozenset[str]) -> None:
        """Args: what may be read, what views read for themselves, and the names of all that is there."""
        # SQLite names the column '' when it only counts rows.
        self._columns = {
            table.name.lower(): frozenset({*map(str.lower, table.columns), *_ROW_IDS, ""}) for table in allowed.tables
        }
        self._hidden = {table.name.lower(): {name.lower() for name in table.hidden} for table in allowed.tables}
        self._views = views
        self._names = names
        self._functions = allowed_functions(SqlDialect.SQLITE) | _OPERATORS

    def __call__(
        self, action: int, first: str | None, second: str | None, _database: str | None, source: str | None
    ) -> int:
        """`first` and `second` are what the action is about; `source` is the view or trigger that asks for it."""
        if action in {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE}:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_FUNCTION:
            return _answer((second or "").lower() in self._functions)
        if action == sqlite3.SQLITE_READ:
            return _answer(self._may_read((first or "").lower(), (second or "").lower(), (source or "").lower()))
        return sqlite3.SQLITE_DENY

    def _may_read(self, table: str, column: str, source: str) -> bool:
        if column in self._hidden.get(table, ()):
            return False
        if source and (source, table, column) in self._views:
            return True
        if table in _TABLE_FUNCTIONS and table not in self._names:
            return True
        if not column and table not in self._names and not table.startswith(("sqlite_", "pragma_")):
            return True  # the rows of a name that WITH defines are counted
        return table in self._columns and column in self._columns[table]


def _read_by_views(connection: sqlite3.Connection, allowed: AllowList) -> frozenset[tuple[str, str, str]]:
    """What each allowed view reads for itself, as (view that reads, table, column): that much it may."""
    found: set[tuple[str, str, str]] = set()

    def note(action: int, first: str | None, second: str | None, _database: str | None, source: str | None) -> int:
        if action == sqlite3.SQLITE_READ and source:
            found.add((source.lower(), (first or "").lower(), (second or "").lower()))
        return sqlite3.SQLITE_OK

    views = {name.lower() for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'view'")}
    connection.set_authorizer(note)
    for table in allowed.tables:
        if table.name.lower() in views:
            quoted = table.name.replace('"', '""')
            try:
                connection.execute(f'EXPLAIN SELECT * FROM "{quoted}"').close()  # noqa: S608 — compiled, never run
            except sqlite3.Error:
                continue  # a view over something that is gone: whoever asks for it is told
    return frozenset(found)


def _answer(may: bool) -> int:
    return sqlite3.SQLITE_OK if may else sqlite3.SQLITE_DENY


def _explained(error: Exception, limits: StatementLimits) -> FailedError:
    message = str(error)
    if isinstance(error, MemoryError):
        return too_large(limits)
    if message == "interrupted":
        return too_long(limits)
    if "too big" in message:
        return FailedError("limit", f"a value is longer than may be read: {message}", "ask for a part of it: substr()")
    if "prohibited" in message or "not authorized" in message or "authorization" in message:
        return FailedError("refused", message)
    return FailedError("database", message)
