"""How well the encoder knows the language of a query, and how far to trust BM25 instead if it does not.

An encoder cuts words of a language it has not learned into many pieces. The shipped one, which knows English, makes 1.1
pieces per word of an English question, 1.8 of a French, 2.0 of a Spanish and 2.5 of a German one, and reads Chinese
character by character. Its vectors then say little, and matching words say all the more. It also cuts rare English
words, though it knows them, so this applies only to passages in another language than English.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from indexes.encoding.base import Span
from indexes.terms.analyzer import UNSPACED, WORD

_FLUENT = 1.25  # word pieces a word, up to which an encoder knows a language
_FOREIGN = 2.0  # and from which it does not
_MOST = 5.0
_UNSPACED_WORD = 2  # characters
_WORDS = re.compile(WORD)
_UNSPACED = re.compile(UNSPACED)


def sparse_trust(query: str, spans: Sequence[Span]) -> float:
    """What to multiply the weight of BM25 by for passages in another language than English: from 1 to 5.

    Args:
        query: the query.
        spans: the places of its word pieces.

    Example:
        >>> sparse_trust("payment", [(0, 7)])
        1.0
    """
    words = len(_WORDS.findall(query)) + len(_UNSPACED.findall(query)) / _UNSPACED_WORD
    pieces = sum(any(map(str.isalnum, query[start:end])) for start, end in spans)
    foreign = (pieces / words - _FLUENT) / (_FOREIGN - _FLUENT) if words else 0.0
    return 1.0 + (_MOST - 1.0) * min(1.0, max(0.0, foreign))
