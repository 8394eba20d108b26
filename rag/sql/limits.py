"""The limits of a statement."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.errors import ConfigurationError

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class StatementLimits:
    """The most that one statement may take.

    Attributes:
        seconds: of running; then its process is killed and the server is told to stop.
        rows: that come back; the rest is cut off and `Rows.cut` says so.
        size: bytes of all rows together, as JSON.
        cell: bytes of one value; a longer text or blob is cut.
        memory: bytes of address space of the process that runs it.

    Raises:
        ConfigurationError: one of them is not above 0.
    """

    seconds: float = 10.0
    rows: int = 1_000
    size: int = 4 * _MIB
    cell: int = 64 * 1024
    memory: int = 1024 * _MIB

    def __post_init__(self) -> None:
        for name in ("seconds", "rows", "size", "cell", "memory"):
            if not getattr(self, name) > 0:
                raise ConfigurationError(f"the limit {name} is {getattr(self, name)}", hint="choose more than 0")
