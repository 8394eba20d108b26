"""Questions about a text, and their answers, for a small model to learn from; nobody writes them.

A question is made of a sentence, another one each time: a word to ask with, the heading, which names what all is about,
and some words of the sentence, but not what is asked for. The answer is the sentence with those after it, so that a
fact is told even where a wrong sentence of the right passage comes first.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from rag.words import terms

HEADINGS = " > "  # between the title and the headings of a passage

_YEAR = re.compile(r"\W*(?:1\d{3}|20\d\d)\W*")
_DIGIT = re.compile(r"\d")
_BEFORE_PLACES = frozenset({"in", "at", "on", "near", "of", "from", "to"})
_MOST_KEPT = 0.6  # of the words of a sentence that are in a question
_BARE = 0.15  # of the questions are but words


@dataclass(frozen=True, slots=True)
class Topic:
    """Sentences that are told together, and the title and headings above them."""

    headings: tuple[str, ...]
    sentences: tuple[str, ...]

    def asked(self, at: int, rng: random.Random) -> tuple[str, str]:
        """A question about the sentence at `at`, and its answer."""
        return self._question(self.sentences[at], rng), self._answer(at)

    def _answer(self, at: int) -> str:
        """The sentence and all others in their order, beginning anew at the end; it names what it is about."""
        told = " ".join((*self.sentences[at:], *self.sentences[:at]))
        if not self.headings or set(terms(" ".join(self.headings))) & set(terms(self.sentences[at])):
            return told
        return f"{', '.join(self.headings)}: {told}"

    def _question(self, sentence: str, rng: random.Random) -> str:
        words = sentence.split()
        named = set(terms(" ".join(self.headings)))
        opening, wanted = _wanted(words, named, rng)
        share = rng.uniform(0.0, _MOST_KEPT)
        kept = [
            word
            for at, word in enumerate(words)
            if at not in wanted and not named.intersection(terms(word)) and rng.random() < share
        ]
        parts = [" ".join(kept).strip(".,;:!?")]
        if self.headings:
            name = rng.choice((self.headings[0], self.headings[-1], " ".join(self.headings)))
            parts.insert(rng.randrange(2), name if rng.random() < 0.5 else name[0].lower() + name[1:])
        question = " ".join(part for part in parts if part)
        return question if rng.random() < _BARE else f"{opening} {question}?"


def _wanted(words: list[str], named: set[str], rng: random.Random) -> tuple[str, range]:
    """What is asked for, as places among `words`, and how a question for it begins."""
    found = [
        (_opening(words, at, rng), range(at, end))
        for at, end in _names(words)
        if not named.intersection(terms(" ".join(words[at:end])))
    ]
    found += [(_opening(words, at, rng), range(at, at + 1)) for at, word in enumerate(words) if _DIGIT.search(word)]
    if not found or rng.random() < 0.3:
        at = rng.randrange(len(words))
        return rng.choice(("What is", "What was", "What does", "Which", "How is", "Why is")), range(at, at + 2)
    return rng.choice(found)


def _opening(words: list[str], at: int, rng: random.Random) -> str:
    if _YEAR.fullmatch(words[at]):
        return rng.choice(("When was", "When did", "In what year was", "In which year did"))
    if _DIGIT.search(words[at]):
        return rng.choice(("How many", "How much", "How is", "What is the"))
    if at and words[at - 1].lower() in _BEFORE_PLACES:
        return rng.choice(("Where is", "Where was", "In which", "What"))
    return rng.choice(("Who", "Who was", "Who did", "Which", "What is"))


def _names(words: list[str]) -> list[tuple[int, int]]:
    """The runs of words that begin with a capital letter, and where they end; none at the start of a sentence alone."""
    runs: list[tuple[int, int]] = []
    for at, word in enumerate(words):
        if not word.lstrip("\"'(“‘*_`")[:1].isupper():
            continue
        if runs and runs[-1][1] == at:
            runs[-1] = (runs[-1][0], at + 1)
        else:
            runs.append((at, at + 1))
    return [(start, end) for start, end in runs if start > 0 or end > 1]
