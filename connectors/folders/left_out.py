"""Counts what is left out of a folder, by reason."""

from __future__ import annotations

import os

from connectors.folders.document import printable
from connectors.source import LeftOut

_MOST_EXAMPLES = 5


class LeftOutTally:
    """What was left out below `root` so far: by reason how much, and a few examples."""

    def __init__(self, root: str) -> None:
        self._root = root.rstrip(os.sep) + os.sep if root else ""
        self._found: dict[str, tuple[int, list[str]]] = {}

    def add(self, reason: str, path: str) -> None:
        """Count a file or folder, unless there is no reason to tell."""
        if not reason:
            return
        count, examples = self._found.get(reason, (0, []))
        if len(examples) < _MOST_EXAMPLES:
            examples.append(printable(path.removeprefix(self._root)))
        self._found[reason] = count + 1, examples

    def by_reason(self) -> tuple[LeftOut, ...]:
        """What was counted, in the order of reasons."""
        return tuple(LeftOut(reason, count, tuple(found)) for reason, (count, found) in sorted(self._found.items()))
