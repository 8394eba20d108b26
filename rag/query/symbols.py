"""The code symbols in a query, and the share of the query that each makes up."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.text.words import STOP_WORDS

_PART = r"[^\W\d]\w*"
_JOINT = r"(?:\.|::|->|#)"
_NAME = rf"[~$@]?{_PART}(?:{_JOINT}[~$@]?{_PART})*[?!]?"  # in Ruby, a name may ask or shout
_SYMBOL = re.compile(_NAME)
_CALL = re.compile(r"([^(]*)\(.*\)\s*;?", re.DOTALL)  # of `parse(text)`, the name
_TICKED = re.compile(r"(?<!`)`+([^`]+)`+")  # any number of them, as Markdown allows
# Possessive, or a long word is tried from each of its letters.
_IDENTIFIER = re.compile(rf"(?<![\w./@-])({_PART}+(?:{_JOINT}{_PART}+)*+)(\(\))?+(?![\w@-])")
_NO_WORD = re.compile(r"\W|\w_|_\w|[^\W\d_A-Z][A-Z]")  # joined, or as nobody writes a word
_JOINTS = re.compile(_JOINT)
_WORD = re.compile(r"[^\W_]\w*")

_KIND = "function|method|class|property|constant|variable|macro|module|struct|enum|trait|interface|type|symbol"
_SAID = rf"(?P<name>{_NAME}?)(?:\(\))?"
_HERE = rf"(?:(?:the|a|an)\s+)?(?:(?:{_KIND})\s+)?`*{_SAID}`*(?:\s+(?:{_KIND}))?"
_SHOW = r"(?:please\s+)?(?:(?:can|could)\s+you\s+)?(?:show|give|find|get|list|explain|describe|open|go\s+to|jump\s+to)"
_KEYWORD = (
    r"(?:(?:pub|public|private|static|export|async)\s+)*(?:def|class|func|function|fn|struct|enum|trait|interface)"
)
_PLACE = r"(?:defined|declared|implemented|called|used|tested|documented|located|coming\s+from)"
_ASPECT = (
    r"(?:definition|declaration|implementation|signature|docstring|body|parameters|arguments|(?:source\s+)?code"
    r"|callers?|callees|calls|usages?|uses|references)"
)
# What people ask of a symbol. Whoever asks so means it however plain a word it is.
_QUESTIONS = (
    rf"(?:where|how)(?:\s+(?:is|are)|'s)\s+{_HERE}(?:\s+{_PLACE})?",
    rf"(?:(?:{_SHOW}(?:\s+me)?|what(?:\s+(?:is|are)|'s))\s+)?(?:the\s+)?{_ASPECT}\s+(?:of|for|to)\s+{_HERE}",
    rf"{_HERE}\s+{_ASPECT}",
    rf"(?:what|who|which\s+\w+)\s+(?:calls?|uses?|invokes?|implements?|defines?|overrides?)\s+{_HERE}",
    rf"(?:what|how|when|why)\s+(?:does|do)\s+{_HERE}\s+(?:do|work|returns?|takes?|means?|raises?|calls?|throw)",
    rf"{_SHOW}\s+me\s+{_HERE}",
    rf"(?:{_SHOW}\s+(?:me\s+)?)?(?:the\s+)?(?:{_KIND})\s+`*{_SAID}`*",
    rf"(?:{_SHOW}\s+(?:me\s+)?)?(?:the\s+)?`*{_SAID}`*\s+(?:{_KIND})",
    rf"{_KEYWORD}\s+{_SAID}(?:[^\w\s].*)?",
)
_ASKED = tuple(re.compile(question, re.IGNORECASE | re.DOTALL) for question in _QUESTIONS)

_STOPS = frozenset(STOP_WORDS.split())
_MOST = 16
_MOST_PARTS = 16  # of a name with several parts


def symbols(query: str) -> dict[str, float]:
    """The symbols that a query names, as they may be stored: what is joined with dots, too. Each with its share.

    The share is 1 where the query is the symbol or asks for it, as `where is … defined?` does. Of more words, a symbol
    that is written as code is only a part, and less the more words there are: a sentence that mentions one is mostly
    about something else.

    Example:
        >>> symbols("Cart.total()"), symbols("why does `parse` call rag::Store.open?")
        ({'Cart.total': 1.0}, {'parse': 1.0, 'rag::Store.open': 1.0, 'rag.Store.open': 1.0})
        >>> symbols("where is total defined?"), symbols("the total of a cart"), symbols("e.g. version 1.2")
        ({'total': 1.0}, {}, {'e.g': 0.11})
        >>> symbols("what somebody pays for everything that `total` counts")
        {'total': 0.06}
    """
    found: dict[str, float] = {}
    for written, share in _written(query):
        for symbol in (written, _JOINTS.sub(".", written)):
            found.setdefault(symbol, share)
    return dict(list(found.items())[:_MOST])


def inner(symbol: str) -> Iterator[str]:
    """What may be stored of a qualified symbol where all of it is not: without its first parts, but not the last alone.

    >>> list(inner("rag.store.Store.open"))
    ['store.Store.open', 'Store.open']
    """
    parts = symbol.split(".")[-_MOST_PARTS:]
    return (".".join(parts[place:]) for place in range(1, len(parts) - 1))


def is_called(qualified: str, name: str) -> bool:
    """Whether a qualified name ends with these parts.

    >>> is_called("Cart::get_total", "get_total"), is_called("Cart::get_total", "total")
    (True, False)
    """
    parts = _JOINTS.split(name)
    return _JOINTS.split(qualified)[-len(parts) :] == parts


def _written(query: str) -> Iterator[tuple[str, float]]:
    """What is written as a symbol, and its share, the greatest first."""
    whole = _without_call(query.strip().strip("`"))
    if _SYMBOL.fullmatch(whole):
        yield whole, 1.0
        return
    sentence = " ".join(query.split()).rstrip("?!. ")
    for question in _ASKED:
        if asked := question.fullmatch(sentence):
            yield asked["name"], 1.0
    ticked = [_without_call(found[1]) for found in _TICKED.finditer(query)]
    rest = _TICKED.sub(" ", query)
    bare = [name for name, call in _IDENTIFIER.findall(rest) if call or _NO_WORD.search(name)]
    others = _words(rest) - _words(" ".join(bare)) - _STOPS
    yield from ((symbol, _share(len(others))) for symbol in (*filter(_SYMBOL.fullmatch, ticked), *bare))


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.lower()))


def _without_call(written: str) -> str:
    """A name without the brackets that call it."""
    call = _CALL.fullmatch(written.strip())
    return (call[1] if call else written).strip()


def _share(others: int) -> float:
    """What a symbol that is written as code is of a query that has so many other words, stop words left out.

    By the square, so that what a sentence describes comes before what it only mentions (`benchmarks/code.py`).
    """
    return round(1 / max(1, others) ** 2, 2)
