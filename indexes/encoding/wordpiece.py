"""WordPiece tokenization as in BERT: the word pieces of a text, and the characters that each covers.

Wu et al., "Google's Neural Machine Translation System" (2016), section 4.1, describes the pieces; Devlin et al., "BERT"
(2019), how a text is first normalised and cut into words. The result equals that of Hugging Face's `tokenizers`; tests
compare the two. That library would add 33 MB to an installation, two thirds of it a client for a model hub.
"""

from __future__ import annotations

import json
import re
import unicodedata
from array import array
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from indexes.encoding.base import Span

_UNKNOWN = "[UNK]"
_CONTINUED = "##"  # in front of a piece that does not begin its word
_LONGEST_WORD = 100  # characters: BERT takes a longer word for unknown
_REMEMBERED = 65_536  # words whose pieces are kept, for words repeat

_SPACE = r" \t\n\r\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_ASCII_PUNCTUATION = r"!-/:-@\[-`{-~"
_IDEOGRAPHS = (
    r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002a6df\U0002a700-\U0002b73f\U0002b740-\U0002b81f"
    r"\U0002b920-\U0002ceaf\U0002f800-\U0002fa1f"
)
# One word, but for punctuation beyond ASCII, which `_words` looks for: in a regular expression it would be a long list.
_STRETCH = re.compile(f"[^{_SPACE}{_ASCII_PUNCTUATION}{_IDEOGRAPHS}]+|[{_ASCII_PUNCTUATION}{_IDEOGRAPHS}]")
_IS_ALONE = re.compile(f"[{_ASCII_PUNCTUATION}{_IDEOGRAPHS}]")

Cut = tuple[tuple[int, ...], tuple[Span, ...]]
Word = tuple[str, Sequence[int]]


class WordPieces:
    """Splits texts into the word pieces of a vocabulary. Threads may share one.

    >>> import tempfile
    >>> from pathlib import Path
    >>> model = {"type": "WordPiece", "vocab": {"[UNK]": 0, "un": 1, "##aff": 2, "##able": 3, "!": 4}}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "tokenizer.json")
    ...     _ = path.write_text(json.dumps({"model": model}))
    ...     pieces = WordPieces(path)
    >>> pieces.encode("Unaffable!")
    ([1, 2, 3, 4], [(0, 2), (2, 5), (5, 9), (9, 10)])
    """

    def __init__(self, path: Path) -> None:
        self.vocabulary: dict[str, int] = json.loads(path.read_text("utf-8"))["model"]["vocab"]
        self._remembered = lru_cache(maxsize=_REMEMBERED)(self._cut)

    def encode(self, text: str) -> tuple[list[int], list[Span]]:
        """The number of each word piece, and its characters `text[start:end]`."""
        ids: list[int] = []
        spans: list[Span] = []
        for found in _STRETCH.finditer(text):
            pieces, places = self._of_stretch(found[0])
            offset = found.start()
            ids += pieces
            spans += [(offset + start, offset + end) for start, end in places]
        return ids, spans

    def ids(self, text: str) -> list[int]:
        """The number of each word piece."""
        return [piece for stretch in _STRETCH.findall(text) for piece in self._of_stretch(stretch)[0]]

    def _of_stretch(self, stretch: str) -> Cut:
        # A line of megabytes without a space is not kept: it would not come back, and the memory would not either.
        return self._remembered(stretch) if len(stretch) <= _LONGEST_WORD else self._cut(stretch)

    def _cut(self, stretch: str) -> Cut:
        ids: list[int] = []
        spans: list[Span] = []
        for letters, places in _words(stretch):
            for piece, start, end in self._pieces(letters):
                ids.append(piece)
                spans.append((places[start], places[end - 1] + 1))
        return tuple(ids), tuple(spans)

    def _pieces(self, word: str) -> list[tuple[int, int, int]]:
        """The longest piece that begins the word, then the longest that begins the rest, and so on to its end."""
        unknown = [(self.vocabulary[_UNKNOWN], 0, len(word))]
        if len(word) > _LONGEST_WORD:
            return unknown
        pieces: list[tuple[int, int, int]] = []
        start = 0
        while start < len(word):
            prefix = _CONTINUED if start else ""
            for end in range(len(word), start, -1):
                if (piece := self.vocabulary.get(prefix + word[start:end])) is not None:
                    pieces.append((piece, start, end))
                    start = end
                    break
            else:
                return unknown
        return pieces


def _words(stretch: str) -> Iterator[Word]:
    """The words of a stretch, normalised, each with the place of every letter; a punctuation mark is a word."""
    if stretch.isascii() and stretch.isalnum():
        yield stretch.lower(), range(len(stretch))
        return
    letters: list[str] = []
    places = array("Q")  # a stretch may be a whole file
    for place, character in enumerate(stretch):
        for letter in _normalised(character):
            if _stands_alone(letter):
                if letters:
                    yield "".join(letters), places
                yield letter, (place,)
                letters, places = [], array("Q")
            else:
                letters.append(letter)
                places.append(place)
    if letters:
        yield "".join(letters), places


@lru_cache(maxsize=4096)
def _normalised(character: str) -> str:
    """A character in lower case and without accents: several letters for a syllable of Hangul, none if invisible."""
    if unicodedata.category(character) in {"Cc", "Cf", "Co"} or character == "\ufffd":
        return ""
    parts = unicodedata.normalize("NFD", character)
    return "".join(part.lower() for part in parts if unicodedata.category(part) != "Mn")


@lru_cache(maxsize=4096)
def _stands_alone(letter: str) -> bool:
    return _IS_ALONE.match(letter) is not None or unicodedata.category(letter).startswith("P")
