"""The weights of a query's terms and word pieces: inverse document frequencies that also hold in a tiny knowledge base.

In four documents "how" is as rare as "refund". So a knowledge base with fewer than `_ENOUGH_CHUNKS` chunks counts as
filled up to that number with passages of general text that contain only the function words below.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache

from indexes.encoding.base import Span
from indexes.sparse.sparse import SparseReader
from indexes.terms.analyzer import QueryTerm, analyze

_ENOUGH_CHUNKS = 500
_COMMON_SHARE = 0.6  # of general passages hold any one of these words
_COMMON_WORDS = """
a about after all also am an and any are as at be because been before being between both but by can could did do does
doing done each either else for from had has have he her here him his how i if in into is it its just may me might more
most must my neither no nor not of off on one only or other our out over own please shall she should so some such tell
than that the their them then there these they this those through to too under up us very was we were what when where
whether which while who whom whose why will with within without would you your
"""


def idf(term: QueryTerm, sparse: SparseReader) -> float:
    """The BM25 idf of a term; its stems in several languages count as the commonest of them."""
    general = max(0, _ENOUGH_CHUNKS - sparse.size)
    common = 0.0 if common_stems().isdisjoint(term.stems) else _COMMON_SHARE * general
    frequency = common + min(sparse.size, max(sparse.document_frequency(stem) for stem in term.stems))
    return math.log(1 + (general + sparse.size - frequency + 0.5) / (frequency + 0.5))


def piece_weights(spans: Sequence[Span], weights: Mapping[QueryTerm, float]) -> list[float]:
    """The weight of each word piece: the idf of the rarest term it is part of, shared among that word's pieces.

    Rare words are cut into many pieces: unshared, "diethylstilbestrol" would count eight times what it is worth.
    Punctuation has no weight.
    """
    rarest = [
        max(
            (
                (weight, (term.start, term.end))
                for term, weight in weights.items()
                if term.start < end and start < term.end
            ),
            default=(0.0, (start, end)),
        )
        for start, end in spans
    ]
    pieces = Counter(word for _, word in rarest)
    return [weight / pieces[word] for weight, word in rarest]


@cache
def common_stems() -> frozenset[str]:
    """The stems of the function words."""
    return frozenset(analyze(_COMMON_WORDS))
