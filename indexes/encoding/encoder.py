"""The default encoder: text in; out come one vector for the passage and one small vector per word piece."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from indexes.encoding.base import Encoded, EncodedQuery, Pieces, Span, encodable
from indexes.encoding.batches import LENGTH_STEP, batches, lengths_up_to, padded
from indexes.encoding.graph import Graph, Inputs, Outputs
from indexes.encoding.late import pack
from indexes.encoding.wordpiece import WordPieces

DATA = Path(__file__).parent / "encoder_data"
_BATCH_PIECES = 1024  # word pieces in one batch: more gains nothing
_READ = 65_536  # characters of a text that are looked at: no real window reaches further


class DefaultEncoder:
    """all-MiniLM-L6-v2 in int8, run by OpenVINO (see `scripts/build_encoder.py`).

    A text's vectors have the same bits whatever it is batched with, in every run on one kind of processor; between
    kinds (with bf16 or without) their mean cosine is 0.9997. The graph is compiled at first use.
    """

    def __init__(self, folder: Path) -> None:
        from platformdirs import user_cache_path

        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        self.name: str = manifest["name"]
        self.dimensions: int = manifest["dimensions"]
        self.window: int = manifest["window"]
        hashes = json.dumps(manifest["files"], sort_keys=True)
        self.fingerprint = f"{self.name}-{hashlib.sha256(hashes.encode()).hexdigest()[:16]}"
        self._tokenizer = WordPieces(folder / "tokenizer.json")
        self._framing = [self._tokenizer.vocabulary[special] for special in ("[CLS]", "[SEP]")]
        cache = Path(os.environ.get("PILOTFISH_CACHE") or user_cache_path("pilotfish"), "encoder")
        probe = _probe(len(self._tokenizer.vocabulary), self.window)
        self._graph = Graph(folder / "encoder.xml", fingerprint=self.fingerprint, probe=probe, cache=cache)

    def spans(self, text: str) -> list[Span]:
        """The characters `text[start:end]` of each word piece, specials excluded, however long the text."""
        return self._tokenizer.encode(encodable(text))[1]

    def count(self, text: str) -> int:
        """How many word pieces the text has, specials included: it fits when that is at most `window`."""
        return len(self._framing) + len(self._tokenizer.ids(encodable(text)))

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Encode passages, each as far as the window reaches; cheap to call on some hundreds at a time."""
        pieces = [self._framed(self._tokenizer.ids(encodable(text[:_READ]))) for text in texts]
        vectors = np.empty((len(texts), self.dimensions), dtype=np.float32)
        tokens = [b""] * len(texts)

        def inputs(batch: list[int]) -> Inputs:
            return _inputs([pieces[text] for text in batch])

        def keep(batch: list[int], outputs: Outputs) -> None:
            vectors[batch], states = outputs
            for row, text in enumerate(batch):
                tokens[text] = pack(states[row, 1 : len(pieces[text]) - 1])

        self._graph.run_all(batches(list(map(len, pieces)), _BATCH_PIECES), inputs, keep)
        return Encoded(vectors, tokens)

    def encode_query(self, text: str) -> EncodedQuery:
        """Encode a query, as far as the window reaches."""
        ids, spans = self._tokenizer.encode(encodable(text[:_READ]))
        pieces = self._framed(ids)
        vector, states = self._graph.run(_inputs([pieces]))
        kept = len(pieces) - 2
        return EncodedQuery(vector[0], states[0, 1 : kept + 1], spans[:kept])

    def _framed(self, pieces: Pieces) -> Pieces:
        """As many word pieces as fit, between the two specials."""
        first, last = self._framing
        return [first, *pieces[: self.window - len(self._framing)], last]


def _inputs(batch: Sequence[Pieces]) -> Inputs:
    """The word piece numbers and the mask, each [texts, padded length]."""
    ids = np.zeros((len(batch), padded(max(map(len, batch)))), dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, pieces in enumerate(batch):
        ids[row, : len(pieces)] = pieces
        mask[row, : len(pieces)] = 1
    return [ids, mask]


def _probe(vocabulary: int, window: int) -> list[Inputs]:
    """A batch of each padded length: a row that fills it and one 8 shorter, of fixed pseudo-random word pieces."""
    lengths = lengths_up_to(window)
    rows = ([place * 7919 % vocabulary for place in range(length)] for length in lengths)
    return [_inputs([row, row[LENGTH_STEP // 2 :]]) for row in rows]
