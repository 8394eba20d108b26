"""Turns candidates into hits, each with the evidence for it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from indexes.catalog.rows import StoredChunk
from indexes.encoding.late import alignment
from indexes.sparse.sparse import SparseReader
from indexes.store import View
from indexes.terms.analyzer import UNSPACED, WORD, QueryTerm
from rag.judging.calibration import Calibration
from rag.judging.odds import named_odds, probability
from rag.query.weighed import WeighedQuery
from rag.retrieval.candidates import Pool
from rag.retrieval.deduplication import Group, Passages
from rag.retrieval.hit import Aligned, Copy, Hit, Signals
from rag.retrieval.references import as_metadata, references
from rag.retrieval.relevance import Features, log_odds

if TYPE_CHECKING:
    from indexes.encoding.base import EncodedQuery, Encoder, Span

_WORD = re.compile(rf"{UNSPACED}+|{WORD}")


def make_hits(
    pool: Pool,
    groups: Sequence[Group],
    passages: Passages,
    query: WeighedQuery,
    view: View,
    encoder: Encoder,
    calibration: Calibration | None,
    *,
    explain: bool,
) -> list[Hit]:
    """The hits of `groups`, in that order; `explain` has the matching terms and aligned words looked up."""
    stored = passages(row for group in groups for row in (group.row, *group.copies))
    hits = []
    score = pool.score
    for place, group in enumerate(groups):
        row, chunk = group.row, stored[group.row]
        called = references(view.reading, view.indexes.generation, chunk) if explain else None
        found = evidence(pool, row, query, chunk)
        odds = found.log_odds
        if calibration is not None:
            default = sum(odds.values())
            odds = {**odds, "tuning": calibration(default) - default}
        claim = pool.claims.get(chunk.id)
        if claim is not None and (named := named_odds(sum(odds.values()), claim.relevance)):
            odds = {**odds, "named": named}
        signals = Signals(
            bm25=float(pool.bm25[row]),
            cosine=found.features.cosine,
            late=found.features.late,
            sparse_rank=pool.sparse_rank.get(chunk.id),
            dense_rank=pool.dense_rank.get(chunk.id),
            coverage=found.features.coverage,
            contributions={name: float(values[row]) for name, values in pool.contributions.items() if values[row]},
            log_odds=odds,
            terms=term_scores(query.text, found.matched, chunk.id, view.indexes.sparse) if explain else {},
            aligned=_aligned(query, chunk, view, encoder) if explain else (),
            reranker=None if np.isnan(pool.judged[row]) else float(pool.judged[row]),
            diversity=group.shift,
            named=claim.why if claim is not None else "",
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
                metadata={**chunk.metadata, **as_metadata(called)} if called else chunk.metadata,
                signals=signals,
                chunk_id=chunk.id,
                copies=tuple(_copy(stored[other]) for other in group.copies),
                references=called,
            )
        )
    return hits


@dataclass(frozen=True, slots=True)
class HitEvidence:
    """The evidence for a candidate: the query terms it contains, and the inputs of its relevance."""

    matched: list[QueryTerm]
    features: Features

    @property
    def log_odds(self) -> dict[str, float]:
        """Of relevance, by input, before any tuning."""
        return log_odds(self.features)


def evidence(pool: Pool, row: int, query: WeighedQuery, chunk: StoredChunk) -> HitEvidence:
    """What speaks for the candidate in this row, whose chunk is `chunk`."""
    matched = query.matching(chunk)
    mass = query.idf_mass + query.mistyped
    coverage = sum(query.idf[term] for term in matched) / mass if mass else 0.0
    late = None if np.isnan(pool.late[row]) else float(pool.late[row])
    return HitEvidence(matched, Features(float(pool.cosine[row]), late, coverage, len(chunk.indexed_text)))


def _copy(chunk: StoredChunk) -> Copy:
    return Copy(chunk.uri, chunk.title, chunk.location)


def _aligned(query: WeighedQuery, chunk: StoredChunk, view: View, encoder: Encoder) -> tuple[Aligned, ...]:
    codes = view.reading.tokens_by_id(encoder.fingerprint, [chunk.id]).get(chunk.id) if view.keeps_tokens else None
    if codes is None or not len(query.token_weights):
        return ()
    passage = chunk.indexed_text
    return aligned_words(query.text, query.encoded, query.token_weights, passage, encoder.spans(passage), codes)


def term_scores(query: str, terms: Sequence[QueryTerm], chunk_id: int, sparse: SparseReader) -> dict[str, float]:
    """What each word of the query added to the BM25 score of a chunk, the most first; the sum is that score."""
    one = np.array([chunk_id], dtype=np.int64)
    scores: dict[str, float] = {}
    for term in terms:
        word = query[term.start : term.end]
        scores[word] = scores.get(word, 0.0) + float(sparse.scores(term.stems, one)[0])
    return dict(sorted(scores.items(), key=lambda item: -item[1]))


def aligned_words(
    query: str,
    encoded: EncodedQuery,
    weights: npt.NDArray[np.float32],
    passage: str,
    spans: Sequence[Span],
    codes: bytes,
) -> tuple[Aligned, ...]:
    """The words of the query, each with the passage word that meets it best, what matters most first.

    The encoder compares word pieces; the pieces of one query word are put together, so that the sum of
    weight x similarity over the words still is the signal.

    Args:
        query: the query.
        encoded: its token vectors and their places.
        weights: what each of its word pieces counts for.
        passage: the text as it was indexed.
        spans: the places of the passage's word pieces.
        codes: its packed token vectors.
    """
    similarities, places = alignment(encoded.tokens, codes)
    shares = weights / weights.sum()
    in_query, in_passage = _words(query), _words(passage)
    pieces: dict[Span, list[int]] = {}
    for piece, span in enumerate(encoded.spans):
        if shares[piece] > 0:
            pieces.setdefault(_around(span, in_query), []).append(piece)
    pairs = []
    for (start, end), members in pieces.items():
        best = max(members, key=lambda piece: float(shares[piece] * similarities[piece]))
        weight = float(shares[members].sum())
        first, last = _around(spans[places[best]], in_passage) if places[best] < len(spans) else (0, 0)
        similarity = float(shares[members] @ similarities[members]) / weight
        pairs.append(Aligned(query[start:end], passage[first:last], similarity, weight))
    return tuple(sorted(pairs, key=lambda pair: -pair.similarity * pair.weight))


def _words(text: str) -> dict[int, Span]:
    """Each offset inside a word → the word."""
    return {offset: found.span() for found in _WORD.finditer(text) for offset in range(*found.span())}


def _around(span: Span, words: dict[int, Span]) -> Span:
    """The word that a piece belongs to, or the piece itself."""
    return words.get(span[0], span)
