"""Describes what code defines in words, for an encoder that learned from sentences."""

from __future__ import annotations

import re

from connectors.document import Symbol

_FILE = "module"  # its name is not in its content, and may change without it
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|[A-Z]|\d+")
# Where the name of a language is not spelled as its first letter and the rest.
_SPELLED = {
    "cpp": "C++",
    "csharp": "C#",
    "javascript": "JavaScript",
    "php": "PHP",
    "sql": "SQL",
    "tsx": "TypeScript",
    "typescript": "TypeScript",
}


def in_words(symbol: Symbol, language: str) -> str:
    """A symbol as people would speak of it; nothing for a file.

    Example:
        >>> in_words(Symbol("HTTPClient.get_user2", "method"), "python")
        'Python method http client get user 2'
    """
    if symbol.kind == _FILE:
        return ""
    words = (part.lower() for part in _PARTS.findall(symbol.name))
    return " ".join((_SPELLED.get(language, language.capitalize()), symbol.kind, *words)).strip()
