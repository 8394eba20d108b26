"""How well a follow-up question finds its passage, made to stand alone by words, beside what people made of it.

    python -m benchmarks.follow_ups DATA [--conversations N] [--half even|odd]

DATA holds train/canard_dev.jsonl.gz: conversations about sections of Wikipedia, with each question as people rewrote it
to stand alone. Every answer of five words or more is a passage, under the title of its article; a question is to find
its own answer among all of them, by nDCG@10. Printed for questions as they were asked, made to stand alone, and as
people rewrote them: those that lean on what was said before, and the others. Then the same for questions that stand
alone and come after a conversation about something else, where words that are carried over can only do harm.
"""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.common import command_line, interval, kept_in
from rag import KnowledgeBase
from rag.answering.follow_up import leans, stand_alone
from rag.prompting.prompt import Turn

_ABOUT = 2  # entries before the first question: the article and its section
_FEWEST_WORDS = 5
_DEPTH = 10
_RESAMPLES = 2_000


@dataclass(frozen=True)
class Asked:
    """A question of a conversation: the turns before it, its rewriting, and the passage that answers."""

    turns: Sequence[Turn]
    question: str
    rewrite: str
    passage: str


def main() -> None:
    """Measure and print."""
    parser = command_line(__doc__, keep="the knowledge base")
    parser.add_argument("data", type=Path)
    parser.add_argument("--conversations", type=int, default=200)
    parser.add_argument("--half", choices=["even", "odd"], help="every other conversation only")
    arguments = parser.parse_args()
    conversations = list(read(arguments.data / "train" / "canard_dev.jsonl.gz"))[: arguments.conversations]
    with kept_in(arguments.keep) as folder, closing(KnowledgeBase.open(folder / "kb")) as kb:
        passages = index(kb, conversations, folder / "passages")
        if arguments.half:
            conversations = conversations[arguments.half == "odd" :: 2]
        asked = [one for title, turns, rewrites in conversations for one in questions(title, turns, rewrites, passages)]
        leaning = [one for one in asked if leans(one.question)]
        report(kb, "leaning on what was said", leaning)
        report(kb, "the others", [one for one in asked if not leans(one.question)])
        strangers = [
            Asked(before.turns, one.rewrite, one.rewrite, one.passage)
            for before, one in zip(asked, asked[len(asked) // 2 :] + asked[: len(asked) // 2], strict=True)
        ]
        report(kb, "standing alone, after another conversation", strangers)


Conversation = tuple[str, Sequence[Turn], Sequence[str]]
"""Its title, its turns, and its questions as they were rewritten."""


def read(path: Path) -> Iterator[Conversation]:
    """The conversations of CANARD, less each last answer, which the file does not have."""
    rewrites: list[str] = []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    for row, after in zip(rows, [*rows[1:], None], strict=True):
        rewrites.append(row["rewrite"])
        if (
            after is None
            or after["history"][: len(row["history"])] != row["history"]
            or len(after["history"]) <= _ABOUT
        ):
            title, said = row["history"][0], row["history"][_ABOUT:]
            yield title, [Turn(*pair) for pair in zip(said[::2], said[1::2], strict=False)], rewrites
            rewrites = []


def index(kb: KnowledgeBase, conversations: Sequence[Conversation], folder: Path) -> dict[tuple[str, str], str]:
    """Index every answer as a file under its title; title and answer → URI."""
    folder.mkdir(exist_ok=True)
    found: dict[tuple[str, str], str] = {}
    for title, turns, _ in conversations:
        for turn in turns:
            if len(turn.answer.split()) >= _FEWEST_WORDS and (title, turn.answer) not in found:
                path = folder / f"{len(found)}.md"
                path.write_text(f"# {title}\n\n{turn.answer}\n", "utf-8")
                found[title, turn.answer] = str(path.absolute())
    kb.index(folder)
    return found


def questions(
    title: str, turns: Sequence[Turn], rewrites: Sequence[str], passages: dict[tuple[str, str], str]
) -> Iterator[Asked]:
    """The questions of a conversation but for its first, with what was said before each.

    Earlier questions stand there as a conversation keeps them: as they were made to stand alone.
    """
    told: list[Turn] = []
    for turn, rewrite in zip(turns, rewrites, strict=False):
        if told and (title, turn.answer) in passages:
            yield Asked(tuple(told), turn.question, rewrite, passages[title, turn.answer])
        told.append(Turn(stand_alone(turn.question, told).text, turn.answer))


def report(kb: KnowledgeBase, name: str, asked: Sequence[Asked]) -> None:
    """Print the mean nDCG@10 of each way to ask, with 95% intervals."""
    ways = {
        "as asked": [one.question for one in asked],
        "made to stand alone": [stand_alone(one.question, one.turns).query for one in asked],
        "by people": [one.rewrite for one in asked],
    }
    print(f"{len(asked)} questions {name}")
    for way, queries in ways.items():
        gains = np.array([gain(kb, query, one.passage) for query, one in zip(queries, asked, strict=True)])
        low, high = interval(gains, _RESAMPLES)
        print(f"  {way:20} nDCG@10 {gains.mean():.3f} [{low:.3f}, {high:.3f}]")


def gain(kb: KnowledgeBase, query: str, passage: str) -> float:
    """nDCG@10 where one passage is right."""
    places = [hit.uri for hit in kb.search(query, _DEPTH).hits]
    return 1 / math.log2(places.index(passage) + 2) if passage in places else 0.0


if __name__ == "__main__":
    main()
