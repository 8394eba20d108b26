"""Why a chunk was found: what each query word added to BM25, and which passage word it met in late interaction."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from indexes.encoding.late import alignment
from indexes.sparse.sparse import SparseReader
from indexes.terms.analyzer import UNSPACED, WORD, QueryTerm
from rag.retrieval.hit import Aligned

if TYPE_CHECKING:
    from indexes.encoding.base import EncodedQuery

Span = tuple[int, int]

_WORD = re.compile(rf"{UNSPACED}+|{WORD}")


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
