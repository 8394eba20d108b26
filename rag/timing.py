"""Where the time of a search or an answer went."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Clock:
    """Times the steps of a piece of work, in milliseconds. A step that is taken again adds to its time.

    Args:
        steps: those to report even when they were not taken.

    Example:
        >>> clock = Clock("write")
        >>> with clock("run"):
        ...     pass
        >>> list(clock.timings())
        ['write', 'run']
    """

    def __init__(self, *steps: str) -> None:
        self._start = time.perf_counter()
        self._spent = dict.fromkeys(steps, 0.0)

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        """Time the body as `step`."""
        start = time.perf_counter()
        try:
            yield
        finally:  # a step that fails has taken its time all the same
            self._spent[step] = self._spent.get(step, 0.0) + (time.perf_counter() - start) * 1_000

    def timings(self) -> dict[str, float]:
        """Step → its milliseconds, in the order of the first time each was taken."""
        return {step: round(spent, 3) for step, spent in self._spent.items()}

    def total(self) -> float:
        """The milliseconds since the clock was made."""
        return round((time.perf_counter() - self._start) * 1_000, 3)
