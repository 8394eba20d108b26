"""Errors of the store."""

from __future__ import annotations

from connectors.errors import PilotfishError


class StoreError(PilotfishError):
    """The knowledge base cannot be read or written as requested; everything published stays as it was."""


class NoKnowledgeBaseError(StoreError):
    """No knowledge base exists at the given place."""


class ForeignError(StoreError):
    """Somebody else decided this part of the knowledge base, and the user has not allowed it."""


class LockedError(StoreError):
    """Another process is writing to the knowledge base."""


class DamagedError(StoreError):
    """A row of the catalog differs from what was written: a disk or a program changed it."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"the catalog is damaged: {what} is not what was written",
            hint="`rag doctor` shows what is damaged, and `rag doctor --repair` repairs it",
        )
