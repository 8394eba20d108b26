"""What stands within a line of a page: raised digits, ticked boxes, equations, readings, and nothing struck out."""

from __future__ import annotations

import re

from lxml import etree, html

from connectors.formats.page.mathml import linear
from connectors.formats.raised import lowered, note_mark, raised
from connectors.parsed import one_line


def tags(names: str) -> frozenset[str]:
    """The tags named in a line."""
    return frozenset(names.split())


NO_TEXT = tags(
    "script style noscript template svg iframe object embed nav button option input head dialog audio video canvas map"
    " datalist rp"
)
_PLAIN = tags("a b i u em strong span code small big font tt var kbd samp cite mark label ins time dfn q")
_STRUCK = frozenset({"s", "strike", "del"})
_BREAKS = re.compile(r"\s+")
_DEEPEST = 8  # raised text in raised text, and the like
_LONGEST_MARK = 6  # characters of a note's mark
_BEFORE = 8  # characters in front of raised text that decide how it is written
_FIELDS = frozenset({"text", "number", "date", "email", "tel", "url", "time", "month", "week", "datetime-local"})
_SWITCHES = re.compile(r"toggle|\btab|menu|\bnav|hamburger|drawer|search|sidebar", re.IGNORECASE)  # of a page's looks
_DECORATION = re.compile(r"\b(?:icons?|logo|avatar|banner|spacer|thumbnail)\b", re.IGNORECASE)
_PICTURE_FILE = re.compile(r"\.(?:png|jpe?g|gif|svg|webp)\b", re.IGNORECASE)
_DRAWN_TEX = re.compile(r"\\[A-Za-z]+|[A-Za-z0-9)}]\^|_\{")


class Inline:
    """Collects the text of elements that stand in a line.

    `squeeze` makes every run of white space one space, as a page shows it.
    """

    def __init__(self, *, squeeze: bool = True, depth: int = 0) -> None:
        self._parts: list[str] = []
        self._squeeze = squeeze
        self._depth = depth
        self.readings: list[str] = []  # of words that go on in the next element
        self.explained: set[str] = set()

    def take(self) -> str:
        """All that was collected; what comes then begins anew."""
        text = "".join(self._parts)
        self._parts = []
        return text

    def add(self, text: str | None) -> None:
        """Add text as it stands in the page."""
        if text:
            self._parts.append(_BREAKS.sub(" ", text) if self._squeeze else text)

    def line_break(self) -> None:
        """End a line."""
        self._parts.append("\n")

    def whole(self, element: html.HtmlElement) -> bool:
        """Write an element that is more than its text; false where it is no such element."""
        if write := _WRITERS.get(str(element.tag)):
            write(self, element)
            return True
        return element.tag in NO_TEXT or (element.get("style") is not None and self._styled(element))

    def _styled(self, element: html.HtmlElement) -> bool:
        if is_struck(element):
            return True
        style = element.get("style", "").replace(" ", "").lower()
        if "vertical-align:super" in style:
            _write_raised(self, element)
        elif "vertical-align:sub" in style:
            _write_lowered(self, element)
        else:
            return False
        return True

    def before(self) -> str:
        """The end of what was collected."""
        text = ""
        for part in reversed(self._parts[-_BEFORE:]):
            text = part + text
            if len(text) >= _BEFORE:
                break
        return text[-_BEFORE:]

    def text_of(self, element: html.HtmlElement) -> str:
        """The text below an element, on one line."""
        if self._depth >= _DEEPEST:
            return one_line(str(element.text_content()))
        return one_line(text_below(element, depth=self._depth + 1))


def is_struck(element: html.HtmlElement) -> bool:
    """Whether an element is struck out: it says what does not hold any more."""
    style = element.get("style")
    return element.tag in _STRUCK or (style is not None and "line-through" in style)


def text_below(element: html.HtmlElement, blocks: frozenset[str] = frozenset(), depth: int = 0) -> str:
    """The text below an element; line breaks and the elements in `blocks` begin new lines."""
    if (text := _simple_text(element)) is not None:
        return text
    inline = Inline(squeeze=False, depth=depth)
    walk = etree.iterwalk(element, events=("start", "end", "comment", "pi"))
    for event, node in walk:
        if event == "start":
            if node is not element and inline.whole(node):
                walk.skip_subtree()
                continue
            if node.tag == "br" or node.tag in blocks:
                inline.line_break()
            inline.add(node.text)
        elif node is not element:
            if node.tag in blocks and node.tag != "br":
                inline.line_break()
            inline.add(node.tail)
    return inline.take()


def _simple_text(element: html.HtmlElement) -> str | None:
    """The text of an element that holds nothing but text and plain elements with text, as most do."""
    text = element.text or ""
    for child in element:
        if len(child) or child.tag not in _PLAIN or child.get("style") is not None:
            return None
        text += f"{child.text or ''}{child.tail or ''}"
    return text


def _write_raised(inline: Inline, element: html.HtmlElement) -> None:
    text, before = inline.text_of(element), inline.before()
    following = element.getnext()
    if following is not None and following.tag == "sub" and (element.tail or "").strip() in {"/", "⁄"}:
        inline.add(f" {text}" if before[-1:].isdigit() else text)  # a fraction: 3 1/2
    elif _is_reference(element) and len(text) <= _LONGEST_MARK:
        inline.add(note_mark(text, before))
    else:
        inline.add(raised(text, before))


def _write_lowered(inline: Inline, element: html.HtmlElement) -> None:
    text, before = inline.text_of(element), inline.before()
    inline.add(text if before.endswith(("/", "⁄")) else lowered(text, before))


def _is_reference(element: html.HtmlElement) -> bool:
    """Whether raised text leads to a note."""
    links = [*element.iter("a"), *(parent for parent in [element.getparent()] if parent is not None)]
    return any(link.tag == "a" and (link.get("href") or link.get("role") == "doc-noteref") for link in links)


def _write_math(inline: Inline, element: html.HtmlElement) -> None:
    text = linear(element) or element.get("alttext", "")
    before = inline.before()
    inline.add(f" {text} " if before[-1:].isalnum() else f"{text} " if text[-1:].isalnum() else text)


def _write_ruby(inline: Inline, element: html.HtmlElement) -> None:
    """The words, then how they are read; words in several pieces stay together, or nobody finds them."""
    readings = [one_line(str(reading.text_content())) for reading in element.iter("rt")]
    for aside in list(element.iter("rt", "rp", "rtc")):
        if aside.getparent() is not None:
            aside.drop_tree()
    inline.add(inline.text_of(element))
    pending = inline.readings
    pending += readings
    following = element.getnext()
    if following is None or following.tag != "ruby" or (element.tail or "").strip():
        if reading := "".join(pending):
            inline.add(f"({reading})")
        pending.clear()


def _write_abbreviation(inline: Inline, element: html.HtmlElement) -> None:
    """An abbreviation, the first time with the words it stands for."""
    text, meaning = inline.text_of(element), one_line(element.get("title", ""))
    explained = inline.explained
    if len(meaning) > len(text) and text and meaning not in explained:
        explained.add(meaning)
        text = f"{text} ({meaning})"
    inline.add(text)


def _write_picture(inline: Inline, element: html.HtmlElement) -> None:
    """What an image is said to show, where that is more than a word; an equation without its source."""
    text = one_line(element.get("alt", ""))
    drawn = _DRAWN_TEX.search(text) is not None
    if drawn and _follows_math(element):
        return
    if drawn:
        inline.add(f" {text} ")
    elif len(text.split()) > 1 and _DECORATION.search(text) is None and not _is_button(element):
        inline.add(f" (image: {text}) ")


def _is_button(picture: html.HtmlElement) -> bool:
    """Whether a picture is there to be clicked: it leads to another page, not to the same picture in full size."""
    parent = picture.getparent()
    return parent is not None and parent.tag == "a" and _PICTURE_FILE.search(parent.get("href", "")) is None


def _follows_math(element: html.HtmlElement) -> bool:
    before = element.getprevious()
    return before is not None and next(before.iter("math", "{*}math"), None) is not None


def _write_choice(inline: Inline, element: html.HtmlElement) -> None:
    chosen = [inline.text_of(option) for option in element.iter("option") if option.get("selected") is not None]
    inline.add(", ".join(filter(None, chosen)))


def _write_field(inline: Inline, element: html.HtmlElement) -> None:
    """A box of a form as it is filled in."""
    kind = element.get("type", "text").lower()
    if kind in {"checkbox", "radio"}:
        parent = element.getparent()
        said = " ".join(element.get(name, "") for name in ("class", "id", "name"))
        said += " " + (parent.get("class", "") if parent is not None else "")
        if _SWITCHES.search(said) or parent is None or parent.tag in {"body", "html"}:
            return
        inline.add("[x] " if element.get("checked") is not None else "[ ] ")
        return
    value = one_line(element.get("value", ""))
    if kind in _FIELDS and value:
        inline.add(f" {value} ")


def _write_nothing(inline: Inline, element: html.HtmlElement) -> None:
    """What is struck out does not hold any more."""


_WRITERS = {
    **dict.fromkeys(_STRUCK, _write_nothing),
    "input": _write_field,
    "sup": _write_raised,
    "sub": _write_lowered,
    **dict.fromkeys(("math", "m:math", "mml:math"), _write_math),
    "ruby": _write_ruby,
    "abbr": _write_abbreviation,
    "acronym": _write_abbreviation,
    "img": _write_picture,
    "select": _write_choice,
}
