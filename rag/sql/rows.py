"""What a statement gave."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rows:
    """The result of a statement.

    Attributes:
        columns: their names; two may be alike.
        rows: one tuple of values for each (`rag.sql.values`).
        cut: what a limit left out, in words; empty when this is all.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    cut: str = ""

    @property
    def truncated(self) -> bool:
        """Whether a limit left something out."""
        return bool(self.cut)
