"""The values that a column allows: by its type, or by a CHECK that lists them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import types
from sqlalchemy.dialects import mysql

_MOST_CHECKED = 10_000  # characters of a condition


def values_of_type(reflected: types.TypeEngine[Any]) -> tuple[str, ...]:
    """The values of an enumerated type that SQLAlchemy reflected, in its order; empty for any other.

    >>> values_of_type(types.Enum("calm", "rough")), values_of_type(types.VARCHAR(20))
    (('calm', 'rough'), ())
    """
    if isinstance(reflected, types.Enum):
        return tuple(reflected.enums)
    return tuple(reflected.values) if isinstance(reflected, mysql.SET) else ()


def values_of_check(condition: str, dialect: str) -> tuple[str, tuple[str, ...]] | None:
    """The column and the values that a condition lists for it; None where it says anything else, or more.

    Example:
        >>> values_of_check("sea IN ('calm', 'rough')", "sqlite")
        ('sea', ('calm', 'rough'))
        >>> values_of_check("((sea)::text = ANY (ARRAY['calm'::text, 'rough'::text]))", "postgresql")
        ('sea', ('calm', 'rough'))
    """
    if len(condition) > _MOST_CHECKED:
        return None
    from sqlglot import ParseError, TokenError, parse_one

    try:
        tree = parse_one(condition, read="postgres" if dialect == "postgresql" else dialect)
        found = list(_listed(tree))
    except (ParseError, TokenError, RecursionError, _OtherwiseError):
        return None
    columns = {column for column, _ in found}
    values = tuple(dict.fromkeys(value for _, several in found for value in several))
    return (columns.pop(), values) if len(columns) == 1 and values else None


class _OtherwiseError(Exception):
    """The condition is no list of values."""


def _listed(node: Any) -> Iterator[tuple[str, list[str]]]:
    """The column and the values of each alternative of a condition."""
    from sqlglot import exp

    node = _bare(node)
    match node:
        case exp.Or():
            yield from _listed(node.this)
            yield from _listed(node.expression)
        case exp.Is() if isinstance(node.expression, exp.Null):  # or none at all
            return
        case exp.In() if node.expressions:
            yield _column(node.this), [_value(value) for value in node.expressions]
        case exp.EQ():
            several = _bare(node.expression)
            if isinstance(several, exp.Any) and isinstance(array := _bare(several.this), exp.Array):
                yield _column(node.this), [_value(value) for value in array.expressions]
            else:
                yield _column(node.this), [_value(several)]
        case _:
            raise _OtherwiseError


def _bare(node: Any) -> Any:
    """What stands inside parentheses and casts."""
    from sqlglot import exp

    while isinstance(node, exp.Paren | exp.Cast):
        node = node.this
    return node


def _column(node: Any) -> str:
    from sqlglot import exp

    column = _bare(node)
    if not isinstance(column, exp.Column):
        raise _OtherwiseError
    return str(column.name)


def _value(node: Any) -> str:
    from sqlglot import exp

    value = _bare(node)
    if isinstance(value, exp.Neg) and isinstance(value.this, exp.Literal):
        return f"-{value.this.this}"
    if not isinstance(value, exp.Literal):
        raise _OtherwiseError
    return str(value.this)
