"""Lines put together from pieces: raised and lowered ones, and those of another kind, grow together with nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum

from connectors.formats.raised import lowered, raised

SEAM = "\u2063"  # where something of another kind stands or stood: a space, if words would grow together
_OPEN_SEAM = re.compile(rf"(?<=\w){SEAM}+(?=\w)")
_NOTE_MARKS = str.maketrans("0123456789ivxlc", "⁰¹²³⁴⁵⁶⁷⁸⁹ⁱᵛˣˡᶜ")
_ENOUGH = 40  # characters: how the text so far ends decides how a raised piece stands beside it


class Height(Enum):
    """Where a piece of text stands."""

    LINE = 0
    RAISED = 1
    LOWERED = 2


def joined(pieces: Iterable[tuple[str, Height]]) -> str:
    """Pieces of a line put together so that raised and lowered ones do not change what they stand beside.

    >>> joined([("10", Height.LINE), ("3", Height.RAISED), (" m", Height.LINE), ("2", Height.RAISED)])
    '10^3 m²'
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
    before, was = "", Height.LINE
    for text, height in merged:
        if height is Height.LINE:
            piece = f" {text}" if _would_glue(before, was, text) else text
        else:
            piece = (raised if height is Height.RAISED else lowered)(text, before)
            piece += " " if text[-1].isspace() else ""
        found.append(piece)
        before, was = (before + piece)[-_ENOUGH:], height
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
    """Whether text back on the line would become part of what stands off it."""
    if was is Height.LINE or not before or not text[0].isalnum():
        return False
    if not before.strip("⁰¹²³⁴⁵⁶⁷⁸⁹ "):  # the mark of a note, before the note
        return True
    return before[-1].isdecimal() and (text[0].isdigit() or was is Height.RAISED)
