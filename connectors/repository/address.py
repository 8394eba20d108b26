"""The URIs of local repositories: `git:///folder/of/repo.git?rev=v1.0`."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, quote, unquote, urlsplit

from connectors.errors import ConfigurationError

SCHEME = "git"
_CLONE_HINT = "clone it and index the folder; git:///absolute/path names a repository on this disk"


class RepositoryAddress(NamedTuple):
    """The place of a repository, and the revision to read: `HEAD` if empty."""

    path: Path
    rev: str = ""


def address(path: Path, rev: str = "") -> str:
    """The URI; only what would be read as part of a URI is escaped.

    >>> address(Path("/srv/cart.git"), "release/2#1")
    'git:///srv/cart.git?rev=release/2%231'
    """
    return f"{SCHEME}://{_escaped(str(path))}" + (f"?rev={_escaped(rev)}" if rev else "")


def read_address(uri: str) -> RepositoryAddress:
    """What a URI says. Raises `ConfigurationError` for one of another machine.

    >>> read_address("git:///srv/cart.git?rev=release/2%231")
    RepositoryAddress(path=PosixPath('/srv/cart.git'), rev='release/2#1')
    """
    parts = urlsplit(uri)
    path = unquote(parts.path)
    if parts.netloc or not path.startswith("/"):
        raise ConfigurationError(f"{uri}: remote repositories are not supported", hint=_CLONE_HINT)
    return RepositoryAddress(Path(path), parse_qs(parts.query).get("rev", [""])[0])


def _escaped(text: str) -> str:
    special = {"%", "?", "#", "&", "+", ";", *(chr(code) for code in range(33))}
    return "".join(quote(character) if character in special else character for character in text)
