"""Equations in one line, as people type them: `P=ρgQH/η`, `x_1^2`, `√(a+b)`. From OMML (Office) and MathML."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from lxml import etree

# What stays whole beside an operator: one symbol, one number, one word, or what has its brackets already.
_BRACKETS = re.compile(r"√?[(\[{⟨|‖][^()\[\]{}⟨⟩|‖]*[)\]}⟩|‖]")
_WHOLE = re.compile(rf"(?:\w|[.,](?=\d)|[′'%°∞\u0300-\u036f])*|.|{_BRACKETS.pattern}")
_DIVISOR = re.compile(r"\w?(?:[_^]\w+)?|\d+(?:[.,]\d+)?")  # `1/2a` would be read as half of a
_PRODUCT = re.compile(r"[^+\-−±=<>≤≥≠,;/ ]*")  # binds tighter than a fraction's stroke above it
_ROOTS = {"2": "√", "3": "∛", "4": "∜"}
_COMBINING = {"¯": "\u0305", "‾": "\u0305", "_": "\u0332", "^": "\u0302", "ˆ": "\u0302", "~": "\u0303", "˜": "\u0303"}
_COMBINING |= {"˙": "\u0307", ".": "\u0307", "¨": "\u0308", "..": "\u0308", "→": "\u20d7", "⃗": "\u20d7"}
_APPLY = "\u2061\u2062\u2063\u2064"  # invisible operators of MathML


def linear(element: etree._Element) -> str:
    """An equation (`m:oMath`, `m:oMathPara` or `math`), in one line."""
    return " ".join(_linear(element).split())


def _linear(element: etree._Element) -> str:
    if not isinstance(element.tag, str):
        return ""
    name = etree.QName(element).localname
    write = _WRITERS.get(name)
    return write(element) if write is not None else _row(element)


def _row(element: etree._Element) -> str:
    return "".join(map(_linear, element.iterchildren(etree.Element)))


def _leaf(element: etree._Element) -> str:
    return "".join(element.itertext()).translate(dict.fromkeys(map(ord, _APPLY), ""))


def _part(element: etree._Element, name: str) -> str:
    found = element.find(f"{{*}}{name}")
    return _row(found).strip() if found is not None else ""


def _property(element: etree._Element, path: str) -> str | None:
    """A property of an Office equation: None where it is not set, empty where it is set to nothing."""
    found = element.find("/".join(f"{{*}}{step}" for step in path.split("/")))
    if found is None:
        return None
    return next((str(value) for key, value in found.items() if etree.QName(key).localname == "val"), "")


def _bracketed(text: str) -> str:
    return text if _WHOLE.fullmatch(text) else f"({text})"


def _bracketed_always(text: str) -> str:
    return text if _BRACKETS.fullmatch(text) else f"({text})"


def fraction(above: str, below: str) -> str:
    """One over the other."""
    above = above if _PRODUCT.fullmatch(above) else _bracketed(above)
    return f"{above}/{below if _DIVISOR.fullmatch(below) else _bracketed_always(below)}"


def scripts(base: str, below: str, above: str) -> str:
    """A base with what stands at its foot and at its head."""
    found = _bracketed(base)
    if below:
        found += f"_{_bracketed(below)}"
    if above:
        found += above if above in {"′", "″", "'"} else f"^{_bracketed(above)}"
    return found


def root(inside: str, degree: str) -> str:
    """A root of a degree; without one, the square root."""
    sign = _ROOTS.get(degree or "2")
    return f"{sign}({inside})" if sign else f"({inside})^(1/{degree})"


def _accented(base: str, mark: str) -> str:
    sign = _COMBINING.get(mark, mark)
    if len(base) == 1 and len(sign) == 1 and sign > "\u0300":
        return base + sign
    return f"{_bracketed(base)}{'' if sign > chr(0x2FF) else ' '}{sign}"


def _table(rows: Iterable[Iterable[str]]) -> str:
    return "; ".join(" ".join(cell.strip() for cell in row) for row in rows)


# --- Office (OMML) ---


def _omml_delimited(element: etree._Element) -> str:
    begin, end = _property(element, "dPr/begChr"), _property(element, "dPr/endChr")
    between = _property(element, "dPr/sepChr")
    inside = ("|" if between is None else between).join(_row(e).strip() for e in element.iterfind("{*}e"))
    return f"{'(' if begin is None else begin}{inside}{')' if end is None else end}"


def _omml_large(element: etree._Element) -> str:
    sign = _property(element, "naryPr/chr")
    head = scripts("∫" if sign is None else sign, _part(element, "sub"), _part(element, "sup"))
    return f"{head} {_part(element, 'e')}"


def _omml_function(element: etree._Element) -> str:
    name, inside = _part(element, "fName"), _part(element, "e")
    return f"{name}{'' if inside.startswith(('(', '[', '{')) else ' '}{inside}"


def _omml_fraction(element: etree._Element) -> str:
    above, below = _part(element, "num"), _part(element, "den")
    if _property(element, "fPr/type") == "noBar":
        return f"({above} {below})"
    return fraction(above, below)


def _omml_script(element: etree._Element) -> str:
    return scripts(_part(element, "e"), _part(element, "sub"), _part(element, "sup"))


def _omml_before(element: etree._Element) -> str:
    return scripts("", _part(element, "sub"), _part(element, "sup")) + _part(element, "e")


def _omml_limit(element: etree._Element) -> str:
    below = etree.QName(element).localname == "limLow"
    limit = _part(element, "lim")
    return scripts(_part(element, "e"), limit if below else "", "" if below else limit)


def _omml_accent(element: etree._Element) -> str:
    name = etree.QName(element).localname
    default = {"acc": "\u0302", "bar": "\u0305", "groupChr": "⏟"}[name]
    mark = _property(element, f"{name}Pr/chr")
    return _accented(_part(element, "e"), default if mark is None else mark)


def _omml_rows(element: etree._Element) -> str:
    if etree.QName(element).localname == "eqArr":
        return _table([_row(e).replace("&", "")] for e in element.iterfind("{*}e"))
    return f"[{_table((_row(e) for e in row.iterfind('{*}e')) for row in element.iterfind('{*}mr'))}]"


def _omml_run(element: etree._Element) -> str:
    return "".join(text.text or "" for text in element.iterfind("{*}t"))


def _omml_paragraph(element: etree._Element) -> str:
    return "; ".join(filter(None, map(_row, element.iterfind("{*}oMath"))))


# --- MathML ---


def _children(element: etree._Element) -> list[str]:
    return [_linear(child).strip() for child in element.iterchildren(etree.Element)]


def _place(children: list[str], place: int) -> str:
    return children[place] if place < len(children) else ""


def _mathml(write: Callable[[str, str, str], str]) -> Callable[[etree._Element], str]:
    """A writer of an element by its first three children, empty where it has fewer."""

    def write_element(element: etree._Element) -> str:
        children = _children(element)
        return write(_place(children, 0), _place(children, 1), _place(children, 2))

    return write_element


def _operator(element: etree._Element) -> str:
    sign = _leaf(element).strip()
    return f" {sign} " if sign in {"=", "≠", "<", ">", "≤", "≥", "≈", "∈", "→", "⇒", "⇔"} else sign


def _mathml_over(base: str, above: str) -> str:
    if above in _COMBINING or (len(above) == 1 and "\u0300" <= above <= "\u036f"):
        return _accented(base, above)
    return scripts(base, "", above)


def _mathml_table(element: etree._Element) -> str:
    rows = ((_row(cell) for cell in row.iterchildren(etree.Element)) for row in element.iterchildren(etree.Element))
    return _table(rows)


def _mathml_fenced(element: etree._Element) -> str:
    begin, end = element.get("open", "("), element.get("close", ")")
    between = (element.get("separators", ",").strip() or " ")[0]
    return begin + between.join(_children(element)) + end


def _first(element: etree._Element) -> str:
    return next(map(_linear, element.iterchildren(etree.Element)), "")


def _nothing(_: etree._Element) -> str:
    return ""


_WRITERS: Mapping[str, Callable[[etree._Element], str]] = {
    # OMML; what is not named here is a row of its children
    "r": _omml_run,
    "t": _leaf,
    "f": _omml_fraction,
    "d": _omml_delimited,
    "nary": _omml_large,
    "func": _omml_function,
    "m": _omml_rows,
    "eqArr": _omml_rows,
    "oMathPara": _omml_paragraph,
    **dict.fromkeys(("sSup", "sSub", "sSubSup"), _omml_script),
    **dict.fromkeys(("limLow", "limUpp"), _omml_limit),
    **dict.fromkeys(("acc", "bar", "groupChr"), _omml_accent),
    "rad": lambda element: root(_part(element, "e"), _part(element, "deg")),
    "sPre": _omml_before,
    **dict.fromkeys(
        ("phant", "ctrlPr", "del", "moveFrom", "rPr", "mphantom", "annotation", "annotation-xml"), _nothing
    ),
    # MathML
    **dict.fromkeys(("mi", "mn", "mtext", "ms"), _leaf),
    "mo": _operator,
    "mspace": lambda _: " ",
    "semantics": _first,
    "mfenced": _mathml_fenced,
    "mtable": _mathml_table,
    "mfrac": _mathml(lambda above, below, _: fraction(above, below)),
    "msup": _mathml(lambda base, above, _: scripts(base, "", above)),
    "msub": _mathml(lambda base, below, _: scripts(base, below, "")),
    "msubsup": _mathml(scripts),
    "munderover": _mathml(lambda base, below, above: f"{scripts(base, below, above)} "),
    "munder": _mathml(lambda base, below, _: scripts(base, below, "")),
    "mover": _mathml(lambda base, above, _: _mathml_over(base, above)),
    "mroot": _mathml(lambda inside, degree, _: root(inside, degree)),
    "msqrt": lambda element: root(_row(element).strip(), ""),
}
