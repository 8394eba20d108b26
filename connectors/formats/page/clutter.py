"""What of a page is not its content: navigation, scripts, what is struck out, hidden parts that no reader can open."""

from __future__ import annotations

import re

from lxml import etree, html

from connectors.formats.page.inline import NO_TEXT, is_struck
from connectors.formats.page.panels import is_hidden, open_panels

STRUCK_OUT = "struck-out text"
"""What a page is told to have left out."""
_DROPPED_ROLES = frozenset({"navigation", "banner", "search", "contentinfo", "menu", "menubar"})
_ANCHORS = frozenset({"#", "¶", "§", "🔗"})  # links that documentation puts beside headings
_STRUCK_RULE = re.compile(r"([^{}]{1,500})\{[^{}]*line-through[^{}]*\}")
_STRUCK_CLASS = re.compile(r"(?:^|,)\s*\w*\.([\w-]+)\s*(?=,|$)")
_STYLED = etree.XPath("//*[@style]")
_LONGEST_STYLES = 200_000  # characters
_DRAWINGS = re.compile(r"\bkatex-html\b|\bMathJax\b|\bMathJax_Preview\b|\bmwe-math-fallback|\bmjx-math\b")
# A mark of deletion that is never closed strikes out the rest of the page, which nobody meant.
_MOST_STRUCK = 0.5
_LEAST_STRUCK = 200  # characters that may be struck out whatever their share


def prune(root: html.HtmlElement) -> None:
    """Remove what is not content; what tabs, accordions and the like show when they are used is content."""
    for element in _struck_by_style(root):
        element.tag = "s"
    open_panels(root)
    for element in list(root.iter()):
        if element.getparent() is not None and element.tag != "head" and _is_clutter(element):
            element.drop_tree()


def remove_struck_out(root: html.HtmlElement) -> bool:
    """Remove what is struck out, for it does not hold any more; true where there was such text."""
    _keep_what_is_never_closed(root)
    found = False
    styled = (element for element in _STYLED(root) if is_struck(element))
    for element in dict.fromkeys([*root.iter("s", "strike", "del"), *styled]):
        found = found or bool(element.text_content().strip())
        if element.getparent() is not None:
            element.drop_tree()
    return found


def _is_clutter(element: html.HtmlElement) -> bool:
    tag = element.tag
    if not isinstance(tag, str):
        return True  # a comment or processing instruction
    if tag in {"input", "img", "math", "option"}:
        return element.get("hidden") is not None
    if tag in NO_TEXT:
        return True
    if tag == "footer":
        return next(element.iterancestors("article", "section", "main"), None) is None
    if not element.keys():
        return False
    return (
        element.get("role") in _DROPPED_ROLES
        or (is_hidden(element) and next(element.iter("math"), None) is None)
        or (tag == "a" and element.text_content().strip() in _ANCHORS)
        or (_DRAWINGS.search(element.get("class", "")) is not None and _is_drawn_twice(element))
    )


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


def _struck_by_style(root: html.HtmlElement) -> list[html.HtmlElement]:
    """The elements of a class that the page's own styles strike out."""
    styles = "\n".join(style.text or "" for style in root.iter("style"))[:_LONGEST_STYLES]
    if "line-through" not in styles:
        return []
    names = {name for rule in _STRUCK_RULE.finditer(styles) for name in _STRUCK_CLASS.findall(rule[1])}
    return [element for element in root.xpath("//*[@class]") if not names.isdisjoint(element.get("class", "").split())]
