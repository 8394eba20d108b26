"""What knowledge cards do to the answers of a small language model: the right card, wrong ones, and each selector.

Run:  python -m benchmarks.card_effect collections/ --keep FOLDER [--questions 50] [--only right,liar] [--ablation]
      [--prompts]

The task is XQuAD (English): 240 paragraphs of 48 articles, with questions whose answers are a few words of one of them.
A knowledge base holds three of the five paragraphs of every article; half of the questions are about those ("held"),
half about the other two ("missing"), of which it holds no more than the neighbours. SmolLM2 answers. The cards:

- right: a knowledge base of the missing paragraphs.
- foreign: a knowledge base about nutrition.
- stranger: a language model that is said to know nutrition.
- talker: the same language model, said to know encyclopaedias: its domain is right, its facts are mostly not.
- liar: a knowledge base of all paragraphs, in which every answer is replaced by one of another article.

An answer is right if it has the words of a gold answer in a row. All differences are of the same questions with and
without a card, with 95% intervals by resampling them. Replies are kept in FOLDER, so that a run can be gone on with.
With --prompts nothing is written, and only counted what reaches the prompt: enough to tell the selectors apart.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rag.answering.answer import Answer
from rag.answering.options import AskOptions
from rag.cards.consulting import CardUse, Integration
from rag.cards.selecting import Selectors
from rag.evaluation.collections.beir import BeirCorpus
from rag.knowledge_base import KnowledgeBase
from rag.llm.base import complete
from rag.llm.loading import load_llm
from rag.prompting.prompt import Message

_K = 3
_BUDGET = 800
_FOREIGN = 1_000  # passages
_RESAMPLED = 5_000
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_LIES = ("digit", "capital", "other")
_DESCRIBED = {
    "stranger": "nutrition, food and health: medical research",
    "talker": "an encyclopaedia: history, geography, sport, science, technology, religion",
}
_ALL = Selectors()
_NONE = Selectors(relevance=False, brevity=False, factuality=False)


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its gold answers; `held` tells whether the knowledge base has its paragraph."""

    text: str
    answers: tuple[str, ...]
    held: bool


@dataclass(frozen=True, slots=True)
class Condition:
    """How an answer comes about."""

    name: str
    use: CardUse = field(default_factory=lambda: CardUse(Integration.OFF))


writer_cache: list[Path] = []
"""Where the replies of the cards that are language models are kept."""


def write(messages: Sequence[Mapping[str, str]]) -> str:
    """The language model behind the cards, as an object that a card can name; it writes the same every time."""
    llm = load_llm("local", cache=writer_cache[0])
    return complete(llm, [Message(each["role"], each["content"]) for each in messages], max_tokens=160)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--keep", type=Path, required=True, help="where knowledge bases and replies are kept")
    parser.add_argument("--questions", type=int, default=50, help="of each half")
    parser.add_argument("--only", help="these cards, parted by commas")
    parser.add_argument("--ablation", action="store_true", help="each selector left out, and all; top-down")
    parser.add_argument("--prompts", action="store_true", help="count what reaches the prompt; write no answers")
    given = parser.parse_args()
    llm = _silent if given.prompts else "local"
    given.keep.mkdir(parents=True, exist_ok=True)
    writer_cache.append(given.keep / "written.sqlite")
    kb, questions = _prepared(given.data, given.keep, given.questions)
    cards = given.only.split(",") if given.only else ["right", "foreign", "stranger", "talker", "liar"]
    none = _right(kb, questions, Condition("no card"), given.keep, llm)
    _tell(Condition("no card"), questions, none, none)
    for condition in _conditions(cards, ablation=given.ablation, writing=not given.prompts):
        _tell(condition, questions, _right(kb, questions, condition, given.keep, llm), none)


def _conditions(cards: Sequence[str], *, ablation: bool, writing: bool) -> list[Condition]:
    found = []
    for card in cards:
        selectors = {"": _ALL}
        if ablation:
            selectors |= {
                ", no selectors": _NONE,
                ", all but relevance": Selectors(relevance=False),
                ", all but factuality": Selectors(factuality=False),
                ", all but brevity": Selectors(brevity=False),
            }
        found += [
            Condition(f"{card}{name}", CardUse(names=(card,), selectors=which)) for name, which in selectors.items()
        ]
    if ablation and writing:
        found += [
            Condition(f"all cards, {how}", CardUse(how, tuple(cards)))
            for how in (Integration.BOTTOM_UP, Integration.TOP_DOWN)
        ]
    return found


def _silent(_messages: Sequence[Mapping[str, str]]) -> str:
    return "Nothing."


def _right(
    kb: KnowledgeBase, questions: Sequence[Question], condition: Condition, keep: Path, llm: object
) -> list[dict[str, Any]]:
    options = AskOptions(k=_K, budget=_BUDGET, cards=condition.use, cache=keep / "replies.sqlite")
    results = []
    for number, question in enumerate(questions, 1):
        answer = kb.ask(question.text, llm=llm, options=options)
        results.append({"right": is_right(answer.raw, question.answers), **_carried(answer, question.answers)})
        print(f"\r{condition.name}: {number}/{len(questions)}", end="\033[K", flush=True)
    print("\r\033[K", end="")
    return results


def _carried(answer: Answer, gold: Sequence[str]) -> dict[str, Any]:
    """What the prompt had: the gold answer, anything of a card, and whether the model was asked at all."""
    sent = answer.prompt.messages[-1].content if answer.prompt else ""
    background = answer.prompt.background if answer.prompt else ()
    return {
        "gold": is_right(sent.replace(answer.question, ""), gold),
        "background": bool(background),
        "characters": sum(len(one.text) for one in background),
        "asked": bool(answer.raw),
    }


def _tell(
    condition: Condition,
    questions: Sequence[Question],
    results: Sequence[dict[str, Any]],
    none: Sequence[dict[str, Any]],
) -> None:
    for held in (True, False):
        mine = [i for i, question in enumerate(questions) if question.held is held]
        right = np.array([results[i]["right"] for i in mine], dtype=float)
        without = np.array([none[i]["right"] for i in mine], dtype=float)
        change, low, high = _interval(right - without)
        shares = {
            key: np.mean([results[i][key] for i in mine]) for key in ("gold", "background", "asked", "characters")
        }
        print(
            f"{condition.name:28} {'held' if held else 'missing':8} right {right.mean():.3f}  "
            f"change {change:+.3f} [{low:+.3f}, {high:+.3f}]  gold in the prompt {shares['gold']:.2f}  "
            f"background {shares['background']:.2f} of {shares['characters']:.0f} characters  "
            f"asked {shares['asked']:.2f}  n={len(mine)}",
            flush=True,
        )


def _interval(differences: np.ndarray[Any, Any]) -> tuple[float, float, float]:
    rng = np.random.default_rng(0)
    means = rng.choice(differences, (_RESAMPLED, len(differences))).mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(differences.mean()), float(low), float(high)


def is_right(text: str, gold: Sequence[str]) -> bool:
    """Whether `text` has the words of a gold answer in a row, but for case, punctuation and articles.

    Example:
        >>> is_right("It took the Normans 14 days.", ["14 days"])
        True
    """
    words = f" {' '.join(_normal(text))} "
    return any(f" {' '.join(_normal(answer))} " in words for answer in gold if _normal(answer))


def _normal(text: str) -> list[str]:
    bare = text.lower().translate(str.maketrans(string.punctuation, " " * len(string.punctuation)))
    return _ARTICLES.sub(" ", bare).split()


def _prepared(data: Path, keep: Path, count: int) -> tuple[KnowledgeBase, list[Question]]:
    """The knowledge base with its cards, and the questions."""
    folder = data / "xquad_en"
    paragraphs = {record["_id"]: record for record in _records(folder / "corpus.jsonl")}
    asked = _records(folder / "qa.jsonl")
    held = {name for name in paragraphs if int(name.rpartition("#")[2]) % 2 == 0}
    kb = _indexed(keep / "base", [paragraphs[name] for name in sorted(held)])
    kinds: dict[str, Callable[[], str]] = {
        "right": lambda: _card(keep / "right", [each for name, each in paragraphs.items() if name not in held]),
        "foreign": lambda: _card(keep / "foreign", _records(data / "nfcorpus" / "corpus.jsonl")[:_FOREIGN]),
        "liar": lambda: _card(keep / "liar", _lying(paragraphs, asked)),
        "stranger": lambda: "benchmarks.card_effect:write",
        "talker": lambda: "benchmarks.card_effect:write",
    }
    known = {shelved.card.name for shelved in kb.cards.all()}
    for name, target in kinds.items():
        if name not in known:
            kb.cards.add(name, target(), description=_DESCRIBED.get(name, ""))
    rng = random.Random(0)  # noqa: S311
    rng.shuffle(asked)
    questions = [Question(each["question"], tuple(each["answers"]), each["gold_doc_ids"][0] in held) for each in asked]
    return kb, [
        *[question for question in questions if question.held][:count],
        *[question for question in questions if not question.held][:count],
    ]


def _lying(paragraphs: Mapping[str, Mapping[str, str]], asked: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """The paragraphs, every answer in them replaced by one of its kind of another article."""
    rng = random.Random(1)  # noqa: S311
    by_kind: dict[str, list[tuple[str, str]]] = {kind: [] for kind in _LIES}
    for each in asked:
        by_kind[_kind(each["answers"][0])].append((_article(each["gold_doc_ids"][0]), each["answers"][0]))
    lying = []
    for name, paragraph in paragraphs.items():
        text, done = paragraph["text"], len(paragraph["text"])
        spans = sorted((each["spans"][0], each["answers"][0]) for each in asked if each["gold_doc_ids"][0] == name)
        for (start, end), answer in reversed(spans):
            if end <= done:  # answers may overlap
                others = [other for article, other in by_kind[_kind(answer)] if article != _article(name)]
                text, done = text[:start] + rng.choice(others) + text[end:], start
        lying.append({**paragraph, "text": text})
    return lying


def _kind(answer: str) -> str:
    if any(map(str.isdigit, answer)):
        return _LIES[0]
    return _LIES[1] if answer[:1].isupper() else _LIES[2]


def _article(paragraph: str) -> str:
    return paragraph.rpartition("#")[0]


def _card(folder: Path, records: Sequence[Mapping[str, str]]) -> str:
    _indexed(folder, records).close()
    return str(folder / ".rag")


def _indexed(folder: Path, records: Sequence[Mapping[str, str]]) -> KnowledgeBase:
    folder.mkdir(exist_ok=True)
    lines = "".join(json.dumps(dict(record)) + "\n" for record in records)
    (folder / "corpus.jsonl").write_text(lines, encoding="utf-8")
    kb = KnowledgeBase.open(folder / ".rag")
    kb.index(BeirCorpus(folder))
    return kb


def _records(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


if __name__ == "__main__":
    from benchmarks import card_effect

    card_effect.main()  # of the module that the cards name, not of a copy of it
