"""Readers that look for a word: what is around the network is tested with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from indexes.encoding.encoder import DATA as ENCODER
from indexes.encoding.graph import Floats, Inputs, Outputs
from indexes.encoding.wordpiece import WordPieces
from rag.reader.reader import MOST_FIRST, MOST_PASSAGE, Reader

TOKENIZER = WordPieces(ENCODER / "tokenizer.json")


def looking_for(word: str) -> Reader:
    """A reader for which a passage answers where it has this word, and that word is the span."""
    (wanted,) = TOKENIZER.ids(word)

    def judged(inputs: Inputs) -> tuple[Floats, Floats]:
        ids, _, types = inputs
        assert ids.shape[1] <= MOST_FIRST + MOST_PASSAGE + 16
        found = (ids == wanted) & (types == 1)
        judgements = np.zeros((len(ids), 4), dtype=np.float32)
        judgements[:, 0] = np.where(found.any(1), 5, -5)
        judgements[:, 1] = np.where(found.any(1), 9, -9)
        return judgements, np.where(found, 7, -7).astype(np.float32)[..., None].repeat(2, -1)

    def run(
        batches: Iterable[list[int]],
        inputs: Callable[[list[int]], Inputs],
        keep: Callable[[list[int], Outputs], None],
    ) -> None:
        for batch in batches:
            keep(batch, judged(inputs(batch)))

    return Reader(TOKENIZER, run)
