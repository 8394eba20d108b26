"""The two probabilities that rag/cards rests on: is a question about a card, and does a sentence matter for a question?

Run:  python -m benchmarks.card_gate collections/

The folder holds BEIR collections. First, nfcorpus, cranfield, cisi, npl, cacm and cosqa are each a card to the others'
questions: how many of its own a card would be asked, and how many of all others, by the best cosine with a description
and some passages of it. Second, on wikiqa, trecqa and hotpotqa_small: cosines of questions with a right answer, and
with an answer to something else.
"""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

from benchmarks.common import auroc, command_line, read_json_lines
from indexes.encoding.base import Encoder
from indexes.encoding.loading import load_encoder
from rag.cards.card import Card, CardKind
from rag.cards.gate import Gate
from rag.cards.selecting import RELEVANCE
from rag.evaluation.collections.beir import read_qrels, read_queries

_DESCRIBED = {
    "nfcorpus": "nutrition, food and health: medical research",
    "cranfield": "aerodynamics: flow, wings, heat transfer at high speed",
    "cisi": "library and information science: documentation, indexing, retrieval",
    "npl": "electronics, radio, computers: short abstracts of physics papers",
    "cacm": "computing: algorithms, programming languages, operating systems",
    "cosqa": "Python functions",
}
_ANSWERED = ("wikiqa", "trecqa", "hotpotqa_small")
_QUESTIONS = 200
_CLIPPED = 600
_ENOUGH = 0.5


def main() -> None:
    """Measure and print."""
    parser = command_line(__doc__)
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    encoder = load_encoder()
    for examples in (0, 16, 64):
        _about(data, encoder, examples)
    for name in _ANSWERED:
        _matters(data / name, encoder)


def _about(data: Path, encoder: Encoder, examples: int) -> None:
    rng, gate = random.Random(0), Gate(encoder)  # noqa: S311
    questions = {name: list(read_queries(data / name).values())[:_QUESTIONS] for name in _DESCRIBED}
    own: list[float] = []
    others: list[float] = []
    for name, description in _DESCRIBED.items():
        texts = tuple(rng.sample(_passages(data / name), examples))
        card = Card(name, CardKind.LM, description, "", examples=texts)
        for other, asked in questions.items():
            (own if other == name else others).extend(gate.probability(question, card) for question in asked)
    area = auroc(np.array(own), np.array(others))
    print(
        f"about a card, {examples:2} examples: own questions asked {np.mean(np.array(own) >= _ENOUGH):.3f}, "
        f"others' {np.mean(np.array(others) >= _ENOUGH):.3f}, AUROC {area:.3f}"
    )


def _matters(folder: Path, encoder: Encoder) -> None:
    rng = random.Random(0)  # noqa: S311
    texts = {record["_id"]: record["text"][:_CLIPPED] for record in read_json_lines(folder / "corpus.jsonl")}
    queries, right, wrong = read_queries(folder), [], []
    for key, judged in list(read_qrels(folder, "test").items())[:_QUESTIONS]:
        answers = [document for document, grade in judged.items() if grade > 0]
        if answers:
            question = encoder.encode_query(queries[key]).vector
            pair = encoder.encode([texts[answers[0]], texts[rng.choice(list(texts))]]).vectors @ question
            right.append(RELEVANCE.probability(float(pair[0])))
            wrong.append(RELEVANCE.probability(float(pair[1])))
    area = auroc(np.array(right), np.array(wrong))
    print(
        f"matters, {folder.name}: right answers kept {np.mean(np.array(right) >= _ENOUGH):.3f}, "
        f"others {np.mean(np.array(wrong) >= _ENOUGH):.3f}, AUROC {area:.3f}"
    )


def _passages(folder: Path) -> list[str]:
    return [
        f"{record.get('title', '')}. {record['text']}"[:_CLIPPED] for record in read_json_lines(folder / "corpus.jsonl")
    ]


if __name__ == "__main__":
    main()
