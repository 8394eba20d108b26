"""What the knowledge base gives back: hits, prompts, answers and reports, all frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from connectors.document import Location, MetadataValue

if TYPE_CHECKING:
    from indexes.catalog.filters import Condition

Filters: TypeAlias = "Mapping[str, Condition]"
"""Metadata key → the condition that a document must meet.

A condition is a value, several values of which one must match, or operators with their values:
`{"kind": ["pdf", "docx"], "year": {">=": 2020, "<": 2024}, "uri": {"prefix": "/docs/"}}`.
"""


class Mode(StrEnum):
    """Which signals a search uses."""

    HYBRID = "hybrid"
    SPARSE = "sparse"
    DENSE = "dense"


@dataclass(frozen=True, slots=True)
class Aligned:
    """In late interaction: a query word, the passage word closest to it, and what the pair adds to the signal."""

    query: str
    passage: str
    similarity: float
    weight: float


@dataclass(frozen=True, slots=True)
class DiversityShift:
    """Why diversity put a hit where it is: of those that were left, its MMR score was the greatest.

    mmr_score = (1 - diversity) x normalized_score - diversity x cosine

    Attributes:
        rank_by_score: where its score alone would have put it, from 1.
        normalized_score: its score, from 0 for the least of the candidates to 1 for the best.
        most_similar_rank: the rank of the hit above it that it resembles most; None for the first.
        cosine: its cosine with that hit; 0 for the first.
        mmr_score: what it was chosen by (Carbonell and Goldstein, 1998).
    """

    rank_by_score: int
    normalized_score: float
    most_similar_rank: int | None
    cosine: float
    mmr_score: float


@dataclass(frozen=True, slots=True)
class Signals:
    """The evidence behind a hit; every number is exact for this chunk, none is imputed.

    Attributes:
        bm25: BM25 score (0 when no query term occurs).
        cosine: cosine of query vector and chunk vector, in [-1, 1].
        late: idf-weighted mean over the query's tokens of the best cosine in the chunk, in [-1, 1]; None with an
            encoder that has no token vectors.
        sparse_rank: 1-based place in the BM25 list, None outside it.
        dense_rank: 1-based place in the vector list, None outside it.
        coverage: share of the query's idf mass whose terms occur in the chunk, in [0, 1].
        contributions: what each signal adds to the hit's score; their sum is the score. `feedback` is the cosine
            with the best candidates, `hubness` what is taken off a passage that resembles all of them, `depth` what
            keeps candidates from beyond the pool below it. Where a reranker judged, its score is the only contribution;
            `not_reranked` is what keeps the hits that it did not judge below. `named` is for what the query names.
        log_odds: what each input adds to the log-odds of relevance; `tuning` is what `rag tune` made of their sum,
            `named` what being named does to that.
        terms: with `explain`, what each matching term added to `bm25`.
        aligned: with `explain`, the alignment behind `late`.
        reranker: the score that a reranker gave, on its own scale; None where none judged this hit.
        diversity: with `diversity`, why the hit is where it is; it changes no score.
        named: how the query names the passage: as the definition of a symbol, or as a row; empty where it does not.
    """

    bm25: float
    cosine: float
    late: float | None = None
    sparse_rank: int | None = None
    dense_rank: int | None = None
    coverage: float = 0.0
    contributions: Mapping[str, float] = field(default_factory=dict)
    log_odds: Mapping[str, float] = field(default_factory=dict)
    terms: Mapping[str, float] = field(default_factory=dict)
    aligned: tuple[Aligned, ...] = ()
    reranker: float | None = None
    diversity: DiversityShift | None = None
    named: str = ""


@dataclass(frozen=True, slots=True)
class Copy:
    """Another place where the passage of a hit stands, the same or nearly so (`rag.text.near_duplicates`)."""

    uri: str
    title: str
    location: Location


@dataclass(frozen=True, slots=True)
class Reference:
    """A place where a definition is called, or the definition of what it calls, as found by the name alone.

    Attributes:
        symbol: the definition there: what calls, or is called. Empty outside of any.
        uri: the document.
        line: the line of the call, or of the definition's name; 0 where it is not known.
        name: the name that is called.
        candidates: how many definitions have the name. With more than one it may be another's call, or another one.
    """

    symbol: str
    uri: str
    line: int
    name: str
    candidates: int = 1

    def __str__(self) -> str:
        """It as a line of metadata: `Cart.total /src/cart.py:12`."""
        unsure = f" (1 of {self.candidates})" if self.candidates > 1 else ""
        return f"{self.symbol} {self.uri}:{self.line}{unsure}".strip()


@dataclass(frozen=True, slots=True)
class References:
    """Who calls a definition and what it calls, in its repository; approximate, for they were found by name.

    `more_callers` and `more_callees` are how many were found beyond those told.
    """

    callers: tuple[Reference, ...] = ()
    callees: tuple[Reference, ...] = ()
    more_callers: int = 0
    more_callees: int = 0


@dataclass(frozen=True, slots=True)
class HitReading:
    """What the reader made of a hit for a question.

    Attributes:
        answers: the probability that the passage answers the question.
        start: where the words that answer begin in the hit's `text`.
        end: where they end; as `start` where no words do.
        holds: whether the passage counts as an answer.
        begins: where in `text` what answers may begin, each with how likely it does; the likeliest first.
    """

    answers: float
    start: int
    end: int
    holds: bool
    begins: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk found for a query.

    `score` orders the hits of one search and means nothing beyond it. `relevance` is a calibrated probability that the
    chunk is relevant: thresholds belong on it. `text` is exactly the document's `[location.start:location.end]`;
    `context` is the title and heading path that were indexed with it. `copies` are the other places where the same
    stands, as far as the search came upon them, the oldest first. `references` of a definition are looked up with
    `explain`; then `metadata` has them too, each as a line, under `callers` and `callees`. `reading` is there where the
    hit was read for an answer.
    """

    rank: int
    score: float
    relevance: float
    uri: str
    title: str
    kind: str
    text: str
    context: str
    location: Location
    metadata: Mapping[str, MetadataValue | tuple[str, ...]]
    signals: Signals
    chunk_id: int
    copies: tuple[Copy, ...] = ()
    references: References | None = None
    reading: HitReading | None = None
