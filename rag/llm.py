"""The LLM seam: text in, text out. What every LLM offers, whoever runs it."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from typing import Protocol, runtime_checkable

from connectors.errors import PilotfishError
from rag.results import Prompt, Usage

# Bounds every answer, so that a small model which starts to repeat itself comes to an end.
ANSWER_TOKENS = 512


class LLMError(PilotfishError):
    """The LLM could not answer: not reachable, refused, or broken off."""


class Reply(Iterator[str]):
    """An answer as it arrives, piece by piece; `usage` is known when it has ended.

    `produce` makes the generator of the pieces and sets `usage` on the reply it is given.
    `close()` cancels an answer that nobody waits for any longer; so does leaving a `with` block.
    """

    def __init__(self, produce: Callable[[Reply], Generator[str]]) -> None:
        self.usage = Usage()
        self._pieces = produce(self)

    def __next__(self) -> str:
        return next(self._pieces)

    def __enter__(self) -> Reply:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the answer where it is."""
        self._pieces.close()


@runtime_checkable
class LLM(Protocol):
    """A large model as a black box."""

    @property
    def name(self) -> str:
        """The spec it was made from, for people."""
        ...

    @property
    def window(self) -> int | None:
        """How many tokens prompt and answer may take together; None when that is not known or has no bound."""
        ...

    def count(self, text: str) -> int:
        """The tokens of `text`: exact where the model's own tokenizer is at hand, else an estimate on the safe side."""
        ...

    def stream(self, prompt: Prompt, question: str) -> Reply:
        """Start an answer to `prompt`. Errors while it arrives are `LLMError`s."""
        ...


def estimate_tokens(text: str) -> int:
    """About how many tokens a model with an unknown tokenizer makes of `text`, on the safe side.

    A word costs one token for every four ASCII letters begun, every digit and sign one. Other letters cost one, signs
    of three UTF-8 bytes (most scripts of Asia) two, of four (emoji) four. A small vocabulary of 49,152 entries, trained
    on English, makes up to a fifth more of German; larger ones make less of everything.
    """
    return sum(_cost(match) for match in _PIECES.finditer(text))


_PIECES = re.compile(r"(?P<letters>[A-Za-z]+)|(?P<space> +|[\n\t\r]+)|(?P<ascii>[\x00-\x7f])|(?P<other>[^\x00-\x7f]+)")
_LETTERS_A_TOKEN = 4
_SPACES_A_TOKEN = 8
_TWO_BYTES, _THREE_BYTES = 0x7FF, 0xFFFF


def _cost(match: re.Match[str]) -> int:
    piece = match.group()
    if match["letters"]:
        return -(-len(piece) // _LETTERS_A_TOKEN)
    if match["space"]:
        # One space belongs to the word after it.
        return 0 if piece == " " else -(-len(piece) // _SPACES_A_TOKEN)
    return sum(1 if ord(sign) <= _TWO_BYTES else 2 if ord(sign) <= _THREE_BYTES else 4 for sign in piece)
