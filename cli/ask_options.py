"""The flags of `rag ask` and `rag chat` that decide how an answer is made."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from cli.options import Fallback, Filter, RerankDepth, Reranker, RerankSeconds, parse_filters, reranking
from connectors.errors import ConfigurationError

if TYPE_CHECKING:
    from rag import AskOptions, KnowledgeBase

QUOTING = "extractive"  # the LLM that quotes: all of its answer is there at once
_MODEL = "The model"
_BESIDE = "In addition to the passages found"


class CardsOption(StrEnum):
    """The integrations of `rag.cards.consulting`, copied here so that `--help` need not import the library."""

    BOTTOM_UP = "bottom-up"
    TOP_DOWN = "top-down"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Asking:
    """How an answer is made, and by which model. Each field is a flag."""

    llm: Annotated[
        str,
        typer.Option(
            metavar="SPEC",
            help="Who writes the answer: extractive (no model: quotes the best sentences), local (a small model on "
            "this machine), local:FILE.gguf, openai:MODEL, or package.module:object.",
        ),
    ] = QUOTING
    base_url: Annotated[
        str | None, typer.Option(metavar="URL", help="The server of openai:MODEL, if it is not OpenAI's.")
    ] = None
    k: Annotated[int | None, typer.Option("-k", metavar="N", help="The most passages it may use.")] = None
    budget: Annotated[int | None, typer.Option(metavar="TOKENS", help="The most tokens the prompt may have.")] = None
    min_relevance: Annotated[
        float | None, typer.Option(metavar="P", help="How relevant evidence must be: a probability from 0 to 1.")
    ] = None
    read_seconds: Annotated[
        float | None,
        typer.Option(metavar="S", min=0, help="How long the reader may read what was found; 0 leaves it out."),
    ] = None
    filters: Filter = None
    reranker: Reranker = None
    rerank_depth: RerankDepth = None
    rerank_seconds: RerankSeconds = None
    fallback: Fallback = False
    sql: Annotated[
        bool | None,
        typer.Option(
            "--sql/--no-sql",
            metavar="",
            show_default=False,
            help="Also ask a registered database, with SQL that the model writes. By default if the hits concern it "
            "and the model is a large one.",
        ),
    ] = None
    template: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Use another prompt: an edited copy of rag/prompting/prompt.txt.",
            rich_help_panel=_MODEL,
        ),
    ] = None
    window: Annotated[
        int | None,
        typer.Option(
            metavar="TOKENS", help="How many tokens the model can read, if it does not say.", rich_help_panel=_MODEL
        ),
    ] = None
    prices: Annotated[
        str | None,
        typer.Option(
            metavar="SENT/GIVEN",
            help="Price of a million tokens, e.g. 0.15/0.60. Shows the cost.",
            rich_help_panel=_MODEL,
        ),
    ] = None
    cache: Annotated[
        bool,
        typer.Option("--cache", metavar="", help="Keep replies, and reuse them.", rich_help_panel=_MODEL),
    ] = False
    parts: Annotated[
        bool,
        typer.Option(
            "--parts/--no-parts",
            metavar="",
            help="Also search for the parts of the question that the passages leave open.",
            rich_help_panel=_BESIDE,
        ),
    ] = True
    cards: Annotated[
        CardsOption,
        typer.Option(
            help="bottom-up asks every knowledge card; top-down lets the model say whether it needs one.",
            rich_help_panel=_BESIDE,
        ),
    ] = CardsOption.BOTTOM_UP
    card: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Ask only this card. May be repeated.", rich_help_panel=_BESIDE),
    ] = None
    demos: Annotated[
        bool | None,
        typer.Option(
            "--demos/--no-demos",
            metavar="",
            show_default=False,
            help="Show the model the solved examples closest to the question. By default unless the model is small.",
            rich_help_panel=_BESIDE,
        ),
    ] = None

    def options(self, base: KnowledgeBase) -> AskOptions:
        """What the flags ask for of the knowledge base `base`.

        Raises:
            ConfigurationError: one of them means nothing.
        """
        from rag import AskOptions
        from rag.cards import CardUse, Integration
        from rag.llm import CACHE_FILE

        given = {"k": self.k, "read_seconds": self.read_seconds}
        limits: dict[str, Any] = {flag: value for flag, value in given.items() if value is not None}
        return AskOptions(
            **limits,
            min_relevance=self.min_relevance,
            budget=self.budget,
            filters=parse_filters(self.filters),
            base_url=self.base_url,
            reranking=reranking(self.reranker, self.rerank_depth, self.rerank_seconds, fallback=self.fallback),
            sql=self.sql,
            parts=self.parts,
            cards=CardUse(Integration(self.cards.value), tuple(self.card or ())),
            demonstrations=self.demos,
            template=self.template,
            window=self.window,
            prices=_prices(self.prices),
            cache=base.path / CACHE_FILE if self.cache else None,
        )


def takes_asking(verb: Callable[..., None]) -> Callable[..., None]:
    """Have a verb take a flag for each field of `Asking`, and get them as its argument `asking`."""
    hints = get_type_hints(Asking, include_extras=True)
    flags = [
        inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name]
        )
        for field in fields(Asking)
    ]

    @wraps(verb)
    def taking(**given: Any) -> None:
        asking = Asking(**{flag.name: given.pop(flag.name) for flag in flags})
        verb(**given, asking=asking)

    own = inspect.signature(verb, eval_str=True).parameters.values()
    taken = [flag for each in own for flag in (flags if each.name == "asking" else [each])]
    taking.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # this is what typer makes flags of
        [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in taken]
    )
    return taking


def _prices(given: str | None) -> tuple[float, float] | None:
    """Two prices parted by a slash.

    Raises:
        ConfigurationError: they are not.
    """
    if given is None:
        return None
    try:
        sent, written = map(float, given.split("/"))
    except ValueError:
        raise ConfigurationError(
            f"the prices {given!r} are not two numbers",
            hint="name the price of a million tokens sent and of a million received: 0.15/0.60",
        ) from None
    return sent, written
