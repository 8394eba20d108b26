"""The catalog: the single source of truth of a knowledge base, in SQLAlchemy (SQLite in WAL mode by default).

It holds sources, documents, chunks and the vectors of record. Documents, and their chunks with them, carry the
generations in which they were born and died. Generation g sees what was born at or before g and has not died at or
before g. Publishing a generation updates a single row, so a reader sees all of it or none of it.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, exc

from indexes.catalog.reading import Reading
from indexes.catalog.schema import LONGEST_VALUE, MIGRATIONS, SCHEMA_VERSION, TABLES, foreign_schema, open_engine
from indexes.catalog.sources import SOURCES_FILE, rebuild_hint
from indexes.catalog.writing import Writing
from indexes.errors import DamagedError, NoKnowledgeBaseError, StoreError
from indexes.limits import StoreLimits

_FREE_SHARE = 0.2
_SPARE_BYTES = 64_000_000  # free space that a copy leaves


class Catalog:
    """The database behind a knowledge base. Reading and writing happen through `reading()` and `writing()`."""

    def __init__(self, path: Path, *, create: bool, limits: StoreLimits | None = None) -> None:
        self.path = path
        self._limits = limits or StoreLimits()
        if not create and not path.exists():
            raise NoKnowledgeBaseError(f"no catalog at {path}", hint="run `rag index PATH` to create a knowledge base")
        _check_own(path)
        self._refusal: StoreError | None = None
        self._beside: tempfile.TemporaryDirectory[str] | None = None
        self._engine = open_engine(path)
        try:
            self._migrate(create=create)
        except UnicodeDecodeError as error:  # the database quotes a damaged schema
            self.close()
            raise _malformed(path, "its schema is damaged") from error
        except exc.DatabaseError as error:
            self.close()
            self._refusal = database_error(path, error)
            if _is_complete(path):
                self._open_frozen(self._refusal)
            elif _may_only_read(error):
                self._open_copy(self._refusal)
            else:
                raise self._refusal from error
        except StoreError:
            self.close()
            raise

    def _open_frozen(self, refusal: StoreError) -> None:
        """Open what a read-only or full disk refuses: a reader in WAL mode keeps a file of its own beside it."""
        self._engine = open_engine(self.path, frozen=True)
        try:
            self._migrate(create=False)
        except exc.DatabaseError as error:
            self.close()
            raise database_error(self.path, error) from error
        except NoKnowledgeBaseError:  # there would be one, had the disk not refused its tables
            self.close()
            raise refusal from None

    def _open_copy(self, refusal: StoreError) -> None:
        """Open a copy of what a killed writer left where nothing can be written: its journal has to be read."""
        files = [file for suffix in ("", "-wal") if (file := self.path.with_name(f"{self.path.name}{suffix}")).exists()]
        try:
            beside = tempfile.TemporaryDirectory(prefix="pilotfish-", ignore_cleanup_errors=True)
            if shutil.disk_usage(beside.name).free < sum(file.stat().st_size for file in files) + _SPARE_BYTES:
                raise refusal
            for file in files:
                shutil.copyfile(file, Path(beside.name, file.name))
        except OSError as error:
            raise refusal from error
        self._beside = beside
        self._engine = open_engine(Path(beside.name, self.path.name), query_only=True)
        try:
            self._migrate(create=False)
        except (exc.DatabaseError, StoreError) as error:
            self.close()
            raise refusal from error

    def check_writable(self) -> None:
        """Raise the `StoreError` that stands between this catalog and a change, if there is one."""
        if self._refusal is not None:
            raise self._refusal

    def _migrate(self, *, create: bool) -> None:
        with self._engine.connect() as connection:
            version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
            _refuse_foreign_schema(connection, self.path)
        if version > SCHEMA_VERSION:
            raise StoreError(
                f"{self.path.parent} was written by a newer pilotfish (schema {version}, this one reads "
                f"{SCHEMA_VERSION})",
                hint="upgrade with `pip install --upgrade pilotfish`",
            )
        if version == 0 and not create:
            if (self.path.parent / SOURCES_FILE).exists():
                raise _malformed(self.path, "its tables are missing")
            # Also what a run leaves that was killed before its first table.
            raise NoKnowledgeBaseError(f"there is no pilotfish catalog in {self.path}", hint="run `rag index PATH`")
        if version == SCHEMA_VERSION:
            return
        with self.writing() as transaction:
            connection = transaction.connection
            # Read again inside the transaction: another process may have migrated in between.
            version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
            for number in range(version, SCHEMA_VERSION):
                MIGRATIONS[number](connection)
            connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """Open one consistent snapshot of the catalog; writers are neither blocked nor seen."""
        with _translated(self.path), self._engine.connect() as connection, connection.begin():
            yield Reading(connection, self._limits)

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        """Open one transaction; it commits on leaving and rolls back on an error."""
        with (
            _translated(self.path),
            self._engine.connect().execution_options(immediate=True) as connection,
            connection.begin(),
        ):
            yield Writing(connection, self._limits)

    def reclaim(self) -> None:
        """Give the pages that deletions left free back to the disk, when there are enough to be worth moving others."""
        with self._engine.connect() as connection:
            free, pages = (
                connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("freelist_count", "page_count")
            )
            if free > _FREE_SHARE * pages and (driver := connection.connection.driver_connection) is not None:
                connection.rollback()
                # One step frees one page, and only a script is stepped to its end. What fails here is tried again.
                with suppress(sqlite3.Error):
                    driver.executescript("PRAGMA incremental_vacuum")

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()
        if self._beside is not None:
            self._beside.cleanup()


def database_error(path: Path, error: exc.DatabaseError) -> StoreError:
    """The database's complaint in words that name the knowledge base."""
    reason = str(error.orig or error)
    hint = ""
    if "disk is full" in reason:
        hint = "free some space and run the command again; everything published is untouched"
    elif any(sign in reason for sign in ("malformed", "not a database", "no such")):  # the last: a damaged schema
        return _malformed(path, reason)
    elif "too big" in reason:
        return DamagedError(f"a value of more than {LONGEST_VALUE:,} bytes")
    elif "Could not decode" in reason:
        return DamagedError("text")
    elif _may_only_read(error):
        hint = "check that the folder exists and that you may write to it"
    elif "disk I/O" in reason:
        hint = "check the disk and its free space; everything published is untouched"
    elif "locked" in reason:
        hint = "another program holds the database: close it and try again"
    return StoreError(f"{path}: {reason}", hint=hint)


def _may_only_read(error: exc.DatabaseError) -> bool:
    reason = str(error.orig or error)
    return "readonly" in reason or "unable to open" in reason


def _malformed(path: Path, reason: str) -> StoreError:
    return StoreError(f"{path}: {reason}", hint=rebuild_hint(path.parent))


def _is_complete(path: Path) -> bool:
    """Whether the database needs no journal beside it: whoever used it last has closed it, and nobody uses it now."""
    journal = path.with_name(f"{path.name}-wal")
    return path.exists() and path.stat().st_size > 0 and not (journal.exists() and journal.stat().st_size)


def _check_own(path: Path) -> None:
    """Refuse the database of another program, before it is opened in a way that would change it."""
    if not _is_complete(path):
        return
    engine = open_engine(path, frozen=True)
    try:
        with engine.connect() as connection:
            tables = set(connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars())
            if not tables.isdisjoint(TABLES):
                _refuse_foreign_schema(connection, path)
    except (exc.DatabaseError, UnicodeDecodeError):  # a damaged one is told of when it is opened
        return
    finally:
        engine.dispose()
    if tables and tables.isdisjoint(TABLES):
        raise StoreError(
            f"{path} is a database of another program: it has the tables {', '.join(sorted(tables)[:3])}",
            hint="choose another folder for the knowledge base, with --kb",
        )


def _refuse_foreign_schema(connection: Connection, path: Path) -> None:
    if foreign := foreign_schema(connection):
        raise StoreError(
            f"{path} holds {foreign}, which pilotfish does not make",
            hint="get a knowledge base without it, or index its sources yourself",
        )


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except exc.DatabaseError as error:
        raise database_error(path, error) from error
