"""Finds the registered source that a caller's name refers to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from connectors.errors import ConfigurationError, SourceError
from connectors.source import Options, Source
from rag.indexing.trust import check


def as_source(spec: str | Path | Source, options: Mapping[str, Options]) -> Source:
    """The source meant by `spec`; one that is registered is opened as it was then.

    Raises:
        SourceError: somebody else registered it.
    """
    from connectors.registry import open_source

    if not isinstance(spec, str | Path):
        return spec
    source = open_source(str(spec))
    registered = options.get(source.uri)
    if registered:  # of nothing, nothing is taken but what the caller has named
        check(source.uri, registered)
    return open_source(str(spec), registered) if registered else source


def reopened(uri: str, options: Mapping[str, Options]) -> Source:
    """The registered source `uri`.

    Raises:
        SourceError: somebody else registered it; or a program made it, and only that program can read it again.
    """
    check(uri, options[uri])
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
