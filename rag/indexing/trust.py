"""Which registered sources this user has registered here: the others are shown, and never opened in silence.

A knowledge base that came from elsewhere can name any server, any variable of the environment as its password, and any
folder of this machine. What lies beside it, in the folder that holds it, came along with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from connectors.database.access.address import DatabaseDialect, parse_address
from connectors.errors import ConfigurationError, SourceError
from connectors.registry import is_database
from connectors.repository.address import read_address
from connectors.repository.opening import is_repository
from connectors.source import Options
from indexes.seals import is_sealed, seal

_KIND = "source"


class ForeignPart(StrEnum):
    """What a knowledge base from elsewhere may hold besides sources that is not used before it is allowed."""

    ENCODER = "encoder"
    TUNING = "tuning"
    DEMONSTRATIONS = "demonstrations"


class Foreign(dict[str, Any]):
    """The options of a source that this user has not registered here."""


def known_options(options: Mapping[str, Options], seals: Mapping[str, str], knowledge_base: Path) -> dict[str, Options]:
    """The options of the registered sources, URI by URI; `Foreign` where somebody else has registered one."""
    return {
        uri: Foreign(given)
        if needs_seal(uri, given, knowledge_base) and not is_sealed(_KIND, _values(uri, given), seals.get(uri, ""))
        else given
        for uri, given in options.items()
    }


def needs_seal(uri: str, options: Options, knowledge_base: Path) -> bool:
    """Whether a source is more than files beside the knowledge base."""
    path = uri
    if is_database(uri):
        try:
            address, _ = parse_address(uri)
        except ConfigurationError:  # a catalog may hold anything
            return True
        if address.dialect is not DatabaseDialect.SQLITE or options.get("user") or options.get("password_from"):
            return True
        path = address.database
    elif is_repository(uri):
        try:
            path = str(read_address(uri).path)
        except ConfigurationError:
            return True
    try:
        beside = knowledge_base.resolve().parent
        # What lies in the user's own folder, or around it, came with nothing.
        return Path.home().resolve().is_relative_to(beside) or not Path(path).resolve().is_relative_to(beside)
    except (OSError, ValueError, RuntimeError):  # no path at all, or no home
        return True


def source_seal(uri: str, options: Options) -> str:
    """The seal of a source, by this user."""
    return seal(_KIND, _values(uri, options))


def check(uri: str, options: Options) -> None:
    """Raise the error of a source that somebody else registered.

    Raises:
        SourceError: somebody else did.
    """
    if isinstance(options, Foreign):
        raise SourceError(
            f"{uri} was not registered by you on this machine", hint="look at it, and allow it, with: rag trust"
        )


def _values(uri: str, options: Options) -> dict[str, Any]:
    return {"uri": uri, "options": dict(options)}
