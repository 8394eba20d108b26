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

MEMORY = 4 * 1024**3
GRACE = 10  # seconds: the one who asked comes first


def main() -> None:
    """Serve until standard input ends."""
    _limit_memory()
    source = sys.stdin.buffer
    # Libraries print; what they print must not get between the answers.
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)
        while line := source.readline():
            request = json.loads(line)
            _set_alarm(request["seconds"] + GRACE)
            try:
                answer = to_json(parse_here(source.read(request["size"]), Path(request["path"])))
            except SourceError as error:
                answer = to_json(error)
            _set_alarm(0)
            answers.write(answer + b"\n")
            answers.flush()


def _set_alarm(seconds: int) -> None:
    """End this process by a signal, whatever it is doing, should nobody be left to end it for taking too long."""
    if hasattr(signal, "alarm"):
        signal.alarm(seconds)


def _limit_memory() -> None:
    """Let a parser that wants the whole machine fail instead. Only some systems can."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))


if __name__ == "__main__":
    main()
