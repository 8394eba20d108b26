"""Formats database values for readers, and for comparison in filters."""

from __future__ import annotations

import math
import re
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from connectors.database.structure.kinds import ColumnKind
from connectors.document import MetadataValue
from connectors.errors import SourceError
from connectors.parsed import clean

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)\s?(Z|[+-]\d\d(?::?\d\d)?)?)?")
_MIDNIGHT = re.compile(r"00:00(?::00(?:\.0+)?)?")
_TAG = re.compile(
    r"</(?:p|div|span|b|strong|i|em|u|ul|ol|li|table|tr|td|th|a|h[1-6]|font|pre|code|blockquote|body|html)>"
    r"|<(?:br|hr|p|img)(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
_PAGE = Path("value.html")
_LONGEST_FACET = 100  # characters of a text that can be filtered by
_EXACT = 2**53  # whole numbers up to here are exact as floats


def shown(value: Any, kind: ColumnKind = ColumnKind.OTHER) -> str:
    """A value as a person reads it; empty for none, for what is binary, and for white space.

    >>> shown(0.5), shown("2009-01-01 00:00:00", ColumnKind.DATETIME), shown(1, ColumnKind.BOOLEAN), shown(None)
    ('0.5', '2009-01-01', 'true', '')
    """
    match value:
        case None | bytes() | memoryview():
            return ""
        case bool():
            return "true" if value else "false"
        case int() if kind is ColumnKind.BOOLEAN and value in {0, 1}:
            return "true" if value else "false"
        case str():
            return _moment(value, " ") or clean(value).strip() if kind.is_moment else _text(value)
        case Decimal():
            return f"{value:f}"
        case date() | datetime():
            return _moment(value.isoformat(), " ")
        case time() | timedelta():
            return str(value)
        case _:
            return str(value)


def facet(value: Any, kind: ColumnKind) -> MetadataValue | None:
    """A value as filters compare it: a number, true or false, an ISO date, or a short text; None for what is neither.

    >>> facet("2009-01-01 10:00:00", ColumnKind.DATETIME), facet(1, ColumnKind.BOOLEAN)
    ('2009-01-01T10:00:00', True)
    """
    match value:
        case bool():
            return value
        case int():
            return bool(value) if kind is ColumnKind.BOOLEAN and value in {0, 1} else value
        case float():
            return value if math.isfinite(value) else None
        case Decimal():
            return _number(value)
        case date() | datetime():
            return _moment(value.isoformat(), "T")
        case str() if day := _moment(value, "T"):  # whatever the column is declared as: SQLite has no dates
            return day
        case str() if len(value) <= _LONGEST_FACET and "\n" not in value:
            return clean(value).strip() or None
        case _:
            return None


def _text(value: str) -> str:
    """A text; where an editor of a web page wrote it, what that shows."""
    text = clean(value).strip()
    if _TAG.search(text) is not None:
        from connectors.formats import parse

        with suppress(SourceError):  # it stays as it is
            return parse(text.encode(), _PAGE).text.strip()
    return text


def _moment(text: str, between: str) -> str:
    """A date, with its time unless that is midnight; empty for what is no date."""
    found = _MOMENT.fullmatch(text.strip())
    if found is None:
        return ""
    day, hours, zone = found.groups()
    if hours is None or (_MIDNIGHT.fullmatch(hours) and zone in {None, "Z", "+00", "+00:00"}):
        return day
    zone = f"{zone}:00" if zone and len(zone) == len("+00") else zone or ""
    return f"{day}{between}{hours}{zone}"


def _number(value: Decimal) -> MetadataValue | None:
    if not value.is_finite():
        return None
    whole = value == value.to_integral_value() and abs(value) < _EXACT
    return int(value) if whole else float(value)
