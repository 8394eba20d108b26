"""Reads and distrusts the header of a GGUF file before llama.cpp gets the file.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Counts and lengths in a file are claims: each is
checked against the bytes that exist, so that a hostile file costs neither memory nor a crash.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias

from connectors.errors import ConfigurationError

Value: TypeAlias = "int | float | bool | str | None"

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_MOST_ENTRIES = 65_536  # of metadata, and tensors: the largest models have some thousands
_LONGEST_NAME = 65_535
_LONGEST_TEXT = 16_000_000  # chat templates are some kilobytes
_MOST_DIMENSIONS = 4
_STRING, _ARRAY = 8, 9
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_DEFAULT_ALIGNMENT = 32
# Values of a block and its bytes, by the number of the type.
_BLOCKS = {
    number: (values, size)
    for values, sizes in {
        1: {0: 4, 1: 2, 24: 1, 25: 2, 26: 4, 27: 8, 28: 8, 30: 2},
        32: {2: 18, 3: 20, 6: 22, 7: 24, 8: 34, 9: 36, 20: 18, 39: 17},
        256: {10: 84, 11: 110, 12: 144, 13: 176, 14: 210, 15: 292, 16: 66, 17: 74, 18: 98, 19: 50, 21: 110, 22: 82}
        | {23: 136, 29: 56, 34: 54, 35: 66},
    }.items()
    for number, size in sizes.items()
}
_NOT_CHAT = {
    "clip": "the image encoder of a model",
    "t5encoder": "an embedding model",
    "imatrix": "an importance matrix",
}


@dataclass(frozen=True, slots=True)
class Header:
    """The metadata that a GGUF file claims.

    Attributes:
        metadata: its scalars and strings by key; arrays (the vocabulary) are passed over, and None.
        tensors: how many it holds.
    """

    metadata: Mapping[str, Value]
    tensors: int

    @property
    def architecture(self) -> str:
        """Such as `llama`; empty where the file does not say."""
        return str(self.metadata.get("general.architecture") or "")

    @property
    def trained_window(self) -> int | None:
        """The tokens that the model was trained to read together."""
        value = self.metadata.get(f"{self.architecture}.context_length")
        return value if isinstance(value, int) and value > 0 else None


def read_header(path: Path) -> Header:
    """The header of the GGUF file at `path`, whose tensors all lie within it.

    Raises:
        ConfigurationError: it is no GGUF file, is cut off, or says what cannot be.
    """
    try:
        with path.open("rb") as file:
            return _Reader(file, path.stat().st_size).header()
    except _FlawError as flaw:
        raise ConfigurationError(f"{str(path)!r} {flaw}", hint=flaw.hint) from flaw
    except OSError as error:
        raise ConfigurationError(f"{str(path)!r} cannot be read: {error.strerror or error}") from error


def check_writes(header: Header, path: Path) -> None:
    """Refuse a model that does not write text: an embedding model, a vocabulary, an adapter.

    Raises:
        ConfigurationError: it is one of these; the message says which.
    """
    architecture, metadata = header.architecture, header.metadata
    kind = _NOT_CHAT.get(architecture)
    if metadata.get("general.type") == "adapter":
        kind = "a LoRA adapter without its model"
    elif metadata.get(f"{architecture}.attention.causal") is False or metadata.get(f"{architecture}.pooling_type"):
        kind = "an embedding model"
    elif header.tensors == 0:
        kind = "a vocabulary without a model"
    elif not architecture:
        kind = "of no architecture that it names"
    if kind is not None:
        raise ConfigurationError(f"{str(path)!r} is {kind}: it cannot answer", hint="use a chat model in a GGUF file")


class _FlawError(Exception):
    def __init__(self, problem: str, hint: str = "the file is damaged: download it again") -> None:
        super().__init__(problem)
        self.hint = hint


class _Reader:
    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size

    def header(self) -> Header:
        if self._file.read(len(_MAGIC)) != _MAGIC:
            raise _FlawError("is not a GGUF file", hint="llama.cpp runs models in the GGUF format")
        version = self._number("I")
        if version not in _VERSIONS:
            raise _FlawError(
                f"is GGUF of version {version}, and not one of {_VERSIONS}", hint="convert the model again: llama.cpp"
            )
        tensors, entries = self._count("tensors"), self._count("entries")
        metadata: dict[str, Value] = {}
        for _ in range(entries):
            key = self._text(_LONGEST_NAME)
            metadata[key] = self._value(self._number("I"))
        extents = [self._tensor() for _ in range(tensors)]
        self._check_extents(extents, metadata.get("general.alignment", _DEFAULT_ALIGNMENT))
        return Header(metadata, tensors)

    def _check_extents(self, extents: list[int], alignment: Value) -> None:
        if not isinstance(alignment, int) or alignment <= 0 or alignment & (alignment - 1):
            raise _FlawError(f"has the alignment {alignment}")
        start = -(-self._file.tell() // alignment) * alignment
        missing = start + max(extents, default=0) - self._size
        if extents and missing > 0:
            raise _FlawError(f"is cut off: {missing:,} bytes of its tensors are missing")

    def _tensor(self) -> int:
        """Where a tensor ends, from the start of the data."""
        name = self._text(_LONGEST_NAME)
        dimensions = self._number("I")
        if not 1 <= dimensions <= _MOST_DIMENSIONS:
            raise _FlawError(f"gives the tensor {name[:40]!r} {dimensions} dimensions")
        values = 1
        for _ in range(dimensions):
            values *= self._number("Q")
        # A type that is not known here may be to llama.cpp: of that, only the start is checked.
        block, size = _BLOCKS.get(self._number("I"), (1, 0))
        return self._number("Q") + -(-values // block) * size

    def _value(self, kind: int) -> Value:
        if kind == _STRING:
            return self._text(_LONGEST_TEXT)
        if kind == _ARRAY:
            self._pass_over_array()
            return None
        return self._scalar(kind)

    def _pass_over_array(self) -> None:
        kind, length = self._number("I"), self._number("Q")
        if kind == _STRING:
            for _ in range(self._plausible(length, 8)):
                self._skip(self._number("Q"))
        elif kind in _SCALARS:
            self._skip(self._plausible(length, struct.calcsize(_SCALARS[kind])) * struct.calcsize(_SCALARS[kind]))
        else:
            raise _FlawError(f"holds an array of the unknown type {kind}")

    def _scalar(self, kind: int) -> Value:
        if kind not in _SCALARS:
            raise _FlawError(f"holds a value of the unknown type {kind}")
        value: int | float | bool = struct.unpack(f"<{_SCALARS[kind]}", self._read(struct.calcsize(_SCALARS[kind])))[0]
        return value

    def _number(self, code: str) -> int:
        value: int = struct.unpack(f"<{code}", self._read(struct.calcsize(code)))[0]
        return value

    def _count(self, what: str) -> int:
        count = self._number("Q")
        if count > _MOST_ENTRIES:
            raise _FlawError(f"claims {count:,} {what}")
        return count

    def _text(self, longest: int) -> str:
        length = self._number("Q")
        if length > longest:
            raise _FlawError(f"claims a text of {length:,} bytes")
        return self._read(length).decode("utf-8", "replace")

    def _plausible(self, length: int, size: int) -> int:
        if length * size > self._size - self._file.tell():
            raise _FlawError(f"is cut off, or claims an array of {length:,} items it does not hold")
        return length

    def _skip(self, length: int) -> None:
        if length > self._size - self._file.tell():
            raise _FlawError("is cut off in its header")
        self._file.seek(length, 1)

    def _read(self, length: int) -> bytes:
        data = self._file.read(length)
        if len(data) < length:
            raise _FlawError("is cut off in its header")
        return data
