"""The content of a page as headings, paragraphs, lists, tables and code, in reading order."""

from __future__ import annotations

from lxml import etree, html

from connectors.formats.page import tables
from connectors.formats.page.inline import Inline, is_struck, tags, text_below
from connectors.formats.page.numbering import OrderedList
from connectors.parsed import TextBuilder, one_line

_PARAGRAPHS = tags(
    "address article aside blockquote body center dd details div dl dt fieldset figcaption figure footer form header"
    " hgroup hr html legend main ol p section summary ul caption tr td th table tbody thead tfoot textarea"
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_LISTS = frozenset({"ol", "ul", "menu", "dir"})
_WHOLE = frozenset({*_HEADINGS, "pre", "table"})
_BLOCKS = _PARAGRAPHS | _LISTS | _WHOLE
_MENU_FROM = 3  # links
_LONGEST_TERM = 80  # characters of a term that stands in front of its definition


def render(root: html.HtmlElement, builder: TextBuilder) -> None:
    """Write the content below `root` to `builder`, in reading order."""
    _Renderer(builder).render(root)


class _Renderer:
    """Walks a tree without recursion (hostile pages nest deeply) and flushes inline text at block boundaries."""

    def __init__(self, builder: TextBuilder) -> None:
        self._builder = builder
        self._inline = Inline()
        self._lists: list[OrderedList | None] = []
        self._marker = ""  # of the item that begins
        self._items = 0
        self._links: list[str] = []
        self._terms: list[str] = []
        self._in_term = False

    def render(self, root: html.HtmlElement) -> None:
        walk = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
        for event, element in walk:
            if event == "start":
                if self._start(element):
                    walk.skip_subtree()
            elif event == "end":
                self._end(element)
            if event != "start" and element is not root:
                self._inline.add(element.tail)
        self._flush()
        self._flush_terms()

    def _start(self, element: html.HtmlElement) -> bool:
        """Open an element; true when it was dealt with as a whole."""
        tag = element.tag
        if tag not in _BLOCKS:
            if self._inline.whole(element):
                return True
        elif is_struck(element) or (tag in _WHOLE and self._write_whole(element)):
            return True
        self._open(element)
        return False

    def _write_whole(self, element: html.HtmlElement) -> bool:
        tag = str(element.tag)
        rows = tables.read(element) if tag == "table" else None
        if tag == "table" and rows is None:
            return False
        self._flush()
        self._flush_terms()
        if rows is not None:
            tables.write(element, rows, self._builder)
        elif tag == "pre":
            self._builder.code(text_below(element, _PARAGRAPHS))
        else:
            self._builder.heading(text_below(element, _PARAGRAPHS), _HEADINGS[tag])
        return True

    def _open(self, element: html.HtmlElement) -> None:
        tag = element.tag
        if tag in _LISTS:
            self._flush()
            self._lists.append(OrderedList(element) if tag == "ol" else None)
        elif tag == "li":
            self._flush()
            self._items += 1
            numbering = self._lists[-1] if self._lists else None
            self._marker = numbering.marker(element) if numbering is not None else "-"
        elif tag == "br":
            self._inline.line_break()
        elif tag in _PARAGRAPHS:
            self._flush()
            if tag in {"dt", "dd", "dl"}:
                self._in_term = tag == "dt"
        elif tag == "a":
            self._links.append(str(element.text_content()))
        self._inline.add(element.text)

    def _end(self, element: html.HtmlElement) -> None:
        tag = element.tag
        if tag in _LISTS:
            self._flush()
            if self._lists:
                self._lists.pop()
        elif tag == "li":
            self._flush()
            self._items -= 1
            self._marker = ""
        elif tag in _PARAGRAPHS:
            self._flush()
            if tag in {"dt", "dl"}:
                self._in_term = False
            if tag == "dl":
                self._flush_terms()

    def _flush(self) -> None:
        text, links = self._inline.take().strip(), self._links
        self._links = []
        if not text or (len(links) >= _MENU_FROM and sum(map(_letters, links)) >= _letters(text)):
            return  # a run of links and nothing else is a menu, a trail of breadcrumbs or a row of tags
        if self._in_term:
            self._terms.append(text)
            return
        if self._terms:
            text = self._with_terms(text)
        if self._items:
            marker, self._marker = self._marker, ""
            self._builder.item(f"{marker} {text}".strip())
        else:
            self._builder.paragraph(text)

    def _with_terms(self, text: str) -> str:
        """A definition with the terms that it defines in front."""
        terms, self._terms = [one_line(term) for term in self._terms], []
        term = ", ".join(terms)
        if len(term) <= _LONGEST_TERM:
            return f"{term.rstrip(':')}: {text}"
        self._builder.paragraph(term)
        return text

    def _flush_terms(self) -> None:
        """Write the terms that no definition follows."""
        for term in self._terms:
            self._builder.paragraph(term)
        self._terms = []


def _letters(text: str) -> int:
    return sum(map(str.isalnum, text))
