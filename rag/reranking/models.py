"""Cross-encoders and multi-vector models as rerankers, run by sentence-transformers (extra `models`).

A cross-encoder reads question and passage together: Nogueira and Cho, "Passage Re-ranking with BERT" (2019),
https://arxiv.org/abs/1901.04085. A multi-vector model compares every word piece of the question with every
word piece of the passage: ColBERT (https://arxiv.org/abs/2004.12832), here in full precision. All its word pieces have
equal weight, not their idf as in `indexes.encoding.late`: such a model was trained with the plain sum, from which it
learns the weight of a piece, and its prefixes and the masks that expand a question occur in no document.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.errors import ConfigurationError
from indexes.encoding.base import encodable
from indexes.encoding.sentence_transformer import DOWNLOAD_VARIABLE

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder, MultiVectorEncoder

    from rag.reader.reader import Reader

READER = "reader"  # the one that comes with the program; another one's folder stands behind a colon
_UNBOUNDED_WINDOW = 512  # for a model that states none


class RerankerKind(StrEnum):
    """How a model compares two texts."""

    CROSS_ENCODER = "cross-encoder"
    MULTI_VECTOR = "multi-vector"


class CrossEncoderReranker:
    """A cross-encoder. Its scores are logits: in float32 a sigmoid would give all good passages the same score."""

    def __init__(self, name: str, model: CrossEncoder) -> None:
        self.name = name
        self._model = model
        self._lock = threading.Lock()  # its tokenizer has state
        if self._model.max_seq_length is None:
            self._model.max_seq_length = _UNBOUNDED_WINDOW

    def score(self, query: str, passages: Sequence[str]) -> list[float]:
        """The model's logit for the query with each passage, both cut to fit its window."""
        import torch

        pairs = [(encodable(query), encodable(passage)) for passage in passages]
        with self._lock:
            scores = self._model.predict(
                pairs, batch_size=len(pairs) or 1, activation_fn=torch.nn.Identity(), show_progress_bar=False
            )
        return [float(score) for score in scores]


class MultiVectorReranker:
    """A multi-vector model: the sum over the query's word pieces of the best cosine in the passage."""

    def __init__(self, name: str, model: MultiVectorEncoder) -> None:
        self.name = name
        self._model = model
        self._lock = threading.Lock()  # its tokenizer has state
        self._query: tuple[str, Any] = ("", None)  # the last one: a query comes again with every batch

    def score(self, query: str, passages: Sequence[str]) -> list[float]:
        """MaxSim of the query with each passage, both cut to fit the model's windows."""
        if not passages:
            return []
        with self._lock:
            if self._query[1] is None or self._query[0] != query:
                self._query = query, self._model.encode_query([encodable(query)], show_progress_bar=False)
            vectors = self._model.encode_document(
                [encodable(passage) for passage in passages], batch_size=len(passages), show_progress_bar=False
            )
            scores = self._model.similarity(self._query[1], vectors)[0]
        return [float(score) for score in scores]


class ReaderReranker:
    """A reader (`rag.reader`): its log-odds that a passage answers the question."""

    def __init__(self, name: str, reader: Reader) -> None:
        self.name = name
        self._reader = reader

    def score(self, query: str, passages: Sequence[str]) -> list[float]:
        """Of a passage that is longer than its window the best window counts."""
        return [reading.answers for reading in self._reader.read(query, passages)]


def load_reranker(spec: str) -> CrossEncoderReranker | MultiVectorReranker | ReaderReranker:
    """The reranker that `spec` names: `reader`, `reader:FOLDER`, or folder or name of a model, or both with its kind.

    Models are looked for on this machine only, unless the environment variable `PILOTFISH_ALLOW_DOWNLOADS` is `1`.
    Code that comes with a model is never run.

    Raises:
        ConfigurationError: the `models` extra is not installed, there is no such model, or it is no reranker.
    """
    if spec == READER or spec.startswith(f"{READER}:"):
        from rag.reader.loading import default_reader, load_reader

        folder = spec.removeprefix(READER).removeprefix(":")
        return ReaderReranker(spec, load_reader(folder) if folder else default_reader())
    given, name = _parsed(spec)
    try:
        from sentence_transformers import CrossEncoder, MultiVectorEncoder  # noqa: F401 — the latter came with 6.0
    except ImportError as missing:
        raise ConfigurationError(
            f"the reranker {name!r} needs sentence-transformers 6 or later, which cannot be imported: {missing}",
            hint='install it with: pip install "pilotfish[models]"',
        ) from missing
    try:
        saved = _Saved.read(name)
        match given or saved.kind:
            case RerankerKind.CROSS_ENCODER:
                return CrossEncoderReranker(spec, _cross_encoder(name, saved))
            case RerankerKind.MULTI_VECTOR:
                return MultiVectorReranker(spec, _multi_vector(name, saved))
    except ConfigurationError:
        raise
    except Exception as error:  # a broken model folder raises whatever its reader does
        reason = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
        raise _missing(name, reason) from error
    raise ConfigurationError(
        f"{name!r} is neither a cross-encoder nor a multi-vector model",
        hint=f"choose another model; multi-vector:{name} compares its word pieces, for which it was not made",
    )


def _parsed(spec: str) -> tuple[RerankerKind | None, str]:
    """The kind that a specification says, if any, and the model's folder or name."""
    kind, colon, name = spec.partition(":")
    said = RerankerKind(kind) if colon and kind in list(RerankerKind) else None
    name = name if said else spec
    if not name.strip():
        raise ConfigurationError(f"{spec!r} does not name a reranker", hint="give the folder or name of a model")
    folder = Path(name).expanduser()
    return said, str(folder) if folder.is_dir() else name


class _Saved:
    """The kind of a model, read from its configuration files."""

    def __init__(self, config: Mapping[str, Any], sentence: Mapping[str, Any]) -> None:
        self._architectures = [str(each) for each in config.get("architectures") or ()]
        self._type = sentence.get("model_type")
        self._prefixed = "query_prefix" in sentence  # written by PyLate, in versions that gave no type

    @classmethod
    def read(cls, name: str) -> _Saved:
        config, sentence = _json(name, "config.json"), _json(name, "config_sentence_transformers.json")
        if config is None and sentence is None:
            is_folder = Path(name).is_dir()
            raise _missing(name, "the folder holds none" if is_folder else "no such folder, nor a model of that name")
        return cls(config or {}, sentence or {})

    @property
    def kind(self) -> RerankerKind | None:
        if self.is_multi_vector:
            return RerankerKind.MULTI_VECTOR
        named = self._type == "CrossEncoder"
        return RerankerKind.CROSS_ENCODER if named or self._ends_with("ForSequenceClassification") else None

    @property
    def is_multi_vector(self) -> bool:
        typed = self._type in {"MultiVectorEncoder", "ColBERT"}
        return typed or self._prefixed or "HF_ColBERT" in self._architectures

    @property
    def scores_pairs(self) -> bool:
        """Whether a cross-encoder can be made of it without a head that nobody has trained."""
        return self.kind is RerankerKind.CROSS_ENCODER or self._ends_with("ForCausalLM")

    def _ends_with(self, ending: str) -> bool:
        return any(each.endswith(ending) for each in self._architectures)


def _json(name: str, file: str) -> dict[str, Any] | None:
    from sentence_transformers.util import load_file_path

    path = load_file_path(name, file, local_files_only=_local_only())
    if path is None:
        return None
    read: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    return read


def _cross_encoder(name: str, saved: _Saved) -> CrossEncoder:
    from sentence_transformers import CrossEncoder

    if not saved.scores_pairs:
        raise ConfigurationError(
            f"{name!r} is not a cross-encoder: it has no head that scores two texts, and a new head would be random",
            hint=f"give a cross-encoder; multi-vector:{name} compares its word pieces",
        )
    model: CrossEncoder = CrossEncoder(name, local_files_only=_local_only(), trust_remote_code=False)
    if model.num_labels != 1:
        raise ConfigurationError(
            f"{name!r} gives {model.num_labels} numbers for two texts, but a reranker must give one",
            hint="choose a cross-encoder with one label",
        )
    return model


def _multi_vector(name: str, saved: _Saved) -> MultiVectorEncoder:
    from sentence_transformers import MultiVectorEncoder, SentenceTransformer

    local_only = _local_only()
    if saved.is_multi_vector:
        return MultiVectorEncoder(name, local_files_only=local_only, trust_remote_code=False)
    from sentence_transformers.base.modules import Normalize
    from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask

    # Not by MultiVectorEncoder(name): it would append a projection that nobody has trained.
    other = SentenceTransformer(name, local_files_only=local_only, trust_remote_code=False)
    modules = [other[0], MultiVectorMask(), Normalize(module_input_name="token_embeddings")]
    return MultiVectorEncoder(modules=modules, prompts={task: prompt or "" for task, prompt in other.prompts.items()})


def _local_only() -> bool:
    return os.environ.get(DOWNLOAD_VARIABLE) != "1"


def _missing(name: str, reason: str) -> ConfigurationError:
    hint = f"give a folder with a cross-encoder or multi-vector model, or allow its download with {DOWNLOAD_VARIABLE}=1"
    return ConfigurationError(f"no reranker {name!r}: {reason}", hint=hint)
