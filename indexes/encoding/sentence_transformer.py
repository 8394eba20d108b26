"""Any sentence-transformers model as an encoder (extra `models`)."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from connectors.errors import ConfigurationError
from indexes.encoding.base import Encoded, EncodedQuery, Floats, Span, encodable
from indexes.encoding.late import TOKEN_DIMENSIONS

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

DOWNLOAD_VARIABLE = "PILOTFISH_ALLOW_DOWNLOADS"
_UNBOUNDED_WINDOW = 512  # for a model that states none: more is slow, and finds passages no better


class SentenceTransformerEncoder:
    """A sentence-transformers model with its own prompts for queries and documents, on the GPU where there is one.

    It gives no token vectors: only the default encoder has a projection fitted for them.

    Args:
        name: a folder, or the model's name on the Hugging Face hub. It is looked for on this machine only, unless
            the environment variable `PILOTFISH_ALLOW_DOWNLOADS` is `1`. Code that comes with a model is never run.

    Raises:
        ConfigurationError: when the `models` extra is not installed, or there is no such model.
    """

    def __init__(self, name: str) -> None:
        self._model = _load(name)
        # Its tokenizer is shared and has state: truncation is switched on and off by each call.
        self._lock = threading.Lock()
        tokenizer = self._model.tokenizer
        if not getattr(tokenizer, "is_fast", False):
            raise ConfigurationError(
                f"the tokenizer of {name!r} cannot tell where in a text its word pieces are",
                hint="choose a model with a fast tokenizer (a tokenizer.json)",
            )
        self.name = name
        self.fingerprint = f"{name}-{_fingerprint(self._model)}"
        self.window = int(self._model.max_seq_length or _UNBOUNDED_WINDOW)
        self._model.max_seq_length = self.window
        self.dimensions = len(self._model.encode_document("", show_progress_bar=False))
        prompt = self._model.prompts.get("document") or ""
        self._framing: int = tokenizer.num_special_tokens_to_add() + len(self.spans(prompt))

    def spans(self, text: str) -> list[Span]:
        """The characters `text[start:end]` of each word piece, specials excluded, however long the text."""
        with self._lock:
            encoding: Any = self._model.tokenizer(
                encodable(text), add_special_tokens=False, return_offsets_mapping=True, truncation=False, verbose=False
            )
        return [(start, end) for start, end in encoding["offset_mapping"]]

    def count(self, text: str) -> int:
        """How many word pieces the text has, with the specials and the prompt: it fits when at most `window`."""
        return len(self.spans(text)) + self._framing

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Encode passages, each as far as the window reaches."""
        if not texts:
            return Encoded(np.empty((0, self.dimensions), dtype=np.float32), [])
        with self._lock:
            vectors = self._model.encode_document(
                [encodable(text) for text in texts], normalize_embeddings=True, show_progress_bar=False
            )
        return Encoded(np.asarray(vectors, dtype=np.float32), [b""] * len(texts))

    def encode_query(self, text: str) -> EncodedQuery:
        """Encode a query, as far as the window reaches."""
        with self._lock:
            vectors = self._model.encode_query([encodable(text)], normalize_embeddings=True, show_progress_bar=False)
        vector: Floats = np.asarray(vectors[0], dtype=np.float32)
        return EncodedQuery(vector, np.empty((0, TOKEN_DIMENSIONS), dtype=np.float32), [])


def _load(name: str) -> SentenceTransformer:
    try:
        from sentence_transformers import SentenceTransformer
    except ModuleNotFoundError as missing:
        raise ConfigurationError(
            f"the encoder {name!r} needs sentence-transformers, which is not installed ({missing.name} is missing)",
            hint='install it with: pip install "pilotfish[models]"',
        ) from missing
    local_only = os.environ.get(DOWNLOAD_VARIABLE) != "1"
    try:
        return SentenceTransformer(name, local_files_only=local_only, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"no encoder {name!r}: {str(error).strip().splitlines()[0]}",
            hint=f"give a folder with a sentence-transformers model, or allow its download with {DOWNLOAD_VARIABLE}=1",
        ) from error


def _fingerprint(model: SentenceTransformer) -> str:
    """A hash of everything that makes the vectors: the modules, the prompts and the weights."""
    import torch

    digest = hashlib.blake2b(repr((str(model), sorted(model.prompts.items()))).encode(), digest_size=8)
    for name, weight in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(weight.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
