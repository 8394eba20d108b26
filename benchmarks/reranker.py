"""What a heavier reranker costs: milliseconds of CPU a candidate, for the passages of a BEIR folder as they are cut.

    python benchmarks/reranker.py collections/cranfield
    python benchmarks/reranker.py collections/cranfield multi-vector:/models/all-MiniLM-L6-v2

Without a model, cross-encoders of three common sizes with random weights are timed: the weights change what a score
means, not how long it takes. One thread, in process time, so that whatever else the machine does hardly counts; the
candidates are those of the hybrid ranking. What a model is worth is measured by `rag eval --reranker`.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from benchmarks.common import command_line
from indexes.encoding import encoder as encoder_module
from rag.evaluation.collections.collection import beir_collection
from rag.evaluator import indexed
from rag.reranking.models import load_reranker
from rag.reranking.reranker import BATCH

SIZES: Mapping[str, tuple[int, int, int]] = {  # layers, width, attention heads
    "MiniLM-L6 (22M)": (6, 384, 12),
    "MiniLM-L12 (33M)": (12, 384, 12),
    "BERT-base (109M)": (12, 768, 12),
}
VOCABULARY = 30_522
WINDOW = 512
CANDIDATES = 24
TOKENIZER = Path(encoder_module.__file__).parent / "encoder_data" / "tokenizer.json"


def main() -> None:
    """Time the models on a few queries and print."""
    parser = command_line(__doc__, keep="the knowledge base")
    parser.add_argument("collection", type=Path, help="a BEIR folder")
    parser.add_argument("model", nargs="?", help="a reranker, as for `rag search --reranker`")
    parser.add_argument("--queries", type=int, default=5)
    arguments = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    queries = list(beir_collection(arguments.collection, "test").queries.values())[: arguments.queries]
    with indexed(arguments.collection, arguments.keep) as (kb, _):
        asked = {query: [f"{hit.context}\n{hit.text}" for hit in kb.search(query, CANDIDATES)] for query in queries}
    words = np.mean([len(passage.split()) for passages in asked.values() for passage in passages])
    print(f"{len(asked)} queries, {CANDIDATES} candidates each, {words:.0f} words on average; batches of {BATCH}")
    with tempfile.TemporaryDirectory() as folder:
        models = {arguments.model: arguments.model} if arguments.model else dict(_made(Path(folder)))
        for name, spec in models.items():
            times = list(_times(spec, asked))
            print(f"{name:<24}{np.median(times):>8.1f} ms of CPU a candidate")


def _times(spec: str, asked: Mapping[str, list[str]]) -> Iterator[float]:
    """Milliseconds of CPU a candidate, of each batch but the first, which warms up."""
    reranker = load_reranker(spec)
    reranker.score("warm", ["up"])
    for query, passages in asked.items():
        for start in range(0, len(passages), BATCH):
            batch = passages[start : start + BATCH]
            began = time.process_time()
            reranker.score(query, batch)
            yield (time.process_time() - began) * 1_000 / len(batch)


def _made(folder: Path) -> Iterator[tuple[str, str]]:
    """Cross-encoders of `SIZES` with random weights: name and folder."""
    from transformers import BertConfig, BertForSequenceClassification

    specials = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": WINDOW, **specials}
    for name, (layers, width, heads) in SIZES.items():
        config = BertConfig(
            vocab_size=VOCABULARY,
            hidden_size=width,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            intermediate_size=4 * width,
        )
        config.num_labels = 1
        made = folder / str(len(list(folder.iterdir())))
        BertForSequenceClassification(config).save_pretrained(made)
        shutil.copy(TOKENIZER, made)
        (made / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
        yield name, str(made)


if __name__ == "__main__":
    main()
