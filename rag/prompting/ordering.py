"""The order of the sources in a prompt.

Liu et al., "Lost in the Middle: How Language Models Use Long Contexts" (TACL 2024), https://arxiv.org/abs/2307.03172:
models use the beginning and the end of a long prompt better than its middle.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")

# The paper's shortest prompts, of ten documents and some 1,500 tokens, show the effect already; a few passages do not
# make a middle.
LONG = 1_500


def arranged(ranked: Sequence[Item], tokens: int) -> list[Item]:
    """`ranked`, the best first, as it should stand in a prompt where it takes `tokens`.

    A short prompt keeps the order. In a long one the best stands first and the second best last, the third second and
    so on: what matters least is in the middle.

    Example:
        >>> arranged([1, 2, 3, 4, 5], 4000)
        [1, 3, 5, 4, 2]
        >>> arranged([1, 2, 3, 4, 5], 400)
        [1, 2, 3, 4, 5]
    """
    if tokens < LONG:
        return list(ranked)
    return [*ranked[::2], *reversed(ranked[1::2])]
