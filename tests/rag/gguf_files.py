"""GGUF files as a hostile or careless hand would write them, for the tests of what reads them."""

from __future__ import annotations

import struct

U32, FLOAT, BOOL, STRING, ARRAY, U64 = 4, 6, 7, 8, 9, 10


def text(value: str | bytes) -> bytes:
    """A string with its length."""
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(data)) + data


def entry(key: str, kind: int, value: bytes) -> bytes:
    """One entry of the metadata."""
    return text(key) + struct.pack("<I", kind) + value


def string(key: str, value: str) -> bytes:
    """An entry that is a string."""
    return entry(key, STRING, text(value))


def flag(key: str, value: bool) -> bytes:
    """An entry that is true or false."""
    return entry(key, BOOL, bytes([value]))


def number(key: str, value: int) -> bytes:
    """An entry that is a whole number."""
    return entry(key, U32, struct.pack("<I", value))


def strings(key: str, *values: str) -> bytes:
    """An entry that is a list of strings."""
    return entry(key, ARRAY, struct.pack("<IQ", STRING, len(values)) + b"".join(map(text, values)))


def tensor(name: str, *shape: int, kind: int = 0, offset: int = 0) -> bytes:
    """The description of a tensor, of 32-bit floats if nothing else is said."""
    return text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)


def gguf(
    *entries: bytes,
    tensors: tuple[bytes, ...] = (),
    data: int = 0,
    version: int = 3,
    claimed_entries: int | None = None,
    claimed_tensors: int | None = None,
) -> bytes:
    """A whole file with `data` bytes of tensors; what it claims to hold may be something else than what it holds."""
    header = b"GGUF" + struct.pack(
        "<IQQ",
        version,
        len(tensors) if claimed_tensors is None else claimed_tensors,
        len(entries) if claimed_entries is None else claimed_entries,
    )
    whole = header + b"".join(entries) + b"".join(tensors)
    return whole + bytes(-len(whole) % 32) + bytes(data)


CHAT = gguf(
    string("general.architecture", "llama"),
    number("llama.context_length", 2048),
    tensors=(tensor("token_embd.weight", 4, 8),),
    data=128,
)
