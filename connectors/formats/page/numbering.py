"""The numbers of an HTML list as a browser shows them."""

from __future__ import annotations

import re

from lxml import html

_STYLES = {  # of `list-style-type`, by the `type` that means the same
    "decimal": "1",
    "decimal-leading-zero": "01",
    "lower-alpha": "a",
    "lower-latin": "a",
    "upper-alpha": "A",
    "upper-latin": "A",
    "lower-roman": "i",
    "upper-roman": "I",
}
_UNNUMBERED = frozenset({"none", "disc", "circle", "square"})
_LIST_STYLE = re.compile(r"list-style(?:-type)?\s*:\s*([\w-]+)", re.IGNORECASE)
_ROMAN = (
    *((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc")),
    *((50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")),
)
_LARGEST_ROMAN = 3999


class OrderedList:
    """Counts the items of an `ol`."""

    def __init__(self, element: html.HtmlElement) -> None:
        self._style = _style(element) or "1"
        self._step = -1 if element.get("reversed") is not None else 1
        start = _integer(element.get("start"))
        if start is None:
            start = sum(1 for _ in element.iterchildren("li")) if self._step < 0 else 1
        self._next = start

    def marker(self, item: html.HtmlElement) -> str:
        """What stands in front of the next item."""
        value = _integer(item.get("value"))
        number = self._next if value is None else value
        self._next = number + self._step
        style = _style(item) or self._style
        return "-" if style in _UNNUMBERED else f"{numeral(number, style)}."


def numeral(number: int, style: str) -> str:
    """A number in the style of a list's `type`.

    >>> [numeral(number, style) for number, style in ((4, "1"), (4, "01"), (28, "a"), (3, "A"), (14, "i"), (0, "i"))]
    ['4', '04', 'ab', 'C', 'xiv', '0']
    """
    if style == "01":
        return f"{number:02}"
    lower = style.lower()
    text = ""
    if lower == "a" and number > 0:
        while number:
            number, letter = divmod(number - 1, 26)
            text = chr(ord("a") + letter) + text
    elif lower == "i" and 0 < number <= _LARGEST_ROMAN:
        for value, letters in _ROMAN:
            times, number = divmod(number, value)
            text += letters * times
    else:
        return str(number)
    return text if style == lower else text.upper()


def _style(element: html.HtmlElement) -> str:
    found = _LIST_STYLE.search(element.get("style", ""))
    named = found[1].lower() if found else ""
    if named in _UNNUMBERED:
        return named
    return _STYLES.get(named) or (kind if (kind := element.get("type", "")) in {"1", "a", "A", "i", "I"} else "")


def _integer(value: str | None) -> int | None:
    """A whole number of at most six digits, as lists have them."""
    found = re.fullmatch(r"\s*([+-]?\d{1,6})\s*", value or "", re.ASCII)
    return int(found[1]) if found else None
