"""Captions: lines that begin with the name and number of a figure, a table, an algorithm or the like."""

from __future__ import annotations

import re

_CAPTION = re.compile(
    r"(?P<name>fig(?:ure|\.)?|table|tab\.|algorithm|listing|scheme|box|chart|exhibit|plate|abb(?:ildung|\.)|tabelle|"
    r"tableau|figura|tabla|tabella|schema)\s*(?:\d+|[ivx]+|[a-z](?=[.\d]))(?:[.-]\d+)*[a-z]?"
    r"(?P<stop>\s*[.:|–—]|\s+(?-i:(?=[^\W\d_a-z]))|\s*$)",
    re.IGNORECASE,
)


def is_caption(text: str, *, clearly: bool = False) -> bool:
    """Whether a line begins as captions do; `clearly` says that a stop has to follow the number.

    >>> is_caption("Figure 3: The tower"), is_caption("Table 2 Towers"), is_caption("Table 2 shows")
    (True, True, False)
    """
    found = _CAPTION.match(text)
    return bool(found and (not clearly or found["stop"].strip()))


def begins_listing(text: str) -> bool:
    """Whether a caption is that of an algorithm, whose lines stand below it."""
    found = _CAPTION.match(text)
    return bool(found and found["name"].casefold() in {"algorithm", "listing"})
