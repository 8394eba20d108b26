"""Reads rows in batches that fit into memory, from one state of the database; resumes after a dropped connection."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Select, exc

from connectors.database.access.failures import is_lost
from connectors.database.reading.statements import RowQuery, page

Row = tuple[Any, ...]
T = TypeVar("T")

_AT_ONCE = 25  # rows taken from the driver: as many values of the longest kind that is read must fit into memory
_RENEWALS = 5  # of the connection, in one run


@dataclass(frozen=True, slots=True)
class ScanLimits:
    """How much to read at a time, and how long to wait for a server that dropped the connection.

    Attributes:
        batch_rows: rows of a batch, at most.
        batch_bytes: bytes from which on a batch is full.
        pause: seconds before the first new connection; each further one waits twice as long.
    """

    batch_rows: int = 2_000
    batch_bytes: int = 8_000_000
    pause: float = 0.5


@dataclass(slots=True)
class RowBatch:
    """A batch of rows, each also as bytes that show whether it changed.

    `again` says that rows met before may be among them: a statement had to be started anew.
    """

    limits: ScanLimits
    rows: list[Row] = field(default_factory=list)
    data: list[bytes] = field(default_factory=list)
    size: int = 0
    again: bool = False

    def add(self, row: Row) -> None:
        """Add a row."""
        data = repr(row).encode("utf-8", "surrogatepass")
        self.rows.append(row)
        self.data.append(data)
        self.size += len(data)

    @property
    def is_full(self) -> bool:
        """Whether the next row belongs to another batch."""
        return len(self.rows) >= self.limits.batch_rows or self.size >= self.limits.batch_bytes


class ScanSession:
    """One transaction on one connection: a consistent snapshot. Reconnects a few times if the connection drops.

    What is read after that is of a later state of the database.
    """

    def __init__(self, connect: Callable[[], Engine], limits: ScanLimits) -> None:
        self.limits = limits
        self._connect = connect
        self._engine = connect()
        self._renewals = 0
        self.connection: Connection = self._engine.connect()

    def renew(self, error: exc.DBAPIError) -> None:
        """Connect again after `error`, which is raised where that is no use."""
        if not is_lost(error) or self._renewals >= _RENEWALS:
            raise error
        self.close()
        time.sleep(self.limits.pause * 2**self._renewals)
        self._renewals += 1
        self._engine = self._connect()
        self.connection = self._engine.connect()

    def again(self, read: Callable[[Connection], T]) -> T:
        """What `read` returns, asked again where the connection drops."""
        while True:
            try:
                return read(self.connection)
            except exc.DBAPIError as error:
                self.renew(error)

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Let what fails inside leave the transaction as it was, for whatever comes next."""
        savepoint = self.again(lambda connection: connection.begin_nested())
        connection = self.connection
        try:
            yield
        except exc.DBAPIError:
            if connection is not self.connection:
                self.connection.rollback()  # it was made anew meanwhile, and knows no savepoint
            elif not connection.invalidated:
                savepoint.rollback()
            raise
        if connection is not self.connection or connection.invalidated:
            return
        try:
            savepoint.commit()
        except exc.DBAPIError as error:
            self.renew(error)  # all was read before the connection dropped

    def close(self) -> None:
        """End the transaction and let go of the connection."""
        try:
            self.connection.close()
        except exc.DBAPIError:  # it was lost
            self.connection.invalidate()
        self._engine.dispose()


def batches(session: ScanSession, statement: RowQuery) -> Iterator[RowBatch]:
    """All rows of a statement.

    Raises:
        sqlalchemy.exc.DBAPIError: what the rows are read from fails, or the connection is lost for good.
        SourceError: the server cannot be reached again.
    """
    return _pages(session, statement) if statement.pages else _stream(session, statement)


def _pages(session: ScanSession, statement: RowQuery) -> Iterator[RowBatch]:
    """Page after page, each beginning behind the key with which the last ended."""
    after: Row | None = None
    while True:
        select = page(statement, after, session.limits.batch_rows)
        batch = session.again(partial(_first, select=select, limits=session.limits))
        if batch.rows:
            yield batch
            after = batch.rows[-1][: len(statement.key)]
        if not batch.is_full:
            return


def _first(connection: Connection, select: Select[Any], limits: ScanLimits) -> RowBatch:
    batch = RowBatch(limits)
    with _executed(connection, select) as result:
        for rows in result.partitions(_AT_ONCE):
            for row in rows:
                batch.add(tuple(row))
            if batch.is_full:
                break
    return batch


def whole(connection: Connection, select: Select[Any], limits: ScanLimits) -> RowBatch:
    """All rows of a statement, which are few."""
    batch = RowBatch(limits)
    with _executed(connection, select) as result:
        for row in result:
            batch.add(tuple(row))
    return batch


def _stream(session: ScanSession, statement: RowQuery) -> Iterator[RowBatch]:
    """One statement whose rows come as they are asked for; started anew where the connection drops."""
    again = False
    while True:
        try:
            yield from _streamed(session.connection, statement.select, session.limits, again=again)
        except exc.DBAPIError as error:
            session.renew(error)
            again = True
        else:
            return


def _streamed(connection: Connection, select: Select[Any], limits: ScanLimits, *, again: bool) -> Iterator[RowBatch]:
    batch = RowBatch(limits, again=again)
    result = _executed(connection, select)
    try:
        for rows in result.partitions(_AT_ONCE):
            for row in rows:
                batch.add(tuple(row))
            if batch.is_full:
                yield batch
                batch = RowBatch(limits, again=again)
    except GeneratorExit:
        connection.invalidate()  # pymysql would read all the rest before it lets go
        raise
    except exc.DBAPIError:
        if batch.rows:
            yield batch  # what was read before it failed
        raise
    finally:
        with suppress(exc.DBAPIError):  # there is nothing to close on a connection that is gone
            result.close()
    if batch.rows:
        yield batch


def _executed(connection: Connection, select: Select[Any]) -> Any:
    return connection.execute(select, execution_options={"yield_per": _AT_ONCE})
