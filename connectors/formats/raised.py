"""Raised and lowered text on one line: a power, a charge, an index or a note mark never becomes part of a number."""

from __future__ import annotations

import re

_SUPERSCRIPTS = str.maketrans("0123456789+-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻")
_POWER = re.compile(r"[+-]?\d+|[+-]|\d+[+-]")  # what has signs of its own: 3, -1, the charges + and 2+
_NOTE_LIST = re.compile(r"\d+(?:\s*[,;–-]\s*\d+)+")
_IS_SIMPLE = re.compile(r"[+-]?\w+(?:[.,]\d+)?")  # needs no brackets as an exponent or index
_ORDINALS = frozenset(
    ["st", "nd", "rd", "th", "er", "re", "e", "ème", "eme", "ère", "ere", "nde", "de", "me", "o", "os"]
)
_NUMERO = re.compile(r"\bn$", re.IGNORECASE)
_ONE_LETTER = re.compile(r"(?<![^\W_])[^\W\d_]$")
_LONGEST = 30  # characters; longer text is set high or low for its looks


def raised(text: str, before: str) -> str:
    """`text` as it is written when it is set high behind `before`.

    >>> [before + raised(text, before) for before, text in (("10", "3"), ("m", "2"), ("note", "4"), ("Ca", "2+"))]
    ['10^3', 'm²', 'note⁴', 'Ca²⁺']
    >>> "21" + raised("st", "21"), "p" + raised("4,5", "p"), "10" + raised("−6", "10")
    ('21st', 'p [4,5]', '10^-6')
    """
    text = text.strip().replace("−", "-")
    base = before[-1:]
    if not text or len(text) > _LONGEST or not text[:1].isprintable():
        return text
    if base.isdigit() and text.casefold() in _ORDINALS:
        return text
    if _NUMERO.search(before) and text.casefold() in {"o", "os"}:
        return text
    if text in {"TM", "SM"}:
        return {"TM": "™", "SM": "℠"}[text]
    if _POWER.fullmatch(text) and (not base.isdigit() or text[-1] in "+-"):
        return text.translate(_SUPERSCRIPTS)
    if _NOTE_LIST.fullmatch(text) and not base.isdigit():
        return note_mark(text, before)
    return _joined("^", text, base)


def lowered(text: str, before: str) -> str:
    """`text` as it is written when it is set low behind `before`.

    >>> [before + lowered(text, before) for before, text in (("CO", "2"), ("x", "i"), ("pK", "a"), ("1010", "2"))]
    ['CO2', 'x_i', 'pKa', '1010_2']
    """
    text = text.strip().replace("−", "-")
    base = before[-1:]
    if not text or len(text) > _LONGEST or not text[:1].isprintable():
        return text
    if not base.isdigit() and (text.isdigit() or (text.isalnum() and not _ONE_LETTER.search(before))):
        return text
    return _joined("_", text, base)


def note_mark(text: str, before: str) -> str:
    """The mark of a footnote behind `before`, as a reference of its own.

    >>> "1,850" + note_mark("4", "1,850"), "harbour." + note_mark("[b]", "harbour.")
    ('1,850 [4]', 'harbour. [b]')
    """
    mark = text.strip().strip("[]()")
    if not mark:
        return ""
    return f" [{mark}]" if before[-1:].strip() else f"[{mark}]"


def _joined(sign: str, text: str, base: str) -> str:
    if not (base.isalnum() or base in ")]}|'") or not base or not any(map(str.isalnum, text)):
        return text
    return f"{sign}{text}" if _IS_SIMPLE.fullmatch(text) else f"{sign}({text.strip('()')})"
