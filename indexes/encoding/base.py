"""The Encoder protocol: turns text into vectors, regardless of who provides it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Pieces = list[int]
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Encoded:
    """Encoded passages.

    Attributes:
        vectors: [texts, dimensions], float32, L2-normalised.
        tokens: for each text the packed codes of its word pieces (`indexes.encoding.late`), in the order of
        `Encoder.spans`;
            empty for an encoder without token vectors.
    """

    vectors: Floats
    tokens: list[bytes]


@dataclass(frozen=True, slots=True)
class EncodedQuery:
    """An encoded query.

    Attributes:
        vector: [dimensions], float32, L2-normalised.
        tokens: [word pieces, 64], float32, L2-normalised; no rows for an encoder without token vectors.
        spans: the characters of the query that each row of `tokens` stands for.
    """

    vector: Floats
    tokens: Floats
    spans: list[Span]


class Encoder(Protocol):
    """Turns texts into vectors. Threads may share one."""

    @property
    def name(self) -> str:
        """What a person calls it."""
        ...

    @property
    def fingerprint(self) -> str:
        """Equal fingerprints mean interchangeable vectors."""
        ...

    @property
    def dimensions(self) -> int:
        """The length of a passage's vector."""
        ...

    @property
    def window(self) -> int:
        """The most word pieces a text may have, specials included."""
        ...

    def spans(self, text: str) -> list[Span]:
        """The characters `text[start:end]` of each word piece, specials excluded, however long the text."""
        ...

    def count(self, text: str) -> int:
        """How many word pieces the text has, specials included: it fits when that is at most `window`."""
        ...

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Encode passages, each as far as the window reaches."""
        ...

    def encode_query(self, text: str) -> EncodedQuery:
        """Encode a query, as far as the window reaches."""
        ...


def encodable(text: str) -> str:
    """The text with lone surrogates, which no tokenizer takes, as question marks: offsets stay as they are."""
    return text.encode("utf-8", "replace").decode("utf-8")
