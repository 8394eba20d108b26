"""Near-duplicates, by shared word shingles (Broder, 1997): which passages add nothing to another, or copy it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from rag.text.words import denials, numbers_in_order, words

_SHINGLE = 4
_CONTAINED = 0.8


@dataclass(frozen=True)
class Fingerprint:
    """The compared parts of a passage, each computed on first use, the cheapest first."""

    text: str

    @cached_property
    def plain(self) -> str:
        """The text with every white space as one blank."""
        return " ".join(self.text.split())

    @cached_property
    def figures(self) -> tuple[str, ...]:
        """The numbers, in their order."""
        return numbers_in_order(self.text)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words; of a text without any, itself."""
        return tuple(words(self.text)) or (self.plain,)

    @cached_property
    def denials(self) -> tuple[str, ...]:
        """The negations, in their order."""
        return denials(self.words)

    @cached_property
    def telling(self) -> frozenset[str]:
        """The words that change a meaning all by themselves: numbers and negations."""
        return frozenset(self.figures + self.denials)

    @cached_property
    def shingles(self) -> frozenset[tuple[str, ...]]:
        """Every few words in a row."""
        last = max(1, len(self.words) - _SHINGLE + 1)
        return frozenset(self.words[i : i + _SHINGLE] for i in range(last))

    def adds_nothing_to(self, other: Fingerprint) -> bool:
        """Whether nearly all of this passage stands in `other`.

        Two table rows or two versions of a rule can differ in one number or one "not" and are then both needed,
        however alike they look: a passage with a number or a negation of its own is never a duplicate.
        """
        if not self.telling <= other.telling:
            return False
        return len(self.shingles & other.shingles) >= _CONTAINED * len(self.shingles)

    def is_copy_of(self, other: Fingerprint) -> bool:
        """Whether neither passage adds anything to the other, number for number and negation for negation.

        Where "14" and "30" have changed places, or one of three "not" is gone, nearly all words are the same still. So
        they are where one letter is to Ann and the other to Bob: of copies, one has no word that the other lacks.
        """
        if self.plain == other.plain:
            return True
        if self.figures != other.figures or self.denials != other.denials:
            return False
        mine, theirs = frozenset(self.words), frozenset(other.words)
        if not (mine <= theirs or theirs <= mine):
            return False
        return self.adds_nothing_to(other) and other.adds_nothing_to(self)
