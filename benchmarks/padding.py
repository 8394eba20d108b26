"""What short texts cost that are padded to few lengths or to more: processor time of sentences, questions and passages.

    python -m benchmarks.padding CORPUS.jsonl [--rounds 6]

`CORPUS.jsonl` has a `text` a line (any BEIR corpus). Of its first texts the 480 first sentences are encoded 80 at a
time, and 300 whole passages at once. Each way runs in a process of its own, after the other, since what is compiled for
one length stays. Printed are processor milliseconds, the best of all rounds, of the first call, and the memory.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.common import command_line
from connectors.sentences import sentence_spans
from indexes.encoding import batches, encoder
from indexes.encoding.loading import load_encoder

_TEXTS = 300
_SENTENCES = 480
_AT_ONCE = 80
_QUESTION = "how long do refunds take when the order was paid for by card and sent abroad?"
_LENGTHS = {"16, 48": (16, 48), "16, 24, 40, 48": (16, 24, 40), "8, 16, 24, 40, 48": (8, 16, 24, 40)}
_STEP = 16  # of longer texts


def main() -> None:
    """Measure each way of padding, and print a line for each."""
    parser = command_line(__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--rounds", type=int, default=6)
    arguments = parser.parse_args()
    with arguments.corpus.open(encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line, _ in zip(lines, range(_TEXTS), strict=False)]
    context = multiprocessing.get_context("spawn")
    for name, lengths in _LENGTHS.items():
        with context.Pool(1) as pool:
            print(f"{name:18} " + pool.apply(measured, (lengths, texts, arguments.rounds)), flush=True)


def measured(lengths: tuple[int, ...], texts: list[str], rounds: int) -> str:
    """The figures of one way, for a process that does nothing else."""
    for module in (batches, encoder):
        setattr(module, "padded", partial(_padded, lengths))  # noqa: B010 (mypy knows no name that is only imported)
    ours = load_encoder()
    sentences = [text[start:end] for text in texts for start, end in sentence_spans(text)][:_SENTENCES]
    groups = [sentences[first : first + _AT_ONCE] for first in range(0, len(sentences), _AT_ONCE)]
    ours.encode_query("a")
    first = _spent(lambda: ours.encode(groups[0]), 1)
    again = sum(_spent(partial(ours.encode, group), rounds) for group in groups) / len(groups)
    question = _spent(lambda: ours.encode_query(_QUESTION), rounds * 5)
    before = _megabytes()
    passages = _spent(lambda: ours.encode(texts), rounds)
    pieces = sum(map(ours.count, sentences)) / len(sentences)
    return (
        f"{_AT_ONCE} sentences of {pieces:.0f} word pieces: {again:.0f} ms, at first {first:.0f}; "
        f"a question of {ours.count(_QUESTION)}: {question:.2f}; {len(texts)} passages: {passages:.0f}; "
        f"{before} MB before the passages, {_megabytes()} with them"
    )


def _padded(lengths: tuple[int, ...], length: int) -> int:
    return next((short for short in lengths if length <= short), -(-length // _STEP) * _STEP)


def _megabytes() -> int:
    """The most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _spent(call: Callable[[], object], rounds: int) -> float:
    """The fewest milliseconds of processor time that a call took."""
    spent = []
    for _ in range(rounds):
        start = time.process_time()
        call()
        spent.append(time.process_time() - start)
    return min(spent) * 1_000


if __name__ == "__main__":
    main()
