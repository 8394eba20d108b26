"""Confines the process: limits on memory and time, and finally no right to open or write any file."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

GRACE = 5  # seconds beyond the limit: the process that started this one comes first


def limit_memory(size: int) -> None:
    """Let an allocation beyond `size` bytes of address space fail. Only some systems can."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (size, size))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def set_alarm(seconds: float) -> None:
    """End this process by a signal, whatever it is doing, should nobody be left to end it."""
    if hasattr(signal, "alarm"):
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(int(seconds) + GRACE)


def close_all_doors() -> None:
    """From here on no file can be opened and none can grow: what has to be open is open."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        lowest = os.open(os.devnull, os.O_RDONLY)  # the next number that would be given out
        os.close(lowest)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, lowest))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
