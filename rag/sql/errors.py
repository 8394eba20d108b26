"""What can come of a statement instead of rows."""

from __future__ import annotations

from connectors.errors import PilotfishError


class SqlError(PilotfishError):
    """A statement gave no rows."""


class RefusedError(SqlError):
    """The statement is not one that may run; the message names what in it is not allowed."""


class ExecutionError(SqlError):
    """The database refused the statement."""


class DatabaseUnreachableError(ExecutionError):
    """The database could not be reached: no other statement would help."""


class LimitError(ExecutionError):
    """The statement took more time or memory than it may."""
