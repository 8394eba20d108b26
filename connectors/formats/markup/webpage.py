"""HTML: the main content as headings, paragraphs, lists, tables and code, without the navigation around it."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from html import unescape

from lxml import etree, html

from connectors.formats.limits import text_for
from connectors.formats.titles import claimed_title
from connectors.parsed import Parsed, TextBuilder, one_line

_META_CHARSET = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_XML_ENCODING = re.compile(rb"<\?xml[^>]+encoding\s*=\s*[\"']([\w.:-]+)", re.IGNORECASE)
_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")


_NAME = re.compile(r"/?\w+")
_MOST_ATTRIBUTES = 1_000  # of a tag
_BETWEEN_ATTRIBUTES = re.compile(r"[\s/]+|(?<=[\"'])(?=\w)")
_NO_TEXT = frozenset({"script", "style", "title"})  # none that is read with the rest


def _tags(names: str) -> frozenset[str]:
    return frozenset(names.split())


_DROPPED = _tags(
    "script style noscript template svg math iframe object embed nav button select option textarea input head dialog"
    " audio video canvas map"
)
_DROPPED_ROLES = _tags("navigation banner search contentinfo menu menubar")
_PARAGRAPHS = _tags(
    "address article aside blockquote body center dd details div dl dt fieldset figcaption figure footer form header"
    " hgroup hr html legend main ol p section summary ul caption tr td th table tbody thead tfoot"
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_INSIDE_LAYOUT = _tags("table p div ul ol h1 h2 h3 h4 pre form section article")
_ANCHORS = frozenset({"#", "¶", "§", "🔗"})  # links that documentation puts beside headings
_WORD = re.compile(r"\w+")
_CLUTTERED_FROM = 0.2  # the share of words in links from which a page is taken to have navigation around its content
# The extractor of main content is believed only where it keeps nearly all words that are not links: on documentation,
# small pages and pages made of tables it is prone to throw away half the text.
_BELIEVED_FROM = 0.85
_MAIN_FROM = 20
_MENU_FROM = 3


def declared_encoding(data: bytes) -> str | None:
    """The encoding that an HTML or XML file declares near its start."""
    head = data[:4096]
    found = _META_CHARSET.search(head) or _XML_ENCODING.search(head)
    return found[1].decode("ascii", "replace") if found else None


def parse_html(text: str) -> Parsed:
    """The main content of a page; nothing of a small page is lost."""
    text = bounded_tags(_XML_DECLARATION.sub("", text).replace("\x00", ""))
    if not text.strip():
        return Parsed("", "html")
    parser = html.HTMLParser(huge_tree=True)
    root = html.document_fromstring(text, parser=parser, ensure_head_body=True)
    if any(problem.type_name == "ERR_RESOURCE_LIMIT" for problem in parser.error_log):  # nested beyond 2,048: cut off
        return _without_tags(text)
    metadata = {"author": _meta(root, "author"), "description": _meta(root, "description")}
    builder = TextBuilder(text_for(len(text)))
    render(_main_content(root, text), builder)
    return builder.build("html", _title(root) or builder.heading_title, metadata)


def bounded_tags(text: str) -> str:
    """`text` less the attributes of tags that have very many: the parser compares each of them with every other.

    Example:
        >>> bounded_tags("<a " + "b=1 " * 5_000 + ">said</a>")
        '<a>said</a>'
    """
    if len(text) < _MOST_ATTRIBUTES:
        return text
    parts = text.split("<")
    for place, part in enumerate(parts):
        if len(part) > _MOST_ATTRIBUTES and (name := _NAME.match(part)) is not None:
            tag, end, said = part.partition(">")
            if len(_BETWEEN_ATTRIBUTES.findall(tag)) > _MOST_ATTRIBUTES:
                parts[place] = name[0] + (end + said if end else ">")
    return "<".join(parts)


def _without_tags(text: str) -> Parsed:
    """The text of a page that nests so deeply that no tree of it can be made."""
    builder = TextBuilder(text_for(len(text)))
    title, inside = "", ""
    for part in text.split("<")[
        1:
    ]:  # no pattern: one that looks for the end of every tag takes the square of the length
        tag, _, said = part.partition(">")
        found = _NAME.match(tag)
        name = found[0].lower() if found else ""
        if inside:
            inside = "" if name == f"/{inside}" else inside
        elif name in _NO_TEXT:
            inside = name
            title = title or (one_line(unescape(said)) if name == "title" else "")
        elif said.strip():
            builder.paragraph(unescape(said))
    return builder.build("html", title)


def render(root: html.HtmlElement, builder: TextBuilder) -> None:
    """Write the content below `root` to `builder`, in reading order."""
    _Renderer(builder).render(root)


def _main_content(root: html.HtmlElement, text: str) -> html.HtmlElement:
    """The element that holds the page's content: its `main`, the extractor's choice, or all of the page."""
    mains = [element for element in root.iter("*") if element.tag == "main" or element.get("role") == "main"]
    _prune(root)
    if len(mains) == 1 and _words(mains[0]) >= _MAIN_FROM:
        return mains[0]
    every, linked = _words(root), sum(map(_words, root.iter("a")))
    if linked < _CLUTTERED_FROM * every:
        return root
    extracted = _extract(text)
    if extracted is None or _words(extracted) < _BELIEVED_FROM * (every - linked):
        return root
    return extracted


def _extract(text: str) -> html.HtmlElement | None:
    from readability import Document
    from readability.readability import Unparseable

    logging.getLogger("readability").setLevel(logging.CRITICAL)  # a page it finds nothing in is no news to the user
    try:
        return html.document_fromstring(Document(text).summary())
    except (Unparseable, etree.LxmlError):
        return None


def _words(element: html.HtmlElement) -> int:
    return len(_WORD.findall(element.text_content()))


def _prune(root: html.HtmlElement) -> None:
    """Remove what is not content: scripts, navigation, hidden elements, the page's own footer."""
    for element in list(root.iter()):
        if element.getparent() is not None and element.tag != "head" and _is_clutter(element):
            element.drop_tree()


def _is_clutter(element: html.HtmlElement) -> bool:
    if not isinstance(element.tag, str):
        return True  # a comment or processing instruction
    style = element.get("style", "").replace(" ", "").lower()
    return (
        element.tag in _DROPPED
        or element.get("role") in _DROPPED_ROLES
        or element.get("hidden") is not None
        or "display:none" in style
        or (element.tag == "a" and element.text_content().strip() in _ANCHORS)
        or (element.tag == "footer" and next(element.iterancestors("article", "section", "main"), None) is None)
    )


def _title(root: html.HtmlElement) -> str:
    """What the page calls itself; a single main heading contained in `<title>` is it without the site's name."""
    title = claimed_title(root.findtext("head/title") or "")
    headings = [one_line(heading.text_content()) for heading in root.iter("h1")]
    if len(headings) == 1 and headings[0] and (headings[0] in title or not title):
        return headings[0]
    return title


def _meta(root: html.HtmlElement, name: str) -> str:
    found = root.xpath(
        "//meta[translate(@name, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')=$n]/@content", n=name
    )
    return one_line(found[0])[:300] if found else ""


class _Renderer:
    """Walks a tree without recursion (hostile pages nest deeply) and flushes inline text at block boundaries."""

    def __init__(self, builder: TextBuilder) -> None:
        self._builder = builder
        self._inline: list[str] = []
        self._items = 0
        self._links: list[str] = []

    def render(self, root: html.HtmlElement) -> None:
        walk = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
        for event, element in walk:
            if event == "start":
                if self._start(element):
                    walk.skip_subtree()
            elif event == "end":
                self._end(element)
            if event != "start" and element is not root and element.tail:
                self._inline.append(_squeezed(element.tail))
        self._flush()

    def _start(self, element: html.HtmlElement) -> bool:
        """Open an element; true when it was dealt with as a whole."""
        tag = element.tag
        if tag in _DROPPED:
            return True
        if tag in _HEADINGS:
            self._flush()
            self._builder.heading(_text_of(element), _HEADINGS[tag])
            return True
        if tag == "pre":
            self._flush()
            self._builder.code("".join(_with_breaks(element)))
            return True
        if tag == "table" and not _is_layout(element):
            self._flush()
            rows = ([_text_of(cell) for cell in row if cell.tag in {"td", "th"}] for row in element.iter("tr"))
            self._builder.table(list(rows))
            return True
        self._open(element)
        return False

    def _open(self, element: html.HtmlElement) -> None:
        if element.tag == "li":
            self._flush()
            self._items += 1
        elif element.tag == "br":
            self._inline.append("\n")
        elif element.tag in _PARAGRAPHS:
            self._flush()
        elif element.tag == "a":
            self._links.append(element.text_content())
        if element.text:
            self._inline.append(_squeezed(element.text))

    def _end(self, element: html.HtmlElement) -> None:
        if element.tag == "li":
            self._flush()
            self._items -= 1
        elif element.tag in _PARAGRAPHS:
            self._flush()

    def _flush(self) -> None:
        text, links = "".join(self._inline).strip(), self._links
        self._inline, self._links = [], []
        if not text or (len(links) >= _MENU_FROM and sum(map(_letters, links)) >= _letters(text)):
            return  # a run of links and nothing else is a menu, a trail of breadcrumbs or a row of tags
        if self._items:
            self._builder.item(f"- {text}")
        else:
            self._builder.paragraph(text)


def _letters(text: str) -> int:
    return sum(map(str.isalnum, text))


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def _text_of(element: html.HtmlElement) -> str:
    return "".join(_with_breaks(element))


def _with_breaks(element: html.HtmlElement) -> Iterator[str]:
    """The text pieces below `element`, line breaks included, scripts and the like left out."""
    for event, node in etree.iterwalk(element, events=("start", "end")):
        if event == "start":
            if node.tag == "br" or node.tag in _PARAGRAPHS:
                yield "\n"
            if node.text and node.tag not in _DROPPED:
                yield node.text
        elif node is not element and node.tail:
            yield node.tail


def _is_layout(table: html.HtmlElement) -> bool:
    """Whether a table arranges the page: a single row or column, other tables in it, or whole sections in its cells."""
    widths = [sum(1 for cell in row if cell.tag in {"td", "th"}) for row in table.iter("tr")]
    if len(widths) < 2 or max(widths) < 2 or table.find(".//table") is not None:  # noqa: PLR2004
        return True
    cells = [cell for cell in table.iter("td") if len(cell)]
    return sum(1 for cell in cells if sum(1 for _ in cell.iter(*_INSIDE_LAYOUT)) > 4) > 0  # noqa: PLR2004
