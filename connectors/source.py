"""The Source protocol: compares a source with what is already known, and lists the differences as typed events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from connectors.document import Document


@dataclass(frozen=True, slots=True)
class KnownDocument:
    """What the knowledge base remembers about one document.

    `revision` is the content hash of the version indexed. `stamp` is a cheap fingerprint (for files: size and
    modification time): while it is unchanged the content need not be read. An empty stamp means "read to know".
    """

    revision: str
    stamp: str = ""


class KnownDocuments(Mapping[str, KnownDocument]):
    """What is remembered about the documents of one source, by URI: perhaps more than memory should hold.

    Iterating and looking up one by one read from disk then; `among` asks for many at once.
    """

    def among(self, uris: Sequence[str]) -> dict[str, KnownDocument]:
        """What is remembered of those of these documents that are known."""
        return {uri: known for uri in uris if (known := self.get(uri)) is not None}


def among(known: Mapping[str, KnownDocument], uris: Sequence[str]) -> dict[str, KnownDocument]:
    """What is remembered of those of these documents that are known, asked for at once where that is possible."""
    if isinstance(known, KnownDocuments):
        return known.among(uris)
    return {uri: known[uri] for uri in uris if uri in known}


@dataclass(frozen=True, slots=True)
class Added:
    """A document not known before."""

    document: Document
    stamp: str = ""


@dataclass(frozen=True, slots=True)
class Changed:
    """A known document whose content differs from the known revision."""

    document: Document
    stamp: str = ""


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A known document with the same content; `stamp` is set if it differs from the known one (a touched file)."""

    uri: str
    stamp: str | None = None


@dataclass(frozen=True, slots=True)
class Removed:
    """A known document that no longer exists."""

    uri: str


@dataclass(frozen=True, slots=True)
class Failed:
    """A document that could not be read. What was indexed of it before stays."""

    uri: str
    error: str
    hint: str = ""


Event = Added | Changed | Unchanged | Removed | Failed
Option = str | int | float | bool | list[str] | None
Options = Mapping[str, Option]
Facts = Mapping[str, str]
REPOSITORY = "repository"  # the fact that tells which sources are of one repository: where that is


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What a source left out for one reason that nobody gave: how many files and folders, and a few of them."""

    reason: str
    count: int
    examples: tuple[str, ...] = ()


@runtime_checkable
class Source(Protocol):
    """Something that can be synchronised: a folder, a file, a database table, a repository."""

    @property
    def uri(self) -> str:
        """What the source is registered under (a folder: its absolute path)."""
        ...

    def size_hint(self) -> int | None:
        """About how many documents `events` will report, for progress; None when that is not cheap to know."""
        ...

    def events(self, known: Mapping[str, KnownDocument]) -> Iterator[Event]:
        """Yield one event per document, reading only what may have changed.

        `known` maps the URI of every document indexed from this source to what is remembered of it (`KnownDocuments`
        when a knowledge base asks). Every known URI gets exactly one event. A document that cannot be read yields
        `Failed` and never ends the iteration; only a source that cannot be listed at all raises `SourceError`.
        """
        ...


@runtime_checkable
class Configured(Protocol):
    """A source that needs more than its URI to describe it."""

    @property
    def options(self) -> Options:
        """What it must be opened with to be the same source again (`open_source`): never a secret."""
        ...


@runtime_checkable
class Recorded(Protocol):
    """A source that needs more remembered than its documents."""

    @property
    def facts(self) -> Facts:
        """What state of it `events` listed (a repository: its commit), for people to see."""
        ...


@runtime_checkable
class Noting(Protocol):
    """A source that leaves out things a user may look for."""

    @property
    def notes(self) -> Sequence[str]:
        """What a person should know of what `events` listed, a line each: what was left out, and why."""
        ...


@runtime_checkable
class Selective(Protocol):
    """A source that leaves out files that nobody asked it to leave out."""

    @property
    def left_out(self) -> Sequence[LeftOut]:
        """What `events` left out, by reason."""
        ...
