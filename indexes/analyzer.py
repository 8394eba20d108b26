"""Text to terms for BM25: words, stems without accents, identifiers whole and split, CJK bigrams, numbers whole.

Some people type accents and some do not, in documents as in queries. So no term has any; and as a stemmer may need them
to see the ending of a word, a word with accents is stemmed with and without them, and is found by either stem where the
two differ: 1 to 3 in 100 words of French, Spanish or Portuguese, none in German, 12 in Turkish.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain

import Stemmer

ANALYZER_VERSION = 2
DEFAULT_LANGUAGE = "en"
MAX_TERM_LENGTH = 64

# ISO 639-1 → the Snowball algorithm.
_STEMMERS = {
    "ar": "arabic",
    "ca": "catalan",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "et": "estonian",
    "eu": "basque",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "ne": "nepali",
    "nl": "dutch",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
}
# Scripts written without spaces between words: Thai, Lao, Myanmar, Hangul (as letters, too), Khmer, kana, Han,
# half-width kana.
_UNSPACED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"
    r"\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
_TOKEN = re.compile(
    rf"[{_UNSPACED}]+"
    r"|\d+(?:[.,]\d+)+(?![^\W\d_])"
    rf"|(?:(?![{_UNSPACED}])[\w\u0300-\u036f])+(?:['\u2019](?:(?![{_UNSPACED}])[^\W\d_])+|(?<=\d)\.\d+)*"
)
# The same for ASCII, where it is three times as fast.
_ASCII_TOKEN = re.compile(r"\d+(?:[.,]\d+)+(?![a-zA-Z])|\w+(?:'[a-zA-Z]+|(?<=\d)\.\d+)*", re.ASCII)
_UNSPACED_START = re.compile(f"[{_UNSPACED}]")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")  # 5,120 and 1,000.50: commas group thousands
_INDIVISIBLE = re.compile(r"['\u2019.,]")  # don't, v1.2.3, 3.14
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|[A-Z]|\d+")


@dataclass(frozen=True, slots=True)
class QueryTerm:
    """A term to look up: its stem in each language asked about, and the stretch `text[start:end]` it came from."""

    stems: tuple[str, ...]
    start: int
    end: int


def analyze(text: str, language: str = DEFAULT_LANGUAGE) -> list[str]:
    """The terms of `text`, in order.

    Example:
        >>> analyze("Refunds of 5,120 euros: see getUserName()")
        ['refund', 'of', '5120', 'euro', 'see', 'getusernam', 'get', 'user', 'name']
    """
    tokens = (_ASCII_TOKEN if text.isascii() else _TOKEN).findall(text)
    return list(chain.from_iterable(map(_terms(language).__getitem__, tokens)))


def query_terms(text: str, languages: Sequence[str] = (DEFAULT_LANGUAGE,)) -> list[QueryTerm]:
    """The terms to look up for a query over documents in `languages`, in order.

    Example:
        >>> query_terms("Häuser", ("en", "de"))
        [QueryTerm(stems=('hauser', 'haus'), start=0, end=6)]
    """
    found = (
        QueryTerm(word_stems(word, languages), start, end)
        for piece, start, end in _tokens(text)
        for word in _expand(piece)
    )
    return [term for term in found if term.stems]


def word_stems(word: str, languages: Sequence[str] = (DEFAULT_LANGUAGE,)) -> tuple[str, ...]:
    """The terms that a word, in lower case, is indexed under in any of these languages.

    Example:
        >>> word_stems("publié", ("fr", "en"))
        ('publi', 'publ', 'publie')
    """
    by_language = [_terms(language).stems(word) for language in languages or (DEFAULT_LANGUAGE,)]
    return tuple(dict.fromkeys(chain.from_iterable(by_language)))


def detect_language(text: str) -> str:
    """The ISO 639-1 code of a document's language where there is a stemmer for it and the guess is sure, else English.

    Only the first characters are looked at; a mistaken guess costs stems, never words.
    """
    sample = text[:_SAMPLE]
    words = sample.lower().split()
    # Most English is told by its commonest words, a thousand times faster than by the classifier.
    if len(words) < _TOO_FEW_WORDS or sum(word in _COMMON_ENGLISH for word in words) > _ENGLISH_SHARE * len(words):
        return DEFAULT_LANGUAGE
    language, probability = _identifier().classify(sample)
    return language if language in _STEMMERS and probability >= _SURE else DEFAULT_LANGUAGE


_SAMPLE = 2_000
_TOO_FEW_WORDS = 6
_ENGLISH_SHARE = 0.12
_SURE = 0.9
_COMMON_ENGLISH = frozenset(
    ("the", "of", "and", "to", "is", "that", "for", "with", "was", "are", "by", "this", "from", "which", "be", "it")
)


def fold(word: str) -> str:
    """A word without its accents; letters that are others than those they come from stay (й, が).

    Example:
        >>> fold("müller"), fold("søster"), fold("ёлочный")
        ('muller', 'soster', 'елочный')
    """
    return word if word.isascii() else word.translate(_FOLDED)


class _Folded(dict[int, str]):
    """Character → what is left of it without accents."""

    def __missing__(self, code: int) -> str:
        bases = (base for base in unicodedata.normalize("NFD", chr(code)) if not "\u0300" <= base <= "\u036f")
        self[code] = folded = unicodedata.normalize("NFC", "".join(bases))
        return folded


# Letters without a decomposition, and letters that their decomposition would make others.
_ALIKE = {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "þ": "th", "œ": "oe", "æ": "ae"}
_FOLDED = _Folded({ord(letter): _ALIKE.get(letter, letter) for letter in (*_ALIKE, *"йўїѓќ")})


def _tokens(text: str) -> Iterator[tuple[str, int, int]]:
    """The pieces of the tokens, and where they stand."""
    for match in _TOKEN.finditer(text):
        start, end = match.span()
        pieces = _pieces(match[0])
        if len(pieces) == max(1, end - start - 1):  # pairs, one for each character but the last
            for offset, piece in enumerate(pieces):
                yield piece, start + offset, min(start + offset + 2, end)
        else:
            for piece in pieces:
                yield piece, start, end


def _pieces(raw: str) -> list[str]:
    """The token itself, or of a run without spaces its overlapping pairs (a single character is a piece)."""
    if raw.isascii():
        return [raw]
    normal = "".join(unicodedata.normalize("NFKC", raw).split())  # some ligatures decompose into words
    if not _UNSPACED_START.match(normal):
        return [normal]
    return [normal[offset : offset + 2] for offset in range(max(1, len(normal) - 1))]


def _expand(raw: str) -> Iterable[str]:
    """A piece → the words it is indexed under: itself, and the parts of an identifier."""
    if raw.isascii() and raw.isalpha() and (raw.islower() or raw.istitle()):  # almost every word
        return (raw.lower()[:MAX_TERM_LENGTH],)
    if _GROUPED.fullmatch(raw):
        return (raw.replace(",", ""),)
    whole = raw.replace("\u2019", "'").casefold().removesuffix("'s")
    if _INDIVISIBLE.search(raw):
        parts = []
    else:  # identifiers are ASCII; elsewhere a capital says nothing about parts
        parts = [part.casefold() for part in (_PARTS.findall(raw) if raw.isascii() else raw.split("_")) if part]
    if len(parts) <= 1:
        return (whole[:MAX_TERM_LENGTH],)
    return (whole[:MAX_TERM_LENGTH], *(part[:MAX_TERM_LENGTH] for part in parts))


class _Terms(dict[str, tuple[str, ...]]):
    """Token as typed → its terms. The same few thousand tokens make up most of any text, so what was found is kept."""

    def __init__(self, algorithm: str) -> None:
        super().__init__()
        self._stem = Stemmer.Stemmer(algorithm, 0).stemWord

    def stems(self, word: str) -> Iterable[str]:
        """The terms a word is indexed under: one, or two where its accents make its stem another."""
        if word.isdigit():
            return (word,)
        if word.isascii():
            return (self._stem(word),)
        both = (fold(self._stem(word)), self._stem(fold(word)))
        return [stem[:MAX_TERM_LENGTH] for stem in dict.fromkeys(both) if stem]

    def __missing__(self, raw: str) -> tuple[str, ...]:
        words = (word for piece in _pieces(raw) for word in _expand(piece))
        found = tuple(chain.from_iterable(map(self.stems, words)))
        if len(self) >= _MOST_TOKENS:
            self.clear()
        self[raw] = found
        return found


_MOST_TOKENS = 200_000  # some 50 MB


@cache
def _terms(language: str) -> _Terms:
    return _Terms(_STEMMERS.get(language, _STEMMERS[DEFAULT_LANGUAGE]))


@cache
def _identifier():  # type: ignore[no-untyped-def]
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(sorted(_STEMMERS))
    return identifier
