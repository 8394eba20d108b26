"""What of a page is not its content: navigation, scripts, what is struck out, hidden parts that no reader can open."""

from __future__ import annotations

import re

from lxml import html

from connectors.formats.page.inline import NO_TEXT, is_struck
from connectors.formats.page.panels import is_hidden, open_panels

_DROPPED_ROLES = frozenset({"navigation", "banner", "search", "contentinfo", "menu", "menubar"})
_ANCHORS = frozenset({"#", "¶", "§", "🔗"})  # links that documentation puts beside headings
_STRUCK_RULE = re.compile(r"([^{}]{1,500})\{[^{}]*line-through[^{}]*\}")
_STRUCK_CLASS = re.compile(r"(?:^|,)\s*\w*\.([\w-]+)\s*(?=,|$)")
_LONGEST_STYLES = 200_000  # characters
_DRAWINGS = re.compile(r"\bkatex-html\b|\bMathJax\b|\bMathJax_Preview\b|\bmwe-math-fallback|\bmjx-math\b")
# A mark of deletion that is never closed strikes out the rest of the page, which nobody meant.
_MOST_STRUCK = 0.5
_LEAST_STRUCK = 200  # characters that may be struck out whatever their share


def prune(root: html.HtmlElement) -> None:
    """Remove what is not content; what tabs, accordions and the like show when they are used is content."""
    struck = _struck_classes(root)
    open_panels(root)
    _keep_what_is_never_closed(root)
    for element in list(root.iter()):
        if element.getparent() is not None and element.tag != "head" and _is_clutter(element, struck):
            element.drop_tree()


def _is_clutter(element: html.HtmlElement, struck: frozenset[str]) -> bool:
    tag = element.tag
    if not isinstance(tag, str):
        return True  # a comment or processing instruction
    if tag in {"input", "img", "math", "option"}:
        return element.get("hidden") is not None
    if tag in NO_TEXT or is_struck(element):
        return True
    if tag == "footer":
        return next(element.iterancestors("article", "section", "main"), None) is None
    if not element.keys():
        return False
    return (
        element.get("role") in _DROPPED_ROLES
        or (is_hidden(element) and next(element.iter("math"), None) is None)
        or (tag == "a" and element.text_content().strip() in _ANCHORS)
        or _is_clutter_by_class(element, struck)
    )


def _is_clutter_by_class(element: html.HtmlElement, struck: frozenset[str]) -> bool:
    classes = element.get("class")
    if not classes:
        return False
    is_drawing = _DRAWINGS.search(classes) is not None and _is_drawn_twice(element)
    return is_drawing or not struck.isdisjoint(classes.split())


def _keep_what_is_never_closed(root: html.HtmlElement) -> None:
    marks = [element for element in root.iter("del") if len(element)]
    if not marks:
        return
    most = max(_MOST_STRUCK * len(root.text_content()), _LEAST_STRUCK)
    for element in marks:
        if any(True for _ in element.iter("p", "div", "li", "table")) and len(element.text_content()) > most:
            element.tag = "div"


def _is_drawn_twice(element: html.HtmlElement) -> bool:
    """Whether the equation that an element draws stands beside it."""
    beside = (one for one in (element.getprevious(), element.getnext()) if one is not None)
    return any(next(one.iter("math"), None) is not None for one in beside) and next(element.iter("math"), None) is None


def _struck_classes(root: html.HtmlElement) -> frozenset[str]:
    """The classes that the page's own styles strike out."""
    styles = "\n".join(style.text or "" for style in root.iter("style"))[:_LONGEST_STYLES]
    if "line-through" not in styles:
        return frozenset()
    rules = (rule[1] for rule in _STRUCK_RULE.finditer(styles))
    return frozenset(name for rule in rules for name in _STRUCK_CLASS.findall(rule))
