"""Finds the registered source that a caller's name refers to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from connectors.errors import ConfigurationError, SourceError
from connectors.source import Options, Source


def as_source(spec: str | Path | Source, options: Mapping[str, Options]) -> Source:
    """The source meant by `spec`; one that is registered is opened as it was then."""
    from connectors.registry import open_source

    if not isinstance(spec, str | Path):
        return spec
    source = open_source(str(spec))
    registered = options.get(source.uri)
    return open_source(str(spec), registered) if registered else source


def reopened(uri: str, options: Mapping[str, Options]) -> Source:
    """The registered source `uri`.

    Raises:
        SourceError: a program made it, and only that program can read it again.
    """
    try:
        source = as_source(uri, options)
    except ConfigurationError:
        source = None
    if source is None or source.uri != uri:
        raise SourceError(
            f"{uri} cannot be opened by its name; its indexed documents are kept",
            hint="pass the source object itself to `KnowledgeBase.index`, or forget it with `rag remove`",
        )
    return source


def shown_name(spec: str | Path | Source) -> str:
    """What a source is called where people see it: an address that was typed may hold a password."""
    from connectors.registry import public_name

    return public_name(str(spec)) if isinstance(spec, str | Path) else spec.uri
