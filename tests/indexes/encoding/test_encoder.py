"""The default encoder as shipped, and what happens when another one is asked for."""

from __future__ import annotations

import gc
import hashlib
import importlib.util
import itertools
import json
import subprocess
import sys
import unicodedata
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tokenizers import Tokenizer

import indexes.encoding.encoder
import indexes.encoding.loading
from connectors.errors import ConfigurationError
from indexes.encoding.base import Encoder
from indexes.encoding.encoder import DefaultEncoder
from indexes.encoding.graph import import_openvino
from indexes.encoding.late import TOKEN_BYTES, alignment, unpack
from indexes.encoding.loading import load_encoder

ROOT = Path(indexes.encoding.encoder.__file__).parents[2]
DATA = ROOT / "indexes" / "encoding" / "encoder_data"
REFERENCE = json.loads(Path(__file__).with_name("encoder_reference.json").read_text("utf-8"))
TEXTS: list[str] = REFERENCE["texts"]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder()


@pytest.fixture(scope="module")
def f32() -> Any:
    """The encoder's graph in f32, whatever the processor offers."""
    return import_openvino().Core().compile_model(DATA / "encoder.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})


def cosines(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray((left * right).sum(-1))


def test_vectors_are_close_to_the_full_precision_model(encoder: Encoder) -> None:
    reference = np.array(REFERENCE["vectors"], np.float32)

    assert (cosines(encoder.encode(TEXTS).vectors, reference) > 0.98).all()


@pytest.mark.parametrize("pieces", range(16, 257, 16))
def test_at_every_length_the_vectors_are_those_of_f32(encoder: Encoder, f32: Any, pieces: int) -> None:
    prose = " ".join(TEXTS * 2)
    text = prose[: encoder.spans(prose)[pieces - 3][1]]
    ids = Tokenizer.from_file(str(DATA / "tokenizer.json")).encode(text).ids
    vector, tokens = f32([[ids], np.ones((1, pieces), np.int64)]).values()

    query = encoder.encode_query(text)
    assert cosines(query.vector, vector[0]) > 0.998
    assert cosines(query.tokens, tokens[0, 1:-1]).mean() > 0.998
    assert (cosines(encoder.encode([text] * 3).vectors, vector) > 0.998).all()


def test_passages_become_unit_vectors_and_a_code_for_every_word_piece(encoder: Encoder) -> None:
    encoded = encoder.encode(TEXTS)

    assert encoded.vectors.shape == (len(TEXTS), encoder.dimensions)
    assert encoded.vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(encoded.vectors, axis=1), 1, atol=1e-5)
    for text, codes in zip(TEXTS, encoded.tokens, strict=True):
        assert len(codes) == TOKEN_BYTES * len(encoder.spans(text))
        np.testing.assert_allclose(np.linalg.norm(unpack(codes), axis=1), 1, atol=0.1)


def test_a_query_has_a_vector_and_a_token_vector_for_every_span(encoder: Encoder) -> None:
    query = encoder.encode_query("Where do kittens sleep?")

    assert query.vector.shape == (encoder.dimensions,)
    assert query.tokens.shape == (len(query.spans), 64)
    assert query.spans == encoder.spans("Where do kittens sleep?")
    np.testing.assert_allclose(np.linalg.norm(query.tokens, axis=1), 1, atol=1e-5)


def test_a_query_and_a_passage_of_the_same_words_have_the_same_vector(encoder: Encoder) -> None:
    assert np.array_equal(encoder.encode_query(TEXTS[0]).vector, encoder.encode(TEXTS).vectors[0])


def test_related_texts_are_nearer_than_unrelated_ones(encoder: Encoder) -> None:
    vectors = encoder.encode(TEXTS).vectors
    nearness = vectors[0] @ vectors.T

    assert nearness[1] > 0.4
    assert nearness[1] > nearness[2:].max() + 0.2


def test_alignment_pairs_words_of_like_meaning(encoder: Encoder) -> None:
    passage = "The kitten naps on the rug while interest rates rise."
    query = encoder.encode_query("cat")
    _, places = alignment(query.tokens, encoder.encode([passage]).tokens[0])
    start, end = encoder.spans(passage)[places[0]]

    assert passage[start:end] == "kitten"


def test_company_order_and_padding_change_no_bit(encoder: Encoder) -> None:
    texts = [*TEXTS, "", "cat", " ".join(TEXTS), *(word for text in TEXTS for word in text.split())]
    together = encoder.encode(texts)
    backwards = encoder.encode(texts[::-1])
    alone = [encoder.encode([text]) for text in texts[:12]]

    assert np.array_equal(together.vectors, backwards.vectors[::-1])
    assert together.tokens == backwards.tokens[::-1]
    for row, one in enumerate(alone):
        assert np.array_equal(together.vectors[row], one.vectors[0])
        assert together.tokens[row] == one.tokens[0]


def test_two_processes_make_the_same_bits(encoder: Encoder) -> None:
    program = (
        "import hashlib, json, sys\n"
        "from indexes.encoding.loading import load_encoder\n"
        "encoded = load_encoder().encode(json.load(sys.stdin))\n"
        "print(hashlib.sha256(encoded.vectors.tobytes() + b''.join(encoded.tokens)).hexdigest())"
    )
    other = subprocess.run(
        [sys.executable, "-c", program], input=json.dumps(TEXTS), capture_output=True, text=True, check=True, cwd=ROOT
    )

    here = encoder.encode(TEXTS)
    assert other.stdout.strip() == hashlib.sha256(here.vectors.tobytes() + b"".join(here.tokens)).hexdigest()


def test_threads_share_one_encoder() -> None:
    shared = DefaultEncoder(DATA)  # not yet compiled: the threads race for that too
    with ThreadPoolExecutor(6) as pool:
        passages = [pool.submit(shared.encode, TEXTS) for _ in range(4)]
        queries = [pool.submit(shared.encode_query, text) for text in TEXTS * 3]
        vectors = shared.encode(TEXTS).vectors

    assert all(np.array_equal(task.result().vectors, vectors) for task in passages)
    assert all(np.array_equal(task.result().vector, vectors[i % len(TEXTS)]) for i, task in enumerate(queries))


def test_spans_are_the_very_characters_of_each_word_piece(encoder: Encoder) -> None:
    text = "Ünïcödé  naïve 北京\tis 5,120 km² [SEP] 👩‍🚀 e\u0301t\u00e9 İstanbul"

    words = [text[start:end] for start, end in encoder.spans(text)]

    assert "北" in words
    assert "naïve" in words
    assert "İstanbul" in words
    assert words[words.index("[") : words.index("[") + 3] == ["[", "SEP", "]"]
    assert "".join(words).replace("\u0301", "") in "".join(text.split()).replace("\u0301", "")


@given(st.text(max_size=300))
@settings(max_examples=80, deadline=None)
def test_spans_of_any_text_are_in_order_and_inside_it(text: str) -> None:
    encoder = _shared()
    spans = encoder.spans(text)

    assert all(0 <= start < end <= len(text) for start, end in spans)
    # Only a character that the tokenizer takes apart (a ligature, a Hangul syllable) can be in two pieces.
    for (_, end), (start, _) in itertools.pairwise(spans):
        assert start >= end or unicodedata.normalize("NFD", text[start : start + 1]) != text[start : start + 1]
    assert encoder.count(text) == len(spans) + 2


_loaded: list[Encoder] = []


def _shared() -> Encoder:
    """The encoder for property tests, which a fixture cannot serve."""
    if not _loaded:
        _loaded.append(load_encoder())
    return _loaded[0]


@pytest.mark.parametrize(
    "text", ["", " \n\t", "\x00\x01", "🙂🙂🙂", "\ud800 lone", "a" * 5000, "the of and", "word " * 30]
)
def test_awkward_texts_can_be_encoded(encoder: Encoder, text: str) -> None:
    encoded = encoder.encode([text])
    query = encoder.encode_query(text)

    assert np.isfinite(encoded.vectors).all()
    assert np.array_equal(encoded.vectors[0], query.vector)
    assert len(encoded.tokens[0]) == TOKEN_BYTES * len(query.spans)


def test_nothing_encodes_to_nothing(encoder: Encoder) -> None:
    encoded = encoder.encode([])

    assert encoded.vectors.shape == (0, encoder.dimensions)
    assert encoded.tokens == []


def test_beyond_the_window_a_text_is_not_read(encoder: Encoder) -> None:
    words = [f"word{number}" for number in range(10_000)]
    long = " ".join(words)
    query = encoder.encode_query(long)
    read = long[: query.spans[-1][1]]

    assert encoder.count(long) > encoder.window
    assert encoder.count(read) == encoder.window
    assert len(query.spans) == encoder.window - 2
    assert np.array_equal(encoder.encode([long]).vectors, encoder.encode([read]).vectors)


def test_a_special_token_written_in_a_text_is_only_text(encoder: Encoder) -> None:
    assert encoder.count("[SEP]") == 5
    assert encoder.count("[PAD][PAD]") == 8


def test_every_shipped_file_is_the_one_in_the_manifest() -> None:
    manifest = json.loads((DATA / "manifest.json").read_text("utf-8"))

    for name, expected in manifest["files"].items():
        assert hashlib.sha256((DATA / name).read_bytes()).hexdigest() == expected, name
    assert {path.name for path in DATA.iterdir()} == {*manifest["files"], "manifest.json", "README.md"}


def test_the_fingerprint_names_the_encoder_and_is_stable(encoder: Encoder) -> None:
    assert encoder.fingerprint == DefaultEncoder(DATA).fingerprint
    assert encoder.fingerprint.startswith(encoder.name)


def test_those_who_load_it_at_a_time_share_it_and_the_last_lets_it_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexes.encoding.loading, "_loaded", WeakValueDictionary())  # the session holds one
    with ThreadPoolExecutor(6) as pool:
        held = list(pool.map(lambda _: load_encoder(), range(6)))
    assert len(set(map(id, held))) == 1
    gone = weakref.ref(held[0])
    held.clear()
    gc.collect()
    assert gone() is None


def test_importing_and_loading_is_light() -> None:
    program = (
        "import sys, indexes.encoding.encoder, indexes.encoding.late\n"
        "slow = {'openvino', 'tokenizers', 'torch', 'sentence_transformers'} & set(sys.modules)\n"
        "sys.exit(f'{slow} imported' if slow else 0)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)


def test_another_encoder_without_its_extra_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)  # as if it were not installed

    with pytest.raises(ConfigurationError, match="some/model") as raised:
        load_encoder("some/model")

    assert 'pip install "pilotfish[models]"' in raised.value.hint


@pytest.mark.model
@pytest.mark.skipif(importlib.util.find_spec("sentence_transformers") is None, reason="needs the models extra")
def test_a_model_that_is_not_on_this_machine_is_not_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PILOTFISH_ALLOW_DOWNLOADS", raising=False)

    with pytest.raises(ConfigurationError, match="no/such-model") as raised:
        load_encoder("no/such-model")

    assert "PILOTFISH_ALLOW_DOWNLOADS" in raised.value.hint
