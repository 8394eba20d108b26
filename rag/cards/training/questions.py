"""Makes questions and answers from a text, for a small model to learn from. No person or model writes them.

Each question is made from a different sentence: a question word, the heading, which names the topic, and some words of
the sentence, but not those of the answer. The answer is that sentence and the ones after it, so that the model can
state a fact even if it starts with a wrong sentence of the right passage.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from rag.text.words import terms

HEADINGS = " > "  # between the title and the headings of a passage, as `connectors.chunking.splitter` joins them

_MOST_TOLD = 3  # sentences of an answer
_LONGEST_TOLD = 400  # characters, beside the first sentence: what goes on is cut off (`rag.cards.experts`)
_MOST_KEPT = 0.6  # of the words of a sentence that are in a question
_BARE = 0.15  # of the questions are but words
_OPEN = 0.3  # of the questions ask for any words, and not for a name or a number
_EVEN = 0.5

_YEAR = re.compile(r"\W*(?:1\d{3}|20\d\d)\W*")
_DIGIT = re.compile(r"\d")
_BEFORE_PLACES = frozenset({"in", "at", "on", "near", "of", "from", "to"})
_TIMES = ("When was", "When did", "In what year was", "In which year did")
_NUMBERS = ("How many", "How much", "How is", "What is the")
_PLACES = ("Where is", "Where was", "In which", "What")
_NAMES = ("Who", "Who was", "Who did", "Which", "What is")
_THINGS = ("What is", "What was", "What does", "Which", "How is", "Why is")


@dataclass(frozen=True, slots=True)
class Topic:
    """The sentences of a passage, and the title and headings above them."""

    headings: tuple[str, ...]
    sentences: tuple[str, ...]

    def asked(self, at: int, rng: random.Random) -> tuple[str, str]:
        """A question about the sentence at `at`, and its answer."""
        return self._question(self.sentences[at].split(), rng), self._answer(at)

    def _answer(self, at: int) -> str:
        """The sentence and some after it, of which the first is after the last; each names what it is about."""
        told = self._named(self.sentences[at])
        for after in (*self.sentences[at + 1 :], *self.sentences[:at])[: _MOST_TOLD - 1]:
            if len(told) + len(after) > _LONGEST_TOLD:
                break
            told += f" {self._named(after)}"
        return told

    def _named(self, sentence: str) -> str:
        """With the headings before it, unless it has words of them: *it* alone is nobody in an answer."""
        if not self.headings or self._names(sentence):
            return sentence
        return f"{', '.join(self.headings)}: {sentence}"

    def _question(self, words: list[str], rng: random.Random) -> str:
        opening, wanted = self._wanted(words, rng)
        share = rng.uniform(0.0, _MOST_KEPT)
        kept = [
            word for at, word in enumerate(words) if at not in wanted and not self._names(word) and rng.random() < share
        ]
        parts = [" ".join(kept).strip(".,;:!?")]
        if self.headings:
            name = rng.choice((self.headings[0], self.headings[-1], " ".join(self.headings)))
            parts.insert(rng.randrange(2), name if rng.random() < _EVEN else name[0].lower() + name[1:])
        question = " ".join(part for part in parts if part)
        return question if rng.random() < _BARE else f"{opening} {question}?"

    def _wanted(self, words: list[str], rng: random.Random) -> tuple[str, range]:
        """How a question begins, and the places of the words that it asks for: a name, a number, or any two."""
        runs = [run for run in _capitalised(words) if not self._names(" ".join(words[run.start : run.stop]))]
        runs += [range(at, at + 1) for at, word in enumerate(words) if _DIGIT.search(word)]
        if not runs or rng.random() < _OPEN:
            at = rng.randrange(len(words))
            return rng.choice(_THINGS), range(at, at + 2)
        run = rng.choice(runs)
        return rng.choice(_openings(words, run.start)), run

    def _names(self, text: str) -> bool:
        return not set(terms(" ".join(self.headings))).isdisjoint(terms(text))


def _openings(words: list[str], at: int) -> tuple[str, ...]:
    """The beginnings of questions for the name or number at `at`."""
    if _YEAR.fullmatch(words[at]):
        return _TIMES
    if _DIGIT.search(words[at]):
        return _NUMBERS
    return _PLACES if at and words[at - 1].lower() in _BEFORE_PLACES else _NAMES


def _capitalised(words: list[str]) -> list[range]:
    """The places of words that begin with a capital letter, one beside another; not of the first word alone."""
    runs: list[range] = []
    for at, word in enumerate(words):
        if word.lstrip("\"'(“‘*_`")[:1].isupper():
            if runs and runs[-1].stop == at:
                runs[-1] = range(runs[-1].start, at + 1)
            else:
                runs.append(range(at, at + 1))
    return [run for run in runs if run.stop > 1]
