"""How far a growing column was read. Stored in the documents' own stamps, so that it is never ahead of them.

A stamp holds the shape of the plan and the value of the column. If the shape has changed, every row is rendered
differently, and so every row must be read again.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

_SHAPE = 8  # hexadecimal digits of it in a stamp


def stamp_of(value: Any, shape: bytes) -> str:
    """The stamp of a row whose cursor has this value; empty where it has none that can be compared."""
    match value:
        case bool() | None:
            return ""
        case int():
            return f"{_mark(shape)}:i:{value}"
        case float() | Decimal():
            return f"{_mark(shape)}:n:{value}"
        case str():
            return f"{_mark(shape)}:t:{value}"
        case _:
            return ""


def high_water(stamps: Iterable[str], shape: bytes) -> int | Decimal | str | None:
    """The highest value among the stamps; None where they do not say up to where every row was read as it is read now.

    A row without a value has an empty stamp; it is read every time.

    >>> high_water(["", stamp_of(7, b"shape"), stamp_of(12, b"shape")], b"shape")
    12
    >>> high_water([stamp_of(7, b"other"), stamp_of(12, b"shape")], b"shape") is None
    True
    """
    numbers: list[int | Decimal] = []
    texts: list[str] = []
    for stamp in stamps:
        if not stamp:
            continue
        mark, kind, value = stamp.split(":", 2)
        if mark != _mark(shape):
            return None
        if kind == "t":
            texts = [max([value, *texts])]
        else:
            numbers = [max([int(value) if kind == "i" else Decimal(value), *numbers])]
    if numbers and texts:
        return None  # they cannot be compared, save by a database that has an opinion
    return (numbers or texts or [None])[0]


def _mark(shape: bytes) -> str:
    return shape.hex()[:_SHAPE]
