"""SQL scripts: their statements, and the tables, views and routines that they create and use.

sqlglot tokenises scripts but does not parse them: dialects differ in nearly every clause, but hardly in where a
statement ends and what it is called.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.code.definitions import Definition
from connectors.code.syntax import Span
from connectors.document import CALLS, DEFINES, DocumentName

if TYPE_CHECKING:
    from sqlglot.tokenizer_core import Token

MOST_CHARACTERS = 2_000_000  # sqlglot reads about a megabyte a second, and a larger script is a dump of data
_THINGS = ("TABLE", "VIEW", "INDEX", "TYPE", "SCHEMA", "SEQUENCE", "DATABASE", "DOMAIN", "AGGREGATE", "MACRO")
_ROUTINES = frozenset({"FUNCTION", "PROCEDURE", "TRIGGER", "EVENT"})
_KINDS = _ROUTINES.union(_THINGS)
_BEFORE_KIND = 8  # tokens between CREATE and the kind of thing: OR REPLACE TEMPORARY …
_AFTER_KIND = frozenset({"IF", "NOT", "EXISTS", "CONCURRENTLY"})
_USES = frozenset({"FROM", "JOIN", "INTO", "UPDATE", "REFERENCES", "CALL", "EXEC", "EXECUTE"})
_OPENS = frozenset({"BEGIN", "CASE", "IF", "LOOP", "WHILE", "REPEAT", "FOR"})
_NO_NAME = frozenset({"SELECT", "LATERAL", "ONLY", "VALUES", "UNNEST", "TABLE", "SET", "OF", "STDIN"})
_COMMENTS = re.compile(r"(?m)(?:^[^\S\n]*(?:(?:--|\#)[^\n]*|/\*(?:[^*]|\*(?!/))*+\*/[^\S\n]*)\n)+[^\S\n]*\Z")
_FARTHEST = 4_000  # characters of comments above a statement
# In a dump of PostgreSQL rows follow `COPY … FROM stdin;` up to `\.`: data, of which no statement is made.
_COPIED = re.compile(
    r"^(COPY\b[^;]*\bFROM\s+stdin\b[^;]*;[^\n]*\n)(.*?)^\\\.", re.MULTILINE | re.DOTALL | re.IGNORECASE
)
_VISIBLE = re.compile(r"[^\n]")  # is blanked, so that offsets and lines stay


@dataclass(frozen=True, slots=True)
class Script:
    """What a script creates, where its statements begin (separately for those inside routines), and its names."""

    created: list[Definition]
    cuts: tuple[tuple[int, ...], ...]
    names: tuple[DocumentName, ...]


@dataclass(frozen=True, slots=True)
class _Statement:
    start: int
    end: int
    comments: Span
    tokens: list[Token]
    inner: list[int]


def read_script(text: str) -> Script | None:
    """The statements of a script; None where it cannot be told where they end."""
    tokens = _tokens(_COPIED.sub(_blanked, text))
    if tokens is None:
        return None
    statements = list(_statements(text, tokens))
    found = [(statement, _created(text, statement)) for statement in statements]
    created = [definition for _, definition in found if definition is not None]
    cuts = tuple(statement.start for statement in statements), tuple(place for one in statements for place in one.inner)
    return Script(created, cuts, tuple(dict.fromkeys(_names(text, found))))


def _blanked(found: re.Match[str]) -> str:
    """Rows of data between statements, which have quotes of their own, as spaces."""
    return found[1] + _VISIBLE.sub(" ", found[2]) + "  "


def _tokens(text: str) -> list[Token] | None:
    from sqlglot.dialects.dialect import Dialect
    from sqlglot.errors import SqlglotError

    if len(text) > MOST_CHARACTERS:
        return None
    likely = "mysql" if "`" in text else "tsql" if re.search(r"^GO\s*$", text, re.MULTILINE | re.IGNORECASE) else ""
    for dialect in dict.fromkeys(filter(None, (likely, "postgres", "mysql", "sqlite"))):
        try:
            return Dialect.get_or_raise(dialect).tokenize(text)
        except SqlglotError:
            continue
    return None


def _statements(text: str, tokens: list[Token]) -> Iterator[_Statement]:
    """The statements, each with the comments directly above it; a client's own commands count as one."""
    delimiter, after, end, depth = ";", 0, 0, 0
    waiting: list[Token] = []
    inner: list[int] = []
    for token in tokens:
        if token.start < after:  # a part of the delimiter, which may be any signs
            continue
        word = token.text.upper()
        if not waiting and word == "DELIMITER":
            line = text[token.end + 1 : max(text.find("\n", token.end), token.end + 1)]
            delimiter = line.strip() or ";"
            after = token.end + 1 + len(line)
            yield _statement(text, [token], after, [], floor=end)
            end = after
        elif text.startswith(delimiter, token.start) and not depth:
            after = token.start + len(delimiter)
            if waiting:
                yield _statement(text, waiting, after, inner, floor=end)
            end = after
            waiting, inner = [], []
        else:
            depth = _depth(depth, waiting, word)
            if waiting and waiting[-1].text == ";":
                inner.append(token.start)
            waiting.append(token)
    if waiting:
        yield _statement(text, waiting, waiting[-1].end + 1, inner, floor=end)


def _depth(depth: int, before: list[Token], word: str) -> int:
    """How deep in the blocks of a routine the next word is; anything else has none."""
    last = before[-1].text.upper() if before else ""
    if word == "END" and depth:
        return depth - 1
    is_routine = depth or (word == "BEGIN" and _kind(before)[0] in _ROUTINES)
    return depth + 1 if is_routine and word in _OPENS and last != "END" else depth


def _statement(text: str, tokens: list[Token], end: int, inner: list[int], *, floor: int) -> _Statement:
    """A statement; what is before `floor` belongs to the one before it."""
    start = tokens[0].start
    above = _COMMENTS.search(text, max(floor, start - _FARTHEST), start)
    if above is None:
        return _Statement(start, end, (0, 0), tokens, inner)
    first = start - len(text[above.start() : start].lstrip())
    return _Statement(first, end, (first, first + len(text[first:start].rstrip())), tokens, inner)


def _kind(tokens: list[Token]) -> tuple[str, int]:
    """What a statement creates, and which of its tokens says so; nothing where it creates nothing."""
    if tokens and tokens[0].text.upper() == "CREATE":
        for index, token in enumerate(tokens[1:_BEFORE_KIND], 1):
            if token.text.upper() in _KINDS:
                return token.text.upper(), index
    return "", 0


def _created(text: str, statement: _Statement) -> Definition | None:
    kind, index = _kind(statement.tokens)
    if not kind:
        return None
    index += 1
    while index < len(statement.tokens) and statement.tokens[index].text.upper() in _AFTER_KIND:
        index += 1
    parts = _path(statement.tokens, index)
    if not parts:
        return None
    head = statement.tokens[0].start
    name = ".".join(part.text for part in parts)
    signature_end = parts[-1].end + 1
    if kind in _ROUTINES and text[signature_end : signature_end + 2].lstrip().startswith("("):
        closing = next((token.end + 1 for token in statement.tokens if token.text == ")"), signature_end)
        signature_end = max(signature_end, closing)
    return Definition(
        statement.start,
        statement.end,
        head,
        signature_end,
        kind.lower(),
        parts[-1].text,
        _at(text, parts[-1]),
        "",
        statement.comments,
        name,
    )


def _path(tokens: list[Token], index: int) -> list[Token]:
    """The parts of the dotted name that begins at a token."""
    parts: list[Token] = []
    while index < len(tokens) and _is_name(tokens[index]):
        parts.append(tokens[index])
        if index + 1 >= len(tokens) or tokens[index + 1].text != ".":
            break
        index += 2
    return parts


def _at(text: str, token: Token) -> int:
    """Where a name stands, inside its quotation marks."""
    return token.start + max(text[token.start : token.end + 1].find(token.text), 0)


def _is_name(token: Token) -> bool:
    return token.token_type.name in {"IDENTIFIER", "VAR", "STRING"} or token.text.replace("_", "a").isalnum()


def _names(text: str, found: list[tuple[_Statement, Definition | None]]) -> Iterator[DocumentName]:
    for _, created in found:
        if created is not None:
            yield DocumentName(created.qualified, DEFINES, created.name_at)
            yield DocumentName(created.name, DEFINES, created.name_at)
    for statement, _ in found:
        seen = set()
        for index, token in enumerate(statement.tokens[:-1]):
            following = statement.tokens[index + 1]
            if token.text.upper() in _USES and following.text.upper() not in _NO_NAME | _AFTER_KIND:
                for used in _used(text, _path(statement.tokens, index + 1)):
                    if used.text not in seen:
                        seen.add(used.text)
                        yield used


def _used(text: str, parts: list[Token]) -> Iterator[DocumentName]:
    if parts:
        yield DocumentName(parts[-1].text, CALLS, _at(text, parts[-1]))
        if len(parts) > 1:
            yield DocumentName(".".join(part.text for part in parts), CALLS, _at(text, parts[-1]))
