"""Near-duplicates among the passages of one prompt, by shared word shingles (Broder, 1997)."""

from __future__ import annotations

from dataclasses import dataclass

from rag.words import negations, numbers, words

_SHINGLE = 4
_CONTAINED = 0.8


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What is compared of a passage: its shingles, and the words that change a meaning all by themselves."""

    shingles: frozenset[tuple[str, ...]]
    telling: frozenset[str]

    @classmethod
    def of(cls, text: str) -> Fingerprint:
        """Take the fingerprint of `text`; a text without any word is one shingle, itself."""
        tokens = words(text) or [text.strip()]
        last = max(1, len(tokens) - _SHINGLE + 1)
        shingles = frozenset(tuple(tokens[i : i + _SHINGLE]) for i in range(last))
        return cls(shingles, numbers(text) | negations(text))

    def adds_nothing_to(self, other: Fingerprint) -> bool:
        """Whether nearly all of this passage stands in `other`.

        Two table rows or two versions of a rule can differ in one number or one "not" and are then both needed,
        however alike they look: a passage with a number or a negation of its own is never a duplicate.
        """
        if not self.telling <= other.telling:
            return False
        return len(self.shingles & other.shingles) >= _CONTAINED * len(self.shingles)
