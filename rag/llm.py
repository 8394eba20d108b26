"""The LLM seam: text in, text out. What every LLM offers, whoever runs it, and what bounds its replies."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol, runtime_checkable

from connectors.errors import ConfigurationError, PilotfishError
from rag.handover import HandOver
from rag.repetition import TAIL, repeats_itself
from rag.results import Message, Prompt, Usage

# Bounds every answer, so that a small model which starts to ramble comes to an end.
ANSWER_TOKENS = 512
_LEAST_WINDOW = 8_192  # tokens, of a model that is no small one
# Tokens are estimated on the safe side. Where a server is told the bound it stops at its own count, well before this.
_SLACK = 2


class LLMError(PilotfishError):
    """The LLM could not answer: not reachable, refused, too slow, or broken off."""


class EmptyReplyError(LLMError):
    """The LLM ended its reply without having said anything."""


class Stop(StrEnum):
    """Why a reply was ended before the model ended it."""

    LENGTH = "length"
    REPETITION = "repetition"


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a reply may take, in seconds, and how long it may be.

    Attributes:
        connect: until a server accepts the connection.
        first: until the first piece: loading a model and reading the prompt are in it, and repeated attempts.
        silence: between two pieces.
        whole: from the first moment to the last.
        tokens: of the reply.
    """

    connect: float = 10.0
    first: float = 120.0
    silence: float = 60.0
    whole: float = 600.0
    tokens: int = ANSWER_TOKENS

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if not value > 0:
                raise ConfigurationError(f"the limit {name!r} of an LLM's reply is {value}", hint="it must be above 0")

    def within(self, *, tokens: int | None = None, seconds: float | None = None) -> Limits:
        """The same limits, none of them beyond `tokens` and `seconds`.

        Example:
            >>> Limits().within(tokens=20, seconds=5.0).first
            5.0
        """
        most = float("inf") if seconds is None else seconds
        times = {name: min(getattr(self, name), most) for name in ("connect", "first", "silence", "whole")}
        return replace(self, tokens=min(self.tokens, tokens or self.tokens), **times)


class Reply(Iterator[str]):
    """An answer as it arrives, piece by piece; `usage` is known when it has ended.

    `produce` makes the generator of the pieces, and sets `usage` on the reply it is given. It runs in a thread of its
    own, so that no model is waited for beyond `limits`: one that does not begin, falls silent or does not come to an
    end is an `LLMError`. A reply that is too long or repeats itself for ever is ended there, and `stopped` says so;
    one without text is an `EmptyReplyError`.

    `close()` cancels an answer that nobody waits for any longer; so does leaving a `with` block.

    Attributes:
        limits: may be tightened until the first piece is asked for.
        usage: what the model reports, else an estimate.
        stopped: why the reply was ended before the model ended it; None where it was not.
        produce: makes the pieces, for whoever puts something around a reply.
        at_end: called with the whole text and the usage when the reply has ended by itself; gives the usage to report.
    """

    def __init__(
        self, produce: Callable[[Reply], Generator[str]], name: str = "", limits: Limits | None = None
    ) -> None:
        self.limits = limits or Limits()
        self.usage = Usage()
        self.stopped: Stop | None = None
        self.at_end: list[Callable[[str, Usage], Usage]] = []
        self._name = name
        self.produce = produce
        self._pieces: HandOver[str | None] | None = None
        self._cancelled = threading.Event()
        self._said: list[str] = []
        self._ended = False
        self._until = 0.0

    def __next__(self) -> str:
        if self._ended:
            raise StopIteration
        if self._pieces is None:
            self._until = time.monotonic() + self.limits.whole
            self._pieces = HandOver(self._bounded, self._cancelled)
        try:
            piece = self._pieces.next(self._patience())
        except StopIteration:
            self._end()
            raise
        except TimeoutError:
            raise self._timed_out() from None
        except BaseException:
            self.close()
            raise
        if piece is None:
            self.close()
            self._end()
            raise StopIteration
        self._said.append(piece)
        return piece

    def __enter__(self) -> Reply:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the answer where it is."""
        self._ended = True
        self._cancelled.set()
        if self._pieces is not None:
            self._pieces.close()

    def pause(self, seconds: float) -> bool:
        """Wait, as `produce` does between two attempts; False where nobody waits for the reply any longer."""
        return not self._cancelled.wait(seconds)

    def _patience(self) -> float:
        """How long the next piece may take. What is there already is taken without a wait, however late it is."""
        patience = self.limits.silence if self._said else self.limits.first
        return max(0.0, min(patience, self._until - time.monotonic()))

    def _timed_out(self) -> LLMError:
        limits, hint = self.limits, "use a faster model, or in Python give it more time: load_llm(…, limits=…)"
        if time.monotonic() >= self._until:
            problem = f"had not ended its answer after {limits.whole:g} s"
        elif self._said:
            problem = f"fell silent in the middle of its answer, for {limits.silence:g} s"
        else:
            problem, hint = f"did not begin to answer within {limits.first:g} s", f"is it busy? {hint}"
        self.close()
        return LLMError(f"the LLM {self._name!r} {problem}", hint=hint)

    def _end(self) -> None:
        self._ended = True
        text = "".join(self._said)
        if not text.strip():
            raise EmptyReplyError(
                f"the LLM {self._name!r} returned nothing", hint="ask again or in other words, or use another model"
            )
        for then in self.at_end:
            self.usage = then(text, self.usage)

    def _bounded(self) -> Generator[str | None]:
        """The pieces up to where there are too many, or they begin to repeat themselves: then None.

        None comes before the closing, in which a model may hang when its reader has all he waits for.
        """
        room, tail = self.limits.tokens * _SLACK, ""
        pieces = self.produce(self)
        try:
            for piece in pieces:
                kept = cut(piece, room)
                if kept:
                    yield kept
                if kept != piece:
                    self.stopped = Stop.LENGTH
                    yield None
                    return
                room -= estimate_tokens(kept)
                tail = (tail + kept)[-TAIL:]
                if repeats_itself(tail):
                    self.stopped = Stop.REPETITION
                    yield None
                    return
        finally:
            pieces.close()


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

    @property
    def can_write(self) -> bool:
        """Whether it writes whatever it is asked to; `extractive` only quotes sources."""
        ...

    def count(self, text: str) -> int:
        """The tokens of `text`: exact where the model's own tokenizer is at hand, else an estimate on the safe side."""
        ...

    def stream(self, prompt: Prompt, question: str) -> Reply:
        """Start an answer to `prompt`. Errors while it arrives are `LLMError`s."""
        ...


def is_small(llm: LLM) -> bool:
    """Whether `llm` is a small model, as its window tells: it copies an example, and writes no SQL that runs."""
    return llm.window is not None and llm.window < _LEAST_WINDOW


def complete(
    llm: LLM,
    messages: Sequence[Message] | Prompt,
    *,
    max_tokens: int = ANSWER_TOKENS,
    timeout: float | None = None,
    on_usage: Callable[[Usage], None] | None = None,
) -> str:
    """What `llm` writes in reply to `messages`, whole and stripped: for the short jobs beside an answer.

    Args:
        llm: any that can write.
        messages: what it is sent.
        max_tokens: bounds the reply.
        timeout: seconds for the whole reply, where the LLM's own limits are not tighter.
        on_usage: hears what the reply took.

    Returns:
        The text; empty where the model had nothing to say, which is a reply to some jobs.

    Raises:
        ConfigurationError: `llm` only quotes sources.
        LLMError: it failed or took too long.

    Example:
        >>> from rag.llm_loading import as_llm
        >>> complete(as_llm(lambda messages: " Paris "), [Message("user", "The capital of France?")])
        'Paris'
    """
    if not llm.can_write:
        raise ConfigurationError(f"the LLM {llm.name!r} only quotes sources", hint="use local or openai:MODEL")
    if not isinstance(messages, Prompt):
        sent = tuple(messages)
        messages = Prompt(sent, (), (), sum(llm.count(message.content) for message in sent))
    with llm.stream(messages, "") as reply:
        reply.limits = reply.limits.within(tokens=max_tokens, seconds=timeout)
        try:
            text = "".join(reply).strip()
        except EmptyReplyError:
            text = ""
    if on_usage is not None:
        on_usage(reply.usage)
    return text


def cut(text: str, tokens: int) -> str:
    """The beginning of `text` of at most `tokens` estimated tokens, cut between words. Never reads further than that.

    Example:
        >>> cut("the sky is blue", 3)
        'the sky is '
    """
    for match in _PIECES.finditer(text):
        tokens -= _cost(match)
        if tokens < 0:
            return text[: match.start()]
    return text


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
