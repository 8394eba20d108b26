"""HTML: the main content as headings, paragraphs, lists, tables and code, without the navigation around it."""

from __future__ import annotations

import logging
import re
from html import unescape

from lxml import etree, html

from connectors.formats.limits import text_for
from connectors.formats.page.clutter import STRUCK_OUT, prune, remove_struck_out
from connectors.formats.page.rendering import render
from connectors.formats.titles import claimed_title
from connectors.parsed import Parsed, TextBuilder, one_line

_META_CHARSET = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_XML_ENCODING = re.compile(rb"<\?xml[^>]+encoding\s*=\s*[\"']([\w.:-]+)", re.IGNORECASE)
_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")


_NAME = re.compile(r"/?\w+")
_MOST_ATTRIBUTES = 1_000  # of a tag
_BETWEEN_ATTRIBUTES = re.compile(r"[\s/]+|(?<=[\"'])(?=\w)")
_NO_TEXT = frozenset({"script", "style", "title"})  # none that is read with the rest


_MAINS = etree.XPath("//main | //*[@role='main']")
_WORD = re.compile(r"\w+")
_CLUTTERED_FROM = 0.2  # the share of words in links from which a page is taken to have navigation around its content
# The extractor of main content is believed only where it keeps nearly all words that are not links: on documentation,
# small pages and pages made of tables it is prone to throw away half the text.
_BELIEVED_FROM = 0.85
_MAIN_FROM = 20


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
    prune(root)
    if remove_struck_out(root):
        builder.leave_out(STRUCK_OUT)
    render(_main_content(root), builder)
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


def _main_content(root: html.HtmlElement) -> html.HtmlElement:
    """The element that holds the page's content: its `main`, the extractor's choice, or all of the page."""
    mains: list[html.HtmlElement] = _MAINS(root)
    if len(mains) == 1 and _words(mains[0]) >= _MAIN_FROM:
        return mains[0]
    every, linked = _words(root), sum(map(_words, root.iter("a")))
    if linked < _CLUTTERED_FROM * every:
        return root
    extracted = _extract(root)
    if extracted is None or _words(extracted) < _BELIEVED_FROM * (every - linked):
        return root
    return extracted


def _extract(root: html.HtmlElement) -> html.HtmlElement | None:
    from readability import Document
    from readability.readability import Unparseable

    logging.getLogger("readability").setLevel(logging.CRITICAL)  # a page it finds nothing in is no news to the user
    try:
        return html.document_fromstring(Document(html.tostring(root, encoding="unicode")).summary())
    except (Unparseable, etree.LxmlError):
        return None


def _words(element: html.HtmlElement) -> int:
    return len(_WORD.findall(element.text_content()))


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
