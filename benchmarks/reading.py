"""How well answers without a language model answer: over a whole collection, and when the answer is taken out of it.

    python -m benchmarks.reading DATA [--questions N] [--reader FOLDER | --without-reader]

DATA holds xquad_en, whose paragraphs are indexed, each as a file. Every question is asked as a user would, with
`extractive`. Printed: how many answers hold a gold answer, their words at the median, F1 of the span; how many
questions are refused; and, when the paragraph with the answer is left out of the search, how many get an answer all the
same. Then AUROC of the confidence for whether the shown answer is right, and what reading takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import auroc, command_line, interval, kept_in, read_json_lines
from benchmarks.reader import span_f1
from rag import Answer, AskOptions, KnowledgeBase
from rag.reader import load_reader

_RESAMPLES = 2_000


@dataclass(frozen=True)
class Outcome:
    """What became of a question: with its paragraph, and without."""

    answer: Answer
    without: Answer
    gold: Sequence[str]

    @property
    def is_right(self) -> bool:
        """Whether the answer holds a gold answer."""
        return not self.answer.abstained and any(gold.casefold() in self.answer.text.casefold() for gold in self.gold)

    @property
    def f1(self) -> float:
        """Of the words that answer, or of the whole answer where none are marked; 0 where it is refused."""
        span = self.answer.answer_span
        found = self.answer.text if span is None else self.answer.text[slice(*span)]
        return 0.0 if self.answer.abstained else max(span_f1(found, gold) for gold in self.gold)


def main() -> None:
    """Measure and print."""
    parser = command_line(__doc__, keep="the knowledge base")
    parser.add_argument("data", type=Path)
    parser.add_argument("--questions", type=int, help="only so many, evenly spread")
    parser.add_argument("--reader", type=Path, help="the folder of another reader than the one that is shipped")
    parser.add_argument("--without-reader", action="store_true", help="the search decides alone")
    arguments = parser.parse_args()
    with kept_in(arguments.keep) as folder, closing(KnowledgeBase.open(folder / "kb")) as kb:
        uris = indexed(kb, arguments.data / "xquad_en", folder / "documents")
        questions = read_json_lines(arguments.data / "xquad_en" / "qa.jsonl")
        step = max(1, len(questions) // (arguments.questions or len(questions)))
        reader = load_reader(arguments.reader) if arguments.reader else None
        options = AskOptions(read_seconds=0) if arguments.without_reader else AskOptions(reader=reader)
        outcomes = [asked(kb, row, uris, options) for row in questions[::step]]
    report(outcomes)


def indexed(kb: KnowledgeBase, collection: Path, folder: Path) -> dict[str, str]:
    """Index every paragraph as a file under its title; paragraph → URI."""
    folder.mkdir(exist_ok=True)
    uris = {}
    for number, row in enumerate(read_json_lines(collection / "corpus.jsonl")):
        path = folder / f"{number}.md"
        path.write_text(f"# {row['title']}\n\n{row['text']}" if row.get("title") else row["text"], "utf-8")
        uris[row["_id"]] = str(path.absolute())
    kb.index(folder)
    return uris


def asked(kb: KnowledgeBase, row: dict[str, Any], uris: dict[str, str], options: AskOptions) -> Outcome:
    """The question with all paragraphs, and without the one that answers."""
    gold = {uris[name] for name in row["gold_doc_ids"]}
    others = [uri for uri in uris.values() if uri not in gold]
    return Outcome(
        kb.ask(row["question"], options=options),
        kb.ask(row["question"], options=replace(options, filters={"uri": others})),
        row["answers"],
    )


def report(outcomes: Sequence[Outcome]) -> None:
    """Print the figures, with 95% intervals."""
    answered = [one for one in outcomes if not one.answer.abstained]
    words = [len(one.answer.text.split()) - one.answer.text.count("[") for one in answered]
    right = np.array([one.is_right for one in answered])
    confidence = np.array([one.answer.confidence for one in answered])
    figures = {
        "the answer holds a gold answer": [one.is_right for one in outcomes],
        "F1 of the words that answer": [one.f1 for one in outcomes],
        "refused": [one.answer.abstained for one in outcomes],
        "answered without its paragraph": [not one.without.abstained for one in outcomes],
    }
    print(f"{len(outcomes)} questions; answers of {np.median(words):.0f} words at the median")
    for what, values in figures.items():
        numbers = np.array(values, dtype=np.float64)
        low, high = interval(numbers, _RESAMPLES)
        print(f"{what}: {numbers.mean():.3f} [{low:.3f}, {high:.3f}]")
    print(f"AUROC of confidence for right answers: {auroc(confidence[right], confidence[~right]):.3f}")
    certain = np.array([one.answer.confidence if not one.answer.abstained else 0.0 for one in outcomes])
    without = np.array([one.without.confidence if not one.without.abstained else 0.0 for one in outcomes])
    print(f"AUROC of confidence for questions that can be answered: {auroc(certain, without):.3f}")
    spent = [one.answer.timings_ms.get("read", 0.0) for one in outcomes]
    print(f"reading: {np.median(spent):.0f} ms at the median, {np.quantile(spent, 0.95):.0f} at the 95th percentile")


if __name__ == "__main__":
    main()
