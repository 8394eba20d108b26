"""The worker of `connectors.formats.isolation`: reads files from stdin, and answers each with one line of JSON."""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from connectors.errors import SourceError
from connectors.formats.dispatch import parse_here
from connectors.formats.isolation import to_json
from connectors.formats.limits import MOST_MEMORY, memory_for

GRACE = 10  # seconds: the one who asked comes first


def main() -> None:
    """Serve until standard input ends."""
    _forbid_writing()
    source = sys.stdin.buffer
    # Libraries print; what they print must not get between the answers.
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)
        while line := source.readline():
            request = json.loads(line)
            _set_alarms(request["seconds"], request["wall_seconds"] + GRACE)
            _limit_memory(request["size"])
            try:
                answer = to_json(parse_here(source.read(request["size"]), Path(request["path"])))
            except SourceError as error:
                answer = to_json(error)
            _set_alarms(0, 0)
            answers.write(answer + b"\n")
            answers.flush()


def _set_alarms(processor_seconds: float, wall_seconds: float) -> None:
    """End this process by a signal, whatever it is doing, when a file has had its time; 0 calls that off.

    Its time is that of the processor: a busy machine takes nothing from it. The other counts where nobody is left who
    would end a process that sleeps.
    """
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, processor_seconds)
        signal.setitimer(signal.ITIMER_REAL, wall_seconds)


def _forbid_writing() -> None:
    """Let nothing be written to any file: no parser needs to, and one that a hostile file has taken over must not."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _limit_memory(size: int) -> None:
    """Let a parser that wants far more memory than a file of `size` bytes needs fail. Only some systems can."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        limit = min(_held() + memory_for(size), MOST_MEMORY)
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _held() -> int:
    """The bytes of address space that this process has, where the system tells it in the manner of Linux."""
    with suppress(OSError):
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")
    return MOST_MEMORY


if __name__ == "__main__":
    main()
