"""Loads a reader: the one that comes with the program, or another that `scripts/train_reader.py` has trained."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np

from connectors.errors import ConfigurationError
from indexes.encoding.batches import LENGTH_STEP, lengths_up_to
from indexes.encoding.encoder import DATA as ENCODER
from indexes.encoding.graph import Graph, Inputs, Outputs
from indexes.encoding.word_vectors import WordVectors
from indexes.encoding.wordpiece import WordPieces
from rag.reader.reader import MOST_FIRST, MOST_PASSAGE, Reader

Batch = list[int]  # places of windows

SHIPPED = Path(__file__).parent / "reader_data"
"""The folder of the reader that comes with the program."""

_FILES = ("reader.xml", "reader.bin")
_SPECIALS = 3  # [CLS] before the one text, [SEP] behind each


@lru_cache(maxsize=1)
def default_reader() -> Reader:
    """The reader that comes with the program; loaded once."""
    return load_reader(SHIPPED)


def load_reader(folder: str | Path) -> Reader:
    """The reader of `folder`, ready to read: its graph is compiled, which takes seconds once a machine.

    Only the default encoder's word pieces and word vectors are read with it.

    Raises:
        ConfigurationError: a file of it is missing or damaged.
    """
    from platformdirs import user_cache_path

    folder = Path(folder)
    try:
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        hashes = {name: manifest["files"][name] for name in _FILES}
        damaged = [name for name, known in hashes.items() if _sha256(folder / name) != known]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"the reader cannot be loaded: {error}", hint="train it anew with scripts/train_reader.py"
        ) from None
    if damaged:
        raise ConfigurationError(
            f"the reader is damaged: {folder / damaged[0]}", hint="train it anew with scripts/train_reader.py"
        )
    tokenizer = WordPieces(ENCODER / "tokenizer.json")
    vectors = WordVectors(ENCODER / "encoder.xml")  # with which it was trained: it brings none of its own

    def looked_up(inputs: Inputs) -> Inputs:
        ids, *rest = inputs
        return [vectors[ids], *rest]

    graph = Graph(
        folder / "reader.xml",
        fingerprint=f"{manifest['name']}-{json.dumps(hashes, sort_keys=True)}",
        probe=list(map(looked_up, _probe(len(tokenizer.vocabulary)))),
        cache=Path(os.environ.get("PILOTFISH_CACHE") or user_cache_path("pilotfish"), "reader"),
    )

    def run(
        batches: Iterable[Batch], inputs: Callable[[Batch], Inputs], keep: Callable[[Batch, Outputs], None]
    ) -> None:
        graph.run_all(batches, lambda batch: looked_up(inputs(batch)), keep)

    reader = Reader(tokenizer, run)
    reader.read("", [""])  # compiles the graph now, and not within the time that somebody gives to reading
    return reader


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _probe(vocabulary: int) -> list[Inputs]:
    """A batch of each padded length: a row that fills it and one 8 shorter, of fixed pseudo-random word pieces."""
    found = []
    for length in lengths_up_to(MOST_FIRST + MOST_PASSAGE + _SPECIALS):
        ids = np.array([[place * 7919 % vocabulary for place in range(length)]] * 2, dtype=np.int64)
        mask, types = np.ones_like(ids), np.zeros_like(ids)
        ids[1, length - LENGTH_STEP // 2 :] = 0
        mask[1, length - LENGTH_STEP // 2 :] = 0
        types[:, length // 4 :] = 1
        found.append([ids, mask, types * mask])
    return found
