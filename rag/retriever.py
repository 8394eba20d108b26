"""Hybrid retrieval: BM25 and vectors find the pool, every candidate gets every score, late interaction refines."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from connectors.errors import ConfigurationError
from indexes.analyzer import QueryTerm, analyze, query_terms
from indexes.filters import Condition
from indexes.late import maxsim
from indexes.reading import Ids
from indexes.rows import StoredChunk
from indexes.store import Store, View
from rag.calibration import Features, relevance
from rag.explanation import aligned_words, term_scores
from rag.results import Aligned, Hit, Mode, Signals
from rag.spelling import Correction, Respelled, respell
from rag.term_weights import idf, piece_weight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from indexes.encoder import EncodedQuery, Encoder

Scores = npt.NDArray[np.float64]

MAX_QUERY_TERMS = 64  # of a longer query, the rarest terms count
LATE_SECONDS = 0.15  # for token vectors made at query time, where none are stored
_ENCODED_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Ranking:
    """The fixed formula of the hybrid mode: a weighted sum of every candidate's own scores.

    No score is standardised over the candidates, so the hits of the pool score the same whatever else was found; what
    only a `k` beyond the pool brings in comes after them. BM25 adds up over the query's terms, and is divided by the
    root of their idf mass.

    Attributes:
        pool: how deep each list is read; every candidate found gets every score.
        sparse_weight: weight of the BM25 score.
        dense_weight: weight of the cosine.
        late_weight: weight of late interaction.
        spelling: whether a word that no passage has is searched as the nearest word that some passage has.
    """

    pool: int = 50
    sparse_weight: float = 0.1
    dense_weight: float = 1.0
    late_weight: float = 1.0
    spelling: bool = True


@dataclass(frozen=True, slots=True)
class Found:
    """The hits of one search, where its time went (milliseconds), and which words were searched in another spelling."""

    hits: tuple[Hit, ...]
    timings_ms: Mapping[str, float]
    corrections: tuple[Correction, ...] = ()


@dataclass(frozen=True, slots=True)
class _Query:
    """A query as the indexes see it: its terms, the inverse document frequency of each, and its encoding.

    `mistyped` is the idf mass of words that are nowhere, and were searched in another spelling.
    """

    text: str
    idf: Mapping[QueryTerm, float]
    mistyped: float
    encoded: EncodedQuery
    token_weights: npt.NDArray[np.float32]

    @property
    def stems(self) -> list[str]:
        return [stem for term in self.idf for stem in term.stems]

    @property
    def idf_mass(self) -> float:
        return sum(self.idf.values())


@dataclass(slots=True)
class _Pool:
    """The candidates, each with every score; `late` is NaN where it was not computed."""

    ids: Ids
    bm25: npt.NDArray[np.float32]
    cosine: npt.NDArray[np.float32]
    sparse_rank: Mapping[int, int]
    dense_rank: Mapping[int, int]
    late: npt.NDArray[np.float32] = field(init=False)
    score: Scores = field(init=False)

    def __post_init__(self) -> None:
        self.late = np.full(len(self.ids), np.nan, np.float32)


class Retriever:
    """Searches a store."""

    def __init__(self, store: Store, ranking: Ranking | None = None) -> None:
        self._store = store
        self._ranking = ranking or Ranking()
        self._beside = ThreadPoolExecutor(thread_name_prefix="search")

    def search(
        self,
        query: str,
        k: int,
        *,
        mode: Mode = Mode.HYBRID,
        filters: Mapping[str, Condition] | None = None,
        min_relevance: float = 0.0,
        explain: bool = False,
    ) -> Found:
        """Find the best `k` chunks for `query`, best first.

        Raises:
            ConfigurationError: for an empty query, `k` below 1, or `min_relevance` outside [0, 1].
            ConfigurationError: for an unknown filter key.
        """
        _check(query, k, min_relevance)
        clock = _Clock()
        with self._encoded(query, clock) as (view, encoder, respelled, encoded):
            with clock("retrieve"):
                prepared = _prepare(respelled, encoded, view)
                pool = self._pool(prepared, view, mode, k, filters or {})
            with clock("late"):
                self._rank(pool, prepared, view, encoder, mode, k)
            with clock("hits"):
                order = _best(pool, k)
                hits = _hits(pool, order, prepared, view, encoder, explain=explain)
        kept = tuple(hit for hit in hits if hit.relevance >= min_relevance)
        return Found(kept, clock.timings(), respelled.corrections)

    @contextmanager
    def _encoded(self, query: str, clock: _Clock) -> Iterator[tuple[View, Encoder, Respelled, EncodedQuery]]:
        """A view, its encoder, the query in the view's spelling, and that encoded."""
        while True:
            encoder = self._store.encoder
            with self._store.view() as view:
                if view.encoder == encoder.fingerprint:  # otherwise it was changed meanwhile
                    with clock("spell"):
                        respelled = respell(query, view) if self._ranking.spelling else Respelled(query)
                    with clock("encode"):
                        encoded = encoder.encode_query(respelled.text)
                    yield view, encoder, respelled, encoded
                    return

    def _pool(self, query: _Query, view: View, mode: Mode, k: int, filters: Mapping[str, Condition]) -> _Pool:
        depth = max(self._ranking.pool, k)
        mask = view.mask(filters)
        sparse, vector = view.indexes.sparse, query.encoded.vector
        # The sparse index works beside the dense one: tantivy needs no interpreter lock.
        words = self._beside.submit(sparse.search, query.stems, depth if mode is not Mode.DENSE else 0, mask)
        by_vector, near = view.nearest(vector, depth if mode is not Mode.SPARSE else 0, mask)
        by_words, _ = words.result()
        ids = np.union1d(by_words, by_vector).astype(np.int64)
        bm25 = self._beside.submit(sparse.scores, query.stems, ids)
        cosine = np.empty(len(ids), np.float32)
        known = np.isin(ids, by_vector, assume_unique=True)
        cosine[known] = near[np.argsort(by_vector)]
        cosine[~known] = view.cosines(vector, ids[~known])
        return _Pool(
            ids=ids,
            bm25=bm25.result(),
            cosine=cosine,
            sparse_rank={key: rank for rank, key in enumerate(by_words.tolist(), 1)},
            dense_rank={key: rank for rank, key in enumerate(by_vector.tolist(), 1)},
        )

    def _rank(self, pool: _Pool, query: _Query, view: View, encoder: Encoder, mode: Mode, k: int) -> None:
        """Set `pool.score`, and `pool.late` for all candidates, or for those that will be hits if it orders nothing."""
        if mode is not Mode.HYBRID:
            pool.score = (pool.bm25 if mode is Mode.SPARSE else pool.cosine).astype(np.float64)
            _add_late(pool, _best(pool, k), query, view, encoder)
            return
        pool.score = self._ranking.sparse_weight * pool.bm25.astype(np.float64) / math.sqrt(query.idf_mass or 1.0)
        pool.score += self._ranking.dense_weight * pool.cosine
        _add_late(pool, _best(pool, len(pool.ids)), query, view, encoder)
        pool.score += self._ranking.late_weight * np.nan_to_num(pool.late)
        if not view.keeps_tokens:
            _put_last(pool, np.isnan(pool.late))
        # Candidates that only a large `k` brought in stay below the others: the first hits stay what they were.
        ranks = [pool.sparse_rank, pool.dense_rank]
        worst = len(pool.ids) + self._ranking.pool
        _put_last(
            pool,
            np.array([min(rank.get(key, worst) for rank in ranks) > self._ranking.pool for key in pool.ids.tolist()]),
        )


def _put_last(pool: _Pool, chosen: npt.NDArray[np.bool_]) -> None:
    """Lower the scores of some candidates until none is above any other candidate."""
    if chosen.any() and not chosen.all():
        pool.score[chosen] -= max(0.0, float(pool.score[chosen].max() - pool.score[~chosen].min()))


def _best(pool: _Pool, k: int) -> npt.NDArray[np.intp]:
    """The rows of the best `k` candidates, best first; among equals the older chunk."""
    return np.lexsort((pool.ids, -pool.score))[:k]


def _add_late(pool: _Pool, rows: npt.NDArray[np.intp], query: _Query, view: View, encoder: Encoder) -> None:
    """Set `pool.late` of these candidates: of all that have token vectors, or of the first there is time for."""
    if not len(query.token_weights):
        return
    ids = pool.ids[rows]
    codes = view.tokens(ids) if view.keeps_tokens else _encode(ids.tolist(), view, encoder)
    encoded = np.array([row for row in rows.tolist() if int(pool.ids[row]) in codes], dtype=np.intp)
    if len(encoded):
        documents = [codes[key] for key in pool.ids[encoded].tolist()]
        pool.late[encoded] = maxsim(query.encoded.tokens, query.token_weights, documents)


def _encode(ids: Sequence[int], view: View, encoder: Encoder) -> dict[int, bytes]:
    """Token vectors of the first of these chunks, made now, until the time for it is up."""
    codes: dict[int, bytes] = {}
    deadline = time.perf_counter() + LATE_SECONDS
    for start in range(0, len(ids), _ENCODED_AT_ONCE):
        if time.perf_counter() >= deadline:
            break
        stored = view.reading.chunks_by_id(ids[start : start + _ENCODED_AT_ONCE])
        tokens = encoder.encode([chunk.indexed_text for chunk in stored.values()]).tokens
        codes.update(zip(stored, tokens, strict=False))  # an encoder without token vectors gives none
    return codes


def _check(query: str, k: int, min_relevance: float) -> None:
    if not query.strip():
        raise ConfigurationError("the query is empty", hint="say what to look for, e.g. `rag search 'refund policy'`")
    if k < 1:
        raise ConfigurationError(f"k is {k}: there is nothing to return", hint="ask for at least one hit, e.g. -k 5")
    if not 0.0 <= min_relevance <= 1.0:
        raise ConfigurationError(
            f"the relevance threshold {min_relevance} is not a probability", hint="choose a number from 0 to 1"
        )


def _prepare(query: Respelled, encoded: EncodedQuery, view: View) -> _Query:
    sparse, languages = view.indexes.sparse, view.indexes.languages
    weights = {term: idf(term, sparse) for term in query_terms(query.text, languages)}
    mistyped = sum(idf(term, sparse) for word in query.corrections for term in query_terms(word.typed, languages))
    if len(weights) > MAX_QUERY_TERMS:
        rarest = sorted(weights, key=lambda term: (-weights[term], term.start))[:MAX_QUERY_TERMS]
        weights = {term: weights[term] for term in rarest}
    pieces = np.array([piece_weight(span, weights) for span in encoded.spans], dtype=np.float32)
    if len(pieces) and not pieces.any():
        pieces[:] = 1.0
    return _Query(query.text, weights, mistyped, encoded, pieces)


def _hits(
    pool: _Pool, order: npt.NDArray[np.intp], query: _Query, view: View, encoder: Encoder, *, explain: bool
) -> list[Hit]:
    ids = pool.ids[order]
    stored = view.chunks(ids)
    hits = []
    for place, row in enumerate(order.tolist()):
        chunk = stored[int(pool.ids[row])]
        matched = _matching(query, chunk)
        mass = query.idf_mass + query.mistyped
        coverage = sum(query.idf[term] for term in matched) / mass if mass else 0.0
        signals = Signals(
            bm25=float(pool.bm25[row]),
            cosine=float(pool.cosine[row]),
            late=None if np.isnan(pool.late[row]) else float(pool.late[row]),
            sparse_rank=pool.sparse_rank.get(chunk.id),
            dense_rank=pool.dense_rank.get(chunk.id),
            coverage=coverage,
            terms=term_scores(query.text, matched, chunk.id, view.indexes.sparse) if explain else {},
            aligned=_aligned(query, chunk, view, encoder) if explain else (),
        )
        features = Features(
            cosine=signals.cosine,
            late=signals.late,
            coverage=coverage,
            length=len(chunk.indexed_text),
        )
        hits.append(
            Hit(
                rank=place + 1,
                score=float(pool.score[row]),
                relevance=relevance(features),
                uri=chunk.uri,
                title=chunk.title,
                kind=chunk.kind,
                text=chunk.text,
                context=chunk.context,
                location=chunk.location,
                metadata=chunk.metadata,
                signals=signals,
                chunk_id=chunk.id,
            )
        )
    return hits


def _matching(query: _Query, chunk: StoredChunk) -> list[QueryTerm]:
    """The query's terms that a chunk holds. Analysing ten chunks again is ten times as fast as asking the index."""
    held = set(analyze(chunk.indexed_text, chunk.language))
    return [term for term in query.idf if not held.isdisjoint(term.stems)]


def _aligned(query: _Query, chunk: StoredChunk, view: View, encoder: Encoder) -> tuple[Aligned, ...]:
    codes = view.reading.tokens_by_id(encoder.fingerprint, [chunk.id]).get(chunk.id) if view.keeps_tokens else None
    if codes is None or not len(query.token_weights):
        return ()
    passage = chunk.indexed_text
    return aligned_words(query.text, query.encoded, query.token_weights, passage, encoder.spans(passage), codes)


class _Clock:
    """Milliseconds by step."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._steps: dict[str, float] = {}

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self._steps[step] = (time.perf_counter() - start) * 1_000

    def timings(self) -> dict[str, float]:
        total = (time.perf_counter() - self._start) * 1_000
        return {step: round(spent, 3) for step, spent in {**self._steps, "total": total}.items()}
