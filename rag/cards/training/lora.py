"""LoRA: small matrices trained beside the frozen weights of a model, and saved as a GGUF file.

Hu et al., *LoRA: Low-Rank Adaptation of Large Language Models* (ICLR 2022): W x becomes W x + (alpha / r) B A x, where
A has r rows and B r columns. llama.cpp adds the same term to the quantised weights, so the file holds only A and B.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.errors import ConfigurationError

if TYPE_CHECKING:
    import torch

# The matrices of a block that are adapted: all of its attention and of its feed-forward part.
TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
# Of these, the rows are in another order in llama.cpp: the two halves of a rotated head are interleaved there.
_PERMUTED = {"q_proj": "num_attention_heads", "k_proj": "num_key_value_heads"}
_PERMUTED_ARCHITECTURES = {"llama", "mistral"}


@dataclass(frozen=True, slots=True)
class Pair:
    """The matrices beside one weight of shape [out, in]: `a` has shape [r, in], `b` [out, r]."""

    a: torch.nn.Parameter
    b: torch.nn.Parameter


def attach(model: Any, rank: int, alpha: float, seed: int) -> dict[str, Pair]:
    """Freeze `model`, and put a pair beside each of its target matrices, which at first changes nothing.

    Returns:
        The pairs by the name of the matrix, e.g. `model.layers.0.self_attn.q_proj`.

    Raises:
        ConfigurationError: the model has none of these matrices.
    """
    import torch

    model.requires_grad_(requires_grad=False)
    generator = torch.Generator().manual_seed(seed)
    pairs: dict[str, Pair] = {}
    for name, module in model.named_modules():
        if name.rpartition(".")[2] in TARGETS and isinstance(module, torch.nn.Linear):
            a = torch.randn(rank, module.in_features, generator=generator) / module.in_features**0.5
            device = module.weight.device
            pair = Pair(
                torch.nn.Parameter(a.to(device)), torch.nn.Parameter(torch.zeros(module.out_features, rank).to(device))
            )
            module.register_forward_hook(_adding(pair, alpha / rank))
            pairs[name] = pair
    if not pairs:
        raise ConfigurationError(
            f"a {type(model).__name__} cannot be adapted: it has none of {', '.join(TARGETS)}",
            hint="use a model of the Llama family, such as SmolLM2",
        )
    return pairs


def _adding(pair: Pair, scale: float) -> Any:
    from torch.nn.functional import linear

    def add(_module: Any, arguments: tuple[torch.Tensor], output: torch.Tensor) -> torch.Tensor:
        return output + scale * linear(linear(arguments[0], pair.a), pair.b)

    return add


def write_gguf(path: Path, pairs: Mapping[str, Pair], model: Any, alpha: float, name: str) -> None:
    """Write the pairs as an adapter that llama.cpp loads beside the GGUF file that `model` was read from.

    Raises:
        ConfigurationError: the model is of a kind whose names or order of rows in GGUF are not known.
    """
    import gguf
    import numpy as np

    config = model.config
    architecture = _architecture(gguf, config.model_type)
    names = gguf.get_tensor_name_map(architecture, config.num_hidden_layers)
    writer = gguf.GGUFWriter(str(path), gguf.MODEL_ARCH_NAMES[architecture])
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_name(name)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, alpha)
    for module, pair in pairs.items():
        tensor = names.get_name(module)
        if tensor is None:
            raise ConfigurationError(f"GGUF has no name for {module} of a {config.model_type} model")
        a, b = (matrix.detach().float().cpu().numpy() for matrix in (pair.a, pair.b))
        heads = _PERMUTED.get(module.rpartition(".")[2])
        if heads and config.model_type in _PERMUTED_ARCHITECTURES:
            b = _interleaved(b, getattr(config, heads))
        writer.add_tensor(f"{tensor}.weight.lora_a", np.ascontiguousarray(a))
        writer.add_tensor(f"{tensor}.weight.lora_b", np.ascontiguousarray(b))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _architecture(gguf: Any, model_type: str) -> Any:
    wanted = "llama" if model_type == "mistral" else model_type
    for architecture, called in gguf.MODEL_ARCH_NAMES.items():
        if called == wanted:
            return architecture
    raise ConfigurationError(
        f"llama.cpp does not support models of the kind {model_type!r}",
        hint="use a model of the Llama family, such as SmolLM2",
    )


def _interleaved(rows: Any, heads: int) -> Any:
    """The rows of a rotated matrix in llama.cpp's order: of each head, the halves interleaved."""
    half = rows.shape[0] // heads // 2
    return rows.reshape(heads, 2, half, rows.shape[1]).swapaxes(1, 2).reshape(rows.shape)
