"""The options of a search, and its result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import overload

from connectors.errors import ConfigurationError
from rag.query.abbreviations import Abbreviation
from rag.query.entity_linking import EntityLink
from rag.query.spelling import Correction
from rag.reranking.reranker import Reranked, Reranker, Reranking
from rag.retrieval.hit import Filters, Hit, Mode
from rag.retrieval.relevance import DEFAULT_MIN_RELEVANCE

Search = Callable[[str, int], Sequence[Hit]]
"""Searches a knowledge base: a question, and how many hits."""


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """Options for a search.

    Attributes:
        k: how many hits at most.
        mode: `hybrid`, `sparse` (BM25 alone) or `dense` (vectors alone).
        filters: metadata key → a value, several values of which one must match, or operators with their values,
            e.g. `{"kind": ["pdf", "docx"], "year": {">=": 2020}, "uri": {"prefix": "/docs/"}}`.
        min_relevance: leave out hits below this probability.
        explain: also say which terms and words matched.
        reranker: a heavier model that orders the best of what was found: its folder or name, an object of your own, or
            a `Reranking`, which also has its depth, its time and what to do when it fails.
        fold: whether copies of a passage are one hit, with the other places in `Hit.copies`. A copy differs in white
            space, capitals or a few words, never in a number or a negation.
        diversity: how much a hit has to differ from those above it, from 0, not at all, to 1. It moves hits, and
            changes no score.

    Raises:
        ConfigurationError: `k` is below 1, the mode is unknown, or `min_relevance` or `diversity` is outside [0, 1].

    Example:
        >>> SearchOptions(k=3).changed(mode="sparse", explain=None).mode
        <Mode.SPARSE: 'sparse'>
    """

    k: int = 10
    mode: Mode = Mode.HYBRID
    filters: Filters = field(default_factory=dict)
    min_relevance: float = 0.0
    explain: bool = False
    reranker: Reranking | Reranker | str | None = None
    fold: bool = True
    diversity: float = 0.0

    def __post_init__(self) -> None:
        if self.k < 1:
            raise ConfigurationError(
                f"k is {self.k}: there is nothing to return", hint="ask for at least one hit, e.g. -k 5"
            )
        if self.mode not in set(Mode):
            raise ConfigurationError(f"unknown search mode {self.mode!r}", hint=f"choose one of: {', '.join(Mode)}")
        object.__setattr__(self, "mode", Mode(self.mode))
        if not 0.0 <= self.min_relevance <= 1.0:
            raise ConfigurationError(
                f"the relevance threshold {self.min_relevance} is not a probability",
                hint="choose a number from 0 to 1",
            )
        if not 0.0 <= self.diversity <= 1.0:
            raise ConfigurationError(
                f"the diversity {self.diversity} is not between 0 and 1",
                hint="0 is none; 0.5 weighs it as much as the score",
            )

    def changed(self, **options: object) -> SearchOptions:
        """The same with other options; those that are None stay as they are."""
        return replace(self, **{name: value for name, value in options.items() if value is not None})  # type: ignore[arg-type]

    @property
    def reranking(self) -> Reranking | None:
        """The reranker with its budget, None for none."""
        if self.reranker is None or isinstance(self.reranker, Reranking):
            return self.reranker
        return Reranking(self.reranker)


@dataclass(frozen=True, slots=True)
class SearchResult(Sequence[Hit]):
    """The hits of one search, best first: a sequence, with a record of how they were found.

    Attributes:
        hits: the best first.
        timings_ms: where the time went.
        corrections: which words were searched in another spelling.
        min_relevance: below which relevance a hit is no evidence, in the knowledge base as it was searched.
        links: which names of rows the query mentions.
        abbreviations: which of its words were also searched in their other form.
        reranked: what a reranker did, where one was asked for.
    """

    hits: tuple[Hit, ...]
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    corrections: tuple[Correction, ...] = ()
    min_relevance: float = DEFAULT_MIN_RELEVANCE
    reranked: Reranked | None = None
    links: tuple[EntityLink, ...] = ()
    abbreviations: tuple[Abbreviation, ...] = ()

    def __len__(self) -> int:
        return len(self.hits)

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)

    @overload
    def __getitem__(self, place: int) -> Hit: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Hit, ...]: ...
    def __getitem__(self, place: int | slice) -> Hit | tuple[Hit, ...]:
        return self.hits[place]
