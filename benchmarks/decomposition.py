"""What asking for the parts of a question brings: HotpotQA, whose questions need two passages, and sets that need one.

Run:  python -m benchmarks.decomposition hotpotqa_small/ xquad_en/ … --keep FOLDER [--split test] [-k 8]
          [--llm SPEC [--base-url URL] | --replies benchmarks/decomposition_parts.jsonl]

Each folder is a BEIR collection. Reported for the first k hits, and for those of them that reach a prompt (relevance
of at least the threshold): the share of questions of which all judged passages are there, and of those with one; last,
how many documents are in the prompt. With --llm, the same where that model names parts beside those of the rules,
however small it is, how often it was asked, and how often what it wrote was of use. --replies takes a model's place: a
file with what it would write. The one here was written by hand, from nothing but the prompts for the first 100
questions of HotpotQA.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from rag.answering.decomposition import QuestionPart, decompose
from rag.answering.sub_questions import sub_questions
from rag.evaluation.collections.beir import BeirCorpus, read_qrels, read_queries
from rag.knowledge_base import KnowledgeBase
from rag.llm.base import LLM, complete
from rag.llm.loading import as_llm, load_llm
from rag.query.query import Query
from rag.retrieval.hit import Hit
from rag.retrieval.search import SearchResult

_RESAMPLED = 2_000
_NAMES = ("all, hits", "one, hits", "all, prompt", "one, prompt", "in prompt")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collections", type=Path, nargs="+")
    parser.add_argument("--keep", type=Path, required=True, help="where knowledge bases are kept for the next run")
    parser.add_argument("--split", default="test")
    parser.add_argument("-k", type=int, default=8)
    parser.add_argument("--queries", type=int, default=300, help="how many of each collection at most")
    parser.add_argument("--llm", help="also have this model name the parts: local, openai:MODEL, package.module:object")
    parser.add_argument("--base-url", help="the server of an openai: model")
    parser.add_argument(
        "--replies", type=Path, help='instead of a model, what one would write: lines of {"question": …, "parts": […]}'
    )
    given = parser.parse_args()
    llm = load_llm(given.llm, base_url=given.base_url) if given.llm else None
    if given.replies:
        llm = as_llm(Replies(given.replies), name=given.replies.stem)
    for folder in given.collections:
        with_parts(folder, given.keep / folder.name, given.split, given.k, given.queries, llm)


class Replies:
    """A model whose replies are in a file."""

    def __init__(self, path: Path) -> None:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        self._parts = {row["question"]: "\n".join(row["parts"]) for row in rows}

    def __call__(self, messages: Sequence[Mapping[str, str]]) -> str:
        """The reply to the question that stands in the prompt; nothing where the file has none."""
        asked = messages[-1]["content"]
        return next((parts for question, parts in self._parts.items() if f"Question: {question}" in asked), "")


@dataclass
class Divider:
    """Has an LLM name the parts, and counts what it is asked and writes."""

    llm: LLM
    asked: int = 0
    named: list[int] = field(default_factory=list)
    seconds: float = 0.0

    def __call__(self, question: str, relevant: Sequence[Hit]) -> Sequence[QuestionPart]:
        """The parts; none where what it wrote is of no use."""
        start = time.perf_counter()
        parts = sub_questions(
            question, relevant, lambda messages, tokens: complete(self.llm, messages, max_tokens=tokens)
        )
        self.asked, self.seconds = self.asked + 1, self.seconds + time.perf_counter() - start
        self.named.append(len(parts))
        return parts


def with_parts(folder: Path, kept: Path, split: str, k: int, most: int, llm: LLM | None) -> None:
    """Compare the hits for the questions of a collection without parts, with those by rules, and with the LLM's too."""
    divider = Divider(llm) if llm else None
    kb = KnowledgeBase.open(kept)
    kb.index(BeirCorpus(folder))
    queries, qrels = read_queries(folder), read_qrels(folder, split)
    rows, by_rules = [], 0
    for key, judged in list(qrels.items())[:most]:
        gold = {document for document, grade in judged.items() if grade > 0}
        found = kb.search(queries[key], max(k, 10))
        ways = [found.hits]
        for divide in (None, divider) if divider else (None,):
            wider = decompose(
                Query.of(queries[key]),
                found.hits,
                lambda text, n: kb.search(text, n).hits,
                k=k,
                threshold=found.min_relevance,
                divide=divide,
            )
            ways.append(wider.hits)
            by_rules += divide is None and bool(wider.parts)
        rows.append([_reached(hits[:k], found, gold) for hits in ways])
    kb.close()
    table = np.array(rows, dtype=float)
    print(f"{folder.name} {split}: {len(rows)} questions, {by_rules} with parts by rules")
    _compare("rules", table[:, 0], table[:, 1])
    if divider:
        useful = sum(map(bool, divider.named))
        print(f" {divider.llm.name}: asked {divider.asked} times, of use {useful} times, ", end="")
        print(f"{sum(divider.named)} parts, {divider.seconds / max(1, divider.asked):.1f} s each")
        _compare(f"rules and {divider.llm.name}", table[:, 0], table[:, 2])
        _compare(f"rules, then those and {divider.llm.name}", table[:, 1], table[:, 2])


def _reached(hits: Sequence[Hit], found: SearchResult, gold: set[str]) -> list[float]:
    """Whether all, and one, of the judged documents are among the hits, then in the prompt; how many are in that."""
    reached: list[float] = []
    for least in (0.0, found.min_relevance):
        names = _documents([hit for hit in hits if hit.relevance >= least])
        reached += [gold <= names, bool(gold & names)]
    return [*reached, len(names)]


def _compare(title: str, before: np.ndarray, after: np.ndarray) -> None:
    print(f" {title}")
    for name, one, other in zip(_NAMES, before.T, after.T, strict=True):
        low, high = _interval(other - one)
        change = other.mean() - one.mean()
        print(f"  {name:12} {one.mean():.3f} -> {other.mean():.3f}  {change:+.3f} [{low:+.3f}, {high:+.3f}]")


def _documents(hits: Sequence[Hit]) -> set[str]:
    return {hit.uri for hit in hits}


def _interval(differences: np.ndarray) -> tuple[float, float]:
    rng = np.random.default_rng(0)
    means = rng.choice(differences, (_RESAMPLED, len(differences))).mean(axis=1)
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


if __name__ == "__main__":
    main()
