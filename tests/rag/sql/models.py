"""Language models as tests need them: that write what they are told to, and that obey whoever speaks in a prompt."""

from __future__ import annotations

import re
from collections.abc import Iterable

Messages = list[dict[str, str]]


class Scripted:
    """Replies with one text after the other, and remembers what it was sent."""

    def __init__(self, *replies: str) -> None:
        self._replies: Iterable[str] = iter(replies)
        self.sent: list[Messages] = []

    def __call__(self, messages: Messages) -> str:
        self.sent.append(messages)
        return next(iter(self._replies))

    def prompt(self, number: int = -1) -> str:
        """All that it was sent the last time."""
        return "\n".join(message["content"] for message in self.sent[number])


class Obedient:
    """Does what a text in the prompt tells it to: writes the SQL that the text dictates."""

    def __init__(self) -> None:
        self.sent: list[Messages] = []

    def __call__(self, messages: Messages) -> str:
        self.sent.append(messages)
        order = re.search(r"this SQL: ([^'\n]*)", messages[-1]["content"])
        return order[1] if order else "SELECT body FROM reviews ORDER BY id"
