"""Splits questions into a fitting part and a held-out part, if possible with no expected source in both."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

_LEAST = 0.5  # of the share asked for; where groups of questions leave less, they are parted


@dataclass(frozen=True, slots=True)
class Split:
    """Questions in two parts; `apart` is true if no source is expected in both."""

    fitting: tuple[str, ...]
    held_out: tuple[str, ...]
    apart: bool


def split(expected: Mapping[str, Collection[str]], share: float, seed: int) -> Split:
    """Hold out about a `share` of the questions.

    Questions that expect the same source stay together, unless nearly all of them hang together. The same seed gives
    the same parts, whatever the order.

    Args:
        expected: question → the sources that answer it.
        share: between 0 and 1.
        seed: of the choice.

    Example:
        >>> split({"a": ["x"], "b": ["x"], "c": ["y"], "d": ["z"]}, 0.5, seed=2).apart
        True
    """
    wanted = round(share * len(expected))
    held = _take(sorted(_groups(expected), key=lambda group: _draw(group[0], seed)), wanted)
    apart = len(held) >= _LEAST * wanted
    if not apart:
        held = _take([[key] for key in sorted(expected, key=lambda key: _draw(key, seed))], wanted)
    return Split(tuple(sorted(expected.keys() - held)), tuple(sorted(held)), apart)


def _groups(expected: Mapping[str, Collection[str]]) -> list[list[str]]:
    """The questions that expect a source in common, directly or through others."""
    leader = {key: key for key in expected}

    def find(key: str) -> str:
        while leader[key] != key:
            leader[key] = key = leader[leader[key]]
        return key

    first: dict[str, str] = {}
    for key, sources in expected.items():
        for source in sources:
            leader[find(key)] = find(first.setdefault(source, key))
    groups: dict[str, list[str]] = {}
    for key in sorted(expected):
        groups.setdefault(find(key), []).append(key)
    return list(groups.values())


def _take(groups: Iterable[list[str]], wanted: int) -> set[str]:
    taken: set[str] = set()
    for group in groups:
        if len(taken) + len(group) <= wanted:
            taken.update(group)
    return taken


def _draw(key: str, seed: int) -> bytes:
    """A number drawn for a key: the same whatever else there is."""
    return hashlib.blake2b(f"{seed} {key}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
