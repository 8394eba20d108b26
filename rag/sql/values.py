"""Carries database values between processes, and into JSON, without losing their types."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

Value = object
"""None, bool, int, float, str, bytes, Decimal, date, time, datetime, timedelta, or a list or dict of JSON."""


def to_wire(value: object) -> Any:  # noqa: PLR0911 — a table of types
    """A value as JSON that `from_wire` makes the same value of; what is of no known type becomes text.

    Example:
        >>> to_wire(Decimal("1.50"))
        {'decimal': '1.50'}
    """
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else {"float": str(value)}
        case Decimal():
            return {"decimal": str(value)}
        case bytes() | bytearray() | memoryview():
            return {"bytes": base64.b64encode(bytes(value)).decode()}
        case datetime():
            return {"datetime": value.isoformat()}
        case date():
            return {"date": value.isoformat()}
        case time():
            return {"time": value.isoformat()}
        case timedelta():
            return {"timedelta": [value.days, value.seconds, value.microseconds]}
        case list() | tuple():
            return {"list": [to_wire(each) for each in value]}
        case dict():
            return {"object": value}
        case _:
            return str(value)


_READERS: dict[str, Callable[[Any], object]] = {
    "float": float,
    "decimal": Decimal,
    "bytes": base64.b64decode,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "timedelta": lambda parts: timedelta(*parts),
    "list": lambda values: [from_wire(each) for each in values],
    "object": lambda value: value,
}


def from_wire(data: Any) -> object:
    r"""The value that `to_wire` wrote.

    Example:
        >>> from_wire(to_wire([Decimal("1.50"), date(2024, 1, 31), b"\x00"]))
        [Decimal('1.50'), datetime.date(2024, 1, 31), b'\x00']
    """
    if not isinstance(data, dict):
        return data
    ((kind, value),) = data.items()
    return _READERS[kind](value)


def to_json(value: object) -> Any:
    """A value for a program that knows JSON alone.

    Numbers stay numbers while JSON can hold them; a decimal is text, as exact as it was; dates are ISO 8601; bytes are
    `{"base64": …}`.

    Example:
        >>> to_json(Decimal("1.50")), to_json(datetime(2024, 1, 31, 10)), to_json(b"hi")
        ('1.50', '2024-01-31T10:00:00', {'base64': 'aGk='})
    """
    match value:
        case float() if not math.isfinite(value):
            return str(value)
        case bytes():
            return {"base64": base64.b64encode(value).decode()}
        case datetime() | date() | time():
            return value.isoformat()
        case Decimal() | timedelta():
            return str(value)
        case list():
            return [to_json(each) for each in value]
        case _:
            return value


def to_text(value: object) -> str:
    """A value as people read it; NULL is an empty string.

    Example:
        >>> to_text(Decimal("1.50")), to_text(b"abc"), to_text(None), to_text({"a": 1})
        ('1.50', '3 bytes', '', '{"a": 1}')
    """
    match value:
        case None:
            return ""
        case bytes():
            return f"{len(value):,} bytes"
        case float():
            return f"{value:.15g}"
        case list() | dict():
            return json.dumps(to_json(value), ensure_ascii=False)
        case datetime():
            return value.isoformat(" ")
        case _:
            return str(value)


@dataclass(frozen=True, slots=True)
class Rows:
    """The result of a statement.

    Attributes:
        columns: their names; two may be alike.
        rows: one tuple of values for each (`rag.sql.values`).
        cut: what a limit left out, in words; empty when this is all.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    cut: str = ""

    @property
    def truncated(self) -> bool:
        """Whether a limit left something out."""
        return bool(self.cut)
