"""Models of a few thousand random weights, saved as the real ones are, for tests of the code that loads them."""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[unused0]", "[unused1]"]
WORDS = "refunds refund are paid within days parcel parcels express france costs francs how long do take what cost"
VOCABULARY = [*SPECIALS, *WORDS.split(), *string.punctuation, *string.ascii_lowercase, *string.digits]
VOCABULARY += [f"##{letter}" for letter in string.ascii_lowercase + string.digits]
HIDDEN, OUT, WINDOW = 32, 16, 64


def cross_encoder(folder: Path, *, labels: int = 1) -> Path:
    """A BERT with a classification head, as `cross-encoder/ms-marco-…` are saved."""
    from transformers import BertForSequenceClassification

    _save(BertForSequenceClassification(_config(num_labels=labels)), folder)
    return folder


def encoder(folder: Path) -> Path:
    """A BERT without any head."""
    from transformers import BertModel

    _save(BertModel(_config()), folder)
    return folder


def pylate_colbert(folder: Path) -> Path:
    """A ColBERT as PyLate saves it: BERT, a Dense projection in a folder of its own, prefixes, a skip list."""
    import torch
    from safetensors.torch import save_file

    encoder(folder)
    parts = {"": "sentence_transformers.models.Transformer", "1_Dense": "pylate.models.Dense.Dense"}
    modules = [{"idx": n, "name": str(n), "path": path, "type": kind} for n, (path, kind) in enumerate(parts.items())]
    _write(folder / "modules.json", modules)
    _write(folder / "sentence_bert_config.json", {"max_seq_length": WINDOW - 1, "do_lower_case": False})
    identity = "torch.nn.modules.linear.Identity"
    dense = {"in_features": HIDDEN, "out_features": OUT, "bias": False, "activation_function": identity}
    _write(folder / "1_Dense" / "config.json", dense)
    save_file({"linear.weight": torch.randn(OUT, HIDDEN)}, folder / "1_Dense" / "model.safetensors")
    sentence = {
        "model_type": "ColBERT",
        "prompts": {},
        "query_prefix": "[unused0]",
        "document_prefix": "[unused1]",
        "query_length": 32,
        "document_length": WINDOW - 1,
        "do_query_expansion": False,
        "attend_to_expansion_tokens": False,
        "skiplist_words": list(string.punctuation),
    }
    _write(folder / "config_sentence_transformers.json", sentence)
    return folder


def stanford_colbert(folder: Path) -> Path:
    """A ColBERT as Stanford's code saves it: the projection among the weights of BERT, the settings beside them."""
    import torch
    from safetensors.torch import load_file, save_file

    encoder(folder)
    weights = {f"bert.{name}": weight for name, weight in load_file(folder / "model.safetensors").items()}
    save_file(weights | {"linear.weight": torch.randn(OUT, HIDDEN)}, folder / "model.safetensors", {"format": "pt"})
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    _write(folder / "config.json", {**config, "architectures": ["HF_ColBERT"]})
    _write(folder / "artifact.metadata", {"query_maxlen": 32, "doc_maxlen": WINDOW, "mask_punctuation": True})
    return folder


def _config(**more: Any) -> Any:
    from transformers import BertConfig

    return BertConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=HIDDEN,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=WINDOW,
        initializer_range=0.5,  # wide enough for the scores of different texts to differ
        **more,
    )


def _save(model: Any, folder: Path) -> None:
    from transformers import BertTokenizerFast

    model.save_pretrained(folder)
    tokenizer = BertTokenizerFast(vocab={word: number for number, word in enumerate(VOCABULARY)})
    tokenizer.model_max_length = WINDOW
    tokenizer.save_pretrained(folder)


def _write(file: Path, content: object) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(content), encoding="utf-8")
