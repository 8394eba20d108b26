"""How much of a repository is read, and how long it may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RepositoryLimits:
    """What a repository that somebody made to harm the reader may cost.

    Attributes:
        files: a commit with more is not read: a few small trees that name each other make billions of paths.
        seconds: how long one answer of git may take, on top of some time for the size of an object: a pipe in the place
            of an object would be waited for without end.
    """

    files: int = 2_000_000
    seconds: float = 120.0
