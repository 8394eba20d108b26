"""Opens the committed files of a repository, if the user's input names any."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from connectors.errors import ConfigurationError
from connectors.repository.address import SCHEME, read_address
from connectors.repository.repository import bare_repository
from connectors.source import Options

if TYPE_CHECKING:
    from connectors.repository.committed import CommittedSource

_PREFIX = f"{SCHEME}://"


def is_repository(spec: str) -> bool:
    """Whether it is the URI of a repository."""
    return spec.lower().startswith(_PREFIX)


def open_committed(spec: str, options: Options) -> CommittedSource | None:
    """The source where `spec` is a repository's URI or bare, or the option `rev` asks for a revision; None elsewhere.

    Raises `ConfigurationError` for a repository on another machine.
    """
    given = {name: value for name, value in options.items() if name != "rev"}
    rev = options.get("rev") or ""
    if not isinstance(rev, str):
        raise ConfigurationError(f"{rev!r} is not a revision", hint="name a branch, a tag or a commit")
    if is_repository(spec):
        path, named = read_address(spec)
        rev = rev or named
    else:
        path = Path(spec).expanduser()
        if not rev and bare_repository(path) is None:
            return None
    from connectors.repository.committed import CommittedSource

    return CommittedSource(path, rev=rev, **given)  # type: ignore[arg-type]
