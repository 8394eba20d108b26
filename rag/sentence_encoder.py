"""What answering needs of an encoder: the part that the extractive LLM and citation checking use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Vectors(Protocol):
    """Text vectors of an encoder: `vectors` has shape [texts, dimensions], float32, L2-normalised.

    `tokens` are for each text the packed vectors of its word pieces (`indexes.late`), empty where there are none.
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
    """What the extractive LLM and citation checking need of an encoder."""

    def spans(self, text: str, /) -> Sequence[tuple[int, int]]:
        """The characters of each word piece."""
        ...

    def encode(self, texts: Sequence[str], /) -> Vectors:
        """Encode passages."""
        ...

    def encode_query(self, text: str, /) -> QueryVector:
        """Encode a question."""
        ...
