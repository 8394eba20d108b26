"""The vectors that the encoder looks its word pieces up in, for other networks that begin with the same ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexes.encoding.graph import import_openvino


class WordVectors:
    """The table of a graph that `scripts/build_encoder.py` made: int8, each row with a scale of its own.

    Half of a network of MiniLM's size is this table. One that was trained with it as it is need not bring it again.
    """

    def __init__(self, path: Path) -> None:
        lookup = next(
            node
            for node in import_openvino().Core().read_model(path).get_ordered_ops()
            if node.get_type_name() == "Gather" and "word_embeddings" in node.get_friendly_name()
        )
        scaled = lookup.input_value(0).get_node()  # int8 rows, converted, times their scales
        rows, scales = (value.get_node() for value in scaled.input_values())
        self._rows: NDArray[np.int8] = rows.input_value(0).get_node().data.copy()
        self._scales: NDArray[np.float32] = scales.data.copy()

    def __getitem__(self, pieces: NDArray[np.int64]) -> NDArray[np.float32]:
        """The vector of each word piece, [..., 384]."""
        vectors: NDArray[np.float32] = self._rows[pieces] * self._scales[pieces]
        return vectors
