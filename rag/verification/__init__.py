"""Checks an answer against its sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.lazy import offering

if TYPE_CHECKING:
    from rag.verification.verdicts import Citation, Unverified, Verdict

__all__ = [
    "Citation",
    "Unverified",
    "Verdict",
]

__getattr__ = offering(
    __name__,
    {
        "rag.verification.verdicts": ["Citation", "Unverified", "Verdict"],
    },
)
