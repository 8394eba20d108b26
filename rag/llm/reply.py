"""A reply of an LLM, and what ends it early: a limit of time or length, nobody waiting for it, or a loop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from connectors.errors import ConfigurationError, PilotfishError
from rag.llm.tokens import cut, estimate_tokens
from rag.llm.usage import Usage
from rag.llm.worker import HandOver

# Bounds every answer, so that a small model which starts to ramble comes to an end.
ANSWER_TOKENS = 512
# Tokens are estimated on the safe side. Where a server is told the bound it stops at its own count, well before this.
_SLACK = 2
# Small models at temperature 0 may repeat themselves for ever. That shows in the end of the text, of which this much is
# looked at: a loop of up to a third of it is found.
TAIL = 3_000
# A sentence said three times running is a loop. What is shorter must go on for longer: dashes under a heading, "ha ha".
_SENTENCE = 20
_SHORT_LOOP = 240


class LLMError(PilotfishError):
    """The LLM could not answer: not reachable, refused, too slow, or broken off."""


class EmptyReplyError(LLMError):
    """The LLM ended its reply without any text."""


class Stop(StrEnum):
    """Why a reply was stopped before the model ended it."""

    LENGTH = "length"
    REPETITION = "repetition"


@dataclass(frozen=True, slots=True)
class ReplyLimits:
    """The longest time a reply may take, in seconds, and its greatest length.

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

    def within(self, *, tokens: int | None = None, seconds: float | None = None) -> ReplyLimits:
        """The same limits, none of them beyond `tokens` and `seconds`.

        Example:
            >>> ReplyLimits().within(tokens=20, seconds=5.0).first
            5.0
        """
        most = float("inf") if seconds is None else seconds
        times = {name: min(getattr(self, name), most) for name in ("connect", "first", "silence", "whole")}
        return replace(self, tokens=min(self.tokens, tokens or self.tokens), **times)


class Reply(Iterator[str]):
    """A reply as it arrives, piece by piece; `usage` is known once it has ended.

    `produce` makes the generator of the pieces, and sets `usage` on the reply it is given. It runs in a thread of its
    own, so that no model is waited for beyond `limits`: one that does not begin, falls silent or does not come to an
    end is an `LLMError`. A reply that is too long or repeats itself for ever is ended there, and `stopped` says so;
    one without text is an `EmptyReplyError`.

    `close()` cancels an answer that nobody waits for any longer; so does leaving a `with` block.

    Attributes:
        limits: may be tightened until the first piece is asked for.
        usage: what the model reports, else an estimate.
        stopped: why the reply was ended before the model ended it; None where it was not.
        chance: how likely it answers the question, where its writer knows; set with `usage`.
        produce: makes the pieces, for whoever puts something around a reply.
        at_end: called with the whole text and the usage when the reply has ended by itself; gives the usage to report.
    """

    def __init__(
        self, produce: Callable[[Reply], Generator[str]], name: str = "", limits: ReplyLimits | None = None
    ) -> None:
        self.limits = limits or ReplyLimits()
        self.usage = Usage()
        self.stopped: Stop | None = None
        self.chance: float | None = None
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
        # What is there already is taken without a wait, however late it is.
        silence = self.limits.silence if self._said else self.limits.first
        try:
            piece = self._pieces.next(max(0.0, min(silence, self._until - time.monotonic())))
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

    def _timed_out(self) -> LLMError:
        limits, hint = self.limits, "use a faster model, or in Python give it more time: load_llm(…, limits=…)"
        if time.monotonic() >= self._until:
            problem = f"had not finished its answer after {limits.whole:g} s"
        elif self._said:
            problem = f"stopped in the middle of its answer for {limits.silence:g} s"
        else:
            problem, hint = f"did not begin to answer within {limits.first:g} s", f"is it busy? {hint}"
        self.close()
        return LLMError(f"the LLM {self._name!r} {problem}", hint=hint)

    def _end(self) -> None:
        self._ended = True
        text = "".join(self._said)
        if not text.strip():
            raise EmptyReplyError(
                f"the LLM {self._name!r} returned nothing",
                hint="ask again, rephrase the question, or use another model",
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


def repeats_itself(text: str) -> bool:
    """Whether `text` ends in a loop: a stretch of 20 characters or more three times running, or a shorter one for 240.

    Example:
        >>> repeats_itself("The fish swims in the sea. " * 3)
        True
        >>> repeats_itself("ha ha ha"), repeats_itself("-" * 80), repeats_itself("la " * 200)
        (False, False, True)
    """
    tail = text[-TAIL:]
    ending = tail[-_SENTENCE:]
    if len(ending) < _SENTENCE:
        return False
    last = len(tail) - _SENTENCE
    place = tail.rfind(ending, 0, len(tail) - 1)
    while place >= 0:
        if _is_loop(tail, last - place):
            return True
        place = tail.rfind(ending, 0, place + _SENTENCE - 1)
    return False


def _is_loop(tail: str, period: int) -> bool:
    """Whether `tail` ends in a stretch of `period` characters often enough."""
    covered = 3 * period if period >= _SENTENCE else _SHORT_LOOP
    # A stretch has the period p where it equals itself moved by p.
    if covered > len(tail) or tail[-covered:-period] != tail[len(tail) - covered + period :]:
        return False
    stretch = tail[-period:]
    # Sixty dashes are also three times twenty: what is made of something shorter must go on as long as that has to.
    return period < _SENTENCE or (stretch + stretch).find(stretch, 1) >= _SENTENCE
