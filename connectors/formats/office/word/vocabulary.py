"""The vocabulary of WordprocessingML: its namespace, and the ways to read a property."""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_OFF = frozenset({"0", "false", "off", "none"})


def child(element: etree._Element | None, *path: str) -> etree._Element | None:
    """The first child at a path of names."""
    for step in path:
        if element is None:
            return None
        element = element.find(f"{W}{step}")
    return element


def value(element: etree._Element | None, *path: str) -> str:
    """The value of the property at a path of names; empty where there is none."""
    found = child(element, *path)
    return str(found.get(f"{W}val", "")) if found is not None else ""


def switch(properties: etree._Element | None, name: str) -> bool | None:
    """Whether a property is on or off; None where nothing is said."""
    found = child(properties, name)
    return is_on(found) if found is not None else None


def is_on(element: etree._Element) -> bool:
    """Whether a property that is there is on."""
    return element.get(f"{W}val", "1") not in _OFF


def names(element: etree._Element | None) -> Mapping[str, etree._Element]:
    """The children of an element by their names, found in one pass; of several with a name, the first."""
    found: dict[str, etree._Element] = {}
    for one in element if element is not None else ():
        found.setdefault(str(one.tag).removeprefix(W), one)
    return found
