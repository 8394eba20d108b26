"""The error hierarchy of pilotfish: a message that names the thing, and a hint that says what to do."""

from __future__ import annotations


class PilotfishError(Exception):
    """Base of every error this toolkit raises on purpose.

    `str(error)` names the offending value and the thing it belongs to; `error.hint` says what to do about it
    (empty when there is nothing useful to say).
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class SourceError(PilotfishError):
    """A source, or one document of it, cannot be read. The run goes on without it."""


class ConfigurationError(PilotfishError):
    """The user's request cannot be fulfilled: a bad value, a missing extra, an unknown name."""
