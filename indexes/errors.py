"""Errors of the store."""

from __future__ import annotations

from connectors.errors import PilotfishError


class StoreError(PilotfishError):
    """The knowledge base cannot be read or written as asked; what was published before stays as it was."""


class NoKnowledgeBaseError(StoreError):
    """There is no knowledge base at the given place."""


class LockedError(StoreError):
    """Another process is writing to the knowledge base."""
