"""Records which of a million documents a run has met, in eight bytes each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.int64]


class Seen:
    """A set of texts that only grows, stored as hashes: eight bytes per text.

    Two texts with one hash among millions is once in ten million runs; the second then counts as met. The hashes are
    seeded by chance for each process, so nobody can make texts that collide.

    >>> seen = Seen()
    >>> seen.add(["a", "b", "a"]), seen.add(["b", "c"]), seen.missing(["c", "d"])
    ([True, True, False], [False, True], ['d'])
    """

    def __init__(self) -> None:
        self._blocks: list[Hashes] = []  # each sorted, and more than twice as long as the next

    def add(self, texts: Sequence[str]) -> list[bool]:
        """Add these; for each, whether it is met for the first time."""
        hashes = _hashes(texts)
        distinct, first = np.unique(hashes, return_index=True)
        unknown = ~self._has(distinct)
        is_new = np.zeros(len(texts), dtype=bool)
        is_new[first[unknown]] = True
        self._keep(distinct[unknown])
        new: list[bool] = is_new.tolist()
        return new

    def missing(self, texts: Sequence[str]) -> list[str]:
        """Those of these that were never added."""
        has = self._has(_hashes(texts))
        return [text for text, is_here in zip(texts, has.tolist(), strict=True) if not is_here]

    def _has(self, hashes: Hashes) -> npt.NDArray[np.bool_]:
        found = np.zeros(len(hashes), dtype=bool)
        for block in self._blocks:
            places = np.minimum(np.searchsorted(block, hashes), len(block) - 1)
            found |= block[places] == hashes
        return found

    def _keep(self, hashes: Hashes) -> None:
        """Blocks of like length are merged: every hash is moved only a few times, however many there are."""
        if not len(hashes):
            return
        self._blocks.append(hashes)
        while len(self._blocks) > 1 and len(self._blocks[-2]) <= 2 * len(self._blocks[-1]):
            last = self._blocks.pop()
            self._blocks[-1] = np.sort(np.concatenate([self._blocks[-1], last]))


def _hashes(texts: Sequence[str]) -> Hashes:
    return np.fromiter(map(hash, texts), dtype=np.int64, count=len(texts))
