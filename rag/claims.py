"""What can be told of a claim by its words alone: its numbers and names, what it denies, and its opposite."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from indexes.analyzer import analyze
from rag.words import STOP_WORDS, denials, numbers, words

# "COVID-19", "F-16", "B12": the number is part of a name.
_NUMBERED = re.compile(r"(?<!\w)([^\W\d_]+(?:-[^\W\d_]+)*)-?(\d+)(?!\w)")
_COUNTED = re.compile(
    r"(?<![\w.,-])(\d+|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)[\s-]+([^\W\d_]{3,})", re.IGNORECASE
)
# A capital inside a sentence, but no abbreviation and nothing numbered.
_NAME = re.compile(r"(?<=[\w,;]\s)[^\W\d_](?<![a-zà-öø-ÿ])[^\W\d_A-ZÀ-Þ][\w'’]+(?![\w-]*\d)")
_LONG_WORD = re.compile(r"\b[^\W\d_]{4,}")
_CLAUSE_END = re.compile(r"[,;:()!?]|\.(?!\d)|\b(?:but|because|although|while|whereas)\b", re.IGNORECASE)
_NOT_ONLY = re.compile(r"\bnot\s+(?:only|just|merely|really|sure|surprised)\b", re.IGNORECASE)
_YEARS = re.compile(r"\b(\d\d)(\d\d)[-–/](\d\d)\b")
_TITLE = 0.75  # of the longer words have capitals: then capitals tell no names
_SCOPE = 3  # content words after a "not" that it denies

_OPPOSITES = """
increase rise raise grow gain more higher : decrease reduce fall drop decline less fewer lower
allow permit accept approve : forbid prohibit ban reject deny
include : exclude
before earlier : after later
open : close
enable : disable
always : never
possible able : impossible unable
legal valid safe : illegal invalid unsafe
true : false
win : lose
minimum : maximum
"""


@dataclass(frozen=True, slots=True)
class Assertion:
    """The parts of a text that decide whether another says the same.

    Attributes:
        terms: its content words, stemmed.
        numbers: its numbers, without those that are part of a name.
        numbered: names with a number, and their numbers.
        counted: what is counted in words ("nine days"), and the numbers.
        names: capitalised words, each as its stems; empty for a title, where everything is capitalised.
        denied: the words that a "not" before them denies.
        denies: whether it has a "not" at all.
    """

    terms: frozenset[str]
    numbers: frozenset[str]
    numbered: Mapping[str, frozenset[str]]
    counted: Mapping[str, frozenset[str]]
    names: tuple[frozenset[str], ...]
    denied: frozenset[str]
    denies: bool


def assertion(text: str) -> Assertion:
    """What `text` asserts.

    Example:
        >>> found = assertion("In 2021 Anna did not lose her COVID-19 funds in Boston.")
        >>> sorted(found.numbers), dict(found.numbered), sorted(found.denied)
        (['2021'], {'covid': frozenset({'19'})}, ['19', 'covid', 'lose'])
        >>> [sorted(name) for name in found.names]
        [['anna'], ['boston']]
    """
    every = words(text)
    content = frozenset(word for word in every if word not in stop_stems())
    return Assertion(
        terms=content or frozenset(every),
        numbers=numbers(_NUMBERED.sub(" ", years_in_full(text))),
        numbered=numbered_names(text),
        counted=counted(text, digits=False),
        names=_names(text),
        denied=_denied(_NOT_ONLY.sub(" ", text)),
        denies=bool(denials(every)),
    )


def years_in_full(text: str) -> str:
    """`text` with the second year of a span in full.

    >>> years_in_full("in 2018–19")
    'in 2018–2019'
    """
    return _YEARS.sub(lambda match: f"{match[1]}{match[2]}–{match[1]}{match[3]}", text)


def numbered_names(text: str) -> dict[str, frozenset[str]]:
    """Names that a number is part of, and the numbers that each is seen with.

    >>> numbered_names("the F-16, and not the MIG-29")
    {'f': frozenset({'16'}), 'mig': frozenset({'29'})}
    """
    return _grouped((match[1].casefold(), match[2]) for match in _NUMBERED.finditer(text))


def counted(text: str, *, digits: bool) -> dict[str, frozenset[str]]:
    """What is counted, as a stem, and how many there are of it; without `digits` only where that is said in a word.

    >>> counted("five working days, 30 years", digits=False)
    {'work': frozenset({'5'})}
    """
    found = ((match[1], words(match[2])) for match in _COUNTED.finditer(text))
    return _grouped(
        (stems[0], number)
        for many, stems in found
        if stems and (digits or not many.isdecimal())
        for number in numbers(many, spelled=True)
    )


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for name, number in pairs:
        found.setdefault(name, set()).add(number)
    return {name: frozenset(several) for name, several in found.items()}


def are_opposite(first: frozenset[str], second: frozenset[str]) -> bool:
    """Whether a word of the one is the opposite of a word of the other, as "rise" is of "fall"; words are stems."""
    return any((first & one and second & other) or (first & other and second & one) for one, other in _opposite_stems())


@cache
def stop_stems() -> frozenset[str]:
    """The stems of the words that carry no content."""
    return frozenset(analyze(STOP_WORDS))


def _names(text: str) -> tuple[frozenset[str], ...]:
    long = _LONG_WORD.findall(text)
    if sum(word[0].isupper() for word in long) > _TITLE * len(long):
        return ()
    return tuple(dict.fromkeys(frozenset(words(name)) for name in _NAME.findall(text)))


def _denied(text: str) -> frozenset[str]:
    found: set[str] = set()
    for clause in _CLAUSE_END.split(text):
        left = 0
        for word in words(clause):
            if denials([word]):
                left = _SCOPE
            elif left and word not in stop_stems():
                found.add(word)
                left -= 1
    return frozenset(found)


@cache
def _opposite_stems() -> tuple[tuple[frozenset[str], frozenset[str]], ...]:
    lines = (line.split(":") for line in _OPPOSITES.strip().splitlines())
    return tuple((frozenset(analyze(one)), frozenset(analyze(other))) for one, other in lines)
