"""Paragraphs of DrawingML: the text of slides, charts and diagrams, in any variant of its namespace."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from lxml import etree

from connectors.formats.office.equations import linear
from connectors.formats.office.numbering import shown
from connectors.formats.office.pieces import SEAM, Height, joined, set_apart
from connectors.formats.office.symbols import is_symbol_font, translated

_STRUCK = frozenset({"sngStrike", "dblStrike"})
_FORMATS = {"alphaLc": "lowerLetter", "alphaUc": "upperLetter", "romanLc": "lowerRoman", "romanUc": "upperRoman"}
_FORMATS |= {"circleNum": "decimalEnclosedCircle", "ea1": "chineseCounting"}

Piece = tuple[str, Height]
LeaveOut = Callable[[str], None]


def _nowhere(_: str) -> None:
    """Tell nobody."""


def paragraph_text(paragraph: etree._Element, leave_out: LeaveOut = _nowhere) -> str:
    """The text of a paragraph: of its runs, fields, equations and line breaks. `leave_out` is told what it lacks."""
    return joined(_pieces(paragraph, leave_out))


def paragraph_texts(paragraphs: Iterable[etree._Element], leave_out: LeaveOut = _nowhere) -> Iterator[str]:
    """The texts of the paragraphs of a shape, with the numbers that the program counts before them."""
    counts: dict[int, tuple[str, int]] = {}  # level → the kind of its numbers, and the last of them
    for paragraph in paragraphs:
        text = paragraph_text(paragraph, leave_out)
        properties = paragraph.find("{*}pPr")
        level = _whole(properties.get("lvl") if properties is not None else None, 0)
        if text.strip():
            counts = {place: count for place, count in counts.items() if place <= level}
        numbers = properties.find("{*}buAutoNum") if properties is not None else None
        if numbers is None or not text.strip():
            counts.pop(level, None)
            yield text
            continue
        kind, start = numbers.get("type", ""), _whole(numbers.get("startAt"), 1)
        last_kind, last = counts.get(level, ("", 0))
        counts[level] = (kind, last + 1 if last_kind == kind else start)
        yield f"{_number(counts[level][1], kind)} {text}"


def _number(value: int, kind: str) -> str:
    number = next((shown(value, known) for name, known in _FORMATS.items() if kind.startswith(name)), str(value))
    if kind.endswith("ParenBoth"):
        return f"({number})"
    return number + {"Period": ".", "ParenR": ")", "Minus": "-"}.get(re.sub(r".*(?=Period|ParenR|Minus)", "", kind), "")


def _whole(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 7 else default  # noqa: PLR2004


def _pieces(element: etree._Element, leave_out: LeaveOut) -> Iterator[Piece]:
    for node in element.iterchildren(etree.Element):
        match etree.QName(node).localname:
            case "r" | "fld":
                yield _run(node, leave_out)
            case "br":
                yield "\n", Height.LINE
            case "oMath" | "oMathPara":
                yield set_apart(linear(node))
            case "AlternateContent":
                found = [piece for choice in node.iterfind("{*}Choice") for piece in _pieces(choice, leave_out)]
                if not found:
                    found = [piece for older in node.iterfind("{*}Fallback") for piece in _pieces(older, leave_out)]
                yield from found
            case "pPr" | "endParaRPr":
                pass
            case _:
                yield from _pieces(node, leave_out)


def _run(run: etree._Element, leave_out: LeaveOut) -> Piece:
    text = "".join(part.text or "" for part in run.iterfind("{*}t"))
    properties = run.find("{*}rPr")
    if properties is None:
        return text, Height.LINE
    if properties.get("strike") in _STRUCK:
        if text.strip():
            leave_out("struck-out text")
        return SEAM, Height.LINE
    for font in properties.iterfind("{*}sym"):
        text = _in_font(text, font.get("typeface", ""), private=True)
    for font in properties.iterfind("{*}latin"):
        text = _in_font(text, font.get("typeface", ""), private=False)
    raised = properties.get("baseline", "0")
    if raised.strip("0%.") in {"", "-"}:
        return text, Height.LINE
    return text, Height.LOWERED if raised.startswith("-") else Height.RAISED


def _in_font(text: str, font: str, *, private: bool) -> str:
    """Text in a font of pictures; the one for symbols sets only characters of the private area."""
    if not is_symbol_font(font):
        return text
    if not private:
        return translated(text, font)
    return "".join(translated(one, font) if "\uf000" <= one <= "\uf0ff" else one for one in text)
