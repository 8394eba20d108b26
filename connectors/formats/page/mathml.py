"""MathML as text on one line: `x = (-b ± √(b^2 - 4ac))/(2a)`."""

from __future__ import annotations

import re
from collections.abc import Callable

from lxml import etree

_DEEPEST = 40  # levels of an equation; deeper ones are written as they stand
_SPACED = frozenset("=≠≈≡≤≥<>+-±∓×·∈∉⊂⊆∪∩→←↔⇒⇔∧∨∝∼≪≫≔")
_TYPED = dict.fromkeys(map(ord, "\u2061\u2062\u2063\u2064"), "")  # function application, times, separator, plus
_TYPED[ord("−")] = "-"
_BLANKS = re.compile(r"\s+")
_SIMPLE = re.compile(r"-?\d+(?:[.,]\d+)*|-?\w['′]*|-?∞|√\([^()]*\)|\|[^|]*\||\([^()]*\)")
_PRODUCT = re.compile(r"\w+")
_SIGNS = frozenset("+-±∓")  # of what follows, when nothing is in front
_APPLIED = "\u2061"  # a function, to what follows
_OPENING = frozenset("([{|⟨")
_CLOSING = frozenset(")]}|⟩!′%")
_LARGE = frozenset("∑∏∫∮⋃⋂")
_NO_TEXT = frozenset({"annotation", "annotation-xml", "mphantom", "none", "mprescripts", "maligngroup", "malignmark"})


def linear(math: etree._Element) -> str:
    """An equation as people type it on one line.

    >>> linear(etree.fromstring("<math><mi>E</mi><mo>=</mo><mi>m</mi><msup><mi>c</mi><mn>2</mn></msup></math>"))
    'E = mc^2'
    """
    return _BLANKS.sub(" ", _row(math, 0)).strip()


def _name(element: etree._Element) -> str:
    tag = element.tag
    return tag.rpartition("}")[2].rpartition(":")[2].lower() if isinstance(tag, str) else ""


def _row(element: etree._Element, depth: int) -> str:
    """The children of an element one after the other."""
    parts = [(element.text or "").strip()]
    for child in element.iterchildren(etree.Element):
        part = _written(child, depth + 1)
        if _must_be_apart(parts[-1], part, is_text=_name(child) == "mtext"):
            parts.append(" ")
        parts.append(part)
    return "".join(parts)


def _must_be_apart(left: str, right: str, *, is_text: bool) -> bool:
    """Whether two parts of a row would become another name or number, as `4ac` would not and `sin x` would."""
    if not left or not right or not left[-1].isalnum() or not right[0].isalnum():
        return False
    is_factor = len(left) == 1 or left.replace(".", "").isdigit()
    return is_text or not (is_factor and right[0].isalpha() and not right[1:2].isalpha())


def _written(element: etree._Element, depth: int) -> str:
    if depth > _DEEPEST:
        return _BLANKS.sub(" ", "".join(map(str, element.itertext())))
    name = _name(element)
    if name in _NO_TEXT:
        return ""
    if name in {"mi", "mn", "mtext", "ms"}:
        return _BLANKS.sub(" ", "".join(map(str, element.itertext())).translate(_TYPED)).strip()
    if write := _STRUCTURES.get(name):
        parts = [_written(child, depth + 1).strip() for child in element.iterchildren(etree.Element)]
        return write(element, parts)
    if name == "mo":
        return _operator(element)
    return f"√({_row(element, depth).strip()})" if name == "msqrt" else _row(element, depth)


def _operator(element: etree._Element) -> str:
    written = "".join(map(str, element.itertext())).strip()
    before, behind = element.getprevious(), element.getnext()
    if written == _APPLIED:
        return "" if behind is None or "".join(map(str, behind.itertext())).strip()[:1] in _OPENING else " "
    sign = written.translate(_TYPED)
    if sign not in _SPACED:
        return f"{sign} " if sign in {",", ";"} else sign
    has_left = before is not None and (_name(before) != "mo" or (before.text or "").strip() in _CLOSING)
    return f" {sign} " if has_left or sign not in _SIGNS else sign


def _group(text: str) -> str:
    return text if not text or _SIMPLE.fullmatch(text) else f"({text})"


def _numerator(text: str) -> str:
    return text if _PRODUCT.fullmatch(text) else _group(text)


def _part(parts: list[str], number: int) -> str:
    return parts[number] if number < len(parts) else ""


def _with(base: str, low: str, high: str) -> str:
    """A base with what stands below and above it, on either side of it or over and under it."""
    low, high = (f"_{_group(low)}" if low else ""), (f"^{_group(high)}" if high else "")
    base = base if base in _LARGE or base.isalpha() else _group(base)
    return f"{base}{low}{high}" + (" " if base in _LARGE else "")


def _over(base: str, mark: str) -> str:
    """A base with a mark over it: an arrow or a bar is left as it is drawn, anything else is its upper end."""
    return f"{base}{mark}" if mark and not any(map(str.isalnum, mark)) and mark != "∞" else _with(base, "", mark)


def _fenced(element: etree._Element, parts: list[str]) -> str:
    separators = element.get("separators", ",").strip()[:1]
    return element.get("open", "(") + f"{separators} ".join(parts) + element.get("close", ")")


def _table(parts: list[str]) -> str:
    return "[" + "; ".join(parts) + "]"


_STRUCTURES: dict[str, Callable[[etree._Element, list[str]], str]] = {
    "mfrac": lambda _, parts: f"{_numerator(_part(parts, 0))}/{_group(_part(parts, 1))}",
    "msup": lambda _, parts: _with(_part(parts, 0), "", _part(parts, 1)),
    "msub": lambda _, parts: _with(_part(parts, 0), _part(parts, 1), ""),
    "msubsup": lambda _, parts: _with(_part(parts, 0), _part(parts, 1), _part(parts, 2)),
    "munderover": lambda _, parts: _with(_part(parts, 0), _part(parts, 1), _part(parts, 2)),
    "munder": lambda _, parts: _with(_part(parts, 0), _part(parts, 1), ""),
    "mover": lambda _, parts: _over(_part(parts, 0), _part(parts, 1)),
    "mmultiscripts": lambda _, parts: _with(_part(parts, 0), _part(parts, 1), _part(parts, 2)),
    "semantics": lambda _, parts: _part(parts, 0),
    "mspace": lambda *_: " ",
    "mroot": lambda _, parts: f"root{_group(_part(parts, 1))}({_part(parts, 0)})",
    "mfenced": _fenced,
    "mtable": lambda _, parts: _table(parts),
    "mtr": lambda _, parts: ", ".join(parts),
    "mlabeledtr": lambda _, parts: ", ".join(parts[1:]),
}
