"""The default encoder: text in; out come one vector for the passage and one small vector per word piece."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from indexes.encoding.base import Encoded, EncodedQuery, Pieces, Span, encodable
from indexes.encoding.graph import Graph, Inputs, Outputs
from indexes.encoding.late import pack
from indexes.encoding.wordpiece import WordPieces

DATA = Path(__file__).parent / "encoder_data"
_LENGTH_STEP = 16  # texts are padded to a multiple of this, so that few shapes are compiled
_HEAD_DIMENSIONS = 32  # of the model's attention
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

        self._graph.run_all(_batches(pieces), inputs, keep)
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


def _batches(pieces: Sequence[Pieces]) -> Iterator[list[int]]:
    """The places of the texts that go together, longest first: texts of one padded length, so little is padded."""
    padded = [_padded(len(text)) for text in pieces]
    order = sorted(range(len(pieces)), key=lambda text: (-padded[text], text))
    start = 0
    while start < len(order):
        length = padded[order[start]]
        end = start + 1
        while end < len(order) and padded[order[end]] == length and (end - start + 1) * length <= _BATCH_PIECES:
            end += 1
        yield order[start:end]
        start = end


def _inputs(batch: Sequence[Pieces]) -> Inputs:
    """The word piece numbers and the mask, each [texts, padded length]."""
    ids = np.zeros((len(batch), max(_padded(len(pieces)) for pieces in batch)), dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, pieces in enumerate(batch):
        ids[row, : len(pieces)] = pieces
        mask[row, : len(pieces)] = 1
    return [ids, mask]


def _padded(length: int) -> int:
    """The next multiple of 16, but never 32.

    On processors with AMX, OpenVINO 2026.4.1 computes the attention wrongly in bf16 when there are as many word pieces
    as a head has dimensions: at 32 the cosine to f32 falls to 0.74, in batches of any size, and at no other multiple of
    16 up to 256 below 0.997. It is right without AMX (ONEDNN_MAX_CPU_ISA=AVX512_CORE_FP16).
    """
    padded = -(-length // _LENGTH_STEP) * _LENGTH_STEP
    return padded + _LENGTH_STEP if padded == _HEAD_DIMENSIONS else padded


def _probe(vocabulary: int, window: int) -> list[Inputs]:
    """A batch of each padded length: a row that fills it and one 8 shorter, of fixed pseudo-random word pieces."""
    lengths = sorted({_padded(length) for length in range(1, window + 1)})
    rows = ([place * 7919 % vocabulary for place in range(length)] for length in lengths)
    return [_inputs([row, row[_LENGTH_STEP // 2 :]]) for row in rows]
