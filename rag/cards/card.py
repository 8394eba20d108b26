"""A stored knowledge card: the kind of expert, its origin, and the files it depends on."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from connectors.errors import ConfigurationError, PilotfishError

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,47}")
_LONGEST = 2_000  # characters of a description
_BLOCK = 1 << 20


class CardError(PilotfishError):
    """A card failed or cannot be asked; the answer goes on without it."""


class CardKind(StrEnum):
    """The kind of expert behind a card."""

    LM = "lm"
    KB = "kb"
    GLOSSARY = "glossary"


@dataclass(frozen=True, slots=True)
class CardFile:
    """A file that a card depends on, as it was when the card was added.

    `path` is absolute, or relative to the card's own folder; `modified` is in nanoseconds since 1970.
    """

    path: str
    size: int
    modified: int
    sha256: str

    @classmethod
    def of(cls, path: Path, *, own: bool = False) -> CardFile:
        """The file as it is now; one of its `own` lies in the card's folder, and moves with it.

        Raises:
            ConfigurationError: it cannot be read.
        """
        try:
            stat = path.stat()
            return cls(path.name if own else str(path), stat.st_size, stat.st_mtime_ns, _sha256(path))
        except OSError as error:
            raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error

    def verify(self, home: Path, *, thoroughly: bool = False) -> None:
        """See that it is the same still; `home` is the card's folder.

        Its bytes are read only where its size or its time are others than they were, or `thoroughly`.

        Raises:
            CardError: it is gone, or another.
        """
        path = home / self.path
        try:
            stat = path.stat()
            if not thoroughly and (stat.st_size, stat.st_mtime_ns) == (self.size, self.modified):
                return
            same = stat.st_size == self.size and _sha256(path) == self.sha256
        except OSError as error:
            raise CardError(
                f"its file {path} cannot be read: {error.strerror}", hint="put it back, or remove the card"
            ) from error
        if not same:
            raise CardError(
                f"its file {path} has changed since the card was added",
                hint="remove the card, and add it again if you still want it",
            )


@dataclass(frozen=True, slots=True)
class Card:
    """A small domain expert.

    Attributes:
        name: small letters, digits, `-` and `_`.
        kind: what stands behind it.
        description: what it knows, in words; the question is compared with it, and a model chooses by it.
        origin: where it comes from.
        licence: under which terms.
        target: what answers: a model spec, the folder of a knowledge base, a file of terms.
        settings: further options by name, e.g. `lora`, `base_url`, `prompt`.
        files: the files it stands on.
        examples: passages of what it was made from, to tell which questions are about that.
        added: when, ISO 8601.
    """

    name: str
    kind: CardKind
    description: str
    target: str
    origin: str = ""
    licence: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    files: tuple[CardFile, ...] = ()
    examples: tuple[str, ...] = ()
    added: str = ""

    @property
    def checksum(self) -> str:
        """The SHA-256 of its files, in their order; empty for one without files of its own."""
        if len(self.files) == 1:
            return self.files[0].sha256
        joined = "".join(file.sha256 for file in self.files)
        return hashlib.sha256(joined.encode()).hexdigest() if joined else ""

    def as_values(self) -> dict[str, Any]:
        """What a file of it holds."""
        return {
            "name": self.name,
            "kind": self.kind.value,
            "description": self.description,
            "target": self.target,
            "origin": self.origin,
            "licence": self.licence,
            "settings": dict(self.settings),
            "files": [[file.path, file.size, file.modified, file.sha256] for file in self.files],
            "examples": list(self.examples),
            "added": self.added,
        }

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Card:
        """The card that `as_values` wrote.

        Raises:
            ValueError: a file holds something else.
        """
        try:
            texts = {key: _text(values[key]) for key in ("name", "description", "target", "origin", "licence", "added")}
            return cls(
                **texts,
                kind=CardKind(values["kind"]),
                settings={_text(key): _text(value) for key, value in values["settings"].items()},
                files=tuple(
                    CardFile(_text(path), int(size), int(modified), _text(sha256))
                    for path, size, modified, sha256 in values["files"]
                ),
                examples=tuple(map(_text, values["examples"])),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no card: {error!r}") from error


def checked_name(name: str) -> str:
    """`name`, if a card may be called so: it becomes the name of a folder.

    Raises:
        ConfigurationError: it may not.

    Example:
        >>> checked_name("tax-law")
        'tax-law'
    """
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"invalid name of a card: {name!r}",
            hint="use lower-case letters, digits, - and _, at most 48, e.g. tax-law",
        )
    return name


def checked_description(description: str) -> str:
    """`description` on one line.

    Raises:
        ConfigurationError: there is none, or it is a book.
    """
    line = " ".join(description.split())
    if not line:
        raise ConfigurationError(
            "a card needs a description: questions are compared with it",
            hint='say what it knows: --description "value added tax in Switzerland"',
        )
    if len(line) > _LONGEST:
        raise ConfigurationError(f"the description has {len(line):,} characters", hint=f"{_LONGEST:,} are the most")
    return line


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text")
    return value


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
