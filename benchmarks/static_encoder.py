"""An encoder without a forward pass, so that a million passages are encoded in a minute rather than in hours."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from pydoc_data.topics import topics

import numpy as np
from scipy.sparse import csr_array  # type: ignore[import-untyped]
from tokenizers import Tokenizer

from indexes.encoding import encoder
from indexes.encoding.base import Encoded, EncodedQuery, Floats, Span, encodable
from indexes.encoding.late import TOKEN_BYTES, TOKEN_DIMENSIONS, pack

_DATA = Path(encoder.__file__).parent / "encoder_data"
_SEED = 7
_SMOOTHING = 1e-4  # pieces this frequent weigh half
_UNSEEN = 0.1  # what a piece counts that is nowhere in the reference
# The tokenizer parts words at white space and ASCII punctuation, whatever surrounds them, so words can be kept.
_WORD = re.compile(r"[!-/:-@\[-`{-~]|[^\s!-/:-@\[-`{-~]+")
_MOST_WORDS = 300_000  # kept with their word pieces: about 60 MB
_PIECE = np.dtype(np.int32)


class StaticEncoder:
    """The word embeddings of all-MiniLM-L6-v2, averaged: stands in for the real encoder in benchmarks of *scale* only.

    Sizes and counts are those of the real one, and cosines are spread much alike: between two passages of technical
    documentation the quartiles are 0.05, 0.13 and 0.21 (real: 0.05, 0.12 and 0.20), with the nearest of 2,000 a median
    0.66 (real: 0.68). How well its vectors find anything is nobody's business.

    A passage's vector is the weighted mean after Arora et al., "A Simple but Tough-to-Beat Baseline for Sentence
    Embeddings" (ICLR 2017), with frequencies counted in Python's language reference and the common mean removed. Token
    vectors are the same embeddings through a fixed random projection. It implements `indexes.encoding.base.Encoder`,
    needs scipy, and becomes the encoder of every store opened from then on by

        indexes.store.load_encoder = StaticEncoder.load

    >>> encoded = StaticEncoder().encode(["tides", "the moon pulls the sea"])
    >>> encoded.vectors.shape, len(encoded.tokens[1]) // TOKEN_BYTES
    ((2, 384), 5)
    """

    name = "static"
    fingerprint = "static-1"

    def __init__(self) -> None:
        manifest = json.loads((_DATA / "manifest.json").read_text("utf-8"))
        self.window: int = manifest["window"]
        self._tokenizer = Tokenizer.from_file(str(_DATA / "tokenizer.json"))
        self._pieces = _PiecesOfWords(self._tokenizer)
        embeddings = _word_embeddings()
        self.dimensions = embeddings.shape[1]
        frequency = _frequencies(self._tokenizer)
        weights = _SMOOTHING / (_SMOOTHING + frequency)
        embeddings -= np.average(embeddings, axis=0, weights=frequency * weights)
        self._weighted = embeddings * weights[:, np.newaxis]
        normal = np.random.default_rng(_SEED).standard_normal((self.dimensions, TOKEN_DIMENSIONS))
        projection, _ = np.linalg.qr(normal)
        self._tokens = normalised(embeddings @ projection.astype(np.float32))
        self._codes = np.frombuffer(pack(self._tokens), dtype=np.dtype((np.void, TOKEN_BYTES)))
        # Like the real encoder's, the vector of a text without word pieces is that of [CLS].
        self._first = self._weighted[self._tokenizer.token_to_id("[CLS]")]

    @classmethod
    def load(cls, _spec: str = "default") -> StaticEncoder:
        """What takes the place of `indexes.encoding.loading.load_encoder`, whichever encoder is asked for."""
        return cls()

    def spans(self, text: str) -> list[Span]:
        """The characters `text[start:end]` of each word piece, specials excluded, however long the text."""
        offsets: list[Span] = self._tokenizer.encode(encodable(text), add_special_tokens=False).offsets
        return offsets

    def count(self, text: str) -> int:
        """How many word pieces the text has, specials included: it fits when that is at most `window`."""
        return len(self._tokenizer.encode(encodable(text)))

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Encode passages, each as far as the window reaches; some hundreds at a time are fastest."""
        kept = (self.window - 2) * _PIECE.itemsize
        packed = [b"".join(map(self._pieces.__getitem__, _WORD.findall(text)))[:kept] for text in texts]
        pieces = np.frombuffer(b"".join(packed), dtype=_PIECE)
        ends = np.cumsum([0, *map(len, packed)]) // _PIECE.itemsize
        counts = csr_array(
            (np.ones(len(pieces), np.float32), pieces, ends), shape=(len(texts), len(self._weighted)), copy=False
        )
        vectors = normalised(counts @ self._weighted + self._first)
        codes = self._codes[pieces].tobytes()
        bounds = (ends * TOKEN_BYTES).tolist()
        return Encoded(vectors, [codes[start:end] for start, end in pairwise(bounds)])

    def encode_query(self, text: str) -> EncodedQuery:
        """Encode a query, as far as the window reaches."""
        encoding = self._tokenizer.encode(encodable(text), add_special_tokens=False)
        kept = encoding.ids[: self.window - 2]
        vector = self._weighted[kept].sum(axis=0) + self._first
        return EncodedQuery(normalised(vector), self._tokens[kept], encoding.offsets[: len(kept)])


class _PiecesOfWords(dict[str, bytes]):
    """The word piece numbers of every word met so far."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._encode = partial(tokenizer.encode, add_special_tokens=False)

    def __missing__(self, word: str) -> bytes:
        if len(self) >= _MOST_WORDS:
            self.clear()
        self[word] = pieces = np.array(self._encode(encodable(word)).ids, dtype=_PIECE).tobytes()
        return pieces


def _word_embeddings() -> Floats:
    """The table of word embeddings [vocabulary, dimensions] in the shipped graph, in floating point."""
    import openvino

    graph = openvino.Core().read_model(_DATA / "encoder.xml")
    (lookup,) = (
        node
        for node in graph.get_ops()
        if node.get_type_name() == "Gather" and "word_embeddings" in node.get_friendly_name()
    )
    table = openvino.compile_model(openvino.Model([lookup.input_value(0)], []), "CPU")([])[0]
    return np.array(table, dtype=np.float32)


def _frequencies(tokenizer: Tokenizer) -> Floats:
    """How often each word piece occurs in Python's language reference, [vocabulary], summing to 1."""
    encodings = tokenizer.encode_batch_fast(list(topics.values()), add_special_tokens=False)
    pieces = np.concatenate([encoding.ids for encoding in encodings])
    counts = np.bincount(pieces, minlength=tokenizer.get_vocab_size()) + _UNSEEN
    return np.asarray(counts / counts.sum(), dtype=np.float32)


def normalised(vectors: Floats) -> Floats:
    """Each made one long."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), dtype=np.float32)
