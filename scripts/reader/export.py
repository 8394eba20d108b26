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
_INPUTS = ("input_ids", "attention_mask", "token_type_ids")


def export(network: Any, examples: Examples, output: Path, training: Mapping[str, object]) -> None:
    """Quantise the layers, leave the heads in floating point, and write graph and manifest to `output`.

    `training` is recorded as it is.
    """
    import nncf
    import openvino
    import torch

    torch.set_grad_enabled(False)
    output.mkdir(parents=True, exist_ok=True)
    graph = openvino.convert_model(
        network.eval(), example_input=_example(), input=[(name, [-1, -1], openvino.Type.i64) for name in _INPUTS]
    )
    rows = np.random.default_rng(0).permutation(np.flatnonzero(examples.held_out == 0))[:_CALIBRATION_PAIRS]
    quantized = nncf.quantize(
        graph,
        nncf.Dataset([_feed(examples, row) for row in rows.tolist()]),
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


def _example() -> dict[str, Any]:
    import torch

    ids = torch.randint(1000, 2000, (2, 16))
    mask, types = torch.ones_like(ids), torch.zeros_like(ids)
    mask[1, 9:] = 0
    types[:, 5:] = 1
    return dict(zip(_INPUTS, (ids, mask, types), strict=True))


def _feed(examples: Examples, row: int) -> dict[str, npt.NDArray[np.int64]]:
    ids = examples.pieces[examples.starts[row] : examples.starts[row + 1]].astype(np.int64)[None]
    types = np.zeros_like(ids)
    types[0, examples.second[row] :] = 1
    return dict(zip(_INPUTS, (ids, np.ones_like(ids), types), strict=True))


def _heads(graph: Any) -> list[str]:
    """The names of the products that end in a head: they are cheap, and their error is not."""
    return [
        node.get_friendly_name()
        for node in graph.get_ops()
        if node.get_type_name() == "MatMul" and node.get_output_partial_shape(0)[-1] in {2, 4}
    ]
