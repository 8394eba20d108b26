"""How well the reader reads: spans, answer sentences, and support, each head alone, on sets it was not trained on.

    python -m benchmarks.reader DATA [--reader FOLDER] [--most N]

DATA holds xquad_en, wikiqa, trecqa, wice_dev, healthver_dev and begin_dev, and train/ where claim sets were left out of
training. Printed: F1 of the span in the right paragraph, and how often its sentence holds the answer (XQuAD); the MRR
of the answer sentence (test parts of WikiQA and TREC-QA) by the reader, by the cosine, and by both; AUROC of supported
claims by the reader, over the whole passage and over its sentences, beside today's judge, ROUGE-2 recall, the share of
the claim's idf found, and the cosine.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Container, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.citations import idf_recall, rouge2
from benchmarks.common import auroc, command_line, interval, read_json_lines
from connectors.sentences import sentence_spans
from indexes.encoding.base import Encoder
from indexes.encoding.loading import load_encoder
from rag.reader.loading import SHIPPED, load_reader
from rag.reader.reader import Reader
from rag.verification.support import SupportJudge

_RESAMPLES = 2_000
_TESTS = ("wice_dev", "healthver_dev", "begin_dev")

Floats = NDArray[np.float64]


def main() -> None:
    """Measure and print."""
    parser = command_line(__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--reader", type=Path, default=SHIPPED, help="another one than the one that is shipped")
    parser.add_argument("--claims", nargs="*", default=[], help="also these claim sets of train/")
    parser.add_argument("--most", type=int, default=2_000, help="claims of a set at most")
    arguments = parser.parse_args()
    reader, encoder = load_reader(arguments.reader), load_encoder()
    report_spans(arguments.data / "xquad_en", reader)
    for name in ("wikiqa", "trecqa"):
        report_sentences(name, list(answer_sentences(arguments.data / name, {"test"})), reader, encoder)
    for name in _TESTS:
        found = read_json_lines(arguments.data / name / "data.jsonl")
        pairs = [(row["response"].strip(), row["context"], row["label"] == 1) for row in found]
        report_support(name, [pair for pair in pairs if pair[0] and pair[1].strip()][: arguments.most], reader, encoder)
    for name in arguments.claims:
        with gzip.open(arguments.data / "train" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            found = [json.loads(line) for line in lines]
        pairs = [(row["claim"], row["passage"], row["label"] == "supports") for row in found]
        report_support(name, pairs[: arguments.most], reader, encoder)


def report_spans(folder: Path, reader: Reader) -> None:
    """Where the answer stands in the paragraph that is known to hold it."""
    passages = {row["_id"]: row["text"] for row in read_json_lines(folder / "corpus.jsonl")}
    f1, holds = [], []
    for row in read_json_lines(folder / "qa.jsonl"):
        passage = passages[row["gold_doc_ids"][0]]
        (found,) = reader.read(row["question"], [passage])
        f1.append(max(span_f1(passage[found.start : found.end], answer) for answer in row["answers"]))
        sentence = next(
            (passage[start:end] for start, end in sentence_spans(passage) if start <= found.start < end), ""
        )
        holds.append(any(answer.casefold() in sentence.casefold() for answer in row["answers"]))
    for what, values in (("span F1", f1), ("its sentence holds the answer", holds)):
        print(f"XQuAD, gold paragraph, {what}: {_told(values)}")


def span_f1(found: str, answer: str) -> float:
    """F1 of the words of two answers, as SQuAD counts it."""
    one, other = Counter(_answer_words(found)), Counter(_answer_words(answer))
    shared = (one & other).total()
    return 2 * shared / (one.total() + other.total()) if shared else 0.0


def _answer_words(text: str) -> list[str]:
    plain = "".join(letter if letter.isalnum() or letter.isspace() else " " for letter in text.casefold())
    return [word for word in plain.split() if word not in {"a", "an", "the"}]


def answer_sentences(folder: Path, splits: Container[str]) -> Iterator[tuple[str, list[str], Floats]]:
    """Questions with their candidate sentences and 1 for each that answers; those with both kinds count."""
    texts = {row["_id"]: row["text"] for row in read_json_lines(folder / "corpus.jsonl")}
    questions = {row["_id"]: row["text"] for row in read_json_lines(folder / "queries.jsonl")}
    candidates: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    for row in read_json_lines(folder / "pairs.jsonl"):
        if row["split"] in splits:
            candidates[row["query_id"]].append((texts[row["doc_id"]], row["label"]))
    for query, found in candidates.items():
        labels = np.array([label for _, label in found], dtype=np.float64)
        if 0 < labels.sum() < len(labels):
            yield questions[query], [text for text, _ in found], labels


def report_sentences(
    name: str, cases: Sequence[tuple[str, list[str], Floats]], reader: Reader, encoder: Encoder
) -> None:
    """The place of the first right sentence among the candidates."""
    ranks: defaultdict[str, list[float]] = defaultdict(list)
    for question, sentences, labels in cases:
        read = np.array([one.answers for one in reader.read(question, sentences)])
        cosines = encoder.encode(sentences).vectors @ encoder.encode_query(question).vector
        scores = {"reader": read, "cosine": cosines, "both": read + 4 * cosines}
        for method, score in scores.items():
            order = labels[np.argsort(-score, kind="stable")]
            ranks[method].append(1 / (1 + np.flatnonzero(order)[0]))
    for method, values in ranks.items():
        print(f"{name} test, MRR by {method}: {_told(values)} of {len(values)} questions")


def report_support(name: str, pairs: Sequence[tuple[str, str, bool]], reader: Reader, encoder: Encoder) -> None:
    """AUROC of supported claims, by each method."""
    labels = np.array([label for *_, label in pairs])
    claims = [(claim, passage) for claim, passage, _ in pairs]
    judge = SupportJudge(encoder)
    scores = {
        "reader, passage": _odds(reader, claims),
        "reader, sentences": _by_sentences(reader, claims),
        "judge": np.array([judge.judge(*pair).log_odds for pair in claims]),
        "ROUGE-2": np.array([rouge2(*pair) for pair in claims]),
        "idf recall": idf_recall(claims),
        "cosine": np.einsum("nd,nd->n", *(encoder.encode(texts).vectors for texts in zip(*claims, strict=True))),
    }
    areas = {method: auroc(score[labels], score[~labels]) for method, score in scores.items()}
    print(
        f"{name} {labels.sum()}/{len(labels)}: " + ", ".join(f"{method} {area:.3f}" for method, area in areas.items())
    )


def _odds(reader: Reader, pairs: Sequence[tuple[str, str]]) -> Floats:
    shares = reader.support(pairs).astype(np.float64)
    odds: Floats = np.log(np.maximum(shares[:, 0], 1e-9)) - np.log(np.maximum(1 - shares[:, 0], 1e-9))
    return odds


def _by_sentences(reader: Reader, pairs: Sequence[tuple[str, str]]) -> Floats:
    """The most of any sentence, or pair of neighbours, of the passage."""
    windows: list[tuple[str, str]] = []
    owners: list[int] = []
    for number, (claim, passage) in enumerate(pairs):
        spans = sentence_spans(passage) or [(0, len(passage))]
        both = [(start, end) for (start, _), (_, end) in pairwise(spans)]
        for start, end in [*spans, *both]:
            windows.append((claim, passage[start:end]))
            owners.append(number)
    best: Floats = np.full(len(pairs), -np.inf)
    np.maximum.at(best, owners, _odds(reader, windows))
    return best


def _told(values: Sequence[float]) -> str:
    low, high = interval(np.array(values, dtype=np.float64), _RESAMPLES)
    return f"{np.mean(values):.3f} [{low:.3f}, {high:.3f}]"


if __name__ == "__main__":
    main()
