"""Abbreviations that a text defines: "the Joint Harbour Council (JHC)", "JHC (Joint Harbour Council)".

Found as Schwartz and Hearst do ("A simple algorithm for identifying abbreviation definitions in biomedical text",
2003): the letters of the short form stand in the long form in their order, the first where its first word begins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from indexes.terms.analyzer import analyze

MOST_WORDS = 8  # of a long form
LONGEST = 10  # characters of a short form
_SHORT = r"[^\W\d_][\w&.-]{1,9}"
_IN_BRACKETS = re.compile(rf"\(\s*({_SHORT})\s*[);,]")
_BEFORE_BRACKETS = re.compile(rf"(?<![\w-])({_SHORT})\s+\(([^()\n]{{4,100}})\)")
_WORD = re.compile(r"\w[\w'’-]*")
_SENTENCE_END = re.compile(r"[.;:!?\n](?:\s|$)|\n")
_BEFORE = 100  # characters before a bracket that a long form is looked for in


class Definition(NamedTuple):
    """An abbreviation and what it is short for, as a text defines it."""

    short: str
    long: str


def definitions(text: str) -> Iterator[Definition]:
    """The abbreviations that `text` defines.

    Example:
        >>> list(definitions("The Joint Harbour Council (JHC) meets; so does the ECB (European Central Bank)."))
        [Definition(short='JHC', long='Joint Harbour Council'), Definition(short='ECB', long='European Central Bank')]
    """
    for found in _IN_BRACKETS.finditer(text):
        before = _SENTENCE_END.split(text[max(0, found.start() - _BEFORE) : found.start()])[-1]
        if (long := _long_form(found[1], before)) is not None:
            yield Definition(found[1], long)
    for found in _BEFORE_BRACKETS.finditer(text):
        words = len(_WORD.findall(found[2]))
        if words <= MOST_WORDS and _long_form(found[1], found[2]) == found[2].strip():
            yield Definition(found[1], found[2].strip())


def definition_forms(text: str) -> list[str]:
    """The forms under which a passage that defines abbreviations is found, by the short and by the long one.

    Example:
        >>> definition_forms("The Joint Harbour Council (JHC) meets.")
        ['≡jhc', '≡joint_harbour_council']
    """
    if "(" not in text:
        return []
    found = (form for one in definitions(text) for form in (short_form(one.short), long_form(analyze(one.long))))
    return list(dict.fromkeys(form for form in found if form))


def short_form(short: str) -> str:
    """The form that a short form is found under, however it is written."""
    return f"≡{short.casefold().replace('.', '')}"


def long_form(stems: list[str]) -> str:
    """The form that a long form is found under, of its words' stems; empty for a single word."""
    return f"≡{'_'.join(stems)}" if len(stems) > 1 else ""


def _long_form(short: str, before: str) -> str | None:
    """The last words of `before` that `short` abbreviates."""
    letters = [letter for letter in short.casefold() if letter.isalnum()]
    if len(letters) < 2 or sum(map(str.isupper, short)) < 2:  # noqa: PLR2004 — "(see)" is none
        return None
    words = list(_WORD.finditer(before))[-min(len(letters) + 5, 2 * len(letters)) :]
    if not words:
        return None
    place, folded = len(before) - 1, before.casefold()
    if len(folded) != len(before):  # a letter that is two in small letters
        return None
    least = words[0].start()
    for index in range(len(letters) - 1, -1, -1):
        while place >= least and (
            folded[place] != letters[index] or (not index and place and (folded[place - 1].isalnum()))
        ):
            place -= 1
        if place < least:
            return None
        place -= 1
    long = before[place + 1 :].strip(" \"'“”‘’")
    content = _WORD.findall(long)
    is_itself = len(content) < 2 or any(word.casefold() == short.casefold() for word in content)  # noqa: PLR2004
    return None if is_itself or len(content) > MOST_WORDS else long
