"""Tokenizes a question for linking: its words, how each is written, and its quotations."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from indexes.terms.forms import WORD, bare, stem
from indexes.terms.names import normal
from rag.text.names import STOPS, is_code_like, shows_name

_MOST_WORDS = 100  # of a question that are looked at

_QUOTED = re.compile(r"“([^“”]+)”|\"([^\"]+)\"|`([^`]+)`|«([^«»]+)»|(?<!\w)['‘]([^'‘’]+(?:['’]\w[^'‘’]*)*)['’](?!\w)")
_SENTENCE = re.compile(r"(?:^|[.?!:;]\s|\n)\W*$")


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a question.

    Attributes:
        text: as it was typed, at `start` to `end`.
        word: its normal form.
        stem: what is left without an ending.
        is_first: whether a sentence begins with it, so that its capital says nothing.
    """

    text: str
    start: int
    end: int
    word: str
    stem: str
    is_first: bool

    @property
    def is_capital(self) -> bool:
        """Whether its capital letter shows a name."""
        return shows_name(self.text, first=self.is_first)

    @property
    def is_code(self) -> bool:
        """Whether it is written as no ordinary word is: in capitals, or of letters and digits."""
        return is_code_like(self.text)

    @property
    def is_number(self) -> bool:
        """Whether it has no letter."""
        return not any(map(str.isalpha, self.text))

    @property
    def is_stop(self) -> bool:
        """Whether it is one of the words that hold a sentence together."""
        return self.word in STOPS


class TokenizedQuestion:
    """A question's words, at most the first `most`, and its quotations."""

    def __init__(self, text: str, most: int = _MOST_WORDS) -> None:
        self.text = text
        self.tokens: Sequence[Token] = [
            Token(
                text=found[0],
                start=found.start(),
                end=found.end(),
                word=(word := bare(normal(found[0]))),
                stem=stem(word),
                is_first=bool(_SENTENCE.search(text[: found.start()])),
            )
            for found in islice(WORD.finditer(text), most)
        ]

    @cached_property
    def shows_names(self) -> bool:
        """Whether capitals tell names from other words: not where all is in capitals, or all words begin with one."""
        letters = [token.text for token in self.tokens if not token.is_number]
        small = [token.text for token in self.tokens if token.is_stop and not token.is_first and token.text != "I"]
        shouted = len(letters) > 1 and all(text.isupper() for text in letters)
        return not shouted and not (small and all(text[0].isupper() for text in small))

    @cached_property
    def quotes(self) -> list[tuple[int, int]]:
        """First and one past the last token of each quotation."""
        found = []
        for match in _QUOTED.finditer(self.text):
            start, end = match.span(match.lastindex or 0)
            inside = [place for place, token in enumerate(self.tokens) if start <= token.start and token.end <= end]
            if inside:
                found.append((inside[0], inside[-1] + 1))
        return found

    def quoted(self, first: int, last: int) -> float:
        """1 where the tokens `first` up to `last` are what a quotation holds, 0.5 within a short one, else 0."""
        for start, end in self.quotes:
            if (start, end) == (first, last):
                return 1.0
            if start <= first and last <= end <= start + _SHORT_QUOTE:
                return 0.5
        return 0.0

    def words(self, first: int, last: int) -> list[str]:
        """The normal forms of these tokens."""
        return [token.word for token in self.tokens[first:last]]

    def typed(self, first: int, last: int) -> str:
        """The stretch of the question from the one token to the other."""
        return self.text[self.tokens[first].start : self.tokens[last - 1].end]


_SHORT_QUOTE = 8
