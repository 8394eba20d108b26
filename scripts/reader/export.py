"""From the trained network to the files that are shipped: one OpenVINO graph in int8, and a manifest."""

from __future__ import annotations

import importlib.metadata
import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from scripts.build_encoder import WEIGHTS_SHA256, WHEEL, sha256
from scripts.reader.examples import MOST_FIRST, MOST_PASSAGE, Examples
from scripts.reader.sets import CLAIMS, LEFT_OUT, QUESTIONS

_CALIBRATION_PAIRS = 300
_INPUTS = ("vectors", "attention_mask", "token_type_ids")


def export(network: Any, examples: Examples, output: Path, training: Mapping[str, object]) -> None:
    """Quantise the layers, leave the heads in floating point, and write graph and manifest to `output`.

    `training` is recorded as it is.
    """
    import nncf
    import openvino
    import torch

    torch.set_grad_enabled(False)
    output.mkdir(parents=True, exist_ok=True)
    shapes = [[-1, -1, network.bert.config.hidden_size], [-1, -1], [-1, -1]]
    types = [openvino.Type.f32, openvino.Type.i64, openvino.Type.i64]
    graph = openvino.convert_model(
        _from_vectors(network).eval(),
        example_input=_example(network),
        input=list(zip(_INPUTS, shapes, types, strict=True)),
    )
    rows = np.random.default_rng(0).permutation(np.flatnonzero(examples.held_out == 0))[:_CALIBRATION_PAIRS]
    quantized = nncf.quantize(
        graph,
        nncf.Dataset([_feed(network, examples, row) for row in rows.tolist()]),
        model_type=nncf.ModelType.TRANSFORMER,
        subset_size=_CALIBRATION_PAIRS,
        ignored_scope=nncf.IgnoredScope(names=_heads(graph)),
    )
    openvino.save_model(quantized, output / "reader.xml", compress_to_fp16=False)
    built_with = {name: importlib.metadata.version(name) for name in ("torch", "transformers", "openvino", "nncf")}
    manifest = {
        "name": "pilotfish-reader-MiniLM-L6-int8",
        "most_first": MOST_FIRST,
        "most_passage": MOST_PASSAGE,
        "weights": {"wheel": WHEEL, "model.safetensors": WEIGHTS_SHA256},
        "training": {
            **training,
            "sets": {one.name: one.licence for one in (*QUESTIONS, *CLAIMS)},
            "left_out": LEFT_OUT,
        },
        "built_with": {"python": platform.python_version(), **built_with},
        "files": {name: sha256(output / name) for name in ("reader.xml", "reader.bin")},
    }
    (output / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")


def _from_vectors(network: Any) -> Any:
    """The network behind the look-up of word pieces, whose table the encoder has already."""
    import torch

    class FromVectors(torch.nn.Module):  # type: ignore[misc, unused-ignore]  # torch may be absent
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, vectors: Any, attention_mask: Any, token_type_ids: Any) -> tuple[Any, Any]:
            return self.network.read(vectors, attention_mask, token_type_ids)  # type: ignore[no-any-return]

    return FromVectors()


def _example(network: Any) -> dict[str, Any]:
    import torch

    ids = torch.randint(1000, 2000, (2, 16))
    mask, types = torch.ones_like(ids), torch.zeros_like(ids)
    mask[1, 9:] = 0
    types[:, 5:] = 1
    return dict(zip(_INPUTS, (network.bert.embeddings.word_embeddings(ids), mask, types), strict=True))


def _feed(network: Any, examples: Examples, row: int) -> dict[str, npt.NDArray[Any]]:
    import torch

    ids = examples.pieces[examples.starts[row] : examples.starts[row + 1]].astype(np.int64)[None]
    types = np.zeros_like(ids)
    types[0, examples.second[row] :] = 1
    vectors = network.bert.embeddings.word_embeddings(torch.from_numpy(ids)).numpy()
    return dict(zip(_INPUTS, (vectors, np.ones_like(ids), types), strict=True))


def _heads(graph: Any) -> list[str]:
    """The names of the products that belong to a head: they are cheap, and their error is not."""
    products = [node.get_friendly_name() for node in graph.get_ops() if node.get_type_name() == "MatMul"]
    return [name for name in products if any(f".{head}/" in name for head in ("pooled", "judge", "place"))]
