"""Words that a hyphen cuts at the end of a line, made one again."""

from __future__ import annotations

import re
from collections.abc import Iterable

from connectors.formats.documents.pages.line import PageLine

_WORD = re.compile(r"\w+(?:[-\u2010\u2011]\w+)*")
_LAST = re.compile(r"\w+(?:[-\u2010\u2011]\w+)*$")
_LONGEST_WORD = 40
_MARKS = ".,;:!?()[]{}\"'“”‘’„«»*"
_LEAST_PART = 3  # letters of a part that is a word of its own: `in-` and `to-` begin too many words


class Hyphens:
    """Knows the words of a document, and so whether a hyphen at the end of a line belongs to the word.

    >>> page = [PageLine("zero", 0, 9, 0, 9, hyphen=True), PageLine("shot, as zero-shot models", 0, 9, -9, 9)]
    >>> Hyphens(page).join("zero", "shot")
    'zero-shot'
    """

    def __init__(self, lines: Iterable[PageLine]) -> None:
        self._words: set[str] | None = None
        self._lines = lines

    def join(self, first: str, second: str) -> str:
        """Two texts that a hyphen and the end of a line are between."""
        last, following = _LAST.search(first[-_LONGEST_WORD:]), _WORD.match(second)
        if not last or not following or self._keeps(last.group().casefold(), following.group()):
            return f"{first}-{second}"
        return first + second

    def _keeps(self, last: str, following: str) -> bool:
        if not following[0].islower() or last[-1].isdigit():
            return True
        words = self._known()
        following = following.casefold()
        if last + following in words:
            return False
        if f"{last}-{following}" in words:
            return True
        # `large-` and `scale` are words of the text, `detec-` and `tion` are none.
        head = following.partition("-")[0]
        return min(len(last), len(head)) >= _LEAST_PART and last in words and head in words and last + head not in words

    def _known(self) -> set[str]:
        """The words of the document, but for the parts of those that are cut."""
        if self._words is None:
            texts = []
            cut = False
            for line in self._lines:
                text = line.text
                if cut:
                    text = text.partition(" ")[2]
                if line.hyphen:
                    text = text.rpartition(" ")[0]
                cut = line.hyphen
                texts.append(text)
            self._words = {word.strip(_MARKS) for word in set("\n".join(texts).casefold().split())}
        return self._words
