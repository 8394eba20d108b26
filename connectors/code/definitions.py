"""The definitions in a source file: turns the matches of its language's queries into nested blocks.

The queries capture, by these names:

    definition.KIND  a definition of that kind, with in the same match
    name             its name,
    owner            what it is a member of, if that is not its enclosing definition, and
    body             its body: everything before it is the signature;
    wrapper          a node that ends with the definition, such as its decorators;
    declaration      the same if it belongs to the signature, such as `export`;
    constant         the name of a value that people may look up, though it is not a chunk;
    docstring        a text at the beginning of a body;
    file             the same at the beginning of the file;
    comment, lead    comments, and other nodes that belong to what follows, such as attributes;
    callee, dotted   the name of a called function, and the same with everything before its last dot;
    component        the same, but it counts only if it begins with a capital letter;
    error            text that could not be parsed.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from connectors.code.languages import Language
from connectors.code.syntax import Leads, Match, Span, Syntax
from connectors.document import Block, BlockKind, Symbol

FILE = "module"  # the kind of symbol that a file is
_NAMESPACE = "namespace"  # is left out of the names of what is in it
_IMPLEMENTATION = "implementation"  # defines nothing itself, but gives its name to what is in it
_PROTOTYPE = "prototype"  # a function that is declared; inside another function, rather a variable
_SINGLETON = "singleton"  # a method of the class itself, named by the other joint
_METHOD_OF = frozenset(
    {"class", "interface", "struct", "enum", "trait", "union", "record", "module", "type", _IMPLEMENTATION}
)
_FUNCTIONS = frozenset({"function", "method", "property"})
_DEEPEST = 6  # definitions within definitions; deeper ones are the code of what is around them
_LONGEST_NAME = 200  # characters
_PREFIX = "definition."
_TAIL = re.compile(r"[^\S\r\n]*;")
_VISIBLE = re.compile(r"\S")
_TYPE_ARGUMENTS = re.compile(r"<[^<>]*>")  # what belongs to Stack<T> belongs to Stack


@dataclass(slots=True, eq=False)
class Definition:
    """A definition as found: `start` includes what belongs to it above, `head` does not."""

    start: int
    end: int
    head: int
    body: int
    kind: str
    name: str
    name_at: int
    owner: str
    docstring: Span = (0, 0)
    qualified: str = ""
    parts: list[Definition] = field(default_factory=list)


def definitions(syntax: Syntax, language: Language, matches: list[Match], leads: Leads) -> list[Definition]:
    """The outermost definitions of a file, in order, with those inside them."""
    text = syntax.text
    ranked = sorted(matches, key=lambda match: match.pattern)
    found = _distinct([found for match in ranked if (found := _captured(text, match, language.joint))])
    _unwrap(text, found, _all(matches, "declaration"), into_signature=True)
    _unwrap(text, found, _all(matches, "wrapper"))
    _skip_leads(text, found, _all(matches, "lead"))
    found.sort(key=lambda definition: (definition.start, -definition.end))
    outermost = _nested(found, leads)
    _document(outermost, _all(matches, "docstring"))
    for definition in outermost:
        _qualify(definition, None, language)
    return outermost


def blocks(outermost: Iterable[Definition], level: int = 1) -> Iterator[Block]:
    """Definitions as the blocks of a document."""
    for definition in outermost:
        signature = (definition.head, definition.body)
        symbol = Symbol(definition.qualified, definition.kind, signature, definition.docstring)
        yield Block(
            BlockKind.DEFINITION,
            definition.start,
            definition.end,
            level=level,
            label=definition.qualified if definition.owner else definition.name,
            symbol=symbol if defines(definition) else None,
            parts=tuple(blocks(definition.parts, level + 1)),
        )


def walk(outermost: Iterable[Definition]) -> Iterator[Definition]:
    """Every definition, each before those inside it."""
    for definition in outermost:
        yield definition
        yield from walk(definition.parts)


def defines(definition: Definition) -> bool:
    """Whether it is something to look up, and not only a place where other things are defined."""
    return definition.kind not in {_NAMESPACE, _IMPLEMENTATION}


def _captured(text: str, match: Match, joint: str) -> Definition | None:
    kind = next((name for name in match.captures if name.startswith(_PREFIX)), "")
    name = match.span("name")
    if not kind or name is None or name[0] == name[1]:  # a name that the parser made up where one was missing
        return None
    start, end = _whole(text, match.captures[kind][0])
    body, by = match.span("body"), match.span("owner")
    signature_end = start + len(text[start : body[0] if body else end].rstrip())
    written = text[name[0] : min(name[1], name[0] + _LONGEST_NAME)]
    owner, _, own = written.rpartition(joint) if joint != "." else ("", "", written)
    if not own.strip():
        return None
    return Definition(
        start,
        end,
        start,
        signature_end,
        kind.removeprefix(_PREFIX),
        " ".join(own.split()),
        name[0] + len(written) - len(own),
        "".join(_TYPE_ARGUMENTS.sub("", text[slice(*by)] if by else owner).split()),
    )


def _whole(text: str, span: Span) -> Span:
    """A stretch with the semicolon that ends it, and without the line end that some grammars count to it."""
    start, end = span
    while end > start and text[end - 1].isspace():
        end -= 1
    tail = _TAIL.match(text, end)
    return start, tail.end() if tail else end


def _all(matches: Iterable[Match], capture: str) -> list[Span]:
    return [span for match in matches for span in match.captures.get(capture, ())]


def _distinct(found: list[Definition]) -> list[Definition]:
    """Of several readings of one stretch, the one whose pattern comes first."""
    kept: dict[Span, Definition] = {}
    for definition in found:
        kept.setdefault((definition.head, definition.end), definition)
    return list(kept.values())


def _unwrap(text: str, found: list[Definition], wrappers: list[Span], *, into_signature: bool = False) -> None:
    """Let the outermost definition that a wrapper ends with begin where the wrapper does."""
    by_end: dict[int, list[Definition]] = {}
    for definition in sorted(found, key=lambda definition: definition.head):
        by_end.setdefault(definition.end, []).append(definition)
    for start, end in (_whole(text, wrapper) for wrapper in wrappers):
        inside = by_end.get(end, [])
        outermost = bisect_left(inside, start, key=lambda definition: definition.head)
        for definition in inside[outermost:]:
            if definition.head != inside[outermost].head:
                break
            definition.start = min(definition.start, start)
    if into_signature:
        for definition in found:
            definition.head = definition.start


def _skip_leads(text: str, found: list[Definition], leads: list[Span]) -> None:
    """Let signatures begin after the attributes that a grammar counts to the definition."""
    ends = dict(leads)
    for definition in found:
        while (end := ends.get(definition.head)) is not None and end < definition.body:
            visible = _VISIBLE.search(text, end)
            if visible is None:
                break
            definition.head = visible.start()


def _nested(found: list[Definition], leads: Leads) -> list[Definition]:
    outermost: list[Definition] = []
    around: list[Definition] = []
    for definition in found:
        while around and around[-1].end <= definition.start:
            around.pop()
        if len(around) >= _DEEPEST:
            continue
        if around and not around[-1].body <= definition.start < definition.end <= around[-1].end:
            continue
        if definition.kind == _PROTOTYPE and around and around[-1].kind in _FUNCTIONS:
            continue
        siblings = around[-1].parts if around else outermost
        first, comments = leads.above(definition.start)
        earliest = max(around[-1].body if around else 0, siblings[-1].end if siblings else 0)
        if first >= earliest:
            definition.start, definition.docstring = first, comments
        siblings.append(definition)
        around.append(definition)
    return outermost


def _document(outermost: list[Definition], docstrings: list[Span]) -> None:
    """Give each definition the docstring that its body begins with."""
    waiting = sorted(docstrings, reverse=True)
    for definition in walk(outermost):
        while waiting and waiting[-1][0] < definition.body:
            waiting.pop()
        first = min((part.start for part in definition.parts), default=definition.end)
        if waiting and waiting[-1][1] <= first:
            definition.docstring = waiting.pop()


def _qualify(definition: Definition, around: Definition | None, language: Language) -> None:
    """Name a definition by what is around it, namespaces left out, and call the function of a class a method."""
    inside_class = bool(definition.owner) or (around is not None and around.kind in _METHOD_OF)
    is_singleton = definition.kind == _SINGLETON
    if is_singleton or definition.kind in {"function", _PROTOTYPE}:
        definition.kind = "method" if is_singleton or inside_class else "function"
    outer = around.qualified if around is not None else ""
    owner = definition.owner or outer
    by_method = definition.kind == "method" and language.method_joint and not is_singleton
    joint = language.method_joint if by_method else language.joint
    definition.qualified = f"{owner}{joint}{definition.name}" if owner else definition.name
    if definition.kind == _NAMESPACE:
        definition.qualified = outer
    for part in definition.parts:
        _qualify(part, definition, language)
