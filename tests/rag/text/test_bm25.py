from __future__ import annotations

import numpy as np
import pytest

from rag.text.bm25 import bm25
from rag.text.words import terms


def test_a_term_in_half_of_a_tiny_corpus_still_counts():
    scores = bm25(terms("refund"), ["A refund is paid.", "The shop is closed."])
    assert scores[0] > 0
    assert scores[1] == 0


def test_a_term_in_every_sentence_still_counts():
    assert (bm25(terms("refund"), ["One refund.", "Two refunds, one refund."]) > 0).all()


def test_the_sentence_with_the_rarer_term_wins():
    scores = bm25(terms("battery warranty"), ["The warranty is long.", "The warranty is short.", "The battery is new."])
    assert scores.argmax() == 2


@pytest.mark.parametrize("sentences", [[], [""], ["", "!?"]])
def test_nothing_to_score_scores_nothing(sentences):
    assert np.array_equal(bm25(terms("refund"), sentences), np.zeros(len(sentences)))
