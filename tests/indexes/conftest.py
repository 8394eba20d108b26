"""A small encoder for tests of the store: real vectors, no model, so that thousands of commits take seconds."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pytest

from connectors.document import Chunk, Document, DocumentName, Location
from indexes.catalog.rows import StoredChunk
from indexes.encoding.base import Encoded, EncodedQuery
from indexes.terms.analyzer import analyze

DIMENSIONS = 24


class BagEncoder:
    """Each term adds a fixed random direction. Counts the texts it was given."""

    name = "bag"
    dimensions = DIMENSIONS
    window = 256

    def __init__(self, fingerprint: str = "bag-1") -> None:
        self.fingerprint = fingerprint
        self.texts: list[str] = []

    def spans(self, text: str) -> list[tuple[int, int]]:
        return [(place, place + 1) for place, character in enumerate(text) if not character.isspace()]

    def count(self, text: str) -> int:
        return len(self.spans(text))

    def encode(self, texts: Sequence[str]) -> Encoded:
        self.texts.extend(texts)
        return Encoded(np.array([self._vector(text) for text in texts], np.float32).reshape(-1, DIMENSIONS), [])

    def encode_query(self, text: str) -> EncodedQuery:
        return EncodedQuery(self._vector(text), np.empty((0, 64), np.float32), [])

    def _vector(self, text: str) -> np.ndarray:
        total = np.full(DIMENSIONS, 1e-3, np.float32)
        for term in analyze(text):
            seed = int.from_bytes(hashlib.blake2b(f"{self.fingerprint}{term}".encode(), digest_size=4).digest())
            total += np.random.default_rng(seed).standard_normal(DIMENSIONS).astype(np.float32)
        return total / np.linalg.norm(total)


@pytest.fixture
def bag(monkeypatch: pytest.MonkeyPatch) -> BagEncoder:
    """The encoder every store opened in this test uses."""
    encoder = BagEncoder()
    others = {"bag-2": BagEncoder("bag-2")}
    monkeypatch.setattr("indexes.store.load_encoder", lambda spec: others.get(spec, encoder))
    return encoder


def make_document(uri: str, *paragraphs: str, **metadata: str | int | float | bool) -> tuple[Document, list[Chunk]]:
    """A document with one chunk a paragraph, and a name."""
    text = "\n".join(paragraphs)
    revision = hashlib.blake2b(text.encode("utf-8", "surrogatepass")).hexdigest()
    names = (DocumentName(f"Name of {uri.strip('/')}", "test.name"),)
    document = Document(uri, uri, text, kind="text", revision=revision, metadata=metadata, names=names)
    chunks, start = [], 0
    for line, paragraph in enumerate(paragraphs, 1):
        chunks.append(Chunk(paragraph, "", Location(start, start + len(paragraph), line, line)))
        start += len(paragraph) + 1
    return document, chunks


def stored(key: int, text: str, language: str = "en") -> StoredChunk:
    """A chunk as the sparse index receives it."""
    return StoredChunk(key, text, "", Location(0, len(text), 1, 1), f"/{key}", "", "text", language, {})
