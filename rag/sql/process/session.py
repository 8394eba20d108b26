"""The interface of a database session in the process, and its failures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from rag.sql.allowed import AllowList
from rag.sql.limits import StatementLimits


@dataclass(frozen=True, slots=True)
class Request:
    """A statement, where to run it, and its limits.

    `connect` are the arguments of the driver's own `connect`, password included: never shown, never logged.
    """

    sql: str
    allowed: AllowList
    limits: StatementLimits
    connect: dict[str, Any] = field(repr=False)


class StatementSession(Protocol):
    """A connection that cannot change anything."""

    @property
    def backend(self) -> int | None:
        """By what the server can be told to stop it; None where there is no server."""
        ...

    def select(self, sql: str) -> tuple[list[str], Iterator[Sequence[object]]]:
        """Run a statement; returns the names of its columns, and its rows as they come."""
        ...


class FailedError(Exception):
    """The statement failed. `kind` is `refused`, `database`, `limit` or `unreachable`."""

    def __init__(self, kind: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.hint = hint


def too_long(limits: StatementLimits) -> FailedError:
    """The statement took too long."""
    return FailedError(
        "limit",
        f"the statement took longer than {limits.seconds:g} s and was stopped",
        "ask for less: fewer tables, a narrower condition, no product of tables",
    )


def too_large(limits: StatementLimits) -> FailedError:
    """The statement took too much memory."""
    return FailedError(
        "limit",
        f"the statement took more than {limits.memory // 2**20} MiB of memory and was stopped",
        "ask for fewer or shorter values",
    )
