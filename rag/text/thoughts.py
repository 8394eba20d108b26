"""What a model thought before it answered: never an answer, nor a part of one."""

from __future__ import annotations

import re

_NAMES = "think|thinking|thought|reasoning"
_THOUGHT = re.compile(rf"<({_NAMES})>.*?(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_CLOSING = re.compile(rf"</(?:{_NAMES})>", re.IGNORECASE)


def without_thoughts(reply: str) -> str:
    """`reply` less its thoughts: also those that are unfinished, and those whose opening tag the prompt has taken.

    Example:
        >>> without_thoughts("<think>Hm.</think>Yes. <think>Or"), without_thoughts("Hm.</think>Yes.")
        ('Yes. ', 'Yes.')
    """
    text = _THOUGHT.sub("", reply)
    return text[max((found.end() for found in _CLOSING.finditer(text)), default=0) :]
