from __future__ import annotations

import numpy as np

from indexes.encoding.encoder import DATA
from indexes.encoding.word_vectors import WordVectors
from indexes.encoding.wordpiece import WordPieces


def test_every_word_piece_has_the_vector_that_the_encoder_looks_up() -> None:
    vectors = WordVectors(DATA / "encoder.xml")
    vocabulary = WordPieces(DATA / "tokenizer.json").vocabulary
    river, stream, guitar = (vectors[np.array([vocabulary[word]])][0] for word in ("river", "stream", "guitar"))
    assert river.shape == (384,)
    assert river.dtype == np.float32
    assert river @ stream > river @ guitar
    everything = vectors[np.arange(len(vocabulary)).reshape(2, -1)]
    assert everything.shape == (2, len(vocabulary) // 2, 384)
    assert np.isfinite(everything).all()
