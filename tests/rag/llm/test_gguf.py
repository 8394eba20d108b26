from __future__ import annotations

import contextlib
import struct
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import ConfigurationError
from rag.llm.gguf import check_writes, read_header
from tests.rag.gguf_files import ARRAY, CHAT, STRING, U32, entry, flag, gguf, number, string, strings, tensor

HUGE = 2**63


def written(folder: Path, content: bytes) -> Path:
    path = folder / "model.gguf"
    path.write_bytes(content)
    return path


def test_a_header_tells_what_the_model_is(tmp_path: Path):
    header = read_header(written(tmp_path, CHAT))
    assert header.architecture == "llama"
    assert header.trained_window == 2048
    assert header.tensors == 1
    check_writes(header, tmp_path)


def test_the_header_of_a_real_model_is_read(smollm2: Path):
    header = read_header(smollm2)
    assert header.architecture == "llama"
    assert header.trained_window == 8192
    assert header.metadata["tokenizer.ggml.tokens"] is None  # 49,152 words are passed over
    check_writes(header, smollm2)


HOSTILE = {
    "nothing": (b"", "is not a GGUF file"),
    "something else": (b"PK\x03\x04" + bytes(100), "is not a GGUF file"),
    "only the magic": (b"GGUF", "cut off in its header"),
    "version 1": (gguf(version=1), "GGUF of version 1"),
    "the other byte order": (b"GGUF" + struct.pack(">IQQ", 3, 1, 1), "GGUF of version 50331648"),
    "many tensors": (gguf(claimed_tensors=HUGE), "claims 9,223,372,036,854,775,808 tensors"),
    "many entries": (gguf(claimed_entries=HUGE), "claims 9,223,372,036,854,775,808 entries"),
    "more entries than there are": (gguf(number("a", 1), claimed_entries=9), "cut off|claims"),
    "a long key": (gguf(struct.pack("<Q", HUGE) + b"key"), "claims a text of"),
    "a long text": (gguf(entry("a", STRING, struct.pack("<Q", HUGE))), "claims a text of"),
    "a text beyond the end": (gguf(entry("a", STRING, struct.pack("<Q", 5000))), "cut off in its header"),
    "a long array": (gguf(entry("a", ARRAY, struct.pack("<IQ", U32, HUGE))), "claims an array of"),
    "a long array of texts": (gguf(entry("a", ARRAY, struct.pack("<IQ", STRING, HUGE))), "claims an array of"),
    "a long text in an array": (gguf(entry("a", ARRAY, struct.pack("<IQQ", STRING, 1, HUGE))), "cut off"),
    "arrays in arrays": (gguf(entry("a", ARRAY, struct.pack("<IQ", ARRAY, 1) * 500)), "array of the unknown type 9"),
    "an unknown type": (gguf(entry("a", 99, b"")), "unknown type 99"),
    "no dimensions": (gguf(tensors=(tensor("t"),)), "0 dimensions"),
    "many dimensions": (gguf(tensors=(tensor("t", *[1] * 9),)), "9 dimensions"),
    "a tensor beyond the end": (gguf(tensors=(tensor("t", 4, 8),), data=100), "28 bytes of its tensors are missing"),
    "a tensor as large as memory": (gguf(tensors=(tensor("t", HUGE, HUGE, HUGE),)), "is cut off"),
    "a tensor far away": (gguf(tensors=(tensor("t", 1, offset=HUGE),), data=8), "is cut off"),
    "no alignment": (gguf(number("general.alignment", 0), tensors=(tensor("t", 1),), data=4), "has the alignment 0"),
}


@pytest.mark.parametrize(("content", "message"), HOSTILE.values(), ids=HOSTILE)
def test_what_cannot_be_is_refused_before_it_is_believed(tmp_path: Path, content, message):
    with pytest.raises(ConfigurationError, match=message) as caught:
        read_header(written(tmp_path, content))
    assert "model.gguf" in str(caught.value)
    assert caught.value.hint


def test_every_cut_of_a_file_is_noticed(tmp_path: Path):
    path = tmp_path / "model.gguf"
    for length in range(len(CHAT)):
        path.write_bytes(CHAT[:length])
        with pytest.raises(ConfigurationError):
            read_header(path)


@given(st.lists(st.tuples(st.integers(4, len(CHAT) - 129), st.integers(0, 255)), max_size=6))
def test_a_damaged_header_is_read_or_refused_and_nothing_else(changes):
    content = bytearray(CHAT)
    for place, value in changes:
        content[place] = value
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder), bytes(content))
        with contextlib.suppress(ConfigurationError):
            read_header(path)


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path):
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_header(tmp_path)


TENSORS = {"tensors": (tensor("token_embd.weight", 4, 8),), "data": 128}
NO_CHAT = {
    "bert": (
        gguf(string("general.architecture", "bert"), flag("bert.attention.causal", False), **TENSORS),
        "embedding",
    ),
    "pooled": (gguf(string("general.architecture", "qwen3"), number("qwen3.pooling_type", 3), **TENSORS), "embedding"),
    "vocabulary": (gguf(string("general.architecture", "llama"), strings("tokenizer.ggml.tokens", "a")), "vocabulary"),
    "adapter": (gguf(string("general.architecture", "llama"), string("general.type", "adapter"), **TENSORS), "adapter"),
    "images": (gguf(string("general.architecture", "clip"), **TENSORS), "image encoder"),
    "unnamed": (gguf(**TENSORS), "no architecture"),
}


@pytest.mark.parametrize(("content", "kind"), NO_CHAT.values(), ids=NO_CHAT)
def test_what_does_not_write_is_no_llm(tmp_path: Path, content, kind):
    path = written(tmp_path, content)
    header = read_header(path)
    with pytest.raises(ConfigurationError, match=kind) as caught:
        check_writes(header, path)
    assert "chat model" in caught.value.hint
