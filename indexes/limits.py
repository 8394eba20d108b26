"""The sizes at which a store changes how it works, and how much it processes at a time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoreLimits:
    """Sizes that decide when a store compacts and how much it holds in memory; small ones trigger everything early.

    Attributes:
        delta_least: a new dense base is written when more chunks than this are not in the last one: every reader holds
            them in memory and looks through all of them;
        delta_share: and more than this share of the base,
        delta_most: or more than this, whatever the base.
        exact_chunks: up to here every vector of the dense base is compared (3 ms), beyond it an inverted file is.
        vectors_held: vectors in memory at a time while a base is built.
        dead_least: the sparse index is written anew when more chunks than this in it are dead,
        dead_share: and more than this share of all.
        embedded_at_once: texts between two writes of vectors of record: what a crash can cost.
        texts_held: texts in memory while everything is embedded anew.
        buried_at_once: documents in one transaction when the dead are removed.
        indexed_at_once: chunks in memory, and ids in one query, while the sparse index is written.
        rows_at_once: rows of the catalog in memory, of those that are read by the million.
        bound_at_once: values bound in one SQL statement; SQLite allows 32,766.
    """

    delta_least: int = 1_000
    delta_share: float = 0.1
    delta_most: int = 20_000
    exact_chunks: int = 20_000
    vectors_held: int = 20_000
    dead_least: int = 1_000
    dead_share: float = 0.3
    embedded_at_once: int = 256
    texts_held: int = 10_000
    buried_at_once: int = 500
    indexed_at_once: int = 1_000
    rows_at_once: int = 2_000
    bound_at_once: int = 5_000

    def outgrown(self, delta: int, base: int) -> bool:
        """Whether so many chunks born or dead since make a dense base of that size worth rewriting.

        >>> StoreLimits().outgrown(1_500, 10_000), StoreLimits().outgrown(1_500, 20_000)
        (True, False)
        """
        return delta > min(self.delta_most, max(self.delta_least, self.delta_share * base))
