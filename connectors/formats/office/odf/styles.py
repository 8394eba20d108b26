"""The vocabulary of OpenDocument: its namespaces, and what its styles say of text, lists and headings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from lxml import etree

from connectors.formats.office.numbering import BULLET, Counters, column_letter, repeated_letter, shown
from connectors.formats.office.pieces import Height
from connectors.formats.office.symbols import is_symbol_font

_SPACE = "{urn:oasis:names:tc:opendocument:xmlns:"
TEXT, TABLE, DRAW = f"{_SPACE}text:1.0}}", f"{_SPACE}table:1.0}}", f"{_SPACE}drawing:1.0}}"
OFFICE, STYLE, META = f"{_SPACE}office:1.0}}", f"{_SPACE}style:1.0}}", f"{_SPACE}meta:1.0}}"
PRESENTATION, FORM = f"{_SPACE}presentation:1.0}}", f"{_SPACE}form:1.0}}"
SVG, FO = f"{_SPACE}svg-compatible:1.0}}", f"{_SPACE}xsl-fo-compatible:1.0}}"
DC, XLINK = "{http://purl.org/dc/elements/1.1/}", "{http://www.w3.org/1999/xlink}"
_LIBRE = "{urn:org:documentfoundation:names:experimental:office:xmlns:loext:1.0}"
_PLACE = re.compile(r"%(\d{1,2})%")
_MOST_PARENTS = 20
_LEVELS, _LONGEST = 10, 200  # characters around the numbers of a level
_DIGITS_LIMIT = 9


class Look(NamedTuple):
    """How text is set, as far as it changes what the text means."""

    struck: bool = False
    hidden: bool = False
    height: Height = Height.LINE
    font: str = ""


class _Level(NamedTuple):
    """A level of a list: the format of its number (None for a bullet), and how it is shown."""

    number_format: str | None
    start: int
    pattern: str  # `%1%.%2%)`
    in_step: bool  # after `z` comes `aa`, then `bb`


def whole(text: str | None, default: int) -> int:
    """A number of a few digits, or a default."""
    return int(text) if text and text.isdecimal() and len(text) <= _DIGITS_LIMIT else default


class Styles:
    """The styles of a document: those it shares (`styles.xml`), and its own."""

    def __init__(self, *sources: etree._Element) -> None:
        self._styles: dict[tuple[str, str], etree._Element] = {}
        self._looks: dict[tuple[str, str], Look] = {}
        self._titles: dict[str, bool] = {}
        self._lists: dict[str, Mapping[int, _Level]] = {}
        self.outline: Mapping[int, _Level] = {}
        fonts = {}
        for source in sources:
            for style in source.iter(f"{STYLE}style"):
                self._styles[style.get(f"{STYLE}family", ""), style.get(f"{STYLE}name", "")] = style
            for font in source.iter(f"{STYLE}font-face"):
                fonts[font.get(f"{STYLE}name", "")] = font.get(f"{SVG}font-family", "").strip("'\"")
            for one in source.iter(f"{TEXT}list-style"):
                self._lists[one.get(f"{STYLE}name", "")] = _levels(one)
            for one in source.iter(f"{TEXT}outline-style"):
                self.outline = _levels(one)
        self._fonts = fonts

    def look(self, family: str, name: str, below: Look) -> Look:
        """How text in a style is set, over what surrounds it."""
        if not name:
            return below
        own = self._looks.get((family, name))
        if own is None or below != Look():
            own = below
            for style in reversed(list(self._line(family, name))):
                for properties in style.iterchildren(f"{STYLE}text-properties"):
                    own = self._over(own, properties)
            if below == Look():
                self._looks[family, name] = own
        return own

    def list_of(self, paragraph_style: str) -> str:
        """The list that a style of paragraphs belongs to."""
        names = (style.get(f"{STYLE}list-style-name") for style in self._line("paragraph", paragraph_style))
        return next(filter(None, names), "")

    def levels(self, list_style: str) -> Mapping[int, _Level]:
        """The levels of a list style, counted from 1."""
        return self._lists.get(list_style, {})

    def is_title(self, paragraph_style: str) -> bool:
        """Whether a style of paragraphs is the one called Title, or derived from it."""
        if paragraph_style not in self._titles:
            names = (style.get(f"{STYLE}parent-style-name") for style in self._line("paragraph", paragraph_style))
            self._titles[paragraph_style] = paragraph_style == "Title" or "Title" in names
        return self._titles[paragraph_style]

    def _line(self, family: str, name: str) -> Iterator[etree._Element]:
        """A style and those it builds on."""
        for _ in range(_MOST_PARENTS):
            style = self._styles.get((family, name))
            if style is None:
                style = self._styles.get(("", name))
            if style is None:
                return
            yield style
            name = style.get(f"{STYLE}parent-style-name", "")

    def _over(self, look: Look, properties: etree._Element) -> Look:
        line = properties.get(f"{STYLE}text-line-through-style") or properties.get(f"{STYLE}text-line-through-type")
        if line:
            look = look._replace(struck=line != "none")
        if display := properties.get(f"{TEXT}display"):
            look = look._replace(hidden=display == "none")
        if position := properties.get(f"{STYLE}text-position"):
            look = look._replace(height=_height(position.split()[0]))
        font = properties.get(f"{STYLE}font-name") or properties.get(f"{FO}font-family")
        if font:
            font = self._fonts.get(font) or font
            look = look._replace(font=font if is_symbol_font(font) else "")
        return look


def _height(position: str) -> Height:
    if position == "super":
        return Height.RAISED
    if position == "sub" or position.startswith("-"):
        return Height.LOWERED
    return Height.LINE if position.strip("0%") == "" else Height.RAISED


def _levels(style: etree._Element) -> Mapping[int, _Level]:
    found = {}
    for level in style.iterchildren(etree.Element):
        place = whole(level.get(f"{TEXT}level"), 0)
        is_bullet = etree.QName(level).localname in {"list-level-style-bullet", "list-level-style-image"}
        pattern = level.get(f"{_LIBRE}num-list-format")
        if pattern is None:
            first = max(place - whole(level.get(f"{TEXT}display-levels"), 1), place - _LEVELS, 0) + 1
            numbers = ".".join(f"%{number}%" for number in range(first, place + 1))
            pattern = level.get(f"{STYLE}num-prefix", "") + numbers + level.get(f"{STYLE}num-suffix", "")
        number_format = None if is_bullet else level.get(f"{STYLE}num-format", "")
        in_step = level.get(f"{STYLE}num-letter-sync") == "true"
        found[place] = _Level(number_format, whole(level.get(f"{TEXT}start-value"), 1), pattern[:_LONGEST], in_step)
    return found


def label(levels: Mapping[int, _Level], place: int, counters: Counters) -> str:
    """Count one paragraph of a list, and what stands before it; empty where nothing does."""
    level = levels.get(place)
    counters.count(place, level.start if level else 1)
    if level is None or level.number_format is None:
        return BULLET
    if not level.number_format:
        return ""

    def number(match: re.Match[str]) -> str:
        above = levels.get(int(match[1]))
        return _shown(counters.value(int(match[1]), above.start), above) if above is not None else ""

    # A level without a number leaves no stop behind.
    return re.sub(r"^\.+(?=\w)", "", _PLACE.sub(number, level.pattern).strip())


def _shown(value: int, level: _Level) -> str:
    match level.number_format:
        case "a" | "A":
            letter = repeated_letter(value) if level.in_step else column_letter(value)
            return letter.upper() if level.number_format == "A" else letter
        case "i":
            return shown(value, "lowerRoman")
        case "I":
            return shown(value, "upperRoman")
        case "" | None:
            return ""
        case other if other.startswith("①"):
            return shown(value, "decimalEnclosedCircle")
        case other if other.startswith("一"):
            return shown(value, "chineseCounting")
        case _:
            return str(value)
