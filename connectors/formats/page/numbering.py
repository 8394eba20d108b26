"""The numbers of an HTML list as a browser shows them."""

from __future__ import annotations

import re

from lxml import html

from connectors.formats.office.numbering import column_letter, roman

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
    match style.lower():
        case "a" if number > 0:
            text = column_letter(number)
        case "i":
            text = roman(number)
        case _:
            return str(number)
    return text if style.islower() else text.upper()


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
