"""Questions made from sentences by leaving a stretch out: "It was built in 1920" → "It was built in what year?".

They are as many as there are sentences, where people's questions are few. A reader that has looked for stretches first
reads the questions of people better (`docs/reader.md`). After Lewis et al. 2019, arXiv:1906.04980 (a sentence with a
question word), and Ram et al. 2021, arXiv:2101.00438 (what recurs elsewhere).
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from connectors.sentences import sentence_spans
from rag.text.words import STOP_WORDS, terms
from scripts.reader.pairs import Pair, is_held_out

SOURCE = "cloze"

_STOPS = frozenset(STOP_WORDS.split())
_WORD = re.compile(r"[\w'’%$€£-]+(?:[.,]\d+)*")
_YEAR = re.compile(r"(?:1[0-9]|20)\d\d")
_CLAUSE = re.compile(r"[,;:—–] |\s[(]|[)]\s")
_PER_PASSAGE = 6
_FEWEST_WORDS, _MOST_WORDS = 4, 18  # of a question, the stretch aside
_MOST_STRETCH = 6  # words
_RECURS = 0.4  # of the questions ask for what stands elsewhere too, where something does
_UNANSWERED = 0.3  # of the questions are also asked of a passage that does not answer
_FORGOTTEN, _FORGOTTEN_STOPS = 0.12, 0.25  # of the words of a question are left out
_FRONTED = 0.6  # of the questions begin with the question word

_ASKS_YEAR = ("when", "in what year", "what year", "which year", "when did")
_ASKS_NUMBER = ("how many", "how much", "what number of", "what percentage of", "what is the number of")
_ASKS_NAME = ("who", "which", "what", "where", "what is the name of", "who is", "who was", "which person", "what place")
_ASKS_THING = ("what", "what", "which", "what is", "what kind of", "what type of", "how", "what are", "what was")


def of_sentences(passages: Sequence[str], near: Sequence[Sequence[int]], seed: int) -> Iterator[Pair]:
    """The pairs of passages: each sentence's question with its passage, and with one of its `near` ones."""
    chance = random.Random(f"{seed} cloze")
    for place, passage in enumerate(passages):
        sentences = [span for span in sentence_spans(passage) if len(passage[slice(*span)].split()) >= _FEWEST_WORDS]
        for sentence in chance.sample(sentences, min(_PER_PASSAGE, len(sentences))):
            pair = _asked(passage, sentence, chance)
            if pair is None:
                continue
            yield pair
            if chance.random() < _UNANSWERED and pair.span is not None:
                answer = pair.passage[slice(*pair.span)].casefold()
                others = [passages[other] for other in near[place] if answer not in passages[other].casefold()]
                rest = f"{passage[: sentence[0]].strip()} {passage[sentence[1] :].strip()}".strip()
                if answer not in rest.casefold() and len(rest.split()) >= 25:
                    others.append(rest)
                if others:
                    yield replace(pair, passage=chance.choice(others), answers=False, span=None)


def _asked(passage: str, sentence: tuple[int, int], chance: random.Random) -> Pair | None:
    """One question of a sentence, with where it is answered; None where the sentence has no stretch to ask for."""
    stretches = _stretches(passage, sentence)
    if not stretches:
        return None
    start, end = sentence
    own = Pair("", passage, SOURCE, answers=True, held_out=is_held_out(passage))
    if chance.random() < _RECURS:
        rest = passage[:start] + passage[end:]
        recurring = [
            (stretch, at)
            for stretch in stretches
            if (said := passage[slice(*stretch)])[0].isupper() or " " in said or any(map(str.isdigit, said))
            if (at := _best_place(rest, said, passage[start:end])) is not None
        ]
        if recurring:
            stretch, at = chance.choice(recurring)
            question = _question(passage, sentence, stretch, chance)
            return replace(own, first=question, passage=rest, span=(at, at + stretch[1] - stretch[0]))
    stretch = chance.choice(stretches)
    return replace(own, first=_question(passage, sentence, stretch, chance), span=stretch)


def _stretches(passage: str, sentence: tuple[int, int]) -> list[tuple[int, int]]:
    """What can be asked for: words between stop words and signs; names and numbers thrice, as people ask."""
    found: list[tuple[int, int]] = []
    run: list[re.Match[str]] = []

    def close() -> None:
        while run and len(run) > _MOST_STRETCH:
            run.pop(0)
        if run:
            stretch = run[0].start(), run[-1].end()
            said = passage[slice(*stretch)]
            is_marked = any(map(str.isdigit, said)) or (said[0].isupper() and stretch[0] > sentence[0])
            if len(said) > 2 or is_marked:
                found.extend([stretch] * (3 if is_marked else 1))
        run.clear()

    for word in _WORD.finditer(passage, *sentence):
        if run and passage[run[-1].end() : word.start()] != " ":
            close()
        if word[0].casefold() in _STOPS:
            close()
        else:
            run.append(word)
    close()
    return found


def _best_place(rest: str, said: str, sentence: str) -> int | None:
    """Where `said` stands in `rest`: in the sentence most like the one that asks; None where it does not."""
    asked = frozenset(terms(sentence))
    found = []
    for start, end in sentence_spans(rest):
        place = re.search(rf"(?<!\w){re.escape(said)}(?!\w)", rest[start:end])
        if place is not None:
            found.append((len(asked & frozenset(terms(rest[start:end]))), -start, start + place.start()))
    return max(found)[2] if found else None


def _question(passage: str, sentence: tuple[int, int], stretch: tuple[int, int], chance: random.Random) -> str:
    """The sentence, or the clause of the stretch, with a question word in its place, less some words."""
    start, end = sentence
    cuts = [start, *(cut.end() for cut in _CLAUSE.finditer(passage, start, end)), end]
    first = max(cut for cut in cuts if cut <= stretch[0])
    last = min(cut for cut in cuts if cut >= stretch[1])
    if len(passage[first:last].split()) - len(passage[slice(*stretch)].split()) >= _FEWEST_WORDS + 2:
        start, end = first, last
    before, after = passage[start : stretch[0]].split(), passage[stretch[1] : end].split()
    before, after = before[-_MOST_WORDS // 2 :], after[: _MOST_WORDS // 2]
    before, after = ([word for word in words if not _is_forgotten(word, chance)] for words in (before, after))
    asks = chance.choice(_asking(passage[slice(*stretch)]))
    words = [asks, *before, *after] if chance.random() < _FRONTED else [*before, asks, *after]
    question = " ".join(words).strip(" .,;:()\"'")
    question = question.lower() if chance.random() < 0.4 else question[:1].upper() + question[1:]
    return question if chance.random() < 0.3 else f"{question}?"


def _asking(said: str) -> Sequence[str]:
    if _YEAR.search(said):
        return _ASKS_YEAR
    if any(map(str.isdigit, said)):
        return _ASKS_NUMBER
    return _ASKS_NAME if said[0].isupper() else _ASKS_THING


def _is_forgotten(word: str, chance: random.Random) -> bool:
    is_stop = word.strip(".,;:()\"'").casefold() in _STOPS
    return chance.random() < (_FORGOTTEN_STOPS if is_stop else _FORGOTTEN)
