"""How long the word pieces of this repository's own pages and modules take, beside Hugging Face's `tokenizers`.

    python benchmarks/word_pieces.py

Prints processor seconds, the median of five runs, each with nothing remembered from the one before.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tokenizers import Tokenizer

from indexes.encoding.encoder import DATA
from indexes.encoding.wordpiece import WordPieces

ROOT = Path(__file__).parent.parent
VOCABULARY = DATA / "tokenizer.json"
RUNS = 5
Made = TypeVar("Made")


def main() -> None:
    """Print a table of both."""
    paths = [
        *ROOT.glob("*.md"),
        *(
            path
            for room in ("docs", "rag", "connectors", "indexes", "cli", "tests")
            for path in (ROOT / room).rglob("*")
            if path.suffix in {".md", ".py"}
        ),
    ]
    texts = [path.read_text("utf-8") for path in paths]
    print(f"{len(texts)} files, {sum(map(len, texts)):,} characters")

    def theirs(work: Callable[[Tokenizer], object]) -> float:
        return seconds(lambda: Tokenizer.from_file(str(VOCABULARY)), work)

    def ours(work: Callable[[WordPieces], object]) -> float:
        return seconds(lambda: WordPieces(VOCABULARY), work)

    print("| | tokenizers | ours |\n|---|---|---|")
    spans = theirs(lambda made: [made.encode(text, add_special_tokens=False).offsets for text in texts])
    print(f"| pieces and their places | {spans:.2f} | {ours(lambda made: [made.encode(text) for text in texts]):.2f} |")
    ids = theirs(lambda made: [one.ids for one in made.encode_batch_fast(texts, add_special_tokens=False)])
    print(f"| pieces alone | {ids:.2f} | {ours(lambda made: [made.ids(text) for text in texts]):.2f} |")


def seconds(make: Callable[[], Made], work: Callable[[Made], object]) -> float:
    """The processor time of `work` on what `make` made, which is not counted."""
    taken = []
    for _ in range(RUNS):
        made = make()
        start = time.process_time()
        work(made)
        taken.append(time.process_time() - start)
    return statistics.median(taken)


if __name__ == "__main__":
    main()
