"""Loads an encoder by name."""

from __future__ import annotations

import threading
from pathlib import Path
from weakref import WeakValueDictionary

from indexes.encoding.base import Encoder
from indexes.encoding.encoder import DATA, DefaultEncoder

_loaded: WeakValueDictionary[Path, DefaultEncoder] = WeakValueDictionary()
_LOADING = threading.Lock()


def load_encoder(spec: str = "default") -> Encoder:
    """The encoder called `spec`: "default" is the one shipped; any other is a sentence-transformers name or folder.

    The one shipped is loaded once: all that use it at a time, such as a knowledge base and its cards, share it.

    Raises:
        ConfigurationError: when the `models` extra is not installed, or there is no such model on this machine.
    """
    if spec == "default":
        with _LOADING:
            shared = _loaded.get(DATA) or DefaultEncoder(DATA)
            _loaded[DATA] = shared
            return shared
    from indexes.encoding.sentence_transformer import SentenceTransformerEncoder

    return SentenceTransformerEncoder(spec)
