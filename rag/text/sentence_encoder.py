"""The part of an encoder that the extractive LLM and citation checking use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from indexes.encoding.base import Encoded


class Vectors(Protocol):
    """Text vectors of an encoder: `vectors` has shape [texts, dimensions], float32, L2-normalised.

    `tokens` are for each text the packed vectors of its word pieces (`indexes.encoding.late`), empty where there are
    none.
    """

    @property
    def vectors(self) -> NDArray[np.float32]: ...  # noqa: D102 — said above

    @property
    def tokens(self) -> Sequence[bytes]: ...  # noqa: D102 — said above


class QueryVector(Protocol):
    """A query's vectors: `vector` has shape [dimensions], float32, L2-normalised.

    `tokens` are those of its word pieces, shape [pieces, 64], and `spans` their characters; none where there are none.
    """

    @property
    def vector(self) -> NDArray[np.float32]: ...  # noqa: D102 — said above

    @property
    def tokens(self) -> NDArray[np.float32]: ...  # noqa: D102 — said above

    @property
    def spans(self) -> Sequence[tuple[int, int]]: ...  # noqa: D102 — said above


class SentenceEncoder(Protocol):
    """The part of an encoder that the extractive LLM and citation checking use."""

    def spans(self, text: str, /) -> Sequence[tuple[int, int]]:
        """The characters of each word piece."""
        ...

    def encode(self, texts: Sequence[str], /) -> Vectors:
        """Encode passages."""
        ...

    def encode_query(self, text: str, /) -> QueryVector:
        """Encode a question."""
        ...


class RememberingEncoder:
    """Encodes no text twice while one answer is made: the answer is checked against the same texts it is made of.

    Vectors are kept as long as it lives, so it is not for an index.
    """

    def __init__(self, encoder: SentenceEncoder) -> None:
        self._encoder = encoder
        self._passages: dict[str, tuple[NDArray[np.float32], bytes]] = {}
        self._queries: dict[str, QueryVector] = {}

    def spans(self, text: str, /) -> Sequence[tuple[int, int]]:
        """The characters of each word piece."""
        return self._encoder.spans(text)

    def encode(self, texts: Sequence[str], /) -> Vectors:
        """Encode passages; those seen before have the vectors that they had."""
        new = [text for text in dict.fromkeys(texts) if text not in self._passages]
        if new or not texts:
            encoded = self._encoder.encode(new)
            self._passages.update(zip(new, zip(encoded.vectors, encoded.tokens, strict=True), strict=True))
            if len(new) == len(texts):
                return encoded
        known = [self._passages[text] for text in texts]
        return Encoded(np.stack([vector for vector, _ in known]), [tokens for _, tokens in known])

    def encode_query(self, text: str, /) -> QueryVector:
        """Encode a question."""
        if text not in self._queries:
            self._queries[text] = self._encoder.encode_query(text)
        return self._queries[text]
