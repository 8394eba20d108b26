from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from rank_bm25 import BM25Okapi

from indexes.sparse.sparse import SparseIndex, SparseReader
from tests.conformance.naive import K1, B, NaiveSparseIndex, NaiveSparseReader, bm25
from tests.conformance.sparse import WORDS, SparseConformance, corpus


class TestTantivy(SparseConformance):
    def writer(self, path: Path) -> SparseIndex:
        return SparseIndex(path)

    def reader(self, path: Path) -> SparseReader:
        return SparseReader(path)


class TestNaive(SparseConformance):
    def writer(self, path: Path) -> NaiveSparseIndex:
        return NaiveSparseIndex(path)

    def reader(self, path: Path) -> NaiveSparseReader:
        return NaiveSparseReader(path)


def test_the_formula_is_that_of_rank_bm25() -> None:
    documents = {key: text.split() for key, text in corpus(200).items()}
    reference = BM25Okapi(list(documents.values()), k1=K1, b=B)
    for word in WORDS:
        frequency = sum(word in document for document in documents.values())
        # The two differ in the idf alone: ours never turns negative.
        ours = np.array(list(bm25([word], documents).values())) / math.log(1 + (200.5 - frequency) / (frequency + 0.5))
        np.testing.assert_allclose(ours, reference.get_scores([word]) / reference.idf[word])
