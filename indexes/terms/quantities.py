"""Numbers, amounts, dates and times in one form however they are written: EUR 1.2k is €1,200, 14 March is 03-14.

Exact things are compared exactly. What a claim says in numbers has to stand in its source, in whatever notation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache, cached_property, lru_cache
from typing import TypeVar

_UNITS = """
second seconds sec secs s = 1 time
minute minutes min mins = 60 time
hour hours hr hrs h = 3600 time
day days d = 86400 time
week weeks = 604800 time
month months = 1 months
year years yr yrs = 12 months
millimetre millimetres millimeter millimeters mm = 0.001 length
centimetre centimetres centimeter centimeters cm = 0.01 length
metre metres meter meters m = 1 length
kilometre kilometres kilometer kilometers km = 1000 length
mile miles mi = 1 miles
foot feet ft = 1 feet
inch inches = 1 inches
milligram milligrams mg = 0.001 mass
gram grams g = 1 mass
kilogram kilograms kg kilo kilos = 1000 mass
tonne tonnes ton tons t = 1000000 mass
pound pounds lb lbs = 1 pounds
millilitre millilitres milliliter milliliters ml = 0.001 volume
litre litres liter liters l = 1 volume
byte bytes = 1 bytes
kilobyte kilobytes kb = 1000 bytes
megabyte megabytes mb = 1000000 bytes
gigabyte gigabytes gb = 1000000000 bytes
terabyte terabytes tb = 1000000000000 bytes
watt watts w = 1 watts
kilowatt kilowatts kw = 1000 watts
megawatt megawatts mw = 1000000 watts
gigawatt gigawatts gw = 1000000000 watts
percent pct per-cent % = 1 %
degree degrees ° = 1 degrees
°c celsius = 1 °C
°f fahrenheit = 1 °F
dollar dollars usd us$ $ = 1 USD
euro euros eur € = 1 EUR
franc francs chf = 1 CHF
gbp £ = 1 GBP
yen jpy ¥ = 1 JPY
rupee rupees inr ₹ = 1 INR
"""
_MAGNITUDES = {
    "hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12, "dozen": 12,
    "k": 10**3, "mn": 10**6, "mio": 10**6, "bn": 10**9,
}  # fmt: skip
_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
    "tenth": 10, "eleventh": 11, "twelfth": 12,
}  # fmt: skip
_SPELLED = {
    **{word: value for value, word in enumerate(_ONES)},
    **{word: 10 * (place + 2) for place, word in enumerate(_TENS)},
}

_DIGITS = r"\d{1,3}(?:[,'’\u00a0\u202f]\d{3})+(?:\.\d+)?|\d{1,3}(?:\.\d{3}){2,}|\d+(?:[.,]\d+)?"
_CURRENCY = r"US\$|[$€£¥₹]|\b(?:EUR|USD|CHF|GBP|JPY|INR)"
_MEASURE = "|".join(
    re.escape(name) + r"(?!\w)" * name[-1].isalpha()
    for name in sorted((name for line in _UNITS.splitlines() for name in line.partition(" =")[0].split()), key=len)[
        ::-1
    ]
)
_NUMBER = re.compile(
    rf"(?:(?P<before>{_CURRENCY})\s?)?(?<![\w.,-])(?P<digits>{_DIGITS})(?![.,]?\d)"
    rf"(?:(?P<ordinal>st|nd|rd|th)\b|(?P<short>k|(?-i:M)|bn|mn)\b|[\s-](?P<magnitude>hundred|thousand|million|billion|"
    rf"trillion|dozen|bn|mn|mio)\b)?(?:[\s-]?(?P<unit>per[\s-]cent\b|{_MEASURE}))?",
    re.IGNORECASE,
)
_WORDS = re.compile(
    rf"\b(?:{'|'.join((*_ONES, *_TENS))})\b(?:[\s-](?:{'|'.join((*_ONES, *_TENS, *_MAGNITUDES, 'and'))})\b)*"
    rf"(?:[\s-](?P<unit>per[\s-]cent\b|{_MEASURE}))?",
    re.IGNORECASE,
)
_ORDINAL = re.compile(rf"\b(?:{'|'.join(_ORDINALS)})\b", re.IGNORECASE)
# Not those of `calendar`, which speaks the language that the process is set to.
_MONTHS = {
    **dict.fromkeys(("january", "jan"), 1), **dict.fromkeys(("february", "feb"), 2),
    **dict.fromkeys(("march", "mar"), 3), **dict.fromkeys(("april", "apr"), 4), "may": 5,
    **dict.fromkeys(("june", "jun"), 6), **dict.fromkeys(("july", "jul"), 7),
    **dict.fromkeys(("august", "aug"), 8), **dict.fromkeys(("september", "sept", "sep"), 9),
    **dict.fromkeys(("october", "oct"), 10), **dict.fromkeys(("november", "nov"), 11),
    **dict.fromkeys(("december", "dec"), 12),
}  # fmt: skip
# "may" and "march" are months in capitals only.
_WORDS_TOO = "(?-i:May|MAY|March|MARCH)"
_MONTH = rf"(?P<month>{'|'.join(sorted({*_MONTHS} - {'may', 'march'}, key=len, reverse=True))}|{_WORDS_TOO})\.?"
_MONTH_NEAR = re.compile("jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec", re.IGNORECASE)
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>(?:1\d|20)\d\d)"
_DATES = (
    re.compile(r"(?<![\w-])(?P<year>\d{4})[-/](?P<month>\d{1,2})[-/](?P<day>\d{1,2})(?![\w-])"),
    re.compile(r"(?<![\w./-])(?P<one>\d{1,2})(?P<mark>[./])(?P<other>\d{1,2})(?P=mark)(?P<year>\d{4})(?![\w/-])"),
    re.compile(rf"(?<![\w.,-]){_DAY}\s(?:of\s)?{_MONTH}(?:,?\s{_YEAR})?\b", re.IGNORECASE),
    re.compile(rf"\b{_MONTH}\s{_DAY}(?:,?\s{_YEAR})?\b", re.IGNORECASE),
    re.compile(rf"\b{_MONTH},?\s{_YEAR}\b", re.IGNORECASE),
)
_TIME = re.compile(
    r"(?<![\w:.])(?P<hour>\d{1,2})(?:[:.](?P<minute>[0-5]\d))?\s?(?P<half>[ap]\.?m\b\.?)"
    r"|(?<![\w:.])(?P<plain>[01]?\d|2[0-3]):(?P<minutes>[0-5]\d)(?::\d\d)?(?![\w:])",
    re.IGNORECASE,
)
_LIST_MARK = re.compile(
    r"^\s*(?:[-*+•◦▪]\s+)?(?:\(?(?:\d{1,2}|[a-z])[.)]\s+|(?:step|section|item)\s+\d{1,3}[:.)]\s+)?", re.IGNORECASE
)
_YEARS = re.compile(r"(?<![\w.,-])(\d\d)(\d\d)[-–/](\d\d)\b(?![-/]\d)")  # 1914-18
_VERSION = re.compile(r"(?<![\w.])v?(?!\d{1,3}(?:\.\d{3})+\b)(\d+(?:\.\d+){2,}[\w-]*)(?![.]?\w)")


_IN_NAMES = re.compile(r"\d+(?:[.,]\d+)*")
_MOST_MONTH, _MOST_DAY = 12, 31


@dataclass(frozen=True, slots=True)
class Amount:
    """A number, and what it is a number of.

    Attributes:
        value: as written, but for its magnitude: 1.2k is 1200.
        dimension: what is measured ("time", "EUR", "%", "ordinal"); empty for a bare number.
        base: the value in the base unit of the dimension: two weeks and 14 days are the same.
    """

    value: Decimal
    dimension: str = ""
    base: Decimal = field(default=Decimal(0))

    def is_said_in(self, other: Quantities) -> bool:
        """Whether `other` has as much: a bare number stands for any measure, and the reverse."""
        if self.dimension:
            return (self.dimension, self.base) in other.measured or ("", self.value) in other.measured
        return self.value in other.numbers


@dataclass(frozen=True, slots=True)
class Date:
    """A day, a month of a year, or a day of any year: what is not said is 0."""

    year: int
    month: int
    day: int

    def is_said_in(self, other: Quantities) -> bool:
        """Whether `other` has this date; the year may stand elsewhere in it."""
        return any(
            self.month == its.month
            and self.day in {0, its.day}
            and (self.year in {0, its.year} or (not its.year and _bare(self.year).is_said_in(other)))
            for its in other.of(Date)
        )


@dataclass(frozen=True, slots=True)
class TimeOfDay:
    """Minutes since midnight."""

    minutes: int

    def is_said_in(self, other: Quantities) -> bool:
        """Whether `other` has this time."""
        return self in other.of(TimeOfDay)


@dataclass(frozen=True, slots=True)
class Version:
    """A number of several parts."""

    number: str

    def is_said_in(self, other: Quantities) -> bool:
        """Whether `other` has this version."""
        return self in other.of(Version)


Value = Amount | Date | TimeOfDay | Version
Kind = TypeVar("Kind", Amount, Date, TimeOfDay, Version)


@dataclass(frozen=True, slots=True)
class Quantity:
    """`text[start:end]`, and what it may mean: 3/4/2024 is one of two days."""

    start: int
    end: int
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Quantities:
    """What a text says in numbers, in the order of its kinds."""

    found: tuple[Quantity, ...]

    @cached_property
    def measured(self) -> frozenset[tuple[str, Decimal]]:
        """The dimension and the base of each amount."""
        return frozenset((amount.dimension, amount.base) for amount in self.of(Amount))

    @cached_property
    def numbers(self) -> frozenset[Decimal]:
        """Its amounts as written, whatever they measure."""
        return frozenset(amount.value for amount in self.of(Amount))

    def of(self, kind: type[Kind]) -> list[Kind]:
        """All values of a kind."""
        return [value for one in self.found for value in one.values if isinstance(value, kind)]

    def missing_from(self, other: Quantities) -> bool:
        """Whether one of them is not in `other`.

        >>> claim = quantities("EUR 1.2k until 2024-03-14, 9:00 am")
        >>> claim.missing_from(quantities("1,200 euros by 14 March 2024 at 9 a.m.", spelled=True))
        False
        >>> claim.missing_from(quantities("1,200 euros by 15 March 2024 at 9 a.m.", spelled=True))
        True
        """
        return any(not any(value.is_said_in(other) for value in one.values) for one in self.found)


@lru_cache(maxsize=1_024)  # a passage is compared with every claim
def quantities(text: str, *, spelled: bool = False) -> Quantities:
    """The numbers of `text`, its dates, times and versions; with `spelled`, numbers in words too, and parts of dates.

    A claim is held to what it says in digits; its source is read with `spelled`.

    >>> [str(amount.base) for amount in quantities("two weeks, the third time", spelled=True).of(Amount)]
    ['1209600', '3']
    """
    found: list[Quantity] = []
    rest = text if spelled else _LIST_MARK.sub(lambda mark: " " * len(mark[0]), text, count=1)
    for pattern, read in _READERS:
        rest = _taken(pattern, rest, read, found)
    if spelled:
        parts = [part for one in found for value in one.values for part in _parts(value)]
        rest = _taken(_WORDS, rest, _in_words, found)
        rest = _taken(_ORDINAL, rest, lambda match: [_bare(_ORDINALS[match[0].casefold()], "ordinal")], found)
        # Also those in names: whoever writes "Covid 19" means COVID-19.
        in_names = (number.replace(",", "") for number in _IN_NAMES.findall(rest))
        parts += [Amount(Decimal(number), "", Decimal(number)) for number in in_names if number.isdecimal()]
        found += [Quantity(0, 0, (part,)) for part in parts]
    return Quantities(tuple(found))


def values_in(text: str) -> Iterator[Value]:
    """The dates, versions and measured amounts of a passage, in half the time of `quantities`, some more than once.

    >>> [str(value.base) for value in values_in("two of 5 kg on 2024-03-14") if isinstance(value, Amount)]
    ['5000']
    """
    for date in _DATES if _MONTH_NEAR.search(text) else _DATES[:2]:
        for found in date.finditer(text):
            yield from _dates(found)
    for found in _VERSION.finditer(text):
        yield Version(found[1])
    for found in _NUMBER.finditer(text):
        if found["before"] or found["unit"]:
            yield from _amounts(found)


def restated(claim: str, source: str) -> str:
    """`claim` with its measured amounts, dates and times written as `source` writes the same ones.

    Two texts are then compared by their words, and not by their notation.

    >>> restated("It costs EUR 120 from 2024-03-14.", "From 14 March 2024 on the fee is 120 euros.")
    'It costs 120 euros from 14 March 2024.'
    """
    theirs: dict[Value | tuple[str, Decimal], Quantity] = {}
    for one in quantities(source, spelled=True).found:
        for value in one.values if one.end else ():
            theirs.setdefault(_meaning(value), one)
    text, done = "", 0
    for one in sorted(quantities(claim, spelled=True).found, key=lambda one: one.start):
        other = next((theirs[meaning] for meaning in map(_meaning, one.values) if meaning in theirs), None)
        if other is not None and one.start >= done and one.end:
            text += claim[done : one.start] + source[other.start : other.end]
            done = one.end
    return text + claim[done:]


def without_list_mark(text: str) -> str:
    """A sentence without the mark that makes it an item of a list.

    >>> without_list_mark("2. Press the button."), without_list_mark("Step 3: Wait.")
    ('Press the button.', 'Wait.')
    """
    return _LIST_MARK.sub("", text, count=1)


def _meaning(value: Value) -> Value | tuple[str, Decimal]:
    """What is equal for two that mean the same, with the same kind of measure."""
    return (value.dimension, value.base) if isinstance(value, Amount) else value


def _taken(
    pattern: re.Pattern[str], text: str, read: Callable[[re.Match[str]], Iterable[Value]], found: list[Quantity]
) -> str:
    """Read what `pattern` matches into `found`; the text with that blotted out, so that no number is read twice."""

    def take(match: re.Match[str]) -> str:
        values = tuple(read(match))
        if values:
            found.append(Quantity(*match.span(), values))
        return ";" * len(match[0]) if values else match[0]

    return pattern.sub(take, text)


def _parts(value: Value) -> Iterator[Amount]:
    """The numbers that stand in a date or a time."""
    if isinstance(value, Date):
        yield from (_bare(part) for part in (value.year, value.day) if part)
    elif isinstance(value, TimeOfDay):
        yield _bare(value.minutes // 60)


def _dates(found: re.Match[str]) -> Iterator[Date]:
    """The dates that a match may mean: 3/4/2024 is one of two."""
    parts = found.groupdict()
    year = int(parts.get("year") or 0)
    if "one" in parts:
        one, other = int(parts["one"]), int(parts["other"])
        pairs = {(one, other)} if parts["mark"] == "." else {(one, other), (other, one)}
    else:
        month = parts["month"].casefold()
        pairs = {(int(parts.get("day") or 0), _MONTHS[month] if month in _MONTHS else int(month))}
    yield from (Date(year, month, day) for day, month in pairs if 1 <= month <= _MOST_MONTH and day <= _MOST_DAY)


def _years(found: re.Match[str]) -> Iterator[Amount]:
    yield _bare(int(found[1] + found[2]))
    yield _bare(int(found[1] + found[3]))


def _versions(found: re.Match[str]) -> Iterator[Version]:
    yield Version(found[1])


def _times(found: re.Match[str]) -> Iterator[TimeOfDay]:
    if found["half"]:
        hour = int(found["hour"]) % 12 + 12 * (found["half"][0] in "pP")
        yield TimeOfDay(60 * hour + int(found["minute"] or 0))
    else:
        yield TimeOfDay(60 * int(found["plain"]) + int(found["minutes"]))


def _amounts(found: re.Match[str]) -> Iterator[Amount]:
    digits = found["digits"]
    if re.fullmatch(r"\d+,\d{1,2}|\d+,\d{4,}", digits):
        digits = digits.replace(",", ".")  # a decimal comma
    elif digits.count(".") > 1:
        digits = digits.replace(".", "")
    value = Decimal(re.sub(r"[,'’\u00a0\u202f]", "", digits))
    short = found["short"] or ""
    value *= 10**6 if short == "M" else _MAGNITUDES.get((short or found["magnitude"] or "").casefold(), 1)
    if found["ordinal"]:
        yield Amount(value, "ordinal", value)
    else:
        yield _measured(value, found["before"] or found["unit"] or "")


def _in_words(found: re.Match[str]) -> Iterator[Amount]:
    total = current = 0
    unit = found["unit"] or ""
    words = re.split(r"[\s-]+", found[0].casefold().removesuffix(unit.casefold()).strip(" -"))
    for word in words:
        if word in _SPELLED:
            current += _SPELLED[word]
        elif word == "hundred":
            current = max(1, current) * 100
        elif word in _MAGNITUDES:
            total += max(1, current) * _MAGNITUDES[word]
            current = 0
    yield _measured(Decimal(total + current), unit)


def _measured(value: Decimal, unit: str) -> Amount:
    factor, dimension = _unit_table().get(unit.casefold().replace(" ", "-"), (Decimal(1), ""))
    return Amount(value, dimension, value * factor)


def _bare(value: int, dimension: str = "") -> Amount:
    return Amount(Decimal(value), dimension, Decimal(value))


# In this order: what is one kind is no other.
_READERS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Iterable[Value]]], ...] = (
    *((date, _dates) for date in _DATES),
    (_YEARS, _years),
    (_VERSION, _versions),
    (_TIME, _times),
    (_NUMBER, _amounts),
)


@cache
def _unit_table() -> Mapping[str, tuple[Decimal, str]]:
    """Each name of a unit → how many base units it is, and what it measures."""
    table = {}
    for line in _UNITS.strip().splitlines():
        names, _, measure = line.partition(" = ")
        factor, dimension = measure.split()
        table.update(dict.fromkeys(names.split(), (Decimal(factor), dimension)))
    return table
