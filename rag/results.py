"""What the knowledge base gives back: hits, prompts, answers and reports, all frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from connectors.document import Location, MetadataValue

if TYPE_CHECKING:
    from indexes.filters import Condition
    from rag.cards.consulting import Consultation
    from rag.decomposition import Part
    from rag.follow_up import Standalone
    from rag.sql.answering import SqlAnswer
    from rag.tuned import Tuning

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
class Moved:
    """Why diversity put a hit where it is: of those that were left, its worth was the greatest.

    worth = (1 - diversity) x standing - diversity x cosine

    Attributes:
        place: where its score alone would have put it, from 1.
        standing: its score, from 0 for the least of the candidates to 1 for the best.
        like: the rank of the hit above it that it resembles most; None for the first.
        cosine: its cosine with that hit; 0 for the first.
        worth: what it was chosen by.
    """

    place: int
    standing: float
    like: int | None
    cosine: float
    worth: float


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
        addends: what each signal adds to the hit's score; their sum is the score. `likeness` is the cosine with the
            best candidates, `hubness` what is taken off a passage that resembles all of them, `depth` what keeps
            candidates from beyond the pool below it. Where a reranker judged, its score is the only addend;
            `unreached` is what keeps the hits that it did not judge below. `named` is for what the query names.
        log_odds: what each input adds to the log-odds of relevance; `tuning` is what `rag tune` made of their sum,
            `named` what being named does to that.
        terms: with `explain`, what each matching term added to `bm25`.
        aligned: with `explain`, the alignment behind `late`.
        reranker: the score that a reranker gave, on its own scale; None where none judged this hit.
        moved: with `diversity`, why the hit is where it is; it changes no score.
        named: how the query names the passage: as the definition of a symbol, or as a row; empty where it does not.
    """

    bm25: float
    cosine: float
    late: float | None = None
    sparse_rank: int | None = None
    dense_rank: int | None = None
    coverage: float = 0.0
    addends: Mapping[str, float] = field(default_factory=dict)
    log_odds: Mapping[str, float] = field(default_factory=dict)
    terms: Mapping[str, float] = field(default_factory=dict)
    aligned: tuple[Aligned, ...] = ()
    reranker: float | None = None
    moved: Moved | None = None
    named: str = ""


@dataclass(frozen=True, slots=True)
class Copy:
    """Another place where the passage of a hit stands, the same or nearly so (`rag.duplicates`)."""

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
class Hit:
    """A chunk found for a query.

    `score` orders the hits of one search and means nothing beyond it. `relevance` is a calibrated probability that the
    chunk is relevant: thresholds belong on it. `text` is exactly the document's `[location.start:location.end]`;
    `context` is the title and heading path that were indexed with it. `copies` are the other places where the same
    stands, as far as the search came upon them, the oldest first. `references` of a definition are looked up with
    `explain`; then `metadata` has them too, each as a line, under `callers` and `callees`.
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


@dataclass(frozen=True, slots=True)
class Reranked:
    """What a reranker did for one search.

    Attributes:
        model: which one.
        candidates: how many it was to judge.
        reached: how many it judged in its time.
        failure: why it judged none, where it could not be loaded or failed; empty otherwise.
    """

    model: str
    candidates: int
    reached: int
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One message for the LLM: role `system` or `user`, and its text."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class PromptSource:
    """A numbered source in a prompt; `text` is what the LLM sees of the hit (whole sentences of it).

    `spans` are the stretches of `hit.text` that are shown; `text` is they, with a sign for what is left out between.
    """

    number: int
    hit: Hit
    text: str
    spans: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """One question of a conversation, as it was asked, and its answer."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Demonstration:
    """A solved example: it shows the LLM how to answer, and is no evidence. `similarity` is its cosine, in [-1, 1]."""

    question: str
    answer: str
    similarity: float = 0.0


@dataclass(frozen=True, slots=True)
class Background:
    """What the card named `card` says and the knowledge base neither supports nor contradicts: never a source.

    `origin` is where that stands, for people, where the card knows.
    """

    card: str
    text: str
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Unverified:
    """A sentence of an answer that no source supports, and the words of a card that do. Nobody has checked those."""

    sentence: str
    rests_on: Background


class PromptPart(StrEnum):
    """What a prompt is made of beside its instructions and the question."""

    SOURCE = "source"
    BACKGROUND = "background"
    DEMONSTRATION = "demonstration"
    HISTORY = "history"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What did not reach the prompt, and why.

    Attributes:
        reason: why.
        part: what it would have been in the prompt.
        uri: the document of a hit.
        location: where in it.
        text: of a hit its title, of background its card, of a demonstration or an earlier turn the question.
    """

    reason: str
    part: PromptPart
    uri: str = ""
    location: Location | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Prompt:
    """The messages for the LLM, what is in them beside the question, and what was left out and why.

    `fence` is the name of the tags around all that is quoted; it occurs in none of it.
    """

    messages: tuple[Message, ...]
    sources: tuple[PromptSource, ...]
    left_out: tuple[LeftOut, ...]
    tokens: int
    background: tuple[Background, ...] = ()
    demonstrations: tuple[Demonstration, ...] = ()
    history: tuple[Turn, ...] = ()
    fence: str = ""


class Verdict(StrEnum):
    """What the check of a citation, or of a sentence, found.

    SUPPORTED: the source says it. UNSUPPORTED: neither the source nor another one does. MISATTRIBUTED: another source
    does. NO_SUCH_SOURCE: there is no source of this number. UNCHECKED: it was not judged, or could not be. UNVERIFIED,
    of a sentence: no source says it, a knowledge card does.
    """

    SUPPORTED = "supported"
    UNSUPPORTED = "unsupported"
    MISATTRIBUTED = "misattributed"
    NO_SUCH_SOURCE = "no such source"
    UNCHECKED = "unchecked"
    UNVERIFIED = "unverified"


@dataclass(frozen=True, slots=True)
class Citation:
    """One `[n]` of an answer, checked: does source n exist, and does it support the sentence that cites it?

    Attributes:
        number: as the model wrote it.
        sentence: the answer's sentence that carries the mark, as shown.
        supported: whether source `number` supports it.
        uri: the document of source `shown`; empty where there is none, as are `location` and `quote`.
        location: the exact place of `quote`.
        quote: the best supporting sentence of source `shown`, verbatim.
        verdict: what the check found.
        moved_to: the source that supports the sentence where source `number` does not, or does not exist; the text of
            the answer names this one. None where the mark was left as it was.
        added: whether the model cited nothing, and the citation was found for it.
    """

    number: int
    sentence: str
    supported: bool
    uri: str = ""
    location: Location | None = None
    quote: str = ""
    verdict: Verdict = Verdict.UNSUPPORTED
    moved_to: int | None = None
    added: bool = False

    @property
    def shown(self) -> int:
        """The number in the text of the answer."""
        return self.number if self.moved_to is None else self.moved_to


@dataclass(frozen=True, slots=True)
class Usage:
    """What the LLM was sent and gave back: tokens, estimated where the model does not report them, and their price.

    Attributes:
        prompt_tokens: sent.
        completion_tokens: given back.
        cost: what they cost, in the currency of the prices; None where no prices were given.
        cached: the reply was kept from an earlier time, and nothing was sent to anybody.

    Example:
        >>> Usage(10, 2, cost=0.5) + Usage(5, 1)
        Usage(prompt_tokens=15, completion_tokens=3, cost=0.5, cached=False)
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None
    cached: bool = False

    def __add__(self, other: Usage) -> Usage:
        """Both together; `cached` only where both were."""
        costs = [usage.cost for usage in (self, other) if usage.cost is not None]
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            sum(costs) if costs else None,
            self.cached and other.cached,
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with its checked citations.

    `abstained` is True when no evidence passed the relevance threshold: `text` then says so and names the nearest
    sources. `text` has the numbers of misattributed marks put right, `written` is what the model wrote, less the fences
    of its prompt that it echoed, and `marked` flags every sentence in `unsupported` (no source supports it),
    `unverified` (only a card does) and `unchecked`.
    `confidence` is in [0, 1].
    `reranked` tells what a reranker did, where one was asked for; `sql` what a database gave, where one was asked too.
    `standalone` is the question as it was searched for, `expansions` what glossaries added to it, `parts` what was
    searched for beside it. `cards` tell what became of each knowledge card, `card_topic` what the LLM wanted of them.
    """

    question: str
    text: str
    abstained: bool
    citations: tuple[Citation, ...]
    sources: tuple[PromptSource, ...]
    hits: tuple[Hit, ...]
    confidence: float
    usage: Usage
    unsupported: tuple[str, ...] = ()
    prompt: Prompt | None = None
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    reranked: Reranked | None = None
    sql: SqlAnswer | None = None
    unchecked: tuple[str, ...] = ()
    marked: str = ""
    written: str = ""
    standalone: Standalone | None = None
    expansions: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    cards: tuple[Consultation, ...] = ()
    card_topic: str | None = None
    unverified: tuple[Unverified, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """A source or document that could not be read, with the reason and what to do."""

    uri: str
    error: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What a run of `index` or `remove` did; counts are documents unless the name says otherwise.

    `notes` say what sources left out on purpose, a line each; `news` are those that their last run did not say.
    """

    added: int
    changed: int
    unchanged: int
    removed: int
    failures: tuple[Failure, ...]
    chunks_added: int
    chunks_removed: int
    chunks_total: int
    embedded: int
    seconds: float
    generation: int
    notes: tuple[str, ...] = ()
    news: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """One registered source; `facts` are the state of it that was read last (of a repository, its commit; `notes`)."""

    uri: str
    documents: int
    chunks: int
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Status:
    """The state of a knowledge base; `sizes` maps a part to its bytes, `tuning` is false where all is default."""

    path: str
    generation: int
    schema_version: int
    documents: int
    chunks: int
    encoder: str
    sources: tuple[SourceStatus, ...]
    sizes: Mapping[str, int]
    tuning: Tuning
