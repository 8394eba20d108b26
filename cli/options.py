"""Flags that several verbs share, and what their values mean."""

from __future__ import annotations

import re
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
        help="Only documents with this metadata, e.g. kind=pdf, year>=2020 or uri=/docs/*. The same key with = again "
        "means or; all else means and.",
    ),
]


def parse_filters(filters: Sequence[str] | None) -> dict[str, dict[str, list[str]]]:
    """The condition on each key: operators and their values.

    Raises:
        ConfigurationError: one is no filter.

    Example:
        >>> parse_filters(["kind=pdf", "kind=docx", "year>=2020", "uri=/docs/*"])
        {'kind': {'=': ['pdf', 'docx']}, 'year': {'>=': ['2020']}, 'uri': {'prefix': ['/docs/']}}
    """
    wanted: dict[str, dict[str, list[str]]] = {}
    for given in filters or ():
        match = _FILTER.fullmatch(given)
        if match is None:
            raise ConfigurationError(
                f"the filter {given!r} is not KEY=VALUE", hint="write it like kind=pdf, year>=2020 or uri=/docs/*"
            )
        key, operator, value = match.groups()
        if operator == "=" and value.endswith("*"):
            operator, value = "prefix", value[:-1]
        wanted.setdefault(key, {}).setdefault(operator, []).append(value)
    return wanted


_FILTER = re.compile(r"(.+?)(>=|<=|=|>|<)(.*)", re.DOTALL)
