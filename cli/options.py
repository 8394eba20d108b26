"""Flags that several verbs share, and how their values are parsed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connectors.errors import ConfigurationError

if TYPE_CHECKING:
    from rag import Reranking


class ModeOption(StrEnum):
    """The modes of `rag.Mode`, copied here so that `--help` need not import the library."""

    HYBRID = "hybrid"
    SPARSE = "sparse"
    DENSE = "dense"


Json = Annotated[bool, typer.Option("--json", metavar="", help="Print one JSON object instead of text.")]
Filter = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        metavar="KEY=VALUE",
        help="Only documents with this metadata, e.g. kind=pdf, year>=2020 or uri=/docs/*. May be repeated: the same "
        "key with = means or, anything else means and.",
    ),
]

_RERANKING = "A heavier reranker"
Reranker = Annotated[
    str | None,
    typer.Option(
        "--reranker",
        metavar="SPEC",
        help="A model that reorders the best hits: the folder or name of a cross-encoder or multi-vector model "
        "(extra: models).",
        rich_help_panel=_RERANKING,
    ),
]
RerankDepth = Annotated[
    int | None,
    typer.Option("--rerank-depth", metavar="N", help="How many hits it judges (20).", rich_help_panel=_RERANKING),
]
RerankSeconds = Annotated[
    float | None,
    typer.Option(
        "--rerank-seconds",
        metavar="S",
        help="The most seconds it may take per question (5).",
        rich_help_panel=_RERANKING,
    ),
]
Fallback = Annotated[
    bool,
    typer.Option("--fallback", metavar="", help="Continue without it if it fails.", rich_help_panel=_RERANKING),
]


def reranking(model: str | None, depth: int | None, seconds: float | None, *, fallback: bool) -> Reranking | None:
    """What the flags of a reranker ask for.

    Raises:
        ConfigurationError: there is no reranker for the other flags, or nothing that it could judge.
    """
    if model is None:
        given = {"--rerank-depth": depth is not None, "--rerank-seconds": seconds is not None, "--fallback": fallback}
        for flag in (name for name, is_given in given.items() if is_given):
            raise ConfigurationError(f"{flag} needs --reranker", hint="name a model: --reranker SPEC")
        return None
    from rag import Reranking

    chosen: dict[str, Any] = {
        name: value for name, value in {"depth": depth, "seconds": seconds}.items() if value is not None
    }
    return Reranking(model, fallback=fallback, **chosen)


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
