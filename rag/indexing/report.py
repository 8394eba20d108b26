"""The report of an indexing run."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.source import LeftOut


@dataclass(frozen=True, slots=True)
class Failure:
    """A source or document that could not be read, with the reason and a hint."""

    uri: str
    error: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class IndexReport:
    """The result of a run of `index` or `remove`. Counts are documents unless the name says otherwise.

    `notes` say what sources left out on purpose, a line each; `news` are those that their last run did not say.
    `left_out` counts the files and folders that the built-in list, their size or their kind left out.
    """

    added: int
    changed: int
    unchanged: int
    removed: int
    failures: tuple[Failure, ...]
    chunks_added: int
    chunks_removed: int
    chunks_total: int
    embedded: int
    seconds: float
    generation: int
    notes: tuple[str, ...] = ()
    news: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
