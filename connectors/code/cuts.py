"""Finds where code may be cut: before statements, outermost first."""

from __future__ import annotations

from connectors.code.syntax import Leads, Syntax

_SMALLEST = 240  # characters: what is shorter fits every window
_DEEPEST = 12  # levels of statements within statements; below, lines must do


def statement_cuts(syntax: Syntax, leads: Leads) -> tuple[tuple[int, ...], ...]:
    """The offsets of what begins a line in the syntax tree, by depth: statements, cases, elements of long lists.

    The first part of anything stays with its head, and what has comments above it begins with them. Only nodes too
    long to stay whole are looked into, so the work grows with the text and not with the tree.
    """
    levels: list[set[int]] = [set() for _ in range(_DEEPEST)]
    pending = [(syntax.root, 0)]
    while pending:
        node, depth = pending.pop()
        children = node.named_children
        start = syntax.span(node)[0]
        spans = [syntax.span(child) for child in children]
        heads = {leads.above(first)[0] for first, _ in spans if first > start and syntax.begins_line(first)}
        places = sorted(place for place in heads if place > start)
        below = depth
        if places[1:] or (places and not depth):
            levels[depth].update(places[1:] if depth else places)
            below += 1
        if below < _DEEPEST:
            pairs = zip(children, spans, strict=True)
            pending += [(child, below) for child, (first, end) in pairs if end - first >= _SMALLEST]
    return tuple(tuple(sorted(level)) for level in levels if level)
