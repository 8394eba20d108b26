"""Finds the one word that a claim has in the place of another: all the rest of it stands in a sentence of the source.

What stands in the place of an identifier is another one, whatever it means. Of the claims of the training sets that
are so, a name in another's place leaves one in seven supported (the others are of people with two names), and a word
whose sense the sentence does not have three in ten.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from rag.text.words import stop_stems, words
from rag.verification.alignment import Claim, Passage

_WORD = re.compile(r"\w+(?:[-'’]\w+)*")
_CAMEL_OR_SNAKE = re.compile(r"[a-z][A-Z]|_")
_NEARLY_ALL = 0.7  # of the claim's words stand in the sentence, in their order
_HALF = 0.5  # of them stand there at all: below, nobody compares their order
_MOST_WORDS = 4  # on either side, with the stop words
_SAME_SENSE = 0.5  # cosine from which on the sentence has a word of like sense
_SAME_NAME = 0.7  # share of letters from which on two names are spellings of one

Words = Sequence[tuple[re.Match[str], str]]
Found = Sequence[re.Match[str]]


def replaced(claim: Claim, passage: Passage) -> tuple[bool, bool]:
    """Whether the claim says what one sentence of the passage says but for a name; and whether but for a word.

    A word is another one if no word of the sentence is near it, by the vectors of its pieces; without these, none is.
    """
    mine = _words(claim.asserts.text)
    its, place = _nearest(mine, claim, passage)
    names, senses = False, False
    for own, other in _exchanged(mine, its):
        if _are_names(own) and _are_names(other):
            names |= _are_whole(own, other, mine, its) and _is_another_name(own, other)
        elif len(own) == len(other) == 1 and _is_identifier(other[0]):
            names |= own[0][0].casefold() != other[0][0].casefold()
        elif len(own) == len(other) == 1 and not _are_names(own) and not _are_names(other):
            senses |= _is_another_sense(own[0], claim, passage, place)
    return names, senses


def _nearest(mine: Words, claim: Claim, passage: Passage) -> tuple[Words, int]:
    """The sentence that has most of the claim's words in their order, and its place; no words where too few are."""
    stems = [stem for _, stem in mine]
    best, nearest = _NEARLY_ALL * len(mine), -1
    found: Words = ()
    for place, sentence in enumerate(passage.sentences):
        if len(claim.asserts.terms & sentence.terms) < _HALF * len(claim.asserts.terms):
            continue
        its = _words(sentence.text)
        matcher = SequenceMatcher(None, stems, [stem for _, stem in its], autojunk=False)
        shared = sum(block.size for block in matcher.get_matching_blocks())
        if shared >= best:
            best, nearest, found = shared + 1, place, its
    return found, nearest


def _words(text: str) -> list[tuple[re.Match[str], str]]:
    return [(found, (words(found[0]) or [found[0].lower()])[0]) for found in _WORD.finditer(text)]


def _exchanged(mine: Words, its: Words) -> Iterator[tuple[Found, Found]]:
    """The content words that stand in each other's place."""
    matcher = SequenceMatcher(None, [stem for _, stem in mine], [stem for _, stem in its], autojunk=False)
    for kind, start, end, its_start, its_end in matcher.get_opcodes():
        if kind != "replace" or max(end - start, its_end - its_start) > _MOST_WORDS:
            continue
        own, other = _content(mine[start:end]), _content(its[its_start:its_end])
        if own and other and not any(word[0][0].isdigit() for word in (*own, *other)):
            yield own, other


def _content(several: Words) -> Found:
    return [found for found, _ in several if not stop_stems().issuperset(words(found[0]))]


def _is_identifier(found: re.Match[str]) -> bool:
    """Whether a word is written as only identifiers are, or is one side of a slash: `flushLevel`, `array/matrix`."""
    around = found.string[max(0, found.start() - 1) : found.start()] + found.string[found.end() : found.end() + 1]
    return _CAMEL_OR_SNAKE.search(found[0]) is not None or "/" in around


def _are_names(several: Found) -> bool:
    return all(word[0][0].isupper() for word in several)


def _are_whole(own: Found, other: Found, mine: Words, its: Words) -> bool:
    """Whether neither is a part of a longer name: `President` Obama is Barack Obama."""
    return not any(
        found[0][0].isupper() and (abs(found.end() - part[0].start()) == 1 or abs(found.start() - part[-1].end()) == 1)
        for part, around in ((own, mine), (other, its))
        for found, _ in around
    )


def _is_another_name(own: Found, other: Found) -> bool:
    one, two = (" ".join(word[0] for word in several) for several in (own, other))
    mine, its = one.casefold(), two.casefold()
    is_short = mine.startswith(its) or its.startswith(mine)  # Tim, Timothy
    is_short |= mine == _initials(other) or its == _initials(own)  # WHO
    return not is_short and SequenceMatcher(None, mine, its).ratio() < _SAME_NAME


def _initials(several: Found) -> str:
    return "".join(word[0][0] for word in several).casefold()


def _is_another_sense(word: re.Match[str], claim: Claim, passage: Passage, place: int) -> bool:
    """Whether no word of the sentence is near the claim's word."""
    if claim.tokens is None or passage.tokens is None:
        return False
    pieces = [number for number, (start, end) in enumerate(claim.spans) if start < word.end() and end > word.start()]
    if not pieces:
        return False
    end = passage.starts[place + 1] if place + 1 < len(passage.starts) else len(passage.tokens)
    nearest = (passage.tokens[passage.starts[place] : end] @ claim.tokens[pieces].T).max(axis=0)
    return float(nearest.mean()) < _SAME_SENSE
