"""The signs that make a comment of a line, in the languages that are indexed."""

from __future__ import annotations

import re

_SIGNS = re.compile(r"^[ \t]*(?:///?|//!|/\*\*?|\*/?|#+|--)|\*/[ \t]*$", re.MULTILINE)


def without_comment_signs(text: str) -> str:
    r"""`text` with blanks in the place of the signs, so that every other character stays where it was.

    >>> without_comment_signs("/** Adds.\n * Twice. */")
    '    Adds.\n   Twice.   '
    """
    return _SIGNS.sub(lambda signs: " " * len(signs[0]), text)
