"""Runs a generator in its own thread, so that its reader never waits longer than it chooses to."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Generator
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")

# Some systems do not interrupt a wait for Ctrl-C: it is noticed between two of these.
_WAIT_SECONDS = 0.2
# How long a reader who leaves waits for the thread to end. One that is stuck in foreign code cannot be ended: it is
# a daemon, and dies with the process.
_GRACE_SECONDS = 1.0


class HandOver(Generic[T]):
    """Runs the generator made by `make` in a daemon thread, and hands over its items.

    `cancelled` is set by `close()`: the thread looks at it after every item, and what waits inside the generator waits
    on it, too.

    Example:
        >>> squares = HandOver(lambda: (n * n for n in (2, 3)))
        >>> squares.next(5.0), squares.next(5.0)
        (4, 9)
        >>> squares.next(5.0)
        Traceback (most recent call last):
        StopIteration
    """

    def __init__(self, make: Callable[[], Generator[T]], cancelled: threading.Event | None = None) -> None:
        self._cancelled = cancelled or threading.Event()
        self._make = make
        self._items: SimpleQueue[T | _End] = SimpleQueue()
        # What the reader set for itself (tracing, the locale of a request) holds in the thread, too.
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=context.run, args=(self._work,), name="pilotfish-llm", daemon=True)
        self._thread.start()

    def next(self, timeout: float) -> T:
        """The next item, waited for at most `timeout` seconds.

        Raises:
            StopIteration: the generator has ended.
            TimeoutError: nothing came in time.
            BaseException: what the generator raised.
        """
        item = self._get(timeout)
        if not isinstance(item, _End):
            return item
        self.close()
        self._items.put(_End(None))  # whoever asks again learns the same
        raise item.error or StopIteration

    def close(self) -> None:
        """Stop the generator at its next item, and wait a moment for that."""
        self._cancelled.set()
        self._thread.join(_GRACE_SECONDS)

    def _get(self, timeout: float) -> T | _End:
        until = time.monotonic() + timeout
        while True:
            try:
                return self._items.get(timeout=max(0.0, min(_WAIT_SECONDS, until - time.monotonic())))
            except Empty:
                if time.monotonic() >= until:
                    raise TimeoutError from None

    def _work(self) -> None:
        generator: Generator[T] | None = None
        end = _End(None)
        try:
            generator = self._make()
            for item in generator:
                if self._cancelled.is_set():
                    break
                self._items.put(item)
        except BaseException as error:  # noqa: BLE001 — raised again where it is read
            end = _End(error)
        # First the end, then the closing: a generator may hang in that, and its reader has all he waits for.
        self._items.put(end)
        if generator is not None:
            generator.close()


class _End:
    """Marks the end of the items; `error` is the exception that ended the generator early."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error
