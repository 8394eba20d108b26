"""The numbers that a program counts and shows before headings, clauses and list items."""

from __future__ import annotations

from collections.abc import Callable, Mapping

_ROMAN = (
    *((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl")),
    *((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")),
)
_MOST_ROMAN = 4_000
_MOST_LETTERS = 26 * 20  # beyond, `aaaa…` says less than the number
_CHICAGO = "*†‡§"
_ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ORDINALS = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth"}
_ORDINALS |= {"twelve": "twelfth"}
_HAN = "〇一二三四五六七八九"
_CYRILLIC = "абвгдежзиклмнопрстуфхцчшщэюя"
BULLET = "-"


def roman(number: int) -> str:
    """A number in lower-case Roman digits.

    >>> roman(1994)
    'mcmxciv'
    """
    if not 0 < number < _MOST_ROMAN:
        return str(number)
    found = ""
    for value, digits in _ROMAN:
        count, number = divmod(number, value)
        found += digits * count
    return found


def repeated_letter(number: int, alphabet: str = "abcdefghijklmnopqrstuvwxyz") -> str:
    """A letter as Word counts: after `z` comes `aa`, then `bb`.

    >>> repeated_letter(28)
    'bb'
    """
    if not 0 < number <= _MOST_LETTERS:
        return str(number)
    repeats, place = divmod(number - 1, len(alphabet))
    return alphabet[place] * (repeats + 1)


def column_letter(number: int) -> str:
    """A letter as columns of sheets are counted: after `z` comes `aa`, then `ab`.

    >>> column_letter(28)
    'ab'
    """
    found = ""
    while number > 0:
        number, place = divmod(number - 1, 26)
        found = chr(ord("a") + place) + found
    return found or "0"


def ordinal(number: int) -> str:
    """`1st`, `2nd`, `3rd`, `11th`."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in {11, 12, 13} else ending}"


def _cardinal(number: int) -> str:
    if not 0 <= number < 100:  # noqa: PLR2004
        return str(number)
    if number < len(_ONES):
        return _ONES[number].capitalize()
    tens, ones = divmod(number, 10)
    return (f"{_TENS[tens]}-{_ONES[ones]}" if ones else _TENS[tens]).capitalize()


def _ordinal_word(number: int) -> str:
    before, hyphen, last = _cardinal(number).lower().rpartition("-")
    if not last.isalpha():
        return ordinal(number)
    last = _ORDINALS.get(last) or (f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th")
    return (before + hyphen + last).capitalize()


def _han(number: int) -> str:
    if not 0 < number < 100:  # noqa: PLR2004
        return "".join(_HAN[int(digit)] for digit in str(number) if digit.isdigit())
    tens, ones = divmod(number, 10)
    return ("" if tens < 2 else _HAN[tens]) + ("十" if tens else "") + (_HAN[ones] if ones else "")  # noqa: PLR2004


def _circled(number: int) -> str:
    return chr(0x2460 + number - 1) if 0 < number <= 20 else f"({number})"  # noqa: PLR2004


def _symbol(number: int) -> str:
    repeats, place = divmod(max(number, 1) - 1, len(_CHICAGO))
    return _CHICAGO[place] * min(repeats + 1, 20)


_FORMATS: Mapping[str, Callable[[int], str]] = {
    "lowerLetter": repeated_letter,
    "upperLetter": lambda number: repeated_letter(number).upper(),
    "lowerRoman": roman,
    "upperRoman": lambda number: roman(number).upper(),
    "decimalZero": lambda number: f"{number:02}",
    "ordinal": ordinal,
    "cardinalText": _cardinal,
    "ordinalText": _ordinal_word,
    "hex": lambda number: f"{number:X}",
    "chicago": _symbol,
    "decimalEnclosedCircle": _circled,
    "decimalEnclosedCircleChinese": _circled,
    "decimalEnclosedParen": lambda number: f"({number})",
    "decimalEnclosedFullstop": lambda number: f"{number}.",
    "numberInDash": lambda number: f"- {number} -",
    "russianLower": lambda number: repeated_letter(number, _CYRILLIC),
    "russianUpper": lambda number: repeated_letter(number, _CYRILLIC).upper(),
    **dict.fromkeys(
        ("chineseCounting", "chineseCountingThousand", "ideographDigital", "japaneseCounting", "taiwaneseCounting"),
        _han,
    ),
}


def shown(number: int, number_format: str) -> str:
    """A number in one of the formats of Office Open XML (`ST_NumberFormat`); in one that is not known, in digits.

    >>> shown(4, "upperRoman"), shown(3, "lowerLetter"), shown(2, "decimal")
    ('IV', 'c', '2')
    """
    return _FORMATS.get(number_format, str)(number)


class Counters:
    """The counters of a list, a level each: counting on one level makes the deeper ones begin again."""

    def __init__(self) -> None:
        self._values: dict[int, int] = {}

    def count(self, level: int, start: int, keeps: frozenset[int] = frozenset()) -> None:
        """Count on a level, from `start` if it begins. Deeper levels begin again, but those in `keeps`."""
        self._values[level] = self._values[level] + 1 if level in self._values else start
        for deeper in [one for one in self._values if one > level and one not in keeps]:
            del self._values[deeper]

    def begin(self, level: int, value: int) -> None:
        """Have a level count `value` next."""
        self._values[level] = value - 1

    def value(self, level: int, start: int) -> int:
        """What a level stands at; one that has not begun stands at its `start`."""
        return self._values.get(level, start)
