"""Parses source text into a syntax tree with all offsets in characters."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module, resources
from typing import TYPE_CHECKING

from connectors.code.languages import LANGUAGES

if TYPE_CHECKING:
    import tree_sitter

# The first visible character of a line.
_LINE_START = re.compile(r"(?:\A|(?<=[\r\n]))[^\S\r\n]*+(?=\S)")
_LONE_RETURN = re.compile(r"\r(?!\n)")
_FARTHEST = 400  # characters of white space between a comment and what it is about, at most
# Syntax trees of what is not ASCII count in UTF-16, in which these take two units.
_BEYOND_PLANE = re.compile("[\U00010000-\U0010ffff]")

Span = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """One match of a language's queries: the captured nodes, by capture name."""

    pattern: int
    captures: Mapping[str, list[Span]]

    def span(self, name: str) -> Span | None:
        """The first stretch captured under `name`."""
        found = self.captures.get(name)
        return found[0] if found else None


class Syntax:
    """The syntax tree of a text.

    Text that is not ASCII is parsed as UTF-16, where the place of a character is half the place of its bytes, but for
    the few characters that take four.
    """

    def __init__(self, text: str, language: str) -> None:
        self.text = text
        self._language = language
        self._wide = not text.isascii()
        lines = _LONE_RETURN.sub("\n", text)  # which grammars do not take for a line end
        data = lines.encode("utf-16-le", "surrogatepass") if self._wide else lines.encode()
        self._pairs = _pairs(text) if self._wide else []
        self.root = _parser(language).parse(data, encoding="utf16le" if self._wide else "utf8").root_node
        self._line_starts = frozenset(found.end() for found in _LINE_START.finditer(text))

    def span(self, node: tree_sitter.Node) -> Span:
        """Where a node stands in the text."""
        start, end = node.byte_range
        return (self._offset(start), self._offset(end)) if self._wide else (start, end)

    def matches(self) -> Iterator[Match]:
        """What the language's queries find, in the order of the text."""
        from tree_sitter import QueryCursor

        for pattern, captures in QueryCursor(_query(self._language)).matches(self.root):
            yield Match(pattern, {name: [self.span(node) for node in nodes] for name, nodes in captures.items()})

    def begins_line(self, offset: int) -> bool:
        """Whether nothing but white space stands before `offset` on its line."""
        return offset in self._line_starts

    def _offset(self, byte: int) -> int:
        unit = byte // 2
        return unit - bisect_left(self._pairs, unit) if self._pairs else unit


class Leads:
    """The comments and attributes of a file; each belongs to what directly follows it."""

    def __init__(self, syntax: Syntax, comments: list[Span], others: list[Span]) -> None:
        self._syntax = syntax
        self._comments = frozenset(comments)
        self._spans = sorted({*comments, *others})
        self._ends = [end for _, end in self._spans]

    def above(self, start: int) -> tuple[int, Span]:
        """Where what begins at `start` begins with what stands directly above it; and the comments among that."""
        first, comments = start, []
        index = bisect_right(self._ends, start) - 1
        while index >= 0:
            span = self._spans[index]
            if self._is_apart(span[1], first) or not self._syntax.begins_line(span[0]):
                break
            first = span[0]
            if span in self._comments:
                comments.append(span)
            index -= 1
        return first, (comments[-1][0], comments[0][1]) if comments else (0, 0)

    def below(self, span: Span) -> Span:
        """A comment with those directly below it."""
        start, end = span
        while end:
            index = bisect_left(self._spans, (end, 0))
            following = self._spans[index] if index < len(self._spans) else (0, 0)
            if following not in self._comments or self._is_apart(end, following[0]):
                break
            end = following[1]
        return start, end

    def _is_apart(self, end: int, start: int) -> bool:
        """Whether more than one line end and white space stand between two offsets."""
        between = self._syntax.text[end : min(start, end + _FARTHEST)]
        return end + len(between) < start or bool(between.strip()) or _newlines(self._syntax.text, end, start) > 1


def _newlines(text: str, start: int, end: int) -> int:
    """How many line ends stand between two offsets, the one that a comment took with it included."""
    start -= text[start - 1 : start] in {"\n", "\r"}
    return max(text.count("\n", start, end), text.count("\r", start, end))


def _pairs(text: str) -> list[int]:
    """The places, in units of 16 bits, of the second halves of the characters that take two."""
    return [found.start() + count + 1 for count, found in enumerate(_BEYOND_PLANE.finditer(text))]


@cache
def _grammar(language: str) -> tree_sitter.Language:
    from tree_sitter import Language

    module, _, function = LANGUAGES[language].grammar.partition(":")
    return Language(getattr(import_module(module), function)())


@cache
def _parser(language: str) -> tree_sitter.Parser:
    from tree_sitter import Parser

    return Parser(_grammar(language))


@cache
def _query(language: str) -> tree_sitter.Query:
    from tree_sitter import Query

    folder = resources.files("connectors.code") / "queries"
    files = (folder / f"{name}.scm" for name in LANGUAGES[language].queries)
    return Query(_grammar(language), "\n".join(file.read_text("utf-8") for file in files))
