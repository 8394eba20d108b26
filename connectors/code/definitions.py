"""What a file of code defines, from the matches of its language's queries to nested blocks.

The queries capture, by these names:

    definition.KIND  a definition of that kind, with in the same match
    name             its name,
    owner            whose member it is, where that is not what is around it, and
    body             its body: what is before it is the signature;
    wrapper          what a definition is only the last part of, such as its decorators;
    docstring        a text at the beginning of a body;
    file             the same at the beginning of the file;
    comment, lead    comments, and what else belongs to what follows, such as attributes;
    callee, dotted   the name of what is called, and the same with what is before its last dot;
    error            what could not be parsed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from connectors.code.languages import Language
from connectors.code.syntax import Leads, Match, Span, Syntax
from connectors.document import Block, BlockKind, Symbol

FILE = "module"  # the kind of symbol that a file is
_NAMESPACE = "namespace"
_METHOD_OF = frozenset({"class", "interface", "struct", "enum", "trait", "union", "record", "type"})
_DEEPEST = 6  # definitions within definitions; deeper ones are the code of what is around them
_LONGEST_NAME = 200  # characters
_PREFIX = "definition."


@dataclass(slots=True, eq=False)
class Definition:
    """A definition as it was found: `start` counts what belongs to it above, `head` does not."""

    start: int
    end: int
    head: int
    kind: str
    name: str
    name_at: int
    body: int
    owner: str = ""
    docstring: Span = (0, 0)
    qualified: str = ""
    parts: list[Definition] = field(default_factory=list)


def definitions(syntax: Syntax, language: Language, matches: Iterable[Match], leads: Leads) -> list[Definition]:
    """The outermost definitions of a file, in order, with those inside them."""
    found, wrappers, docstrings = _captured(syntax, matches)
    _unwrap(found, wrappers)
    outermost = _nested(_distinct(found), leads)
    _document(outermost, docstrings)
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
            label=definition.name,
            symbol=None if definition.kind == _NAMESPACE else symbol,
            parts=tuple(blocks(definition.parts, level + 1)),
        )


def walk(outermost: Iterable[Definition]) -> Iterator[Definition]:
    """Every definition, each before those inside it."""
    for definition in outermost:
        yield definition
        yield from walk(definition.parts)


def _captured(syntax: Syntax, matches: Iterable[Match]) -> tuple[list[Definition], list[Span], list[Span]]:
    found: list[Definition] = []
    wrappers: list[Span] = []
    docstrings: list[Span] = []
    for match in matches:
        wrappers += match.captures.get("wrapper", ())
        docstrings += match.captures.get("docstring", ())
        kind = next((name for name in match.captures if name.startswith(_PREFIX)), "")
        name = match.span("name")
        if not kind or name is None:
            continue
        start, end = match.captures[kind][0]
        text = " ".join(syntax.text[name[0] : min(name[1], name[0] + _LONGEST_NAME)].split())
        if not text:  # a name that the parser made up where one was missing
            continue
        body = match.span("body")
        signature_end = start + len(syntax.text[start : body[0] if body else end].rstrip())
        owner = match.span("owner")
        owned_by = syntax.text[slice(*owner)] if owner else ""
        found.append(Definition(start, end, start, kind.removeprefix(_PREFIX), text, name[0], signature_end, owned_by))
    return found, wrappers, docstrings


def _distinct(found: list[Definition]) -> list[Definition]:
    """In order, the outer before the inner; of two readings of one stretch the first."""
    kept: dict[Span, Definition] = {}
    for definition in found:
        kept.setdefault((definition.head, definition.end), definition)
    return sorted(kept.values(), key=lambda definition: (definition.start, -definition.end))


def _unwrap(found: list[Definition], wrappers: list[Span]) -> None:
    """Let each definition that a wrapper ends with begin and end where the wrapper does."""
    starts: dict[int, int] = {}
    for start, end in wrappers:
        starts[end] = min(start, starts.get(end, start))
    for definition in found:
        definition.start = min(definition.start, starts.get(definition.end, definition.start))


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
    if definition.kind == "function" and inside_class:
        definition.kind = "method"
    owner = definition.owner or (around.qualified if around is not None else "")
    joint = language.method_joint if definition.kind == "method" and language.method_joint else language.joint
    definition.qualified = f"{owner}{joint}{definition.name}" if owner else definition.name
    if definition.kind == _NAMESPACE:
        definition.qualified = owner
    for part in definition.parts:
        _qualify(part, definition, language)
