"""Symbols of code in a query: names that are written as code, or are all there is of the query."""

from __future__ import annotations

import re
from collections.abc import Iterator

_PART = r"[^\W\d]\w*"
_JOINT = r"(?:\.|::|->|#)"
_SYMBOL = re.compile(rf"[~$@]?{_PART}(?:{_JOINT}[~$@]?{_PART})*[?!]?")  # in Ruby, a name may ask or shout
_CALL = re.compile(r"\s*\(.*\)\s*;?$", re.DOTALL)
_TICKED = re.compile(r"`+([^`]+)`+")
_WRITTEN_AS_CODE = re.compile(
    rf"(?<![\w./@-])(?:{_PART}(?:{_JOINT}{_PART})+|{_PART}(?=\(\))|[^\W\d]+_\w+|_\w+|[^\W\d_]*[^\W\d_A-Z][A-Z]\w*)(?![\w@-])"
)
_JOINTS = re.compile(_JOINT)
_MOST = 16


def symbols(query: str) -> list[str]:
    """The symbols that a query asks for, each once, as they may be stored: what is joined with dots, too.

    Example:
        >>> symbols("Cart.total()"), symbols("why does `parse` call get_user_name or rag::Store.open?")
        (['Cart.total'], ['parse', 'get_user_name', 'rag::Store.open', 'rag.Store.open'])
        >>> symbols("total"), symbols("the total of a cart"), symbols("e.g. version 1.2")
        (['total'], [], ['e.g'])
    """
    found = [symbol for written in _written(query) for symbol in dict.fromkeys((written, _JOINTS.sub(".", written)))]
    return list(dict.fromkeys(found))[:_MOST]


def inner(symbol: str) -> Iterator[str]:
    """What may be stored of a qualified symbol where all of it is not: without its first parts, but not the last alone.

    >>> list(inner("rag.store.Store.open"))
    ['store.Store.open', 'Store.open']
    """
    parts = symbol.split(".")
    return (".".join(parts[place:]) for place in range(1, len(parts) - 1))


def _written(query: str) -> Iterator[str]:
    whole = _CALL.sub("", query.strip().strip("`").strip())
    if _SYMBOL.fullmatch(whole):
        yield whole
        return
    for ticked in _TICKED.finditer(query):
        symbol = _CALL.sub("", ticked[1].strip())
        if _SYMBOL.fullmatch(symbol):
            yield symbol
    for written in _WRITTEN_AS_CODE.finditer(query):
        yield written[0]
