"""Stores the cards of a knowledge base: one folder each, under `cards/`, beside the catalog."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote

from connectors.errors import ConfigurationError, PilotfishError
from indexes.errors import StoreError
from indexes.files import read_checked, write_checked
from indexes.seals import is_sealed, seal
from indexes.store import CATALOG_FILE
from rag.cards.card import Card, CardError, CardKind, checked_name

FOLDER = "cards"
_FILE = "card.json"
_KIND = "card"
_LARGEST = 4 << 20  # bytes of one card's file


@dataclass(frozen=True, slots=True)
class StoredCard:
    """A card as read from disk; `problem` says why it cannot be asked, and is empty if it can."""

    card: Card
    problem: str = ""
    hint: str = ""

    @property
    def refusal(self) -> CardError:
        """The error of one that cannot be asked, where somebody asks it."""
        return CardError(f"the card {self.card.name!r} cannot be asked: {self.problem}", hint=self.hint)


class CardStore:
    """The cards of one knowledge base. Several processes may use it: cards are added and removed atomically."""

    def __init__(self, knowledge_base: Path) -> None:
        self.folder = knowledge_base / FOLDER

    def names(self) -> list[str]:
        """The names of all cards, in their order."""
        return [name for name in self._folders() if (self.folder / name / _FILE).is_file()]

    def all(self, *, thoroughly: bool = False) -> list[StoredCard]:
        """Every card that can be read; the others are told by `damaged`."""
        found = []
        for name in self.names():
            with suppress(CardError, ConfigurationError):
                found.append(self.get(name, thoroughly=thoroughly))
        return found

    def damaged(self) -> dict[str, PilotfishError]:
        """The cards that cannot be read, by name, and why."""
        why: dict[str, PilotfishError] = {}
        for name in self.names():
            try:
                self.get(name)
            except (CardError, ConfigurationError) as error:
                why[name] = error
        return why

    def get(self, name: str, *, thoroughly: bool = False) -> StoredCard:
        """The card called `name`; `thoroughly` reads every byte of the files that it stands on.

        Raises:
            ConfigurationError: there is none.
            CardError: its file is damaged.
        """
        if name not in self.names():
            raise self._unknown(name)
        home = self.folder / name
        try:
            card, code = _read(home / _FILE)
        except FileNotFoundError:  # it was removed meanwhile
            raise self._unknown(name) from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CardError(
                f"the card {name!r} is damaged: {error}",
                hint=f"remove it, and add it again: rag card remove {quote(name)}",
            ) from error
        return StoredCard(card, *_problem(card, code, home, thoroughly=thoroughly))

    def add(self, card: Card, *, payload: Path | None = None) -> Card:
        """Keep `card`; `payload` is a folder of its own files, which becomes its folder.

        Raises:
            ConfigurationError: there is one of that name.
            StoreError: it cannot be written.
        """
        home = self.folder / checked_name(card.name)
        if home.exists():
            raise ConfigurationError(
                f"the card {card.name!r} already exists", hint=f"choose another name, or: rag card remove {card.name}"
            )
        card = card if card.added else replace(card, added=datetime.now(UTC).isoformat(timespec="seconds"))
        try:
            draft = payload or self.draft()
            write_checked(draft / _FILE, {"card": card.as_values(), "seal": seal(_KIND, card.as_values())})
            draft.rename(home)
        except OSError as error:
            raise StoreError(
                f"the card {card.name!r} cannot be stored in {self.folder}: {error.strerror}",
                hint="check its permissions and the disk's free space",
            ) from error
        return card

    def trust(self, name: str) -> Card:
        """Seal a card that came with the knowledge base; it is asked from now on.

        Raises:
            ConfigurationError: there is none.
            CardError: its file is damaged.
        """
        card = self.get(name).card
        write_checked(self.folder / name / _FILE, {"card": card.as_values(), "seal": seal(_KIND, card.as_values())})
        return card

    def remove(self, name: str) -> None:
        """Forget the card called `name`, with the files that are kept here.

        Raises:
            ConfigurationError: there is none.
        """
        if name not in self._folders():  # of those that are there: one that was renamed need not be a legal name
            raise self._unknown(name)
        home = self.folder / name
        gone = Path(tempfile.mkdtemp(dir=self.folder, prefix=".gone-"))
        home.rename(gone / name)  # at once for everybody, whatever happens to the files after that
        shutil.rmtree(gone, ignore_errors=True)

    def draft(self) -> Path:
        """A new folder, on the same disk, for the files of a card to be."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(dir=self.folder, prefix=".new-"))

    def _folders(self) -> list[str]:
        """What lies on the shelf, but for drafts and what is being removed."""
        with suppress(FileNotFoundError, NotADirectoryError), os.scandir(self.folder) as entries:
            return sorted(
                entry.name
                for entry in entries
                if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)
            )
        return []

    def _unknown(self, name: str) -> ConfigurationError:
        there = ", ".join(self.names())
        return ConfigurationError(
            f"there is no card {name!r}", hint=f"there are: {there}" if there else "rag card add NAME TARGET adds one"
        )


def _read(path: Path) -> tuple[Card, str]:
    """The card in a file, and its seal."""
    values = read_checked(path, most_bytes=_LARGEST)
    card = Card.from_values(values["card"])
    if card.name != path.parent.name:
        raise ValueError(f"it is called {card.name!r}")
    return card, str(values["seal"])


def _problem(card: Card, code: str, home: Path, *, thoroughly: bool) -> tuple[str, str]:
    if not is_sealed(_KIND, card.as_values(), code):
        hint = f"look at it with `rag card show {card.name}`; if it is what you want: rag card trust {card.name}"
        return "you did not add it on this machine", hint
    if card.kind is CardKind.KB and not (Path(card.target) / CATALOG_FILE).is_file():
        gone = f"there is no knowledge base in {card.target}"
        return gone, f"put it back, or remove the card: rag card remove {card.name}"
    for file in card.files:
        try:
            file.verify(home, thoroughly=thoroughly)
        except CardError as error:
            return str(error), f"{error.hint}: rag card remove {card.name}"
    return "", ""
