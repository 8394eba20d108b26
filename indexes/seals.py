"""Seals: prove that this user decided something on this machine, and not the author of a knowledge base.

A knowledge base is a folder, and people copy, clone and download folders. What in it loads a model, calls a server,
reads the environment or imports code carries a code (HMAC-SHA-256) made with a key that only this user has. Without a
valid one it is shown, but never used.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import platformdirs

from connectors.errors import ConfigurationError

_KEY_BYTES = 32
_KEY_OF_PROCESS = secrets.token_bytes(_KEY_BYTES)


def seal(kind: str, values: Mapping[str, Any]) -> str:
    """The code of `values`, which are JSON, by this user's key; that of one kind says nothing about another.

    Raises:
        ConfigurationError: the key cannot be read or made.
    """
    return _code(_key(), kind, values)


def is_sealed(kind: str, values: Mapping[str, Any], code: str) -> bool:
    """Whether `code` is the seal that this user gave `values`.

    Raises:
        ConfigurationError: the key cannot be read or made.
    """
    return _equal(seal(kind, values), code)


def seal_derived(kind: str, values: Mapping[str, Any]) -> str:
    """The seal of what can be made anew: where no key can be kept, it holds for this process alone."""
    return _code(_key_or_own(), kind, values)


def is_derived_sealed(kind: str, values: Mapping[str, Any], code: object) -> bool:
    """Whether `code` is the seal that `seal_derived` gave `values`."""
    return _equal(seal_derived(kind, values), code)


def _code(key: bytes, kind: str, values: Mapping[str, Any]) -> str:
    body = json.dumps([kind, values], sort_keys=True).encode()
    return hmac.new(key, body, hashlib.sha256).hexdigest()


def _equal(expected: str, code: object) -> bool:
    # As bytes: what a file holds may be anything, and texts are compared in ASCII only.
    return isinstance(code, str) and hmac.compare_digest(expected.encode(), code.encode("utf-8", "replace"))


def _key_or_own() -> bytes:
    try:
        return _key()
    except ConfigurationError:
        return _KEY_OF_PROCESS


def _key() -> bytes:
    """The user's key; made at the first call, and readable by nobody else."""
    path = Path(os.environ.get("PILOTFISH_DATA") or platformdirs.user_data_dir("pilotfish")) / "seal.key"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}-{os.getpid()}-{secrets.token_hex(4)}")
        if not path.exists():
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(_KEY_BYTES))
            try:
                os.link(fresh, path)  # of two processes at once, the first one's key holds
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
        key = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"the key for seals cannot be stored in {path}: {error.strerror}",
            hint="set PILOTFISH_DATA to a folder that you can write to",
        ) from error
    if len(key) != _KEY_BYTES:
        raise ConfigurationError(f"{path} is not a key", hint="delete it, then trust again what you trusted")
    return key
