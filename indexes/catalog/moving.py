"""A knowledge base that was moved or copied with the folder that holds it: the sources in there are those it reads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from connectors.database.access.address import DatabaseDialect, parse_address
from connectors.errors import ConfigurationError
from connectors.registry import is_database
from connectors.repository.address import address, read_address
from connectors.repository.opening import is_repository
from indexes.catalog.reading import HOME, Reading


class Move(NamedTuple):
    """What the names of a source and of its documents began with, and begin with now."""

    before: str
    now: str

    def __call__(self, uri: str) -> str:
        """The name of what was called `uri`: another one where it was in the source."""
        inside = uri == self.before or uri.startswith(tuple(self.before + mark for mark in "/?#"))
        return self.now + uri[len(self.before) :] if inside else uri


def moved(reading: Reading, home: Path) -> dict[str, Move]:
    """URI → what is different, of the sources of a catalog that moved with it to the folder `home`."""
    uris = reading.source_uris()
    return {uri: move for uri, move in moves(uris, reading.setting(HOME), home).items() if move(uri) not in uris}


def moves(uris: Iterable[str], before: str, now: Path) -> dict[str, Move]:
    """URI → what is different, of the sources that were below the folder `before` and are below `now`.

    Of a folder that is the same under another name, there are none.

    Example:
        >>> import tempfile
        >>> now = Path(tempfile.mkdtemp())
        >>> (now / "docs").mkdir()
        >>> found = moves(["/old/docs", "/old/lost", "/elsewhere/docs"], "/old", now)
        >>> [(uri, move("/old/docs/a.md") == f"{now}/docs/a.md") for uri, move in found.items()]
        [('/old/docs', True)]
    """
    if not before or before == str(now) or _is_same(before, now):
        return {}
    found = {uri: _move(uri, Path(before), now) for uri in uris}
    return {uri: move for uri, move in found.items() if move is not None}


def _move(uri: str, before: Path, now: Path) -> Move | None:
    """None for what was elsewhere, or is not there."""
    try:
        name, path, named = _place(uri)
        if ".." in path.parts:
            return None
        there = now / path.relative_to(before)
        return Move(name, named(there)) if os.path.lexists(there) else None
    except (ConfigurationError, ValueError):  # elsewhere, on a server, or nonsense: a catalog may hold anything
        return None


def _place(uri: str) -> tuple[str, Path, Callable[[Path], str]]:
    """What a source and its documents are called, the file or folder behind it, and what another one is called.

    Raises:
        ConfigurationError, ValueError: there is no file behind it.
    """
    if is_database(uri):
        database, _ = parse_address(uri)
        if database.dialect is not DatabaseDialect.SQLITE:
            raise ValueError(uri)
        return database.uri, Path(database.database), _sqlite_uri
    if is_repository(uri):
        place = read_address(uri).path
        return address(place), place, address
    return uri, Path(uri), str


def _sqlite_uri(file: Path) -> str:
    return parse_address(f"sqlite:///{quote(str(file))}")[0].uri


def _is_same(before: str, now: Path) -> bool:
    try:
        return now.samefile(before)
    except (OSError, ValueError):
        return False
