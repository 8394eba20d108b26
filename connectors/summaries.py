"""Summarises many similar things in one line."""

from __future__ import annotations

from collections.abc import Collection

_SHOWN = 3


def shortened(names: Collection[str]) -> str:
    """The first of some names, and how many more there are.

    >>> shortened(["d", "c", "b", "a"])
    'a, b, c and 1 more'
    """
    shown = ", ".join(sorted(names)[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else shown
