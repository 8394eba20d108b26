"""Flags that several verbs share, and what their values mean."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer

from connectors.errors import ConfigurationError


class Mode(StrEnum):
    """The modes of `rag.Mode`, known without importing the library, which `--help` must not wait for."""

    HYBRID = "hybrid"
    SPARSE = "sparse"
    DENSE = "dense"


Json = Annotated[bool, typer.Option("--json", metavar="", help="Print one JSON object instead of text.")]
Filter = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        metavar="KEY=VALUE",
        help="Only documents with this metadata, e.g. kind=pdf. The same key again means or; another key means and.",
    ),
]


def parse_filters(filters: Sequence[str] | None) -> dict[str, list[str]]:
    """The values wanted of each key.

    Raises:
        ConfigurationError: one is not KEY=VALUE.

    Example:
        >>> parse_filters(["kind=pdf", "kind=docx", "year=2024"])
        {'kind': ['pdf', 'docx'], 'year': ['2024']}
    """
    wanted: dict[str, list[str]] = {}
    for given in filters or ():
        key, equals, value = given.partition("=")
        if not key or not equals:
            raise ConfigurationError(f"the filter {given!r} is not KEY=VALUE", hint="write it like --filter kind=pdf")
        wanted.setdefault(key, []).append(value)
    return wanted
