"""Words as the composer and the judges compare them: stems of content words, numbers, negations.

Both sides of a comparison are stemmed the same way, so the English stemmer is good enough here for every language.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from indexes.terms.analyzer import analyze

STOP_WORDS = (
    "a an the and or but if then than so as of at by for from in into on onto to with about over under "
    "between through during before after above below up down out off again further is am are was were be been being "
    "do does did doing have has had having will would shall should can could may might must i me my we us our you "
    "your he him his she her it its they them their this that these those there here what which who whom whose when "
    "where why how all any both each few more most other some such own same too very just also only s"
)
_NEGATIONS = (
    "not no nor never none nobody nothing neither without cannot can't don't doesn't didn't isn't aren't wasn't "
    "weren't won't wouldn't shouldn't couldn't hasn't haven't hadn't unless except lacks lacking fails failed"
)
_SPELLED = "zero one two three four five six seven eight nine ten eleven twelve"
_LEANS_BACK = re.compile(
    r"(?:it|its|this|that|these|those|they|their|them|he|his|she|her|such|there|the (?:former|latter|same)|"
    r"however|but|and|so|also|otherwise|therefore|instead|both|in (?:this|that|these|such) \w+)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_THOUSANDS = re.compile(r",(?=\d{3}(?!\d))")


def words(text: str) -> list[str]:
    """Every word of `text` in order, stemmed; pairs of characters in scripts without spaces.

    >>> words("The fees are 5,120 francs")
    ['the', 'fee', 'are', '5120', 'franc']
    """
    return analyze(text, characters=False)


def terms(text: str) -> list[str]:
    """The stemmed content words of `text` in order; every word when it has nothing but stop words.

    >>> terms("How do refunds work?")
    ['refund', 'work']
    """
    return terms_of(words(text))


def terms_of(stemmed: list[str]) -> list[str]:
    """The content words among the `words` of a text; all of them when there are none."""
    return [word for word in stemmed if word not in stop_stems()] or stemmed


def stop_stems() -> frozenset[str]:
    """The stems of the words that carry no content."""
    return _stems(STOP_WORDS)


def numbers(text: str, *, spelled: bool = False) -> frozenset[str]:
    """The numbers in `text` in one notation; with `spelled`, "three" counts as 3.

    >>> sorted(numbers("5,120 francs on 03.50"))
    ['3.5', '5120']
    """
    found = set(numbers_in_order(text))
    if spelled:
        present = set(text.casefold().split())
        found |= {str(value) for value, name in enumerate(_SPELLED.split()) if name in present}
    return frozenset(found)


def numbers_in_order(text: str) -> tuple[str, ...]:
    """The numbers in `text` in one notation, one after another as they stand there.

    >>> numbers_in_order("7 of 5,120 francs, 07.0 each")
    ('7', '5120', '7')
    """
    return tuple(_canonical(match.group()) for match in _NUMBER.finditer(text))


def negations(text: str) -> frozenset[str]:
    """The words in `text` that turn a statement round."""
    return frozenset(denials(words(text)))


def denials(stemmed: Iterable[str]) -> tuple[str, ...]:
    """Those of a text's `words` that turn a statement round, one after another as they stand there."""
    return tuple(word for word in stemmed if word in _stems(_NEGATIONS))


def leans_back(sentence: str) -> bool:
    """Whether a sentence begins with a word that leans on the sentence before it.

    >>> leans_back("It also flies."), leans_back("The bird flies.")
    (True, False)
    """
    return bool(_LEANS_BACK.match(sentence))


@cache
def _stems(several: str) -> frozenset[str]:
    return frozenset(analyze(several))


def _canonical(number: str) -> str:
    plain = _THOUSANDS.sub("", number)
    if plain.count(".") == 1:
        plain = plain.rstrip("0").rstrip(".")
    return plain.lstrip("0") or "0"
