"""Makes the pairs that the reader learns from: a question or a claim, a passage, and what is true of the two."""

from __future__ import annotations

import random
import re
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from connectors.sentences import sentence_spans
from rag.text.words import terms
from scripts.reader.made import errors, restatements
from scripts.reader.sets import ClaimSet, QuestionSet
from scripts.reader.statements import statement

Vectors = npt.NDArray[np.float32]
Encode = Callable[[Sequence[str]], Vectors]
Mined = Mapping[int, Sequence[int]]
"""For each question the rows whose passages look right and do not answer."""

SUPPORTS, NEUTRAL, CONTRADICTS, NOT_SUPPORTED = 0, 1, 2, 3
"""What a passage is to a claim; the last stands where neutral and contradicts are not told apart."""

_LABELS = {"supports": SUPPORTS, "neutral": NEUTRAL, "contradicts": CONTRADICTS}
_POOL = 12  # nearest passages that negatives are drawn from
_MOST_WORDS = 220  # of a passage that several are put together for
_TITLED = 0.5  # of the passages that have a title show it, as chunks do
_CUT = 0.35  # of the answered questions are also asked of their passage without the sentence that answers
_RENAMED = 0.15  # of the answered questions are also asked about another name
_NAME = re.compile(r"(?<=\s)[A-Z][a-z]{2,}(?:\s[A-Z][a-z]{2,})*\b")
_MOST_ANSWER = 12  # words of an answer that a claim is made with
_FIGURE = re.compile(r"(?<![\w.,-])\d[\d,.]*\b")
_YEAR = re.compile(r"\b(?:1[0-9]|20)\d\d\b")


@dataclass(frozen=True, slots=True)
class Pair:
    """A question or a claim, and a passage.

    Attributes:
        first: the question or the claim.
        passage: what is read.
        source: the set it comes from.
        answers: whether the passage answers the question; None for a claim.
        span: the characters of the passage that answer; None where it does not, or where they are not known.
        support: SUPPORTS, NEUTRAL, CONTRADICTS or NOT_SUPPORTED; None for a question.
        held_out: whether it is kept from training, to measure with. All pairs of a passage are, or none is.
    """

    first: str
    passage: str
    source: str
    answers: bool | None = None
    span: tuple[int, int] | None = None
    support: int | None = None
    held_out: bool = False


def is_held_out(passage: str) -> bool:
    """Whether the questions and claims of a passage are kept from training: those of one in forty."""
    return zlib.crc32(passage.encode()) % 40 == 0


def nearest_wrong(found: Sequence[dict[str, Any]], encode: Encode) -> Mined:
    """For each question the rows whose passages look right and hold none of its answers, the likeliest first.

    Where the answer is yes or no, or free, a passage may answer it in words of its own: the nearest ones are left out.
    """
    first: dict[str, int] = {}
    for place, row in enumerate(found):
        first.setdefault(row["passage"], place)
    places = np.array(list(first.values()))
    passages = encode([found[place]["passage"] for place in places])
    questions = encode([row["question"] for row in found])
    content = [frozenset(terms(found[place]["passage"])) for place in places]
    negatives: dict[int, list[int]] = defaultdict(list)
    for place, row in enumerate(found):
        wanted = frozenset(terms(row["question"]))
        cosines = passages @ questions[place]
        near = np.argsort(-cosines)[: 4 * _POOL].tolist()
        near.sort(key=lambda other: -(cosines[other] + 0.3 * len(wanted & content[other]) / max(1, len(wanted))))
        skipped = 0 if row["spans"] else 4
        fit = [other for other in near if not _holds(found[places[other]]["passage"], row)][skipped : skipped + _POOL]
        negatives[place] = [int(places[other]) for other in fit]
    return negatives


def of_questions(found: Sequence[dict[str, Any]], one: QuestionSet, mined: Mined, seed: int) -> Iterator[Pair]:
    """The pairs of a set of questions: its own, and those `mined` for it, which look right and do not answer.

    Every time that a question is seen, other passages stand beside its own.
    """
    names = _names(found)
    others = sorted({row["passage"] for row in found})
    for time in range(one.times):
        chance = random.Random(f"{seed} {one.name} pairs {time}")
        for place, row in enumerate(found):
            passage = row["passage"]
            span = tuple(row["spans"][0]) if row["spans"] and one.spans else None
            own = Pair(row["question"], passage, one.name, bool(row["answerable"]), span, held_out=is_held_out(passage))
            if own.held_out and time:
                continue
            yield _titled(_embedded(own, others, chance) if one.embed else own, row["title"], chance)
            for other in dict.fromkeys(_drawn(mined.get(place, ()), 0 if time else one.negatives, chance)):
                wrong = replace(own, passage=found[other]["passage"], answers=False, span=None)
                yield _titled(wrong, found[other]["title"], chance)
            if own.answers and span is not None and one.name != "wikitablequestions_train":
                if chance.random() < _CUT and (rest := _without(passage, span, row["answers"])):
                    yield _titled(replace(own, passage=rest, answers=False, span=None), row["title"], chance)
                if chance.random() < _RENAMED and (asked := _renamed(own, names, chance)):
                    yield _titled(replace(own, first=asked, answers=False, span=None), row["title"], chance)


def of_statements(found: Sequence[dict[str, Any]], one: QuestionSet, mined: Mined, seed: int) -> Iterator[Pair]:
    """Claims made of questions and answers: with the right one, and with that of another question about the passage.

    The right one is also held against the passage without its sentence, and against one that looks right.
    """
    chance = random.Random(f"{seed} {one.name} statements")
    usable = {
        place: row
        for place, row in enumerate(found[: one.statements])
        if row["spans"] and len(row["answers"][0].split()) <= _MOST_ANSWER
    }
    passages = [row["passage"] for row in found]
    answers: dict[str, list[str]] = defaultdict(list)
    others = sorted({row["passage"] for row in usable.values()})
    for row in usable.values():
        answers[row["passage"]].append(row["answers"][0])
    for place, row in usable.items():
        right = row["answers"][0]
        claim = statement(row["question"], right)
        if not claim:
            continue
        passage = row["passage"]
        own = Pair(claim, passage, "statements", support=SUPPORTS, held_out=is_held_out(passage))
        if one.embed:
            own = _embedded(own, others, chance)
        yield own
        wrong = [each for each in answers[passage] if not _share_words(each, right)]
        wrong += [each for each in _like(right, passage) if not _share_words(each, right)]
        if wrong and (false := statement(row["question"], chance.choice(wrong))):
            yield replace(own, first=false, support=NOT_SUPPORTED)
        if chance.random() < _CUT and (rest := _without(passage, tuple(row["spans"][0]), row["answers"])):
            yield replace(own, passage=rest, support=NOT_SUPPORTED)
        elif chance.random() < _CUT:
            for other in _drawn(mined.get(place, ()), 1, chance):
                yield replace(own, passage=passages[other], support=NOT_SUPPORTED)


def of_claims(found: Sequence[dict[str, Any]], one: ClaimSet, seed: int) -> Iterator[Pair]:
    """The pairs of a set of claims; short evidence stands among other sentences of the set half of the time."""
    chance = random.Random(f"{seed} {one.name} pairs")
    others = sorted({row["passage"] for row in found})
    for row in found:
        label = _LABELS[row["label"]]
        if label != SUPPORTS and row.get("binary"):
            label = NOT_SUPPORTED
        passage = row["passage"].strip('"')
        if one.lengthen and chance.random() < 0.5:
            passage = _among(passage, chance.sample(others, 8), chance)
        yield Pair(row["claim"].strip('"'), passage, one.name, support=label, held_out=is_held_out(row["passage"]))


def of_passages(passages: Sequence[str], encode: Encode, most: int, seed: int) -> Iterator[Pair]:
    """Claims made by rule from passages: restatements that hold, and errors that do not; and true ones elsewhere."""
    chance = random.Random(f"{seed} made")
    usable = [passage for passage in sorted(set(passages)) if len(sentence_spans(passage)) > 1]
    chosen = chance.sample(usable, min(most, len(usable)))
    near = nearest(encode(chosen), 4)
    words = sorted({word for passage in chosen[:2000] for word in re.findall(r"\b[a-z]{4,12}\b", passage)})
    for place, passage in enumerate(chosen):
        sentences = [passage[start:end] for start, end in sentence_spans(passage)]
        fit = [one for one in sentences if 6 <= len(one.split()) <= 40]
        if not fit:
            continue
        sentence = " ".join(chance.choice(fit).split())
        true = chance.choice([sentence, *restatements(sentence, chance)])
        own = Pair(true, passage, "made", support=SUPPORTS, held_out=is_held_out(passage))
        yield own
        wrong = errors(sentence, passage, words, chance)
        chance.shuffle(wrong)
        for claim, contradicts in wrong[:2]:
            yield replace(own, first=claim, support=CONTRADICTS if contradicts else NOT_SUPPORTED)
        elsewhere = chosen[chance.choice(near[place])]
        if sentence not in elsewhere:
            yield replace(own, passage=elsewhere, support=NOT_SUPPORTED)


def _titled(pair: Pair, title: str, chance: random.Random) -> Pair:
    if not title or chance.random() > _TITLED:
        return pair
    ahead = f"{title}\n"
    span = None if pair.span is None else (pair.span[0] + len(ahead), pair.span[1] + len(ahead))
    return replace(pair, passage=ahead + pair.passage, span=span)


def _drawn(near: Sequence[int], count: int, chance: random.Random) -> Sequence[int]:
    """`count` of the passages that look right: the likeliest more often than those behind it."""
    return chance.choices(near, [1 / (2 + rank) for rank in range(len(near))], k=count) if near else ()


def _holds(passage: str, row: Mapping[str, Any]) -> bool:
    lower = passage.casefold()
    return passage == row["passage"] or any(answer.casefold() in lower for answer in row["answers"] if answer)


def _without(passage: str, span: tuple[int, int], answers: Sequence[str]) -> str:
    """The passage less the sentence of its answer; nothing where too little is left, or the answer stands there too."""
    kept = [(start, end) for start, end in sentence_spans(passage) if end <= span[0] or start >= span[1]]
    rest = " ".join(passage[start:end].strip() for start, end in kept)
    lower = rest.casefold()
    too_short = len(kept) < 2 or len(rest.split()) < 25
    return "" if too_short or any(answer.casefold() in lower for answer in answers if answer) else rest


def _names(found: Sequence[dict[str, Any]]) -> list[str]:
    return sorted({name for row in found for name in _NAME.findall(row["question"])})


def _renamed(pair: Pair, names: Sequence[str], chance: random.Random) -> str:
    """The question about another name, or year, which the passage does not have; nothing where it has neither."""
    if (year := _YEAR.search(pair.first)) is not None:
        other = str(int(year[0]) + chance.choice([-37, -11, -4, 3, 9, 26]))
        return "" if other in pair.passage else pair.first.replace(year[0], other)
    own = [name for name in _NAME.findall(pair.first) if name in pair.passage]
    if not own or len(names) < 50:
        return ""
    other = chance.choice(names)
    return "" if any(word in pair.passage for word in other.split()) else pair.first.replace(own[0], other)


def _embedded(pair: Pair, others: Sequence[str], chance: random.Random) -> Pair:
    """The pair with its passage among others, half of the time; its span moves along."""
    if chance.random() < 0.5:
        return pair
    ahead, behind = (chance.sample(others, chance.randint(0, 2)) for _ in range(2))
    before = " ".join(ahead) + " " if ahead else ""
    span = None if pair.span is None else (pair.span[0] + len(before), pair.span[1] + len(before))
    return replace(pair, passage=" ".join([before + pair.passage, *behind]), span=span)


def _share_words(one: str, other: str) -> bool:
    return bool(set(one.casefold().split()) & set(other.casefold().split()))


def _like(answer: str, passage: str) -> list[str]:
    """What the passage has of the same kind: numbers where the answer has one, names where it is a name."""
    if any(sign.isdigit() for sign in answer):
        return [number for number in _FIGURE.findall(passage) if len(number) == len(answer)]
    return _NAME.findall(passage) if answer[:1].isupper() else []


def _among(evidence: str, others: Sequence[str], chance: random.Random) -> str:
    """The evidence in its place among one to seven other passages, as far as they fit."""
    chosen = list(others[: chance.randint(1, len(others) - 1)])
    while chosen and sum(len(one.split()) for one in [evidence, *chosen]) > _MOST_WORDS:
        chosen.pop()
    chosen.insert(chance.randint(0, len(chosen)), evidence)
    return " ".join(one.strip('"') for one in chosen)


def nearest(vectors: Vectors, count: int) -> list[list[int]]:
    """For each row the `count` others whose vectors lie next to it."""
    found = []
    for place, vector in enumerate(vectors):
        cosines = vectors @ vector
        cosines[place] = -1
        found.append(np.argpartition(-cosines, count)[:count].tolist())
    return found
