"""The gate before a card: is the question about anything that the card knows?"""

from __future__ import annotations

import math

import numpy as np

from rag.cards.card import Card
from rag.text.sentence_encoder import SentenceEncoder

MOST_EXAMPLES = 64
# Log-odds that a question is about a card: a steepness times how far the best cosine with its description and examples
# lies above where both are as likely. The best of more examples is higher for every question. Fitted by
# benchmarks/card_gate.py on the questions of six collections, each a card to the others': a description alone lets 89%
# of its own questions pass and 11% of all others, 64 examples 92% and 9%.
_SLOPE = 25.0
_MIDDLE = 0.13
_MIDDLE_PER_DOUBLING = 0.0285


class Gate:
    """Estimates how likely a question is about a card. Encodes each card once."""

    def __init__(self, encoder: SentenceEncoder) -> None:
        self._encoder = encoder
        self._about: dict[tuple[str, ...], np.ndarray] = {}

    def probability(self, question: str, card: Card) -> float:
        """The probability that `question` is about what `card` knows."""
        texts = (card.description, *card.examples[:MOST_EXAMPLES])
        if texts not in self._about:
            self._about[texts] = self._encoder.encode(texts).vectors
        cosine = float((self._about[texts] @ self._encoder.encode_query(question).vector).max())
        middle = _MIDDLE + _MIDDLE_PER_DOUBLING * math.log2(len(texts))
        return 1 / (1 + math.exp(-_SLOPE * (cosine - middle)))
