"""An encoder that encodes no text twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from indexes.encoding.base import Encoded
from indexes.encoding.encoder import DefaultEncoder
from indexes.encoding.loading import load_encoder
from rag import KnowledgeBase
from rag.text.sentence_encoder import RememberingEncoder

HANDBOOK = """\
# Refunds

Refunds are paid within 14 days of
the return. They go back the way the customer paid.
"""


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each passage has been encoded since."""
    counts: Counter[str] = Counter()
    encode = DefaultEncoder.encode

    def counted(encoder: DefaultEncoder, texts: Sequence[str]) -> Encoded:
        counts.update(texts)
        return encode(encoder, texts)

    monkeypatch.setattr(DefaultEncoder, "encode", counted)
    return counts


def test_it_gives_the_vectors_of_its_encoder_in_the_order_asked(encoded: Counter[str]) -> None:
    plain = load_encoder()
    remembering = RememberingEncoder(plain)
    texts = ["Refunds take 14 days.", "The shop is open.", "Refunds take 14 days."]
    first, second = remembering.encode(texts[:1]), remembering.encode(texts)
    assert max(encoded.values()) == 1
    expected = plain.encode(texts)
    assert np.array_equal(first.vectors, expected.vectors[:1])
    assert np.array_equal(second.vectors, expected.vectors)
    assert list(second.tokens) == expected.tokens


def test_it_encodes_nothing_where_there_is_nothing() -> None:
    assert RememberingEncoder(load_encoder()).encode([]).vectors.shape == (0, 384)


def test_it_remembers_a_question() -> None:
    remembering = RememberingEncoder(load_encoder())
    assert remembering.encode_query("how long?") is remembering.encode_query("how long?")


def test_an_answer_is_quoted_and_checked_by_the_same_vectors(tmp_path: Path, encoded: Counter[str]) -> None:
    (tmp_path / "handbook.md").write_text(HANDBOOK)
    with closing(KnowledgeBase.open(tmp_path / "kb")) as base:
        base.index(tmp_path / "handbook.md")
        encoded.clear()
        answer = base.ask("How long do refunds take?")
    assert answer.citations[0].supported
    assert encoded["Refunds are paid within 14 days of the return."] == 1
    assert max(encoded.values()) == 1
