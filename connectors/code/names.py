"""The names that a source file can be found by: those it defines, and those it calls."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from itertools import chain, islice

from connectors.code.definitions import Definition, defines, walk
from connectors.code.syntax import Match
from connectors.document import CALLS, DEFINES, DocumentName

MOST = 5_000  # names of one file
_LONGEST = 100  # characters of a name that is called
_PLAIN = re.compile(r"\w+(?:(?:\.|::|->)\w+)*")
_SELF = frozenset({"self", "cls", "this", "super", "Self"})


def names(text: str, outermost: list[Definition], matches: list[Match]) -> tuple[DocumentName, ...]:
    """What is defined, by qualified and by bare name; constants; then calls, each once for the definition around it."""
    found = list(walk(outermost))
    every = chain(_defined(text, found, matches), _calls(text, found, matches))
    return tuple(islice(dict.fromkeys(every), MOST))


def _defined(text: str, found: list[Definition], matches: list[Match]) -> Iterator[DocumentName]:
    for definition in filter(defines, found):
        yield DocumentName(definition.qualified, DEFINES, definition.name_at)
        yield DocumentName(definition.name, DEFINES, definition.name_at)
    for match in matches:
        for start, end in match.captures.get("constant", ()):
            if 0 < end - start <= _LONGEST:
                yield DocumentName(text[start:end], DEFINES, start)


def _calls(text: str, found: list[Definition], matches: list[Match]) -> Iterator[DocumentName]:
    starts = sorted(definition.start for definition in found)
    seen: set[tuple[str, int]] = set()
    for match in matches:
        for name, start in _called(text, match):
            # The last definition that began before it: not always the one around it, but near enough.
            key = (name, bisect_right(starts, start))
            if key not in seen:
                seen.add(key)
                yield DocumentName(name, CALLS, start)


def _called(text: str, match: Match) -> Iterator[tuple[str, int]]:
    """The bare name of what is called, and the one with what is before its last dot, where that is a plain name."""
    callee, component, dotted = match.span("callee"), match.span("component"), match.span("dotted")
    callee = component if component is not None and text[component[0]].isupper() else callee
    if callee is None or not 0 < callee[1] - callee[0] <= _LONGEST:
        return
    bare = text[slice(*callee)]
    if not bare.strip():
        return  # a grammar may take a sign that nobody sees for an identifier
    yield bare, callee[0]
    if dotted is not None and callee[1] - dotted[0] <= _LONGEST:
        whole = text[dotted[0] : callee[1]]
        owner = whole.removesuffix(bare).rstrip(".:->?!")
        if _PLAIN.fullmatch(owner) and owner not in _SELF:
            yield whole, callee[0]
