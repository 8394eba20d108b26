"""Functions that make long values out of short ones: how long has to be seen in the statement.

The limits on time and memory stop almost all of it. What they cannot stop is one call inside a server, which looks at
no clock until it is done.
"""

from __future__ import annotations

import re

from sqlglot import exp  # noqa: TID253 — only what checks a statement imports this module

from rag.sql.allowed import Dialect
from rag.sql.errors import RefusedError

LONGEST = 10_000
_MOST_TIMES = 100  # what a replacement may be longer than what it replaces
_LONG_WIDTH = re.compile(r"%[^a-zA-Z%]*(?:\d{5,}|\*)")
_LENGTHENING = frozenset({"repeat", "lpad", "rpad", "space"})


def bound_growth(tree: exp.Expr, dialect: Dialect) -> None:
    """Refuse calls whose result has no visible bound; bound the subject of a REPLACE on MariaDB.

    There REPLACE moves the rest of the text for each occurrence, without looking whether it was told to stop: two of
    them in each other have kept a server busy for half an hour. Its subject becomes `LEFT(subject, 10000)` where the
    replacement is longer than what it replaces.

    Raises:
        RefusedError: a length is computed or too large.
    """
    for node in list(tree.walk()):
        match node:
            case exp.Repeat():
                _check_length(node, node.args.get("times"))
            case exp.Pad():
                _check_length(node, node.expression)
            case exp.Space():
                _check_length(node, node.this)
            case exp.Anonymous() if node.name.lower() in _LENGTHENING:
                _check_length(node, next(iter(node.expressions[1:] or node.expressions), None))
            case exp.Format() | exp.Anonymous() if dialect is Dialect.POSTGRESQL and _is_format(node):
                _check_format(node)
            case exp.Replace() if dialect is Dialect.MARIADB:
                _bound_replace(node)


def _check_length(node: exp.Expr, length: exp.Expr | None) -> None:
    if not (isinstance(length, exp.Literal) and length.is_int and int(length.name) <= LONGEST):
        raise RefusedError(
            f"{_shown(node)}: the length is not a number up to {LONGEST:,}", hint="write the number into the statement"
        )


def _is_format(node: exp.Expr) -> bool:
    return isinstance(node, exp.Format) or node.name.lower() == "format"


def _check_format(node: exp.Expr) -> None:
    pattern = node.this if isinstance(node, exp.Format) else next(iter(node.expressions), None)
    if not (isinstance(pattern, exp.Literal) and pattern.is_string) or _LONG_WIDTH.search(pattern.name):
        raise RefusedError(
            f"{_shown(node)}: how long that gets cannot be seen", hint="write the format as a short text"
        )


def _bound_replace(node: exp.Replace) -> None:
    search, replacement = node.expression, node.args.get("replacement")
    if not (isinstance(replacement, exp.Literal) and replacement.is_string):
        raise RefusedError(f"{_shown(node)}: the replacement is computed", hint="write it into the statement")
    length = len(search.name) if isinstance(search, exp.Literal) and search.is_string else 1
    if len(replacement.name) <= length:
        return
    if len(replacement.name) > _MOST_TIMES * max(1, length):
        raise RefusedError(f"{_shown(node)}: the replacement is too long", hint="replace by something shorter")
    subject = node.this
    bounded = isinstance(subject, exp.Left) and isinstance(subject.expression, exp.Literal)
    if not (bounded and int(subject.expression.name) <= LONGEST):
        node.set("this", exp.Left(this=subject.copy(), expression=exp.Literal.number(LONGEST)))


def _shown(node: exp.Expr) -> str:
    text = node.sql(comments=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


_SHOWN = 80
