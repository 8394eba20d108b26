"""The order of events, as far as the words of a text tell: "before", "after", "until", "once", "then"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from rag.verification.polarity import WORD, content

_EARLIER = r"before|prior\s+to|until"  # what stands before these words is the earlier,
_LATER = r"after(?!\s+(?:that|this|which)\b)|once|as\s+soon\s+as|(?<!the )following"  # and this the later
_THEN = r"(?:and\s+)?then|after\s+(?:that|this|which)|afterwards"
_MARKER = re.compile(rf"\b(?:(?P<earlier>{_EARLIER})|(?P<later>{_LATER})|(?P<then>{_THEN}))\b", re.IGNORECASE)
_END = re.compile(r"[,;:()!?]|\.(?!\d)")
_MOST = 8  # of them are read: time stays bounded
_IF = re.compile(r"\bif\b", re.IGNORECASE)  # "if …, then …" tells a condition, not an order
_ORDINALS = frozenset(content("first") + content("last") + content("next"))


@dataclass(frozen=True, slots=True)
class Order:
    """The content words of the earlier event and of the later one, without those in both."""

    earlier: frozenset[str]
    later: frozenset[str]


@lru_cache(maxsize=1_000)
def orders(text: str) -> tuple[Order, ...]:
    """What `text` says of what comes before what.

    >>> [order] = orders("After lunch, the guests sing.")
    >>> sorted(order.earlier), sorted(order.later)
    (['lunch'], ['guest', 'sing'])
    """
    return tuple(_orders(text))


def is_reversed(one: str, other: str) -> bool | None:
    """Whether what comes earlier in the one comes later in the other; None where they do not order the same.

    >>> is_reversed("Wash, then cook the rice.", "Cook the rice before you wash it.")
    True
    """
    found: bool | None = None
    for mine in orders(one):
        for its in orders(other):
            earlier, later = mine.earlier & its.earlier, mine.later & its.later
            if earlier and later:
                return False
            # "Rinse the rice before you boil it": where a pronoun stands for it, the rice tells nothing.
            if mine.earlier & its.later and mine.later & its.earlier:
                found = True
            elif (earlier or later) and found is None:
                found = False
    return found


def _orders(text: str) -> Iterator[Order]:
    for marker in islice(_MARKER.finditer(text), _MOST):
        if marker["then"]:
            if _IF.search(text):
                continue
            before, behind = (
                _END.split(text[: marker.start()].rstrip(" ,;:.")),
                _END.split(text[marker.end() :].lstrip(" ,")),
            )
        else:
            before, behind = _END.split(text[: marker.start()]), _END.split(text[marker.end() :])
        main, aside = before[-1], behind[0]
        if not _contents(main) and len(behind) > 1:
            main = behind[1]
        one, other = _contents(main), _contents(aside)
        earlier, later = (other, one) if marker["later"] else (one, other)
        if earlier - later and later - earlier:
            yield Order(earlier - later, later - earlier)


def _contents(text: str) -> frozenset[str]:
    found = (stem for word in WORD.findall(text) for stem in content(word.casefold()))
    return frozenset(found) - _ORDINALS
