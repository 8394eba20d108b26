"""The styles of a Word document: heading levels, lists, numbers, and looks that change what a text means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeVar

from lxml import etree

from connectors.formats.office.pieces import Height
from connectors.formats.office.symbols import is_symbol_font
from connectors.formats.office.word.vocabulary import W, child, is_on, value

_TITLE_LEVEL = 1
MOST_OUTLINE = 9
_LISTS = ("list bullet", "list number")  # "List Paragraph" is only indented
_T = TypeVar("_T")
_VALUE = f"{W}val"
_PROPERTIES = {f"{W}{name}": name for name in ("strike", "vanish", "vertAlign", "rStyle", "rFonts")}
_PROPERTIES[f"{W}dstrike"] = "strike"
_HEIGHTS = {"superscript": Height.RAISED, "subscript": Height.LOWERED, "baseline": Height.LINE}


class Look(NamedTuple):
    """How a run is set, as far as it changes what the text means; None where nothing is said."""

    struck: bool | None = None
    hidden: bool | None = None
    height: Height | None = None

    def over(self, below: Look) -> Look:
        """The look with what it leaves open as below."""
        return Look(
            self.struck if self.struck is not None else below.struck,
            self.hidden if self.hidden is not None else below.hidden,
            self.height or below.height,
        )


PLAIN = Look()


class RunProperties(NamedTuple):
    """What a run sets itself, the style it names, and its font where that is one of pictures."""

    look: Look = PLAIN
    style: str = ""
    font: str = ""


def run_properties(properties: etree._Element | None) -> RunProperties:
    """What the properties of a run (`w:rPr`) set, found in one pass: there are more runs than anything else."""
    struck: bool | None = None
    hidden: bool | None = None
    height: Height | None = None
    style = font = ""
    for one in properties if properties is not None else ():
        kind = _PROPERTIES.get(str(one.tag), "")
        if kind == "strike":
            struck = is_on(one) or bool(struck)
        elif kind == "vanish":
            hidden = is_on(one)
        elif kind == "vertAlign":
            height = _HEIGHTS.get(str(one.get(_VALUE)))
        elif kind == "rStyle":
            style = str(one.get(_VALUE, ""))
        elif kind == "rFonts":
            font = str(one.get(f"{W}ascii") or one.get(f"{W}hAnsi") or "")
            font = font if is_symbol_font(font) else ""
    nothing = struck is None and hidden is None and height is None
    return RunProperties(PLAIN if nothing else Look(struck, hidden, height), style, font)


class Styles:
    """What the styles of a document set, each with what it inherits, by the identity of the style."""

    def __init__(self, root: etree._Element | None) -> None:
        self.levels: dict[str, int] = {}
        self.titles: set[str] = set()
        self.lists: set[str] = set()
        self.lists_by_style: dict[str, str] = {}  # a numbering style → the number definition that it names
        self._parents: dict[str, str] = {}
        looks: dict[str, Look] = {}
        numbers: dict[str, str] = {}
        levels: dict[str, str] = {}
        for style in root.iter(f"{W}style") if root is not None else ():
            identity, properties = style.get(f"{W}styleId", ""), child(style, "pPr")
            self._parents[identity] = value(style, "basedOn")
            self._add_role(identity, style)
            if (look := run_properties(child(style, "rPr")).look) != PLAIN:
                looks[identity] = look
            if number := value(properties, "numPr", "numId"):
                numbers[identity] = number
            if level := value(properties, "numPr", "ilvl"):
                levels[identity] = level
        self._inherit(self.levels, 0)
        self.looks = self._inherit(looks, PLAIN)
        self.numbers = self._inherit(numbers, "")
        self.number_levels = self._inherit(levels, "")

    def look(self, style: str) -> Look:
        """How text in a style is set."""
        return self.looks.get(style, PLAIN)

    def _add_role(self, identity: str, style: etree._Element) -> None:
        name, outline = value(style, "name").lower(), value(style, "pPr", "outlineLvl")
        if name == "title":
            self.titles.add(identity)
            self.levels[identity] = _TITLE_LEVEL
        elif name.startswith("heading ") and name[8:].isdigit():
            self.levels[identity] = int(name[8:])
        elif outline.isdigit() and int(outline) < MOST_OUTLINE:
            self.levels[identity] = int(outline) + 1
        elif name.startswith(_LISTS):
            self.lists.add(identity)
        if style.get(f"{W}type") == "numbering":
            self.lists_by_style[identity] = value(style, "pPr", "numPr", "numId")

    def _inherit(self, own: dict[str, _T], nothing: _T) -> Mapping[str, _T]:
        """Give every style that sets nothing what its nearest ancestor sets."""
        for identity in self._parents:
            line: dict[str, None] = {}  # of styles that set nothing, each the parent of the one before
            ancestor = identity
            while ancestor and ancestor not in own and ancestor not in line:
                line[ancestor] = None
                ancestor = self._parents.get(ancestor, "")
            own.update(dict.fromkeys(line, own.get(ancestor, nothing)))
        return own
