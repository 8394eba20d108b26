"""Exact things: dates, versions, codes, long numbers and amounts, in one form however they are written.

Where a question has one of these, a passage that has it too is about the same thing, and one that has another is not:
2.10.1 is not 2.10.0, and 14 June 2025 is 14.06.2025. They are indexed in a field of their own, which counts for nothing
in BM25, and are looked up there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from indexes.terms.quantities import Amount, Date, Value, Version, quantities, values_in

_AROUND = 24  # characters: longer than the rest of a date or an amount is on either side of a digit
_DIGITS = re.compile(r"\d(?:[^\n]{0,20}\d)*")
_NUMBERED = re.compile(
    r"(?:\b(?:version|release|section|clause|chapter|paragraph|article|appendix|annex)\s+|(?<![\w.])v\.?\s?|§\s?)"
    r"(\d+(?:\.\d+)*[a-z]?)(?![.]?\w)",
    re.IGNORECASE,
)
_PARTS = re.compile(r"(?<![\w.,/-])(\d+(?:\.\d+)+[a-z]?)(?![.,]?\w)")
# Letters and digits, as in E08, INV-20391, TM450-B; and with a blank between capitals and a number: ISO 9001.
_CODE = re.compile(
    r"(?<![\w./-])(?:[A-Z]{2,6}\ \d{2,}(?:-\w+)*(?![\w.,]*\d)|(?=[\w./-]*\d)(?=[\w./-]*[^\W\d_])\w+(?:[-/_.]\w+)*)"
)
_NO_CODE = re.compile(r"\d+(?:[.,]\d+)*(?:st|nd|rd|th|s|[ap]m|k|m|bn|mn|°?[cf]|x|px|pt|em|dpi|fold|d)", re.IGNORECASE)
_ACCOUNT = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?:[ ]?[\dA-Z]{2,4}){3,8}(?!\w)")  # IBAN
_LONG_NUMBER = re.compile(r"(?<![\w.,])\+?\(?\d(?:[\d ()/-]{3,24})\d(?![\w]|[.,]\d)")
_SHORTEST_NUMBER = 5  # digits from which on a number names something
_TAIL = 7  # digits of a telephone number that stay whatever stands before them
_SEPARATORS = re.compile(r"[\W_]+")
_YEARS = re.compile(r"\D*(?:1\d|20)\d\d\D{1,3}(?:(?:1\d|20)\d\d|\d\d)\D*")  # from one to the other
_DECADE = re.compile(r"\d{3}0s")
_MOST_ASKED = 20  # things of a question
_MOST = 200  # forms of a text; what has more of them is a list of numbers


@dataclass(frozen=True, slots=True)
class ExactThing:
    """`text[start:end]`, and the forms that it may have: 3/4/2024 is one of two days."""

    start: int
    end: int
    forms: tuple[str, ...]
    is_amount: bool = False


def exact_things(text: str) -> list[ExactThing]:
    """The exact things that a question names.

    Example:
        >>> [thing.forms for thing in exact_things("What did INV-20391 of 14.06.2025 say of version 2.10?")]
        [('2025-06-14',), ('№2.10',), ('inv20391',)]
    """
    found: list[ExactThing] = []
    for thing in (*_measured(text), *_named(text)):
        if len(found) < _MOST_ASKED and all(thing.end <= other.start or other.end <= thing.start for other in found):
            found.append(thing)
    return found


def exact_forms(text: str) -> list[str]:
    """The forms of all exact things in a passage, under which it is found.

    Example:
        >>> exact_forms("On 14 June 2025, 2.10.1 was tagged: +49 (0)30 901820.")
        ['#0901820', '#4930901820', '2025-06-14', '№2.10.1']
    """
    near = "\n".join(_around_digits(text))
    if not near:
        return []
    forms = [form for value in values_in(near) if (form := _form(value))]
    forms += [form for thing in _named(near) for form in thing.forms]
    forms += [f"№{found[1].casefold()}" for found in _PARTS.finditer(near)]
    return sorted(dict.fromkeys(forms[:_MOST]))


def _measured(text: str) -> Iterator[ExactThing]:
    """Days, versions and amounts of something."""
    for one in quantities(text).found:
        forms = tuple(form for value in one.values if (form := _form(value)))
        if forms and not _DECADE.fullmatch(text[one.start : one.end]):
            yield ExactThing(
                one.start, one.end, forms, is_amount=any(isinstance(value, Amount) for value in one.values)
            )


def _form(value: Value) -> str:
    if isinstance(value, Date):
        return f"{value.year}-{value.month:02}-{value.day:02}" if value.year and value.day else ""
    if isinstance(value, Version):
        return f"№{value.number.casefold()}"
    if isinstance(value, Amount) and value.dimension not in {"", "ordinal"}:
        return f"{value.base.normalize():f}{value.dimension}"
    return ""


def _named(text: str) -> Iterator[ExactThing]:
    """Numbers of versions and sections, accounts, long numbers and codes."""
    for found in _NUMBERED.finditer(text):
        yield ExactThing(*found.span(), (f"№{found[1].casefold()}",))
    for found in _ACCOUNT.finditer(text):
        yield ExactThing(*found.span(), (_joined(found[0]),))
    for found in _CODE.finditer(text):
        if not _NO_CODE.fullmatch(found[0]):
            yield ExactThing(*found.span(), (_joined(found[0]),))
    for found in _LONG_NUMBER.finditer(text):
        digits = re.sub(r"\(0\)|\D", "", found[0]).removeprefix("00")
        if len(digits) >= _SHORTEST_NUMBER and not _YEARS.fullmatch(found[0]):
            tail = (f"#{digits[-_TAIL:]}",) if len(digits) > _TAIL else ()
            yield ExactThing(*found.span(), (f"#{digits}", *tail))


def _joined(code: str) -> str:
    return _SEPARATORS.sub("", code).casefold()


def _around_digits(text: str) -> Iterator[str]:
    """The stretches of a text that digits stand in: most of it has none, and is not looked at again."""
    start = end = -1
    for found in _DIGITS.finditer(text):
        if end < 0 or found.start() - _AROUND > end:
            if end >= 0:
                yield text[start:end]
            start = max(0, found.start() - _AROUND)
        end = found.end() + _AROUND
    if end >= 0:
        yield text[start:end]
