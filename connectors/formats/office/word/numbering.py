"""The numbers that Word counts (`numbering.xml`): lists of levels, their formats, starts, overrides and restarts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from lxml import etree

from connectors.formats.office.numbering import BULLET, Counters, shown
from connectors.formats.office.word.styles import Styles
from connectors.formats.office.word.vocabulary import W, child, switch, value

_LEVELS, _LONGEST = 9, 200  # characters around the numbers of a level
_PLACE = re.compile(r"%([1-9])")


class _Level(NamedTuple):
    start: int = 1
    number_format: str = "decimal"
    text: str = ""
    restart: int | None = None  # the level, counted from 1, that makes it begin again; None for any above it
    decimal: bool = False  # all its numbers in digits, whatever the levels above count in
    style: str = ""


class _List(NamedTuple):
    """A numbered list: the counters it shares with others of its kind, its levels, and where it begins again."""

    kind: str
    levels: Mapping[int, _Level]
    overrides: Mapping[int, int]


class Numbering:
    """Counts the paragraphs of a document as it is read, from its first to its last."""

    def __init__(self, root: etree._Element | None, styles: Styles) -> None:
        self._counters: dict[str, Counters] = {}
        self._begun: set[str] = set()
        self._lists: dict[str, _List] = {}
        if root is None:
            return
        kinds = {kind.get(f"{W}abstractNumId", ""): kind for kind in root.iterchildren(f"{W}abstractNum")}
        numbers = {number.get(f"{W}numId", ""): number for number in root.iterchildren(f"{W}num")}
        for identity, number in numbers.items():
            kind = value(number, "abstractNumId")
            if kind in kinds and (link := value(kinds[kind], "numStyleLink")):  # its levels stand with another style
                kind = value(numbers.get(styles.lists_by_style.get(link, "")), "abstractNumId") or kind
            if kind in kinds:
                self._lists[identity] = _list(kind, kinds[kind], number)

    def level_of(self, number: str, style: str) -> int:
        """The level that a list keeps for a style of paragraphs."""
        found = self._lists.get(number)
        levels = found.levels.items() if found is not None else ()
        return next((place for place, level in levels if level.style == style), 0)

    def label(self, number: str, place: int) -> str | None:
        """Count one paragraph of a list, and what stands before it; None of a list that is not defined."""
        found = self._lists.get(number)
        if found is None or place not in found.levels:
            return None
        counters = self._counters.setdefault(found.kind, Counters())
        if number not in self._begun:
            self._begun.add(number)
            for overridden, start in found.overrides.items():
                counters.begin(overridden, start)
        level = found.levels[place]
        kept = {deeper for deeper, one in found.levels.items() if one.restart is not None and place >= one.restart}
        counters.count(place, level.start, frozenset(kept))
        if level.number_format == "bullet":
            return BULLET
        return _PLACE.sub(lambda match: self._shown(found, counters, int(match[1]) - 1, level), level.text).strip()

    @staticmethod
    def _shown(found: _List, counters: Counters, place: int, shower: _Level) -> str:
        level = found.levels.get(place, _Level())
        number_format = "decimal" if shower.decimal and level.number_format != "decimalZero" else level.number_format
        if number_format in {"none", "bullet"}:
            return ""
        return shown(counters.value(place, level.start), number_format)


def _list(kind: str, definition: etree._Element, number: etree._Element) -> _List:
    levels = {_whole(level.get(f"{W}ilvl"), 0): _level(level) for level in definition.iterchildren(f"{W}lvl")}
    overrides = {}
    for override in number.iterchildren(f"{W}lvlOverride"):
        place = _whole(override.get(f"{W}ilvl"), 0)
        if (own := child(override, "lvl")) is not None:
            levels[place] = _level(own)
        if (start := value(override, "startOverride")) != "":
            overrides[place] = _whole(start, 1)
            levels[place] = levels.get(place, _Level())._replace(start=overrides[place])
    return _List(kind, {place: level for place, level in levels.items() if place < _LEVELS}, overrides)


def _level(level: etree._Element) -> _Level:
    restart = value(level, "lvlRestart")
    return _Level(
        _whole(value(level, "start"), 1),
        value(level, "numFmt") or "decimal",
        value(level, "lvlText")[:_LONGEST],
        _whole(restart, 0) if restart else None,
        switch(level, "isLgl") or False,
        value(level, "pStyle"),
    )


def _whole(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 10 else default  # noqa: PLR2004
