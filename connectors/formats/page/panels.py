"""Hidden parts of a page that its tabs, accordions and buttons show."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice

from lxml import etree, html

from connectors.formats.page.inline import tags
from connectors.parsed import one_line

_HEADINGS = tags("h1 h2 h3 h4 h5 h6 summary dt")
_NEVER_OPENED = frozenset({"dialog", "alertdialog", "menu", "menubar", "navigation", "tooltip", "search", "listbox"})
_POPUPS = re.compile(
    r"modal|dialog|popup|cookie|consent|dropdown|tooltip|lightbox|offcanvas|overlay|\bmenu", re.IGNORECASE
)
_PANELS = re.compile(r"\btab-?(?:pane|panel|content)|\baccordion|\bcollaps(?:e|ible)|\bexpand", re.IGNORECASE)
_TABS = re.compile(r"\bnav-tabs\b|\btab-?(?:list|bar|nav|buttons|links?)\b|\btabs?\b", re.IGNORECASE)
_QUOTED = re.compile(r"[\"']#?([\w:.-]{1,100})[\"']")
_LOOKED_AT = 100  # elements, and pieces of text
_FEW = 3  # elements in a heading that is a button
_LONGEST_NAME = 100  # characters of a tab
# Found by the library in one go: most pages have few of these elements, or none.
_STYLED = etree.XPath("//*[@hidden or @style or @role='tabpanel']")
_CLASSED = etree.XPath("//*[@class]")
_WITH_IDENTITY = etree.XPath("//*[@id]")
_MAY_OPEN = etree.XPath(
    "//*[@aria-controls or @data-bs-target or @data-target or @data-tab or @data-toggle-target or @onclick]"
    " | //a[starts-with(@href, '#')]"
)


def is_hidden(element: html.HtmlElement) -> bool:
    """Whether an element is hidden by an attribute of its own."""
    if element.get("hidden") is not None:
        return True
    style = element.get("style")
    return style is not None and "display:none" in style.replace(" ", "").lower()


def open_panels(root: html.HtmlElement) -> None:
    """Show the hidden parts that a reader can open, each below the name of its tab."""
    panels, buttons = _panels(root), list(root.iter("button"))
    if not panels and not any(map(_is_toggle, buttons)):
        _keep_headings(buttons, {})
        return
    identified = {element.get("id", ""): element for element in reversed(_WITH_IDENTITY(root))}
    openers: dict[str, html.HtmlElement] = {}
    for element in _MAY_OPEN(root):
        for target in _opened_by(element):
            openers.setdefault(target, element)
    labels = []
    for panel in panels:
        tab = openers.get(panel.get("id", ""))
        if tab is None:
            tab = identified.get(panel.get("aria-labelledby", "").split(" ")[0])
        if _open(panel, tab) and tab is not None:
            labels.append((panel, tab))
    used = dict.fromkeys(tab for panel, tab in labels if _label(panel, tab))
    for tab in used:
        if tab.getparent() is not None:
            tab.drop_tree()
    _keep_headings(buttons, identified)


def _panels(root: html.HtmlElement) -> list[html.HtmlElement]:
    """What is hidden, and what may be a panel by its role or class, each once."""
    found = [element for element in _STYLED(root) if is_hidden(element) or element.get("role") == "tabpanel"]
    found += [element for element in _CLASSED(root) if _PANELS.search(element.get("class", "")) is not None]
    return list(dict.fromkeys(found))


def _keep_headings(buttons: Iterable[html.HtmlElement], identified: dict[str, html.HtmlElement]) -> None:
    for button in buttons:
        if _opens_what_follows(button, identified):
            button.tag = "div"


def _open(panel: html.HtmlElement, tab: html.HtmlElement | None) -> bool:
    """Show a part if a reader can open it; true where it takes the name of its tab."""
    is_panel = panel.get("role") == "tabpanel" or _PANELS.search(panel.get("class", "")) is not None
    was_hidden = is_hidden(panel)
    if was_hidden and (tab is not None or is_panel or panel.get("hidden") == "until-found") and not _is_popup(panel):
        _show(panel)
    elif not is_panel:
        return False
    return tab is not None and (_is_tab(tab) or (was_hidden and _is_lone_button(tab)))


def _opened_by(element: html.HtmlElement) -> Iterable[str]:
    """The identities of what an element shows when it is used."""
    yield from element.get("aria-controls", "").split()
    for name in ("data-bs-target", "data-target", "data-tab", "data-toggle-target"):
        if value := element.get(name):
            yield value.removeprefix("#")
    if element.tag == "a" and (href := element.get("href", "")).startswith("#"):
        yield href[1:]
    if script := element.get("onclick"):
        yield from _QUOTED.findall(script[:1000])


def _is_popup(element: html.HtmlElement) -> bool:
    if element.get("role") in _NEVER_OPENED or element.get("aria-modal") is not None:
        return True
    return _POPUPS.search(f"{element.get('class', '')} {element.get('id', '')}") is not None


def _show(element: html.HtmlElement) -> None:
    element.attrib.pop("hidden", None)
    if "style" in element.attrib:
        del element.attrib["style"]


def _is_tab(element: html.HtmlElement) -> bool:
    if element.get("role") == "tab" or element.get("data-toggle", element.get("data-bs-toggle")) in {"tab", "pill"}:
        return True
    around = (element, *list(element.iterancestors())[:3])
    return element.tag in {"a", "button", "li"} and any(_TABS.search(one.get("class", "")) for one in around)


def _label(panel: html.HtmlElement, tab: html.HtmlElement) -> bool:
    """Put the name of its tab in front of a panel, unless it begins with it; false where the tab is no mere name."""
    name = one_line("".join(map(str, tab.itertext())))
    if len(name) > _LONGEST_NAME or tab in panel.iterancestors():
        return False
    if not name or one_line("".join(islice(map(str, panel.itertext()), _LOOKED_AT))).startswith(name):
        return True
    label = html.Element("p")
    label.text = name
    label.tail, panel.text = panel.text, None
    panel.insert(0, label)
    return True


def _is_lone_button(opener: html.HtmlElement) -> bool:
    parent = opener.getparent()
    return opener.tag == "button" and parent is not None and parent.tag not in _HEADINGS


def _opens_what_follows(button: html.HtmlElement, identified: dict[str, html.HtmlElement]) -> bool:
    """Whether a button is the heading of a part that it opens: then it is text."""
    parent = button.getparent()
    if parent is not None and parent.tag in _HEADINGS:
        is_all = len(parent) <= _FEW and one_line(str(parent.text_content())) == one_line(str(button.text_content()))
        return is_all or _is_toggle(button)
    if _PANELS.search(button.get("class", "")) is not None:
        return not _POPUPS.search(button.get("class", ""))
    targets = [identified[target] for target in islice(_opened_by(button), _LOOKED_AT) if target in identified]
    return _is_toggle(button) and any(_is_read(target) for target in targets)


def _is_toggle(button: html.HtmlElement) -> bool:
    return button.get("aria-expanded") is not None or button.get("data-bs-toggle") == "collapse"


def _is_read(target: html.HtmlElement) -> bool:
    """Whether what a button opens is text and no list of links."""
    if target.tag == "nav" or _is_popup(target) or next(target.iterancestors("nav"), None) is not None:
        return False
    letters = linked = 0
    for element in islice(target.iter("*"), _LOOKED_AT):
        letters += len(element.text or "") + len(element.tail or "")
        linked += len(element.text or "") if element.tag == "a" else 0
    return linked < letters / 2
