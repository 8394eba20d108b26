"""The findings of a check of a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from indexes.catalog.reading import Ids

REPAIR = "`rag doctor --repair`"
_NAMED = 5  # things a message names, of many


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its name, its verdict, what it found, and what to do about it."""

    name: str
    ok: bool
    detail: str
    hint: str = ""


@dataclass(slots=True)
class Findings:
    """The checks of one examination, and what a repair needs besides them.

    Attributes:
        checks: in the order they were made.
        readable: the rows of the catalog could be looked at.
        tables: they could not, because the database is damaged below them.
        documents: the documents that cannot be trusted as a whole: id → URI.
        lost: the chunks of those, and the chunks of no document.
        metadata: documents whose attributes are not those of their metadata: id → metadata.
        attributes: whether any attributes have to be written anew.
        forms: whether what names can be found by has to be made anew.
        hashes: texts whose vector or token vectors are missing or damaged.
        orphans: vectors to which no chunk refers.
        sparse, dense: the index has to be made anew.
    """

    checks: list[Check] = field(default_factory=list)
    readable: bool = False
    tables: bool = False
    documents: dict[int, str] = field(default_factory=dict)
    lost: Ids = field(default_factory=lambda: np.empty(0, np.int64))
    metadata: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    attributes: bool = False
    forms: bool = False
    hashes: set[bytes] = field(default_factory=set)
    orphans: int = 0
    sparse: bool = False
    dense: bool = False

    def add(self, name: str, problems: Sequence[str], detail: str, hint: str = "") -> None:
        """Note a check, which failed when there are problems."""
        self.checks.append(Check(name, not problems, named(problems) or detail, hint if problems else ""))


def named(things: Sequence[str]) -> str:
    """The first few of many things, and how many more there are."""
    more = f", and {len(things) - _NAMED} more" if len(things) > _NAMED else ""
    return ", ".join(things[:_NAMED]) + more
