"""Asking again when a server is busy: a bounded number of times, with jitter, and only before anything was said."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tenacity import RetryCallState

ATTEMPTS = 3
# The wait grows from half a second; what a server asks for by Retry-After is honoured up to this.
LONGEST_WAIT_SECONDS = 30.0
_FIRST_WAIT_SECONDS = 0.5
_MOST_JITTER_SECONDS = 0.5
_BUSY = {408, 429, 500, 502, 503, 504, 529}


class CancelledError(Exception):
    """Nobody waits for the reply any longer."""


def stream_with_retries(start: Callable[[], Iterator[str]], pause: Callable[[float], bool]) -> Iterator[str]:
    """The pieces of `start()`, which is called again where it fails for a passing reason before its first piece.

    Args:
        start: begins an attempt.
        pause: waits for so many seconds; False where it was cancelled.

    Raises:
        CancelledError: during a wait.
        Exception: what the last attempt raised, or what came after the first piece: that is never asked for again.
    """
    from tenacity import Retrying, retry_if_exception, stop_after_attempt

    def sleep(seconds: float) -> None:
        if not pause(seconds):
            raise CancelledError

    def begin() -> tuple[str | None, Iterator[str]]:
        pieces = start()
        return next(pieces, None), pieces

    retrying = Retrying(
        stop=stop_after_attempt(ATTEMPTS),
        retry=retry_if_exception(is_passing),
        wait=_wait,
        sleep=sleep,
        reraise=True,
    )
    first, rest = retrying(begin)
    if first is not None:
        yield first
    yield from rest


def is_passing(error: BaseException) -> bool:
    """Whether the same request may succeed a little later: no connection, too many requests, a fault of the server.

    Errors are told by name and status, as SDKs differ. One that ran out of time has had its time; one that is out of
    credit stays so; and a server that wants to be left alone for longer than we wait is left alone.
    """
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if kinds & {"APITimeoutError", "TimeoutException"}:
        return False
    if kinds & {"APIConnectionError", "TransportError", "ConnectionError"}:
        return True
    if getattr(error, "code", None) == "insufficient_quota" or retry_after(error) > LONGEST_WAIT_SECONDS:
        return False
    return getattr(error, "status_code", None) in _BUSY


def retry_after(error: BaseException | None) -> float:
    """The seconds that a server asks to wait, by its header Retry-After; 0 where it does not or makes no sense."""
    value = str(getattr(getattr(error, "response", None), "headers", {}).get("retry-after", "")).strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        when = parsedate_to_datetime(value)
    except (ValueError, IndexError, TypeError, OverflowError):
        return 0.0
    return max(0.0, when.timestamp() - time.time())


def _wait(state: RetryCallState) -> float:
    from tenacity import wait_exponential, wait_random

    error = state.outcome.exception() if state.outcome is not None else None
    own = wait_exponential(_FIRST_WAIT_SECONDS)(state) + wait_random(0, _MOST_JITTER_SECONDS)(state)
    return max(own, min(retry_after(error), LONGEST_WAIT_SECONDS))
