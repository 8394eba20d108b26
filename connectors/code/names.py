"""The names a file of code can be looked up by: what it defines, and what it calls."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import islice

from connectors.code.definitions import Definition, walk
from connectors.code.syntax import Match, Span
from connectors.document import CALLS, DEFINES, Name

MOST = 5_000  # names of one file
_LONGEST = 100  # characters of a name that is called


def names(text: str, outermost: list[Definition], matches: Iterable[Match]) -> tuple[Name, ...]:
    """Each definition by its qualified and its bare name; then, once for each definition it stands in, each call."""
    found = list(walk(outermost))
    return tuple(islice(_all(text, found, matches), MOST))


def _all(text: str, found: list[Definition], matches: Iterable[Match]) -> Iterator[Name]:
    for definition in found:
        for name in dict.fromkeys((definition.qualified, definition.name)):
            if name:
                yield Name(name, DEFINES, definition.name_at)
    inside = _Inside(found)
    seen: set[tuple[str, int]] = set()
    for match in matches:
        for name, start in _called(text, match.span("callee"), match.span("dotted")):
            if (key := (name, inside.at(start))) not in seen:
                seen.add(key)
                yield Name(name, CALLS, start)


def _called(text: str, callee: Span | None, dotted: Span | None) -> Iterator[tuple[str, int]]:
    """The bare name of what is called, and the one with what is before its last dot, where that is a plain name."""
    if callee is None or callee[1] - callee[0] > _LONGEST:
        return
    bare = text[slice(*callee)]
    if not bare:
        return
    yield bare, callee[0]
    if dotted is not None and callee[1] - dotted[0] <= _LONGEST:
        whole = text[dotted[0] : callee[1]]
        owner = whole.removesuffix(bare).rstrip(".:->?")
        if owner.replace(".", "").replace("::", "").isidentifier() and owner not in {"self", "this", "cls", "super"}:
            yield whole, callee[0]


class _Inside:
    """Which definition an offset stands in: the last one that began before it, which is near enough."""

    def __init__(self, found: list[Definition]) -> None:
        self._starts = sorted(definition.start for definition in found)

    def at(self, offset: int) -> int:
        return bisect_right(self._starts, offset)
