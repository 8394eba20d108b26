"""Loads an encoder by name."""

from __future__ import annotations

import threading
from pathlib import Path
from weakref import WeakValueDictionary

from indexes.encoding.base import Encoder
from indexes.encoding.encoder import DATA, DefaultEncoder
from indexes.seals import is_derived_sealed, seal

SHIPPED = "default"
_SEALED = "encoder"
_loaded: WeakValueDictionary[Path, DefaultEncoder] = WeakValueDictionary()
_LOADING = threading.Lock()


def encoder_seal(spec: str) -> str:
    """What proves that this user chose the encoder `spec`; the one that is shipped needs no proof.

    Raises:
        ConfigurationError: the user's key cannot be read or made.
    """
    return "" if spec == SHIPPED else seal(_SEALED, {"spec": spec})


def is_chosen(spec: str, code: str) -> bool:
    """Whether this user chose the encoder `spec`, as `code` proves: any other would load what a stranger names."""
    return spec == SHIPPED or is_derived_sealed(_SEALED, {"spec": spec}, code)


def load_encoder(spec: str = SHIPPED) -> Encoder:
    """The encoder called `spec`: "default" is the one shipped; any other is a sentence-transformers name or folder.

    The one shipped is loaded once: all that use it at a time, such as a knowledge base and its cards, share it.

    Raises:
        ConfigurationError: when the `models` extra is not installed, or there is no such model on this machine.
    """
    if spec == SHIPPED:
        with _LOADING:
            shared = _loaded.get(DATA) or DefaultEncoder(DATA)
            _loaded[DATA] = shared
            return shared
    from indexes.encoding.sentence_transformer import SentenceTransformerEncoder

    return SentenceTransformerEncoder(spec)
