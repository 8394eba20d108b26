"""The errors of a statement."""

from __future__ import annotations

from connectors.errors import PilotfishError


class SqlError(PilotfishError):
    """A statement returned no result."""


class RefusedError(SqlError):
    """The guard refused the statement; the message names the part that is not allowed."""


class ExecutionError(SqlError):
    """The database refused the statement."""


class DatabaseUnreachableError(ExecutionError):
    """The database could not be reached, so no other statement would help."""


class LimitError(ExecutionError):
    """The statement exceeded its limit on time or memory."""
