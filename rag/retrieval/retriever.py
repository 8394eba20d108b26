"""Hybrid retrieval: BM25 and vectors find the pool, every candidate gets every score, late interaction refines."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from connectors.document import CODE
from connectors.errors import ConfigurationError
from indexes.catalog.filters import Condition
from indexes.catalog.reading import Ids, Reading
from indexes.encoding.late import maxsim
from indexes.encoding.loading import load_encoder
from indexes.errors import ForeignError
from indexes.sparse.sparse import Mask
from indexes.store import Store, View, WordsView, cosines
from indexes.terms.analyzer import DEFAULT_LANGUAGE
from rag.query.abbreviations import abbreviations, written_out
from rag.query.language_coverage import sparse_trust
from rag.query.named_passages import NamedPassages, find_named, properties
from rag.query.query import Query
from rag.query.spelling import Respelled, is_general, respell
from rag.query.weighed import WeighedQuery, weigh_query
from rag.reranking.reranker import Reranked
from rag.retrieval.candidates import Pool
from rag.retrieval.deduplication import Passages
from rag.retrieval.hit import Mode
from rag.retrieval.ranking import RankedCandidates, Ranking, basis, best, fuse, weigh
from rag.retrieval.results import evidence, make_hits
from rag.retrieval.search import SearchOptions, SearchResult
from rag.retrieval.selection import HitSelection, always_found, choose, diversified
from rag.retrieval.tuned import Tuning, stored
from rag.timing import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from indexes.encoding.base import EncodedQuery, Encoder
    from rag.reranking.reranker import TimedReranker

LATE_SECONDS = 0.15  # for token vectors made at query time, where none are stored
_ENCODED_AT_ONCE = 4
_APART = 0.001  # between what a reranker judged and what it did not reach


class Retriever:
    """Searches a store: as it was tuned, or, with a `ranking` of its own, by that alone.

    `notify` is called with one line when a tuning has to be ignored.
    """

    def __init__(
        self, store: Store, ranking: Ranking | None = None, *, notify: Callable[[str], None] | None = None
    ) -> None:
        self._store = store
        self._ranking = ranking or Ranking()
        self._tunes = ranking is None
        self._notify = notify
        self._told: set[str] = set()
        self._beside = ThreadPoolExecutor(thread_name_prefix="search")

    def tuning(self, reading: Reading) -> Tuning:
        """What the knowledge base is tuned to."""
        if not self._tunes:
            return Tuning()
        tuning, problem = stored(reading, basis())
        if problem:
            self._tell(problem)
        return tuning

    def search(self, query: Query | str, options: SearchOptions, reranker: TimedReranker | None = None) -> SearchResult:
        """Find the best chunks for `query`, best first, the first of them in the order of `reranker` if there is one.

        Raises:
            ConfigurationError: for an empty query, or an unknown filter key.
            RerankerError: `reranker` failed.
        """
        # A text is encoded anew for each search: a benchmark would measure a cache otherwise.
        query = query if isinstance(query, Query) else Query(query)
        _check(query)
        k, hybrid = options.k, options.mode is Mode.HYBRID
        clock = Clock()
        judged = reranker.depth if reranker else 0
        choice = HitSelection(k, judged, self._ranking.pool, options.fold, options.diversity)
        with self._encoded(query, clock, words_suffice=options.mode is not Mode.DENSE) as found:
            view, encoder, respelled, encoded = found
            if isinstance(view, WordsView):
                options, hybrid = options.changed(mode=Mode.SPARSE), False
            with clock("names"):
                named = _named(query, view, encoder) if hybrid else NamedPassages()
            with clock("retrieve"):
                prepared = weigh_query(respelled, encoded, view)
            tuning = self.tuning(view.reading)
            ranking = self._ranking.weighed(tuning.weights or {})
            for depth in choice.depths():
                with clock("retrieve"):
                    pool = self._pool(prepared, named, view, options.mode, depth, options.filters)
                with clock("late"):
                    _rank(pool, ranking, prepared, view, encoder, options.mode)
                with clock("fold"):
                    passages = Passages(view, pool.ids)
                    groups = choose(pool.scored, choice, passages, prepared.matching)
                if len(groups) >= k or pool.exhausts(depth):
                    break
            reranked = None
            if reranker is not None:
                with clock("rerank"):
                    reranked = _rerank(pool, always_found(pool.scored, groups, choice), passages, prepared, reranker)
                with clock("fold"):
                    groups = choose(pool.scored, choice, passages, prepared.matching)
            with clock("hits"):
                groups = diversified(pool.scored, groups, choice)[:k]
                if not hybrid:  # which ranks without it
                    _add_late(pool, np.array([group.row for group in groups], np.intp), prepared, view, encoder)
                hits = make_hits(
                    pool, groups, passages, prepared, view, encoder, tuning.calibration, explain=options.explain
                )
        kept = tuple(hit for hit in hits if hit.relevance >= options.min_relevance)
        timings = {**clock.timings(), "total": clock.total()}
        return SearchResult(
            kept,
            timings,
            respelled.corrections,
            tuning.min_relevance,
            reranked,
            named.links,
            respelled.abbreviations,
        )

    def candidates(self, query: Query | str) -> RankedCandidates:
        """Everything that the hybrid search puts in order for `query`.

        Raises:
            ConfigurationError: for an empty query.
        """
        query = query if isinstance(query, Query) else Query(query)
        _check(query)
        with self._encoded(query, Clock()) as (view, encoder, respelled, encoded):
            prepared = weigh_query(respelled, encoded, view)
            named = _named(query, view, encoder)
            pool = self._pool(prepared, named, view, Mode.HYBRID, self._ranking.pool, {})
            _rank(pool, self._ranking, prepared, view, encoder, Mode.HYBRID)
            stored = view.chunks(pool.ids)
            chunks = [stored[key] for key in pool.ids.tolist()]
            odds = [sum(evidence(pool, row, prepared, chunk).log_odds.values()) for row, chunk in enumerate(chunks)]
            return RankedCandidates(tuple(chunk.uri for chunk in chunks), np.array(odds), pool, view.keeps_tokens)

    @contextmanager
    def _encoded(
        self, query: Query, clock: Clock, *, words_suffice: bool = False
    ) -> Iterator[tuple[View, Encoder, Respelled, EncodedQuery]]:
        """A view, its encoder, the query in the view's spelling, and that encoded.

        Where somebody else chose the encoder and words suffice, a `WordsView` with the shipped one.
        """
        while True:
            encoder, opened = self._opened(words_suffice=words_suffice)
            with opened as view:
                # Otherwise it was changed meanwhile.
                if isinstance(view, WordsView) or view.encoder == encoder.fingerprint:
                    with clock("spell"):
                        respelled = respell(query, view, encoder) if self._ranking.spelling else Respelled(query)
                    with clock("names"):
                        respelled = _written_out(respelled, view)
                    with clock("encode"):
                        encoded = respelled.query.encoded(encoder)
                    yield view, encoder, respelled, encoded
                    return

    def _opened(self, *, words_suffice: bool) -> tuple[Encoder, AbstractContextManager[View]]:
        try:
            return self._store.encoder, self._store.view()
        except ForeignError as error:
            if not words_suffice:
                raise
            self._tell(f"searching by words alone: {error} ({error.hint})")
            return load_encoder(), self._store.words_view()

    def _tell(self, problem: str) -> None:
        """Say it once."""
        if problem not in self._told and self._notify is not None:
            self._told.add(problem)
            self._notify(problem)

    def _pool(
        self,
        query: WeighedQuery,
        named: NamedPassages,
        view: View,
        mode: Mode,
        depth: int,
        filters: Mapping[str, Condition],
    ) -> Pool:
        mask = view.mask(filters)
        sparse, vector = view.indexes.sparse, query.encoded.vector
        # The sparse index works beside the dense one: tantivy needs no interpreter lock.
        words = self._beside.submit(sparse.search, query.stems, depth if mode is not Mode.DENSE else 0, mask)
        by_vector, _ = view.nearest(vector, depth if mode is not Mode.SPARSE else 0, mask)
        by_words, _ = words.result()
        ids = np.union1d(np.union1d(by_words, by_vector).astype(np.int64), _visible(named, mask))
        bm25 = self._beside.submit(sparse.scores, query.stems, ids)
        vectors = view.vectors(ids, len(vector))
        return Pool(
            ids=ids,
            vectors=vectors,
            bm25=bm25.result(),
            cosine=cosines(vectors, vector),
            sparse_rank={key: rank for rank, key in enumerate(by_words.tolist(), 1)},
            dense_rank={key: rank for rank, key in enumerate(by_vector.tolist(), 1)},
            claims={**properties(named, ids, view), **named.claims},
        )


def _named(query: Query, view: View, encoder: Encoder) -> NamedPassages:
    """What the query names, as it was typed: names have a spelling of their own."""
    return find_named(query, view, lambda word: is_general(word, encoder))


def _written_out(respelled: Respelled, view: View) -> Respelled:
    found = abbreviations(respelled.query, view)
    if not found:
        return respelled
    return replace(respelled, query=Query(written_out(respelled.text, found)), abbreviations=found)


def _visible(named: NamedPassages, mask: Mask) -> Ids:
    """The passages that the query names and the search may see."""
    ids = np.array(sorted(named.claims), np.int64)
    return ids[mask.visible(ids)]


def _rank(pool: Pool, ranking: Ranking, query: WeighedQuery, view: View, encoder: Encoder, mode: Mode) -> None:
    """Set `pool.contributions`, and where late interaction is one of them `pool.late`."""
    if mode is not Mode.HYBRID:
        alone = pool.bm25 if mode is Mode.SPARSE else pool.cosine
        pool.contributions["bm25" if mode is Mode.SPARSE else "cosine"] = alone.astype(np.float64)
        return
    kinds = view.kinds(pool.ids)
    pool.code = np.array([kind == CODE for kind, _ in kinds], bool)[pool.within(ranking.pool)]
    # BM25 counts for more in passages whose language the encoder does not know.
    trust = sparse_trust(query.text, encoder.spans(query.text))
    foreign = np.array([language not in {DEFAULT_LANGUAGE, ""} for _, language in kinds], bool)
    mass = math.sqrt(query.idf_mass or 1.0)
    pool.words = np.where(foreign, trust, 1.0) * pool.bm25.astype(np.float64) / mass
    fuse(pool, ranking.on(pool.code))
    _add_late(pool, best(pool, len(pool.ids)), query, view, encoder)
    weigh(pool, ranking, keeps_tokens=view.keeps_tokens)


def _rerank(
    pool: Pool, rows: Sequence[int], passages: Passages, query: WeighedQuery, reranker: TimedReranker
) -> Reranked:
    """Let the reranker alone order the first of these candidates, as far as it comes; all others stay below, in order.

    They are such as are found whatever `k` is, and no copies: those end up below what they are copies of.
    """
    rows = rows[: reranker.depth]
    stored = passages(rows)
    scores, reranked = reranker.judge(query.text, [stored[row].indexed_text for row in rows])
    if reached := rows[: len(scores)]:
        pool.judged[reached] = scores
        others = np.isnan(pool.judged)
        pool.contributions = {name: values * others for name, values in pool.contributions.items()}
        pool.contributions["reranker"] = np.nan_to_num(pool.judged)
        if others.any():
            score = pool.score
            below = max(0.0, float(score[others].max()) - min(scores)) + _APART
            pool.contributions["not_reranked"] = -below * others
    return reranked


def _add_late(pool: Pool, rows: npt.NDArray[np.intp], query: WeighedQuery, view: View, encoder: Encoder) -> None:
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


def _check(query: Query) -> None:
    if not query.text.strip():
        raise ConfigurationError("the query is empty", hint="say what to look for, e.g. `rag search 'refund policy'`")
