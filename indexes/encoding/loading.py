"""From the name of an encoder to the encoder."""

from __future__ import annotations

from indexes.encoding.base import Encoder
from indexes.encoding.encoder import DATA, DefaultEncoder


def load_encoder(spec: str = "default") -> Encoder:
    """The encoder called `spec`: "default" is the one shipped; any other is a sentence-transformers name or folder.

    Raises:
        ConfigurationError: when the `models` extra is not installed, or there is no such model on this machine.
    """
    if spec == "default":
        return DefaultEncoder(DATA)
    from indexes.encoding.sentence_transformer import SentenceTransformerEncoder

    return SentenceTransformerEncoder(spec)
