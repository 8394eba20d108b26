"""Raised and lowered digits: a power is no digit of the number before it, and a note's mark no part of the word."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum

_RAISED = str.maketrans("0123456789+-−=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿ")
_DIGITS = re.compile(r"[+\-−]?\d+(?:[,.]\d+)?")
# A unit that carries a power, at the end of what stands before it: m², km², s⁻¹, also ft² and in³.
_UNIT = re.compile(r"(?:^|[^^\W\d_]*[\d\W_])(?:[kcdmµμnhM]?(?:m|s|g|l|L|W|V|A|K|J|N)|ft|in|yd|mi|Hz|[a-zA-Zα-ωΑ-Ω])$")
_ORDINAL = re.compile(r"(?:st|nd|rd|th|er|re|e|es|ème|o|a|os|as|me|do|to)\.?$", re.IGNORECASE)
_LETTERS = re.compile(r"[^\W\d_](?:,\s?[^\W\d_])*")
_WORD = re.compile(r"[^\W\d_]{3}$")
_NOTE_MARKS = str.maketrans("0123456789ivxlc", "⁰¹²³⁴⁵⁶⁷⁸⁹ⁱᵛˣˡᶜ")
_MARKS = {"tm": "™", "sm": "℠", "r": "®", "c": "©"}


SEAM = "\u2063"  # where something of another kind stands or stood: a space, if words would grow together
_OPEN_SEAM = re.compile(rf"(?<=\w){SEAM}+(?=\w)")


class Height(Enum):
    """Where a piece of text stands."""

    LINE = 0
    RAISED = 1
    LOWERED = 2


def joined(pieces: Iterable[tuple[str, Height]]) -> str:
    """Pieces of a line put together so that raised and lowered ones do not change what they stand beside.

    >>> joined([("10", Height.LINE), ("3", Height.RAISED), (" m", Height.LINE), ("2", Height.RAISED)])
    '10^3 m²'
    >>> joined([("see note", Height.LINE), ("4", Height.RAISED), (" on CO", Height.LINE), ("2", Height.LOWERED)])
    'see note 4 on CO2'
    """
    pieces = list(pieces)
    if all(height is Height.LINE for _, height in pieces):  # nearly every line
        return _closed("".join(text for text, _ in pieces))
    merged: list[tuple[str, Height]] = []
    for text, height in pieces:
        if text and merged and merged[-1][1] is height:  # programs cut what is raised at once into several runs
            merged[-1] = (merged[-1][0] + text, height)
        elif text:
            merged.append((text, height))
    found: list[str] = []
    before, was = "", Height.LINE  # the end of the text so far decides how the next piece stands beside it
    for text, height in merged:
        if height is Height.RAISED:
            piece = _raised(before, text)
        elif height is Height.LOWERED:
            piece = _lowered(before, text)
        else:
            piece = f" {text}" if _would_glue(before, was, text) else text
        found.append(piece)
        before, was = (before + piece)[-20:], height
    return _closed("".join(found))


def raised_mark(mark: str) -> str:
    """The mark of a note as it stands in the text: raised, so that it is no number of the sentence.

    >>> raised_mark("12")
    '¹²'
    """
    return mark.translate(_NOTE_MARKS)


def set_apart(text: str) -> tuple[str, Height]:
    """A piece of another kind (an equation, the mark of a note), which grows together with no word beside it."""
    return f"{SEAM}{text}{SEAM}" if text else "", Height.LINE


def _closed(text: str) -> str:
    return _OPEN_SEAM.sub(" ", text).replace(SEAM, "") if SEAM in text else text


def _would_glue(before: str, was: Height, text: str) -> bool:
    """Whether text back on the line would become part of the digits that stand off it."""
    if was is Height.LINE or not before[-1:].isdecimal():
        return False
    return text[0].isdigit() or (was is Height.RAISED and text[0].isalpha())


def _raised(before: str, text: str) -> str:
    bare = text.strip()
    if not bare or not before or before[-1].isspace():
        return text
    if bare.casefold() in _MARKS and before[-1].isalpha():
        return text.replace(bare, _MARKS[bare.casefold()])
    if _LETTERS.fullmatch(bare) and _WORD.search(before):  # the marks of notes, as in tables
        return f"^{text.lstrip()}"
    if not _DIGITS.fullmatch(bare):
        if not before[-1].isdigit() or _ORDINAL.fullmatch(bare) or not bare[0].isalnum():
            return text
        return f"^{bare}" if bare.isalnum() else f"^({bare})"
    if before[-1].isdigit() or before[-1] in ")]}":
        return f"^{text.lstrip()}"
    if _UNIT.search(before):
        return text.lstrip().translate(_RAISED)
    return f" {text.lstrip()}"


def _lowered(before: str, text: str) -> str:
    bare = text.strip()
    glued = bare and before[-1:].isdigit() and bare[0].isalnum()
    return f"_{text.lstrip()}" if glued else text
