"""An encoder without a model: equal texts have equal vectors in every process, and every text it embeds is logged."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import cache
from hashlib import blake2b
from pathlib import Path

import numpy as np

from indexes.encoding.base import Encoded, EncodedQuery, Floats, Span
from indexes.encoding.late import TOKEN_DIMENSIONS, pack
from indexes.writer import text_hash

DIMENSIONS = 24
_WORD = re.compile(r"\w+")


class WordEncoder:
    """Each word adds a fixed random direction. Another `name` is another encoder, with other vectors.

    The hash of every text embedded is appended to `log`, a line each, before its vector is given out.
    """

    dimensions = DIMENSIONS
    window = 256

    def __init__(self, name: str, log: Path | None) -> None:
        self.name = self.fingerprint = name
        self._log = log

    def spans(self, text: str) -> list[Span]:
        return [word.span() for word in _WORD.finditer(text)]

    def count(self, text: str) -> int:
        return len(self.spans(text)) + 2

    def encode(self, texts: Sequence[str]) -> Encoded:
        if self._log is not None:
            lines = "".join(f"{self.name} {text_hash(text).hex()}\n" for text in texts)
            descriptor = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.write(descriptor, lines.encode())
            os.close(descriptor)
        return Encoded(np.stack([self.vector(text) for text in texts]), [pack(self._tokens(text)) for text in texts])

    def encode_query(self, text: str) -> EncodedQuery:
        return EncodedQuery(self.vector(text), self._tokens(text), self.spans(text))

    def vector(self, text: str) -> Floats:
        """The vector of record of a text, [DIMENSIONS]."""
        total = sum((_direction(self.name, word, DIMENSIONS) for word in _WORD.findall(text)), np.zeros(DIMENSIONS))
        return (total / np.linalg.norm(total)).astype(np.float32)

    def _tokens(self, text: str) -> Floats:
        return np.stack([_direction(self.name, word, TOKEN_DIMENSIONS) for word in _WORD.findall(text)])


@cache
def _direction(name: str, word: str, dimensions: int) -> Floats:
    seed = int.from_bytes(blake2b(f"{name} {word}".encode(), digest_size=4).digest())
    direction = np.random.default_rng(seed).standard_normal(dimensions)
    return (direction / np.linalg.norm(direction)).astype(np.float32)
