"""What the words of a claim alone reveal: its numbers, its names, and what it denies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from rag.text.names import ProperName, proper_names, subject
from rag.text.words import numbers, stop_stems, words
from rag.verification.polarity import Polarity, differ, excepts, polarity_of
from rag.verification.semantic_roles import are_swapped, roles
from rag.verification.temporal_order import is_reversed

# "COVID-19", "F-16", "B12": the number is part of a name.
_NUMBERED = re.compile(r"(?<!\w)([^\W\d_]+(?:-[^\W\d_]+)*)-?(\d+)(?!\w)")
_COUNTED = re.compile(
    r"(?<![\w.,-])(\d+|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)[\s-]+([^\W\d_]{3,})", re.IGNORECASE
)
_YEARS = re.compile(r"\b(\d\d)(\d\d)[-–/](\d\d)\b")  # 1914-18
_TWICE = re.compile(r"\btwice\b", re.IGNORECASE)
_MEASURED = re.compile(r"(?<![\w.,])(\d+(?:[.,]\d+)*)[\s-]?(%|°[CF]|[^\W\d_]+)")
_UNITS = """
second seconds sec s
minute minutes min
hour hours hr h
day days
week weeks
month months
year years yr
millimetre millimetres millimeter millimeters mm
centimetre centimetres centimeter centimeters cm
metre metres meter meters m
kilometre kilometres kilometer kilometers km
mile miles mi
foot feet ft
gram grams g
milligram milligrams mg
kilogram kilograms kg kilo kilos
tonne tonnes ton tons
pound pounds lb lbs
litre litres liter liters l
millilitre millilitres milliliter milliliters ml
percent % per
degree degrees °c °f
watt watts w
kilowatt kilowatts kw
megawatt megawatts mw
gigawatt gigawatts gw
byte bytes
kilobyte kilobytes kb
megabyte megabytes mb
gigabyte gigabytes gb
thousand
million
billion
dollar dollars usd
euro euros eur
franc francs chf
"""


@dataclass(frozen=True, slots=True)
class Assertion:
    """The parts of a text that decide whether another text says the same.

    Attributes:
        text: the text itself.
        terms: its content words, stemmed.
        numbers: its numbers, without those that are part of a name.
        numbered: names with a number, and their numbers.
        counted: what is counted in words ("nine days"), and the numbers.
        names: what it names inside a sentence; nothing for a title, where everything is capitalised.
        subject: the name that it may begin with.
        measured: numbers with a unit behind them, and the units.
        polarity: what it affirms and what it denies.
    """

    text: str
    terms: frozenset[str]
    numbers: frozenset[str]
    numbered: Mapping[str, frozenset[str]]
    counted: Mapping[str, frozenset[str]]
    names: tuple[ProperName, ...]
    subject: ProperName | None
    measured: Mapping[str, frozenset[str]]
    polarity: Polarity


def assertion(text: str) -> Assertion:
    """What `text` asserts.

    Example:
        >>> found = assertion("In 2021 Anna did not lose her COVID-19 funds in Boston.")
        >>> sorted(found.numbers), dict(found.numbered), "-lose" in found.polarity.holds
        (['2021'], {'covid': frozenset({'19'})}, True)
        >>> [name.text for name in found.names]
        ['Anna', 'COVID-19', 'Boston']
    """
    every = words(text)
    content = frozenset(word for word in every if word not in stop_stems())
    return Assertion(
        text=text,
        terms=content or frozenset(every),
        numbers=numbers(_NUMBERED.sub(" ", years_in_full(text))),
        numbered=numbered_names(text),
        counted=counted(text, digits=False),
        names=proper_names(text),
        subject=subject(text),
        measured=measured(text),
        polarity=polarity_of(text),
    )


def are_contrary(one: Assertion, other: Assertion) -> bool:
    """Whether an odd number of things is turned between two texts that speak of the same.

    >>> one, other = assertion("The Seine is longer than the Rhine."), assertion("The Rhine is longer than the Seine.")
    >>> are_contrary(one, other), are_contrary(one, assertion("The Rhine is shorter than the Seine."))
    (True, False)
    """
    excepted = excepts(one.polarity, other.polarity) or excepts(other.polarity, one.polarity)
    swapped = are_swapped(roles(one.text), roles(other.text))
    order = is_reversed(one.text, other.text)
    # The order says more than which word stands behind a "before".
    differs = differ(one.polarity, other.polarity, besides=() if order is None else ("before",))
    return differs ^ excepted ^ swapped ^ bool(order)


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
    found = ((match[1], words(match[2])) for match in _COUNTED.finditer(_TWICE.sub("two times", text)))
    return _grouped(
        (stems[0], number)
        for many, stems in found
        if stems and (digits or not many.isdecimal())
        for number in numbers(many, spelled=True)
    )


def measured(text: str) -> dict[str, frozenset[str]]:
    """Numbers with a unit behind them, and the units that each is seen with.

    >>> measured("2.5 kg, for 90-minute walks")
    {'2.5': frozenset({'kilogram'}), '90': frozenset({'minute'})}
    """
    return _grouped(
        (number, unit)
        for match in _MEASURED.finditer(text)
        if (unit := _units().get(match[2].casefold()))
        for number in numbers(match[1])
    )


@cache
def _units() -> dict[str, str]:
    return {name: line.split()[0] for line in _UNITS.strip().splitlines() for name in line.split()}


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for name, number in pairs:
        found.setdefault(name, set()).add(number)
    return {name: frozenset(several) for name, several in found.items()}
