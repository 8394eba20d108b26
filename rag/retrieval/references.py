"""Finds callers and callees of a definition by name, in one repository. Approximate: a name is no proof."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import NamedTuple

from connectors.document import CALLS, DEFINES, Location
from indexes.catalog.reading import Reading
from indexes.catalog.references import RepositoryScope
from indexes.catalog.rows import StoredChunk
from indexes.terms.names import StoredName
from rag.retrieval.hit import Reference, References

MOST = 10
"""References shown of a kind; the nearest are."""

_MOST_PLACES = 500  # looked at for one name
_MOST_DEFINITIONS = 5  # with more of one name, only those near enough to be meant are told
_MOST_OF_A_CHUNK = 50  # definitions: of constants there may be many
_JOINTS = ".:#->"
_CONSTRUCTORS = frozenset({"__init__", "__new__", "constructor", "initialize"})
# Everybody's names: most calls of them call something that is not of the repository.
_COMMON = frozenset(
    {
        *("get", "set", "add", "put", "pop", "push", "append", "insert", "remove", "delete", "clear", "update", "copy"),
        *("open", "close", "read", "write", "flush", "load", "save", "dump", "send", "next", "iter", "keys", "values"),
        *("items", "len", "size", "length", "str", "repr", "format", "print", "join", "split", "strip", "replace"),
        *("map", "filter", "find", "sort", "sorted", "min", "max", "sum", "count", "index", "contains", "equals"),
        *("main", "run", "start", "stop", "init", "new", "create", "build", "call", "apply", "execute", "process"),
        *("test", "setup", "teardown", "name", "type", "value", "key", "id", "to_string", "toString", "hash"),
    }
)


class _Place(NamedTuple):
    uri: str
    start: int


class _Found(NamedTuple):
    """A place where `name` is called or defined, and how many definitions have that name."""

    place: _Place
    name: str
    candidates: int


class _Definition(NamedTuple):
    qualified: str
    name: str
    owner: str
    place: _Place

    @property
    def called(self) -> str:
        """The name it is called by: of what makes a thing of a class, the class's."""
        return self.owner if self.owner and self.name in _CONSTRUCTORS else self.name

    @property
    def written(self) -> set[str]:
        """The ways of calling it with what it belongs to: `Cart.total`, `cart.total`, `module.total`."""
        owners = {self.owner, self.owner.lower(), _stem(self.place.uri)} - {""}
        return ({f"{owner}.{self.name}" for owner in owners} | {self.qualified}) - {self.name}


def references(reading: Reading, generation: int, chunk: StoredChunk) -> References | None:
    """The callers and callees of the definitions that a chunk holds; None for a chunk that holds none.

    Callees are the names called in the chunk that the repository defines, callers the places elsewhere where a name
    that the chunk defines is called. Of a name that several things have, the nearest is told, with how many there are.
    """
    if chunk.location.symbol is None:
        return None
    own = reading.names_within(chunk.uri, generation)
    definitions = _definitions(own, chunk.location)
    if not definitions:
        return None
    scope = RepositoryScope(reading, chunk.uri, generation)
    callers = _callers(scope, definitions, own, chunk)
    callees = _callees(scope, definitions, own, chunk)
    places = _Lines(reading, scope, [found.place for found in (*callers[:MOST], *callees[:MOST])])
    return References(
        callers=tuple(places.reference(found) for found in callers[:MOST]),
        callees=tuple(places.reference(found) for found in callees[:MOST]),
        more_callers=max(0, len(callers) - MOST),
        more_callees=max(0, len(callees) - MOST),
    )


def as_metadata(found: References) -> dict[str, tuple[str, ...]]:
    """Callers and callees as lines, as far as there are any."""
    lines = {"callers": tuple(map(str, found.callers)), "callees": tuple(map(str, found.callees))}
    return {key: told for key, told in lines.items() if told}


def _definitions(own: Sequence[StoredName], location: Location) -> list[_Definition]:
    """What a chunk defines; of a later part of something long, that."""
    texts: dict[int, list[str]] = {}
    for name in own:
        if name.role == DEFINES and name.start < location.end:
            texts.setdefault(name.start, []).append(name.text)
    inside = [start for start in sorted(texts) if start >= location.start]
    if not inside and location.symbol is not None:
        inside = [start for start in sorted(texts) if location.symbol.name in texts[start]][-1:]
    found = []
    for start in inside[:_MOST_OF_A_CHUNK]:
        qualified, bare = max(texts[start], key=len), min(texts[start], key=len)
        owner = qualified.removesuffix(bare).rstrip(_JOINTS)
        found.append(_Definition(qualified, bare, owner, _Place(own[0].uri, start)))
    return found


def _callers(
    scope: RepositoryScope, definitions: Sequence[_Definition], own: Sequence[StoredName], chunk: StoredChunk
) -> list[_Found]:
    """Where the names of the definitions are called outside of the chunk, the surest first.

    Sure is a call with what the definition belongs to, or where nothing else has the name. A common name must be
    called so, or in the file that defines it as its own.
    """
    called = {definition.called for definition in definitions}
    written = {way: definition.called for definition in definitions for way in definition.written}
    same_name = scope.count(DEFINES, called)
    own_calls = {start for start, texts in _calls_by_start(own).items() if _is_bare(texts)}
    found: dict[_Place, _Found] = {}
    for text, uri, start in scope.places(CALLS, written.keys(), _MOST_PLACES):
        place = _Place(uri, start)
        found[place] = _Found(place, written[text], 1)
    for text, uri, start in scope.places(CALLS, called, _MOST_PLACES):
        place, count = _Place(uri, start), same_name.get(text, 1)
        is_own = uri == chunk.uri and start in own_calls
        if is_own or (count <= _MOST_DEFINITIONS and text not in _COMMON):
            found.setdefault(place, _Found(place, text, count))
    outside = (each for each in found.values() if not _is_in(each.place, chunk))
    return sorted(outside, key=lambda each: (each.candidates > 1, _distance(each.place.uri, chunk.uri), each.place))


def _callees(
    scope: RepositoryScope, definitions: Sequence[_Definition], own: Sequence[StoredName], chunk: StoredChunk
) -> list[_Found]:
    """What is called in the chunk and defined elsewhere in the repository, in the order of the calls, each once."""
    calls = dict.fromkeys(
        (min(texts, key=len), max(texts, key=len))
        for start, texts in sorted(_calls_by_start(own).items())
        if chunk.location.start <= start < chunk.location.end
    )
    counts = scope.count(DEFINES, {text for call in calls for text in call})
    rare = {text for text, count in counts.items() if count <= _MOST_DEFINITIONS and text not in _COMMON}
    defined = _by_text(scope, rare) | _by_text(scope, counts.keys() - rare)
    owners = {definition.owner for definition in definitions}
    siblings = {name.start for name in own if name.role == DEFINES and _is_member(name.text, owners)}
    found: dict[_Place, _Found] = {}
    for bare, dotted in calls:
        text = dotted if dotted in defined else bare

        def nearness(place: _Place, module: str = _module(dotted)) -> tuple[object, ...]:
            is_sibling = place.uri == chunk.uri and place.start in siblings
            return not is_sibling, _stem(place.uri) != module, _distance(place.uri, chunk.uri), place

        nearest = min(defined.get(text, ()), key=nearness, default=None)
        if nearest is None or _is_in(nearest, chunk) or nearest in {definition.place for definition in definitions}:
            continue
        is_own = nearest.uri == chunk.uri and _is_bare([bare, dotted])
        if text in rare or is_own or _stem(nearest.uri) == _module(dotted):
            is_sure = is_own and nearest.start in siblings
            found.setdefault(nearest, _Found(nearest, bare, 1 if is_sure else counts[text]))
    return list(found.values())


def _calls_by_start(own: Iterable[StoredName]) -> dict[int, list[str]]:
    """Where something is called → its bare name, and the dotted one where it is called as something's."""
    calls: dict[int, list[str]] = {}
    for name in own:
        if name.role == CALLS:
            calls.setdefault(name.start, []).append(name.text)
    return calls


def _by_text(scope: RepositoryScope, texts: Iterable[str]) -> dict[str, list[_Place]]:
    """Text → where it is defined."""
    places: dict[str, list[_Place]] = {}
    for text, uri, start in scope.places(DEFINES, set(texts), _MOST_PLACES):
        places.setdefault(text, []).append(_Place(uri, start))
    return places


def _is_bare(texts: Iterable[str]) -> bool:
    """Whether something is called by its name alone: as one's own, or as what is known everywhere in the file."""
    return not any(set(_JOINTS) & set(text) for text in texts)


def _is_in(place: _Place, chunk: StoredChunk) -> bool:
    return place.uri == chunk.uri and chunk.location.start <= place.start < chunk.location.end


def _is_member(qualified: str, owners: Iterable[str]) -> bool:
    return any(
        owner and qualified.startswith(owner) and qualified[len(owner)] in _JOINTS
        for owner in owners
        if len(qualified) > len(owner)
    )


def _distance(uri: str, other: str) -> int:
    """0 in one file, 1 in one folder, 2 beyond."""
    return 0 if uri == other else 1 if uri.rpartition("/")[0] == other.rpartition("/")[0] else 2


def _stem(uri: str) -> str:
    return PurePath(uri).stem


def _module(dotted: str) -> str:
    """What a call names before its last dot: a module, perhaps."""
    return dotted.rpartition(".")[0].rpartition(".")[2]


class _Lines:
    """The lines of places, and the definition that contains each."""

    def __init__(self, reading: Reading, scope: RepositoryScope, places: Sequence[_Place]) -> None:
        self._scope = scope
        self._chunks: dict[str, list[StoredChunk]] = {}
        ids = [key for chunks in scope.chunks(sorted({place.uri for place in places})).values() for key in chunks]
        for chunk in reading.chunks_by_id(ids).values():
            self._chunks.setdefault(chunk.uri, []).append(chunk)

    def reference(self, found: _Found) -> Reference:
        """A place as people are told of it."""
        uri, start = found.place
        chunk = next((chunk for chunk in self._chunks.get(uri, ()) if _is_in(found.place, chunk)), None)
        if chunk is None:  # between two passages: nowhere that could be quoted
            return Reference("", uri, 0, found.name, found.candidates)
        before = chunk.text[: start - chunk.location.start]
        line = chunk.location.line_start + before.count("\n") + before.count("\r") - before.count("\r\n")
        return Reference(self._around(chunk, start), uri, line, found.name, found.candidates)

    def _around(self, chunk: StoredChunk, start: int) -> str:
        """The definition that a place in a chunk is in, told by the indentation where the chunk holds several."""
        first = chunk.location.start
        depth, line = _indentation(chunk.text, start - first)
        for text, at in reversed(self._scope.within(chunk.uri, DEFINES, first, start)):
            outer, of = _indentation(chunk.text, at - first)
            if outer < depth or of == line:
                return text
        return chunk.location.symbol.name if chunk.location.symbol else ""


def _indentation(text: str, offset: int) -> tuple[int, int]:
    """How far the line around an offset is indented, and where it begins."""
    start = text.rfind("\n", 0, offset) + 1
    line = text[start:offset]
    return len(line) - len(line.lstrip()), start
