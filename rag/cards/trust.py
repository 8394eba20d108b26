"""The seal of a card: proves that this user added it on this machine, and not the author of the knowledge base.

A card names models to load, servers to send the question to, and code to import. A knowledge base is a folder, and
people copy, clone and download folders. So each card carries a code (HMAC-SHA-256) made with a key that only this user
has. A card without a valid code is shown, but never asked.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from pathlib import Path

import platformdirs

from connectors.errors import ConfigurationError
from rag.cards.card import Card

_KEY_BYTES = 32


def seal(card: Card) -> str:
    """The code of `card`, by this user's key.

    Raises:
        ConfigurationError: the key cannot be read or made.
    """
    body = json.dumps(card.as_values(), sort_keys=True).encode()
    return hmac.new(_key(), body, hashlib.sha256).hexdigest()


def is_sealed(card: Card, code: str) -> bool:
    """Whether `code` is the seal that this user gave `card`."""
    return hmac.compare_digest(seal(card), code)


def _key() -> bytes:
    """The user's key; made at the first call, and readable by nobody else."""
    path = Path(os.environ.get("PILOTFISH_DATA") or platformdirs.user_data_dir("pilotfish")) / "card.key"
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
            f"the key for sealing cards cannot be stored in {path}: {error.strerror}",
            hint="set PILOTFISH_DATA to a folder that you can write to",
        ) from error
    if len(key) != _KEY_BYTES:
        raise ConfigurationError(f"{path} is not a key", hint="delete it, then trust the cards again")
    return key
