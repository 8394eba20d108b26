"""The gate before a card: is the question about anything that the card knows?"""

from __future__ import annotations

import math

import numpy as np

from rag.cards.card import Card
from rag.judging.logistic import LogisticModel
from rag.text.sentence_encoder import SentenceEncoder

MOST_EXAMPLES = 64
# The best cosine of a question with a card's description and examples; the best of more is higher for every question.
# Fitted by benchmarks/card_gate.py on the questions of six collections, each a card to the others': a description alone
# lets 89% of its own questions pass and 11% of all others, 64 examples 92% and 9%.
_ABOUT = LogisticModel(-3.25, {"cosine": 25.0, "log2(texts)": -0.7125})


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
        return _ABOUT.probability({"cosine": cosine, "log2(texts)": math.log2(len(texts))})
