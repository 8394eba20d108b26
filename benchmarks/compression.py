"""How often the sentence that answers survives when the hits of a search are cut to a share of their tokens.

Run:  python benchmarks/compression.py collections/ [--keep /tmp/compression]

The data folder holds xquad_en (corpus.jsonl, qa.jsonl) and chunking_eval (corpora/*.md, qa.jsonl). Each set becomes a
knowledge base. A question's best eight hits are cut to half, a quarter and an eighth of their tokens, as estimated;
what stands around a source in a prompt is not counted. A gold sentence is one that the answer's span (XQuAD) or a
reference (chunking_eval, often several sentences) touches. Questions of which no gold sentence was found by the search
are left out: no compression could keep it. A sentence that stands in two
passages is kept where one of them keeps it. Printed is the mean share of a question's gold sentences that is kept,
with half a 95% interval, and below it the same where only the one passage with the most gold is cut.

The weights of `rag.prompting.compression` were chosen on the questions at even places, and rounded after a look at all
of chunking_eval; the questions of XQuAD at odd places were never looked at. `--half odd` has those at odd places alone.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectors.sentences import sentence_spans
from indexes.encoding.base import EncodedQuery, Encoder
from indexes.encoding.loading import load_encoder
from rag import KnowledgeBase
from rag.llm.tokens import estimate_tokens
from rag.prompting.compression import Compressor, Passage, Spans
from rag.query.query import Query
from rag.text.bm25 import bm25

_K = 8
_SHARES = (0.5, 0.25, 0.125)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Question:
    """A question, the file that answers it, and the characters there that do."""

    text: str
    file: str
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Case:
    """A question, what was found for it, and the gold sentences: (passage, start, end)."""

    question: str
    passages: tuple[Passage, ...]
    gold: frozenset[tuple[int, int, int]]

    @property
    def richest(self) -> Case:
        """The same with nothing but the passage that holds the most gold."""
        places = [place for place, _, _ in sorted(self.gold)]
        best = max(places, key=places.count)
        gold = frozenset((0, start, end) for place, start, end in self.gold if place == best)
        return Case(self.question, (self.passages[best],), gold)


Cut = Callable[[int], list[Spans]]
"""Cuts the passages of a case to about so many tokens."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--keep", type=Path, help="keep the knowledge bases here")
    parser.add_argument("--half", choices=["even", "odd", "both"], default="both", help="which questions")
    arguments = parser.parse_args()
    step = {"even": slice(0, None, 2), "odd": slice(1, None, 2), "both": slice(None)}[arguments.half]
    encoder = load_encoder()
    with tempfile.TemporaryDirectory() as temporary:
        for name, read in {"xquad_en": xquad, "chunking_eval": chunking}.items():
            folder = (arguments.keep or Path(temporary)) / name
            folder.mkdir(parents=True, exist_ok=True)
            source, questions = read(arguments.data / name, folder)
            cases = list(found(source, questions[step], folder / "kb"))
            print(f"\n{name}: {len(cases)} questions, share of gold sentences kept")
            report(cases, encoder)
            report([case.richest for case in cases], encoder, "one passage, ")


def xquad(data: Path, folder: Path) -> tuple[Path, list[Question]]:
    """The paragraphs as a file each, and the questions."""
    source = folder / "paragraphs"
    source.mkdir(exist_ok=True)
    files = {}
    for place, row in enumerate(_rows(data / "corpus.jsonl")):
        files[row["_id"]] = f"{place:04d}.txt"
        (source / files[row["_id"]]).write_text(row["text"], encoding="utf-8", newline="")
    return source, [
        Question(row["question"], files[row["gold_doc_ids"][0]], tuple(map(tuple, row["spans"][:1])))
        for row in _rows(data / "qa.jsonl")
    ]


def chunking(data: Path, folder: Path) -> tuple[Path, list[Question]]:
    """The corpora, and the questions with the exact spans that answer them."""
    del folder
    return data / "corpora", [
        Question(
            row["question"],
            f"{row['gold_doc_ids'][0]}.md",
            tuple((span["start"], span["end"]) for span in row["spans"]),
        )
        for row in _rows(data / "qa.jsonl")
    ]


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def found(source: Path, questions: Sequence[Question], folder: Path) -> Iterator[Case]:
    """Search for each question; those whose gold was not found are left out."""
    base = KnowledgeBase.open(str(folder))
    base.index(str(source))
    for question in questions:
        hits = base.search(question.text, k=_K)
        gold = frozenset(
            (place, start, end)
            for place, hit in enumerate(hits)
            if Path(hit.uri).name == question.file
            for start, end in sentence_spans(hit.text)
            if any(
                first < hit.location.start + end and last > hit.location.start + start for first, last in question.spans
            )
        )
        if gold:
            yield Case(question.text, tuple(Passage(hit.text, hit.relevance) for hit in hits), gold)


def report(cases: Sequence[Case], encoder: Encoder, prefix: str = "") -> None:
    """Print a line for each way to choose."""
    cosines = _NoTokens(encoder)
    ways: dict[str, Callable[[Case], Cut]] = {
        "lead sentences": _by(lambda _, sentences: -np.array([start for _, start, _ in sentences], dtype=float)),
        "best passages": _by(lambda _, sentences: -np.arange(len(sentences), dtype=float)),
        "BM25 alone": _by(lambda case, sentences: bm25(Query.of(case.question).terms, _texts(case, sentences))),
        "cosine alone": _by(lambda case, sentences: _cosines(case, sentences, encoder)),
        "ours, no encoder": lambda case: Compressor(case.question, case.passages, estimate_tokens).within,
        "ours, cosines": lambda case: Compressor(case.question, case.passages, estimate_tokens, cosines).within,
        "ours": lambda case: Compressor(case.question, case.passages, estimate_tokens, encoder).within,
    }
    for name, way in ways.items():
        kept = np.array([_survivals(case, way(case)) for case in cases])
        half = 1.96 * kept.std(axis=0) / len(kept) ** 0.5
        columns = [
            f"{share:.1%} {m:.3f} ± {h:.3f}" for share, m, h in zip(_SHARES, kept.mean(axis=0), half, strict=True)
        ]
        print(f"  {prefix + name:32}" + "   ".join(columns), flush=True)


def _survivals(case: Case, cut: Cut) -> list[float]:
    return [survived(case, cut, share) for share in _SHARES]


def survived(case: Case, cut: Cut, share: float) -> float:
    """The share of the gold sentences that is kept whole, there or where another passage says it word for word."""
    whole = sum(estimate_tokens(passage.text) for passage in case.passages)
    kept = cut(int(share * whole))
    shown = "\n".join(_flat(p.text[a:b]) for p, spans in zip(case.passages, kept, strict=True) for a, b in spans)
    return float(np.mean([_flat(case.passages[place].text[a:b]) in shown for place, a, b in sorted(case.gold)]))


def _flat(text: str) -> str:
    return " ".join(text.split())


_Sentences = Sequence[tuple[int, int, int]]


def _by(score: Callable[[Case, _Sentences], Floats]) -> Callable[[Case], Cut]:
    """Takes the sentences of the highest scores that fit."""

    def way(case: Case) -> Cut:
        sentences = [(n, *span) for n, passage in enumerate(case.passages) for span in passage.spans()]
        order = np.argsort(-score(case, sentences), kind="stable").tolist()
        return lambda room: _greedy(case.passages, [sentences[i] for i in order], room)

    return way


def _greedy(passages: Sequence[Passage], sentences: _Sentences, room: int) -> list[Spans]:
    kept: list[list[tuple[int, int]]] = [[] for _ in passages]
    for place, start, end in sentences:
        cost = estimate_tokens(passages[place].text[start:end])
        if cost <= room:
            room -= cost
            kept[place].append((start, end))
    return [tuple(spans) for spans in kept]


def _texts(case: Case, sentences: _Sentences) -> list[str]:
    return [case.passages[place].text[start:end] for place, start, end in sentences]


class _NoTokens:
    """An encoder that has no token vectors: sentences are compared by their cosines."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.spans = encoder.spans
        self.encode = encoder.encode

    def encode_query(self, text: str) -> EncodedQuery:
        return EncodedQuery(self._encoder.encode_query(text).vector, np.zeros((0, 64), np.float32), [])


_VECTORS: dict[str, NDArray[np.float32]] = {}


def _cosines(case: Case, sentences: _Sentences, encoder: Encoder) -> Floats:
    texts = _texts(case, sentences)
    new = [text for text in dict.fromkeys(texts) if text not in _VECTORS]
    if new:
        _VECTORS.update(zip(new, encoder.encode(new).vectors, strict=True))
    query = encoder.encode_query(case.question).vector
    return np.array([_VECTORS[text] @ query for text in texts], dtype=np.float64)


if __name__ == "__main__":
    main()
