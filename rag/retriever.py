"""Hybrid retrieval: BM25 and vectors find the pool, every candidate gets every score, late interaction refines."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from connectors.errors import ConfigurationError
from indexes.analyzer import DEFAULT_LANGUAGE, QueryTerm, analyze, query_terms
from indexes.filters import Condition
from indexes.late import maxsim
from indexes.reading import Ids, Reading, Vectors
from indexes.rows import StoredChunk
from indexes.store import Store, View, cosines
from rag.calibration import DEFAULT_MIN_RELEVANCE, Features, fingerprint, log_odds, probability
from rag.choosing import Choice, Scored, always_found, choose, diversified, tiers
from rag.explanation import aligned_words, term_scores
from rag.feedback import hubness, likeness
from rag.fluency import sparse_trust
from rag.folding import Group, Passages
from rag.results import Aligned, Copy, Hit, Mode, Reranked, Signals
from rag.spelling import Correction, Respelled, respell
from rag.term_weights import idf, piece_weights
from rag.tuned import SETTING, WEIGHTS, Calibration, Tuning, read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from indexes.encoder import EncodedQuery, Encoder
    from rag.reranker import Judge

Scores = npt.NDArray[np.float64]

MAX_QUERY_TERMS = 64  # of a longer query, the rarest terms count
LATE_SECONDS = 0.15  # for token vectors made at query time, where none are stored
_ENCODED_AT_ONCE = 4
_APART = 0.001  # between what a reranker judged and what it did not reach
_NOWHERE = 2**62  # the place of what a list has not


@dataclass(frozen=True, slots=True)
class Ranking:
    """The formula of the hybrid mode: a weighted sum of every candidate's own scores and of what the others tell.

    No score is standardised over the candidates; what only a `k` beyond the pool brings in comes after them and has no
    say. BM25 adds up over the query's terms, and is divided by the root of their idf mass. The last two weights were
    chosen on training splits; `docs/ranking.md` has what they bring to collections that had none.

    Attributes:
        pool: how deep each list is read; every candidate found gets every score.
        sparse_weight: weight of the BM25 score.
        dense_weight: weight of the cosine.
        late_weight: weight of late interaction.
        likeness_weight: weight of the cosine with the best candidates (`rag.feedback`).
        hubness_weight: weight, taken off, of the mean cosine with the nearest other candidates.
        code_share: what all weights but the cosine's are multiplied by where the candidates are source code. Questions
            share few words with code, and what they share is in much of it. Candidates of both sorts give a mean.
        spelling: whether a word that no passage has is searched as the nearest word that some passage has.
    """

    pool: int = 50
    sparse_weight: float = 0.1
    dense_weight: float = 1.0
    late_weight: float = 1.0
    likeness_weight: float = 0.8
    hubness_weight: float = 0.6
    code_share: float = 0.5
    spelling: bool = True

    def on(self, code: npt.NDArray[np.bool_]) -> Ranking:
        """The weights for candidates of which these are source code."""
        beside = 1 - (1 - self.code_share) * float(code.mean() if len(code) else 0)
        return replace(
            self,
            sparse_weight=beside * self.sparse_weight,
            late_weight=beside * self.late_weight,
            likeness_weight=beside * self.likeness_weight,
            hubness_weight=beside * self.hubness_weight,
        )

    def weighed(self, weights: Mapping[str, float]) -> Ranking:
        """The same with other weights, named as in `rag.tuned.WEIGHTS`."""
        known = self.weights | dict(weights)
        return replace(
            self,
            sparse_weight=known["sparse"],
            late_weight=known["late"],
            likeness_weight=known["likeness"],
            hubness_weight=known["hubness"],
        )

    @property
    def weights(self) -> dict[str, float]:
        """The weights that can be tuned."""
        values = (self.sparse_weight, self.late_weight, self.likeness_weight, self.hubness_weight)
        return dict(zip(WEIGHTS, values, strict=True))


@dataclass(frozen=True, slots=True)
class Found:
    """The hits of one search.

    Attributes:
        hits: the best first.
        timings_ms: where the time went.
        corrections: which words were searched in another spelling.
        min_relevance: below which relevance a hit is no evidence, in the knowledge base as it was searched.
        reranked: what a reranker did, where one was asked for.
    """

    hits: tuple[Hit, ...]
    timings_ms: Mapping[str, float]
    corrections: tuple[Correction, ...] = ()
    min_relevance: float = DEFAULT_MIN_RELEVANCE
    reranked: Reranked | None = None


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
    """The candidates, each with every score; `late` is NaN where it was not computed.

    `addends` are what makes up the score, each [candidates]. Only a hybrid search sets `words`, BM25 as it is weighed,
    and `code`, which of the candidates that have a say are source code. `judged` has the scores of a reranker, NaN
    where it gave none.
    """

    ids: Ids
    vectors: Vectors
    bm25: npt.NDArray[np.float32]
    cosine: npt.NDArray[np.float32]
    sparse_rank: Mapping[int, int]
    dense_rank: Mapping[int, int]
    place: Ids = field(init=False)  # in the list that has it further up
    late: npt.NDArray[np.float32] = field(init=False)
    judged: Scores = field(init=False)
    words: Scores = field(init=False)
    code: npt.NDArray[np.bool_] = field(init=False)
    hubness: Scores | None = None  # which no weight changes
    addends: dict[str, Scores] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ranks, keys = (self.sparse_rank, self.dense_rank), self.ids.tolist()
        self.place = np.array([min(rank.get(key, _NOWHERE) for rank in ranks) for key in keys], np.int64)
        self.late = np.full(len(self.ids), np.nan, np.float32)
        self.judged = np.full(len(self.ids), np.nan)

    @property
    def score(self) -> Scores:
        """The sum of the addends."""
        return np.asarray(np.sum(list(self.addends.values()), axis=0), dtype=np.float64)

    @property
    def scored(self) -> Scored:
        """What the choice of the hits rests on."""
        return Scored(self.ids, self.vectors, self.score, self.place)

    def within(self, depth: int) -> npt.NDArray[np.bool_]:
        """Which candidates are among the best `depth` of a list."""
        return self.place <= depth

    def exhausts(self, depth: int) -> bool:
        """Whether no list has more than was read of it."""
        return max(len(self.sparse_rank), len(self.dense_rank)) < depth


@dataclass(frozen=True, slots=True)
class Candidates:
    """What one hybrid search found, to see in which order other weights would put it.

    Attributes:
        uris: the document of each candidate.
        odds: log-odds of relevance of each, before any tuning, [candidates].
    """

    uris: tuple[str, ...]
    odds: Scores
    _pool: _Pool
    _keeps_tokens: bool

    def order(self, ranking: Ranking) -> npt.NDArray[np.intp]:
        """The candidates, best first."""
        _weigh(self._pool, ranking, keeps_tokens=self._keeps_tokens)
        return _best(self._pool, len(self.uris))


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
        tuning, problem = read(reading.setting(SETTING), reading.setting("encoder"), basis())
        if problem and problem not in self._told and self._notify is not None:
            self._told.add(problem)
            self._notify(problem)
        return tuning

    def search(
        self,
        query: str,
        k: int,
        *,
        mode: Mode = Mode.HYBRID,
        filters: Mapping[str, Condition] | None = None,
        min_relevance: float = 0.0,
        explain: bool = False,
        judge: Judge | None = None,
        fold_copies: bool = True,
        diversity: float = 0.0,
    ) -> Found:
        """Find the best `k` chunks for `query`, best first, the first of them in the order of `judge` if there is one.

        Raises:
            ConfigurationError: for an empty query, `k` below 1, or `min_relevance` or `diversity` outside [0, 1].
            ConfigurationError: for an unknown filter key.
            RerankerError: `judge` failed.
        """
        _check(query, k, min_relevance, diversity)
        clock = _Clock()
        choice = Choice(k, judge.depth if judge else 0, self._ranking.pool, fold_copies, diversity)
        with self._encoded(query, clock) as (view, encoder, respelled, encoded):
            with clock("retrieve"):
                prepared = _prepare(respelled, encoded, view)
            tuning = self.tuning(view.reading)
            ranking = self._ranking.weighed(tuning.weights or {})
            for depth in choice.depths():
                with clock("retrieve"):
                    pool = self._pool(prepared, view, mode, depth, filters or {})
                with clock("late"):
                    _rank(pool, ranking, prepared, view, encoder, mode)
                with clock("fold"):
                    passages = Passages(view, pool.ids)
                    groups = _choose(pool, choice, passages, prepared)
                if len(groups) >= k or pool.exhausts(depth):
                    break
            reranked = None
            if judge is not None:
                with clock("rerank"):
                    reranked = _rerank(pool, always_found(pool.scored, groups, choice), passages, prepared, judge)
                with clock("fold"):
                    groups = _choose(pool, choice, passages, prepared)
            with clock("hits"):
                groups = diversified(pool.scored, groups, choice)[:k]
                if mode is not Mode.HYBRID:  # which ranks without it
                    _add_late(pool, np.array([group.row for group in groups], np.intp), prepared, view, encoder)
                hits = _hits(pool, groups, passages, prepared, view, encoder, tuning.calibration, explain=explain)
        kept = tuple(hit for hit in hits if hit.relevance >= min_relevance)
        return Found(kept, clock.timings(), respelled.corrections, tuning.min_relevance, reranked)

    def candidates(self, query: str) -> Candidates:
        """Everything that the hybrid search puts in order for `query`.

        Raises:
            ConfigurationError: for an empty query.
        """
        _check(query, 1, 0.0, 0.0)
        with self._encoded(query, _Clock()) as (view, encoder, respelled, encoded):
            prepared = _prepare(respelled, encoded, view)
            pool = self._pool(prepared, view, Mode.HYBRID, self._ranking.pool, {})
            _rank(pool, self._ranking, prepared, view, encoder, Mode.HYBRID)
            stored = view.chunks(pool.ids)
            chunks = [stored[key] for key in pool.ids.tolist()]
            odds = [sum(_evidence(pool, row, prepared, chunk).log_odds.values()) for row, chunk in enumerate(chunks)]
            return Candidates(tuple(chunk.uri for chunk in chunks), np.array(odds), pool, view.keeps_tokens)

    @contextmanager
    def _encoded(self, query: str, clock: _Clock) -> Iterator[tuple[View, Encoder, Respelled, EncodedQuery]]:
        """A view, its encoder, the query in the view's spelling, and that encoded."""
        while True:
            encoder = self._store.encoder
            with self._store.view() as view:
                if view.encoder == encoder.fingerprint:  # otherwise it was changed meanwhile
                    with clock("spell"):
                        respelled = respell(query, view, encoder) if self._ranking.spelling else Respelled(query)
                    with clock("encode"):
                        encoded = encoder.encode_query(respelled.text)
                    yield view, encoder, respelled, encoded
                    return

    def _pool(self, query: _Query, view: View, mode: Mode, depth: int, filters: Mapping[str, Condition]) -> _Pool:
        mask = view.mask(filters)
        sparse, vector = view.indexes.sparse, query.encoded.vector
        # The sparse index works beside the dense one: tantivy needs no interpreter lock.
        words = self._beside.submit(sparse.search, query.stems, depth if mode is not Mode.DENSE else 0, mask)
        by_vector, _ = view.nearest(vector, depth if mode is not Mode.SPARSE else 0, mask)
        by_words, _ = words.result()
        ids = np.union1d(by_words, by_vector).astype(np.int64)
        bm25 = self._beside.submit(sparse.scores, query.stems, ids)
        vectors = view.vectors(ids, len(vector))
        return _Pool(
            ids=ids,
            vectors=vectors,
            bm25=bm25.result(),
            cosine=cosines(vectors, vector),
            sparse_rank={key: rank for rank, key in enumerate(by_words.tolist(), 1)},
            dense_rank={key: rank for rank, key in enumerate(by_vector.tolist(), 1)},
        )


@cache
def basis() -> str:
    """What tells these defaults from others: what was tuned to be better than the ones may be worse than the others."""
    defaults = json.dumps([asdict(Ranking()), fingerprint(), DEFAULT_MIN_RELEVANCE])
    return hashlib.blake2b(defaults.encode(), digest_size=8).hexdigest()


def _rank(pool: _Pool, ranking: Ranking, query: _Query, view: View, encoder: Encoder, mode: Mode) -> None:
    """Set `pool.addends`, and where late interaction is one of them `pool.late`."""
    if mode is not Mode.HYBRID:
        alone = pool.bm25 if mode is Mode.SPARSE else pool.cosine
        pool.addends["bm25" if mode is Mode.SPARSE else "cosine"] = alone.astype(np.float64)
        return
    pool.code = view.code(pool.ids[pool.within(ranking.pool)])
    trust, mass = _sparse_trust(pool, query, view, encoder), math.sqrt(query.idf_mass or 1.0)
    pool.words = trust * pool.bm25.astype(np.float64) / mass
    _fuse(pool, ranking.on(pool.code))
    _add_late(pool, _best(pool, len(pool.ids)), query, view, encoder)
    _weigh(pool, ranking, keeps_tokens=view.keeps_tokens)


def _fuse(pool: _Pool, ranking: Ranking) -> None:
    """Set `pool.addends` to what every candidate's own scores add."""
    pool.addends = {
        "bm25": ranking.sparse_weight * pool.words,
        "cosine": ranking.dense_weight * pool.cosine.astype(np.float64),
        "late": ranking.late_weight * np.nan_to_num(pool.late).astype(np.float64),
    }


def _weigh(pool: _Pool, ranking: Ranking, *, keeps_tokens: bool) -> None:
    """Set `pool.addends` of a hybrid search, whose `pool.code`, `pool.words` and `pool.late` are known."""
    ranking = ranking.on(pool.code)
    _fuse(pool, ranking)
    within = pool.within(ranking.pool)
    scored = ~np.isnan(pool.late) & within
    # Where late interaction ran out of time, or the encoder has none, it must not part the candidates twice.
    _add_feedback(pool, ranking, within if keeps_tokens or not scored.any() else scored)
    if not keeps_tokens:
        _put_last(pool, np.isnan(pool.late), above=~np.isnan(pool.late))
    # Candidates that only a large `k` brought in stay below the others: the first hits stay what they were.
    depth = tiers(pool.place, ranking.pool)
    for tier in range(1, depth.max(initial=0) + 1):
        _put_last(pool, depth == tier, above=depth < tier)


def _add_feedback(pool: _Pool, ranking: Ranking, chosen: npt.NDArray[np.bool_]) -> None:
    """Let these candidates tell about each other; nothing is known of the rest."""
    like = np.zeros(len(pool.ids))
    if pool.hubness is None:
        pool.hubness = np.zeros(len(pool.ids))
        if chosen.any():
            pool.hubness[chosen] = hubness(pool.vectors[chosen])
    if chosen.any():
        like[chosen] = ranking.likeness_weight * likeness(pool.vectors[chosen], pool.score[chosen])
    pool.addends |= {"likeness": like, "hubness": -ranking.hubness_weight * pool.hubness}


def _sparse_trust(pool: _Pool, query: _Query, view: View, encoder: Encoder) -> Scores:
    """What BM25 counts for, more than else, in each candidate."""
    trust = np.ones(len(pool.ids))
    if view.indexes.languages not in {(), (DEFAULT_LANGUAGE,)}:
        languages = view.reading.languages_by_id(pool.ids.tolist())
        foreign = [languages.get(key, DEFAULT_LANGUAGE) != DEFAULT_LANGUAGE for key in pool.ids.tolist()]
        trust[foreign] = sparse_trust(query.text, encoder.spans(query.text))
    return trust


def _choose(pool: _Pool, choice: Choice, passages: Passages, query: _Query) -> list[Group]:
    return choose(pool.scored, choice, passages, lambda chunk: _matching(query, chunk))


def _rerank(pool: _Pool, rows: Sequence[int], passages: Passages, query: _Query, judge: Judge) -> Reranked:
    """Let the judge alone order the first of these candidates, as far as it comes; all others stay below, in order.

    They are such as are found whatever `k` is, and no copies: those end up below what they are copies of.
    """
    rows = rows[: judge.depth]
    stored = passages(rows)
    scores, reranked = judge.judge(query.text, [stored[row].indexed_text for row in rows])
    if reached := rows[: len(scores)]:
        pool.judged[reached] = scores
        others = np.isnan(pool.judged)
        pool.addends = {name: values * others for name, values in pool.addends.items()}
        pool.addends["reranker"] = np.nan_to_num(pool.judged)
        if others.any():
            score = pool.score
            below = max(0.0, float(score[others].max()) - min(scores)) + _APART
            pool.addends["unreached"] = -below * others
    return reranked


def _put_last(pool: _Pool, chosen: npt.NDArray[np.bool_], above: npt.NDArray[np.bool_]) -> None:
    """Lower the scores of some candidates until none is above any of those that shall be `above`."""
    if chosen.any() and above.any():
        score = pool.score
        below = max(0.0, float(score[chosen].max() - score[above].min()))
        pool.addends["depth"] = pool.addends.get("depth", np.zeros(len(score))) - below * chosen


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


def _check(query: str, k: int, min_relevance: float, diversity: float) -> None:
    if not query.strip():
        raise ConfigurationError("the query is empty", hint="say what to look for, e.g. `rag search 'refund policy'`")
    if k < 1:
        raise ConfigurationError(f"k is {k}: there is nothing to return", hint="ask for at least one hit, e.g. -k 5")
    if not 0.0 <= min_relevance <= 1.0:
        raise ConfigurationError(
            f"the relevance threshold {min_relevance} is not a probability", hint="choose a number from 0 to 1"
        )
    if not 0.0 <= diversity <= 1.0:
        raise ConfigurationError(
            f"the diversity {diversity} is not between 0 and 1", hint="0 is none; 0.5 weighs it as much as the score"
        )


def _prepare(query: Respelled, encoded: EncodedQuery, view: View) -> _Query:
    sparse, languages = view.indexes.sparse, view.indexes.languages
    weights = {term: idf(term, sparse) for term in query_terms(query.text, languages)}
    mistyped = sum(idf(term, sparse) for word in query.corrections for term in query_terms(word.typed, languages))
    rarest = dict.fromkeys(term.stems for term in sorted(weights, key=lambda term: (-weights[term], term.start)))
    if len(rarest) > MAX_QUERY_TERMS:
        kept = set(list(rarest)[:MAX_QUERY_TERMS])
        weights = {term: weight for term, weight in weights.items() if term.stems in kept}
    pieces = np.array(piece_weights(encoded.spans, weights), dtype=np.float32)
    if len(pieces) and not pieces.any():
        pieces[:] = 1.0
    return _Query(query.text, weights, mistyped, encoded, pieces)


def _hits(
    pool: _Pool,
    groups: Sequence[Group],
    passages: Passages,
    query: _Query,
    view: View,
    encoder: Encoder,
    calibration: Calibration | None,
    *,
    explain: bool,
) -> list[Hit]:
    stored = passages(row for group in groups for row in (group.row, *group.copies))
    hits = []
    score = pool.score
    for place, group in enumerate(groups):
        row, chunk = group.row, stored[group.row]
        found = _evidence(pool, row, query, chunk)
        odds = found.log_odds
        if calibration is not None:
            default = sum(odds.values())
            odds = {**odds, "tuning": calibration(default) - default}
        signals = Signals(
            bm25=float(pool.bm25[row]),
            cosine=found.features.cosine,
            late=found.features.late,
            sparse_rank=pool.sparse_rank.get(chunk.id),
            dense_rank=pool.dense_rank.get(chunk.id),
            coverage=found.features.coverage,
            addends={name: float(values[row]) for name, values in pool.addends.items() if values[row]},
            log_odds=odds,
            terms=term_scores(query.text, found.matched, chunk.id, view.indexes.sparse) if explain else {},
            aligned=_aligned(query, chunk, view, encoder) if explain else (),
            reranker=None if np.isnan(pool.judged[row]) else float(pool.judged[row]),
            moved=group.moved,
        )
        hits.append(
            Hit(
                rank=place + 1,
                score=float(score[row]),
                relevance=probability(sum(odds.values())),
                uri=chunk.uri,
                title=chunk.title,
                kind=chunk.kind,
                text=chunk.text,
                context=chunk.context,
                location=chunk.location,
                metadata=chunk.metadata,
                signals=signals,
                chunk_id=chunk.id,
                copies=tuple(_copy(stored[other]) for other in group.copies),
            )
        )
    return hits


def _copy(chunk: StoredChunk) -> Copy:
    return Copy(chunk.uri, chunk.title, chunk.location)


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What speaks for a candidate: the query's terms it holds, and what its relevance rests on."""

    matched: list[QueryTerm]
    features: Features

    @property
    def log_odds(self) -> dict[str, float]:
        return log_odds(self.features)


def _evidence(pool: _Pool, row: int, query: _Query, chunk: StoredChunk) -> _Evidence:
    matched = _matching(query, chunk)
    mass = query.idf_mass + query.mistyped
    coverage = sum(query.idf[term] for term in matched) / mass if mass else 0.0
    late = None if np.isnan(pool.late[row]) else float(pool.late[row])
    return _Evidence(matched, Features(float(pool.cosine[row]), late, coverage, len(chunk.indexed_text)))


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
        self._steps[step] = self._steps.get(step, 0.0) + (time.perf_counter() - start) * 1_000

    def timings(self) -> dict[str, float]:
        total = (time.perf_counter() - self._start) * 1_000
        return {step: round(spent, 3) for step, spent in {**self._steps, "total": total}.items()}
