"""Divides a block of code into functions, methods and class heads, before they are cut to fit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from connectors.chunking.packing import Ruler
from connectors.document import Block, Symbol

# Kinds of symbols that are one thing: divided only when they do not fit.
_WHOLE = frozenset({"function", "method", "property", "macro"})
_TINY_SHARE = 8  # of the target: shorter members (a getter, a constant) are grouped with their neighbours,
_SMALL_SHARE = 3  # and a class shorter than this (an exception, a record) is not divided

_VISIBLE = re.compile(r"\S")
_WORD = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Stretch:
    """Code `text[start:end]` about `symbol`, under the definitions `path`, outermost first."""

    start: int
    end: int
    path: tuple[Block, ...]
    symbol: Symbol | None


@dataclass(frozen=True, slots=True)
class _Run:
    """Code that stays together: either `part` alone, or code of the enclosing definition with its tiny members."""

    start: int
    end: int
    part: Block | None
    has_members: bool = False


class Divider:
    """Divides blocks of code.

    `target` is how many word pieces a chunk should have, `limit` says how many fit under a path of definitions.
    """

    def __init__(self, text: str, ruler: Ruler, *, target: int, limit: Callable[[tuple[Block, ...]], int]) -> None:
        self._text = text
        self._count = ruler.count
        self._limit = limit
        self._tiny = target // _TINY_SHARE
        self._small = target // _SMALL_SHARE

    def divide(self, block: Block, around: tuple[Block, ...] = ()) -> list[Stretch]:
        """The stretches of a definition, in order; together they hold all of it that is not white space."""
        path = (*around, block)
        symbol = next((above.symbol for above in reversed(path) if above.symbol is not None), None)
        if self._stays_whole(block, path):
            return [Stretch(block.start, block.end, path, symbol)]
        stretches: list[Stretch] = []
        waiting: Stretch | None = None  # a little code that goes with what follows
        for run in self._runs(block):
            own = Stretch(run.start, run.end, path, symbol)
            if self._is_crumb(run, block):
                if _WORD.search(self._text, run.start, run.end) or not stretches:
                    waiting = own
                else:
                    stretches[-1:] = self._joined(stretches[-1], own)
                continue
            found = [own] if run.part is None else self.divide(run.part, path)
            if waiting is not None:
                found[:1] = self._joined(waiting, found[0], about=found[0])
                waiting = None
            stretches += found
        if waiting is not None:
            stretches[-1:] = self._joined(stretches[-1], waiting) if stretches else [waiting]
        return stretches

    def _stays_whole(self, block: Block, path: tuple[Block, ...]) -> bool:
        if not block.parts:
            return True
        size = self._count(block.start, block.end)
        kind = block.symbol.kind if block.symbol is not None else ""
        return block.level > 0 and size <= (self._limit(path) if kind in _WHOLE else self._small)

    def _runs(self, block: Block) -> Iterator[_Run]:
        """What stands together in `block`: its larger parts one by one, and what is between them."""
        start, members = block.start, []
        for part in block.parts:
            if not part.parts and self._count(part.start, part.end) <= self._tiny:
                members.append(part)
                continue
            yield from self._between(start, part.start, members)
            yield _Run(part.start, part.end, part)
            start, members = part.end, []
        yield from self._between(start, block.end, members)

    def _between(self, start: int, end: int, members: list[Block]) -> Iterator[_Run]:
        first = _VISIBLE.search(self._text, start, end)
        if first is None:
            return
        end = first.start() + len(self._text[first.start() : end].rstrip())
        if len(members) == 1 and (members[0].start, members[0].end) == (first.start(), end):
            yield _Run(first.start(), end, members[0])
        else:
            yield _Run(first.start(), end, None, bool(members))

    def _is_crumb(self, run: _Run, block: Block) -> bool:
        """Whether a run is too little to stand alone: it is not, when it is what says that `block` is there."""
        is_head = run.start == block.start and block.symbol is not None and block.level > 0
        return (
            run.part is None and not run.has_members and not is_head and self._count(run.start, run.end) <= self._tiny
        )

    def _joined(self, first: Stretch, second: Stretch, about: Stretch | None = None) -> list[Stretch]:
        """Two neighbours as one, where the larger does not come to be cut only for the little that is added to it."""
        kept = about or first
        limit = self._limit(kept.path)
        if self._count(first.start, second.end) > limit >= self._count(kept.start, kept.end):
            return [first, second]
        return [replace(kept, start=first.start, end=second.end)]
