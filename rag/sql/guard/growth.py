"""Functions that make long values out of short ones: the statement must show how long.

The limits on time and memory stop almost all of this. They cannot stop a single call inside a server, because it checks
no clock until it is done.
"""

from __future__ import annotations

import math
import re

from sqlglot import exp  # noqa: TID253 — only what checks a statement imports this module

from rag.sql.allowed import SqlDialect
from rag.sql.errors import RefusedError
from rag.sql.guard.dialects import grammar

LONGEST = 10_000
_LEAST = 100  # characters; a text for which a replacement may not take more is too short to be worth it
_MOST_MOVED = 2_000_000_000  # bytes moved by all replacements in one text: about a second
_LONG_WIDTH = re.compile(r"%[^a-zA-Z%]*(?:\d{5,}|\*)|\{[^{}]*(?:\d{5,}|\{)")
_LENGTHENING = frozenset({"repeat", "lpad", "rpad", "space"})


def bound_growth(tree: exp.Expr, dialect: SqlDialect) -> None:
    """Refuse calls whose result has no visible bound; limit what a replacement works on on MariaDB.

    There REPLACE and REGEXP_REPLACE move the rest of the text for each occurrence, never looking whether they were told
    to stop: a text of a million letters has kept a server busy for six minutes. A text that is too long for its
    replacements becomes an error of the statement, never another text.

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
            case exp.Format() | exp.Anonymous() if _is_format(node, dialect):
                _check_format(node)
            case exp.Replace() | exp.RegexpReplace() if dialect is SqlDialect.MARIADB:
                if not isinstance(node.parent, exp.Replace | exp.RegexpReplace) or node.arg_key != "this":
                    _limit_replacements(node)


def _check_length(node: exp.Expr, length: exp.Expr | None) -> None:
    if _most(length) > LONGEST:
        raise RefusedError(
            f"{_shown(node)}: the length is not a number up to {LONGEST:,}",
            hint=f"write the number into the statement, or a bound: LEAST(…, {LONGEST})",
        )


def _most(length: exp.Expr | None) -> float:
    """The most that a length can be, as far as the statement shows it."""
    match length:
        case exp.Literal() if length.is_int:
            return float(length.name)
        case exp.Paren() | exp.Cast() | exp.Round() | exp.Floor() | exp.Ceil():
            return _most(length.this)
        case exp.Least():
            return min(map(_most, (length.this, *length.expressions)))
        case exp.Mod():
            return _most(length.expression)
        case exp.Add():
            return _most(length.this) + _most(length.expression)
        case _:
            return math.inf


def _is_format(node: exp.Expr, dialect: SqlDialect) -> bool:
    if dialect is SqlDialect.MARIADB:  # FORMAT is about numbers there
        return node.name.lower() == "sformat"
    return dialect is SqlDialect.POSTGRESQL and (isinstance(node, exp.Format) or node.name.lower() == "format")


def _check_format(node: exp.Expr) -> None:
    pattern = node.this if isinstance(node, exp.Format) else next(iter(node.expressions), None)
    if not (isinstance(pattern, exp.Literal) and pattern.is_string) or _LONG_WIDTH.search(pattern.name):
        raise RefusedError(
            f"{_shown(node)}: how long that gets cannot be seen", hint="write the format as a short text"
        )


def _limit_replacements(outermost: exp.Expr) -> None:
    """Let replacements in each other fail on a text so long that they would take too long together."""
    chain = [outermost]
    while isinstance(chain[-1].this, exp.Replace | exp.RegexpReplace):
        chain.append(chain[-1].this)
    innermost = chain[-1]
    growth, cost = 1.0, 0.0
    for node in reversed(chain):
        before, growth = growth, growth * max(1.0, _ratio(node))
        cost += before * growth
    longest = min(LONGEST, math.isqrt(int(_MOST_MOVED / cost)))
    if longest < _LEAST:
        raise RefusedError(
            f"{_shown(outermost)}: the replacements are too long", hint="replace by less, or in less steps"
        )
    subject = innermost.this
    if _is_short(subject, longest):
        return
    text = subject.args["true"] if isinstance(subject, exp.If) and subject.args.get("true") else subject
    limited = _limited(text, longest)
    if limited.sql(grammar(SqlDialect.MARIADB)) == subject.sql(grammar(SqlDialect.MARIADB)):
        return  # done when it was read for the first time
    if subject.find(exp.Replace, exp.RegexpReplace) is not None:
        raise RefusedError(
            f"{_shown(outermost)}: a replacement in what is replaced", hint="put replacements directly into each other"
        )
    innermost.set("this", _limited(subject, longest))


def _ratio(node: exp.Expr) -> float:
    """How much longer a text can get by a replacement."""
    search, replacement = node.expression, node.args.get("replacement")
    if not (isinstance(replacement, exp.Literal) and replacement.is_string):
        raise RefusedError(f"{_shown(node)}: the replacement is computed", hint="write it into the statement")
    if isinstance(node, exp.RegexpReplace):  # it may find nothing, everywhere, and say what it found several times
        return 1.0 + len(replacement.name) if "\\" not in replacement.name else float(LONGEST)
    return len(replacement.name) / (
        len(search.name) or 1 if isinstance(search, exp.Literal) and search.is_string else 1
    )


def _is_short(subject: exp.Expr, longest: int) -> bool:
    if isinstance(subject, exp.Left):
        length = subject.expression
        return isinstance(length, exp.Literal) and length.is_int and int(length.name) <= longest
    return isinstance(subject, exp.Literal) and len(subject.name) <= longest


def _limited(text: exp.Expr, longest: int) -> exp.Expr:
    """`text`, or where it is too long what raises an error: a number too large for MariaDB."""
    from sqlglot import parse_one

    written = text.sql(grammar(SqlDialect.MARIADB), comments=False)
    length = f"CHAR_LENGTH({written})"
    limited = f"IF({length} <= {longest}, {written}, EXP({length} + 1000))"
    return parse_one(limited, read=grammar(SqlDialect.MARIADB))


def _shown(node: exp.Expr) -> str:
    text = node.sql(comments=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


_SHOWN = 80
