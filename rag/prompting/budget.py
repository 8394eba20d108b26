"""Splits the token budget of a prompt between evidence and everything else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import TypeVar

from connectors.errors import ConfigurationError

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class PromptShares:
    """The share that each part besides the evidence may take of the room left by instructions and question.

    What a part does not use goes to the evidence, which never has less than what the shares leave it, unless it needs
    less: the rest is then the other parts'.

    Example:
        >>> PromptShares(history=0.25).evidence
        0.45
    """

    background: float = 0.15
    demonstrations: float = 0.15
    history: float = 0.15

    def __post_init__(self) -> None:
        for field in fields(self):
            if not 0 <= (value := getattr(self, field.name)) <= 1:
                raise ConfigurationError(f"the share of {field.name} is {value}", hint="choose a share between 0 and 1")
        if self.evidence <= 0:
            raise ConfigurationError(
                "the shares leave no room for evidence", hint="choose shares that add up to less than 1"
            )

    @property
    def evidence(self) -> float:
        """What the evidence is certain of."""
        return round(1 - self.background - self.demonstrations - self.history, 6)


def fitted(
    items: Sequence[Item],
    room: int,
    cost: Callable[[Sequence[Item]], int],
    shortened: Callable[[Item], Sequence[Item]] = lambda _: (),
) -> list[tuple[Item, Item]]:
    """The items that fit into `room` together, in order, each with what is shown of it.

    Args:
        items: the most wanted first.
        room: in tokens.
        cost: of several items together.
        shortened: shorter forms of an item, the longest first, for when it does not fit whole.

    Example:
        >>> fitted(["abcd", "efg", "h"], 5, lambda kept: len("".join(kept)), lambda item: [item[:2]])
        [('abcd', 'abcd'), ('h', 'h')]
    """
    kept: list[tuple[Item, Item]] = []
    for item in items:
        for form in (item, *shortened(item)):
            if cost([*(shown for _, shown in kept), form]) <= room:
                kept.append((item, form))
                break
    return kept
