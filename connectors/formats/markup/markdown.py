"""Markdown: the file verbatim, with headings, tables and code found by a CommonMark parser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import zip_longest
from typing import TYPE_CHECKING

from connectors.document import Block, BlockKind
from connectors.parsed import Parsed, TextLine, heading_title, lines_of, one_line

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

# The block parser takes about a second for 2 MB, far more for hostile nesting; no hand-written page comes near this.
_MAX_CHARACTERS = 8_000_000
_MAX_INLINE = 1000  # a longer heading is none, and emphasis marks can nest to quadratic time
# YAML between lines of ---, TOML between lines of +++; it begins the file, but for a byte order mark.
_FRONT_MATTER = re.compile(r"\ufeff?(---|\+\+\+)[ \t]*\r?\n(.*?)^\1[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
_FRONT_MATTER_LIMIT = 20_000  # characters: what opens and is never closed is not searched for to the end of the file
_FIELD = re.compile(r"^(title|author|date|description)\s*[:=]\s*(\S.*)$", re.MULTILINE | re.IGNORECASE)
_HTML_TITLE = re.compile(r"<h1\b[^>]*>(.*?)</h1>", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")


def parse_markdown(text: str) -> Parsed:
    """Markdown with its blocks; the title is the front matter's, or the heading that names the whole."""
    matter = _FRONT_MATTER.match(text, 0, _FRONT_MATTER_LIMIT)
    body_start = matter.end() if matter else 0
    fields = {found[1].lower(): found[2].strip().strip("\"'") for found in _FIELD.finditer(matter[2] if matter else "")}
    blocks = tuple(markdown_blocks(text, body_start))
    title = fields.pop("title", "") or heading_title(blocks)
    if not title and (in_html := _HTML_TITLE.search(text, 0, _FRONT_MATTER_LIMIT)):
        title = _TAG.sub(" ", in_html[1])
    return Parsed(text, "markdown", one_line(title), fields, blocks)


def markdown_blocks(text: str, start: int = 0) -> Iterator[Block]:
    """The headings, tables and code of `text[start:]`, at their offsets in `text`."""
    if len(text) - start > _MAX_CHARACTERS:
        return
    lines = [TextLine(line.text, line.start + start, line.end + start) for line in lines_of(text[start:])]
    tokens = _parser().parse(text[start:])
    for token, following in zip_longest(tokens, tokens[1:]):
        if token.map is None or token.map[0] >= len(lines):
            continue
        block = _block(token, following, _content_lines(lines, token))
        if block is not None and block.end > block.start:
            yield block


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    # Inline parsing is the slow part and its tokens are not needed, so it runs on headings alone.
    return MarkdownIt("commonmark").enable("table").disable("inline")


@cache
def _inline_parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark")


def _content_lines(lines: list[TextLine], token: Token) -> list[TextLine]:
    first, last = token.map or (0, 0)
    found = lines[first:last]
    while len(found) > 1 and not found[-1].text.strip():
        found.pop()
    return found


def _block(token: Token, following: Token | None, lines: list[TextLine]) -> Block | None:
    start, end = lines[0].start, lines[-1].end
    if token.type == "heading_open" and token.level == 0 and following is not None:
        label = _plain(following.content)
        return Block(BlockKind.HEADING, start, end, level=int(token.tag[1:]), label=label) if label else None
    if token.type in {"fence", "code_block"}:
        return Block(BlockKind.CODE, start, end)
    if token.type == "table_open":
        return Block(BlockKind.TABLE, start, end, header=lines[0].text.strip())
    return None


def _plain(inline: str) -> str:
    """A heading as read: `**Bold** [link](target)` is `Bold link`."""
    if len(inline) > _MAX_INLINE:
        return one_line(inline)
    tokens = _inline_parser().parseInline(inline)
    pieces = [
        child.content or " "
        for child in tokens[0].children or ()
        if child.type in {"text", "code_inline", "softbreak", "hardbreak", "image", "text_special"}
    ]
    return one_line("".join(pieces))
