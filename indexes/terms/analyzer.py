"""Text to terms for BM25: words, stems without accents, identifiers whole and split, CJK bigrams, numbers whole.

Some people type accents and some do not, in documents as in queries. So no term has any. A stemmer may need them to
recognise the ending of a word, so a word with accents is stemmed with and without them, and is found by either stem
where the two differ: 1 to 3 in 100 words of French, Spanish or Portuguese, none in German, 12 in Turkish. The vowel
points of Hebrew and Arabic are such accents; the vowel signs of Hindi or Tamil are letters, and stay.

Traditional characters count as simplified ones. A single character may be a word in Chinese: a run without spaces is
indexed by its pairs and by its Han characters, and searched by its pairs, or by its one character.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path

import Stemmer

ANALYZER_VERSION = 3
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
UNSPACED = (
    r"[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"
    r"\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]"
)
# What follows a letter and belongs to it, which `\w` does not know: accents, vowel points and signs, what chooses among
# the shapes of a character (with the letters among them, as a test holds against Unicode's tables), and the joiners.
_MARKS = (
    r"\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    r"\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u0711-\u07f3\u07fd\u0816-\u082d\u0859-\u085b\u0897-\u08e1\u08e3-\u0963"
    r"\u0981-\u09e3\u09fe-\u0a75\u0a81-\u0ae3\u0afa-\u0b63\u0b82-\u0bd7\u0c00-\u0c63\u0c81-\u0c83\u0cbc-\u0d4d"
    r"\u0d57-\u0d63\u0d81-\u0df3\u0f18\u0f19\u0f35\u0f37\u0f39\u0f3e-\u0f84\u0f86-\u0fbc\u0fc6\u135d-\u135f"
    r"\u1712-\u1734\u1752-\u1773\u180b-\u180d\u180f-\u193b\u1a17-\u1a1b\u1a55-\u1a7f\u1ab0-\u1b44\u1b6b-\u1b73"
    r"\u1b80-\u1bf3\u1c24-\u1c37\u1cd0-\u1cd2\u1cd4-\u1dff\u20d0-\u20f0\ua66f-\ua672\ua674-\ua67d\ua69e-\ua6f1"
    r"\ua802-\ua827\ua82c\ua880-\ua8c5\ua8e0-\ua8f1\ua8ff-\ua92d\ua947-\ua953\ua980-\ua9c0\ua9e5-\uaa4d"
    r"\uaa7b-\uaac1\uaaeb-\uaaef\uaaf5\uaaf6\uabe3-\uabea\uabec\uabed\ufb1e\ufe00-\ufe0f\ufe20-\ufe2f"
)
# The joiners part words in Persian, and choose shapes in the scripts of India.
_ATTACHED = rf"[{_MARKS}]|[\u200c\u200d](?=[\u0900-\u0dff])"
WORD = rf"(?!{UNSPACED})\w(?:(?!{UNSPACED})(?:\w|{_ATTACHED}))*"  # patterns: a word of a spaced script,
LETTERS = WORD.replace(r"\w", r"[^\W\d_]")  # and one without digits
_TOKEN = re.compile(rf"{UNSPACED}+|\d+(?:[.,]\d+)+(?![^\W\d_])|{WORD}(?:['\u2019]{LETTERS}|(?<=\d)\.\d+)*")
# The same for ASCII, where it is three times as fast.
_ASCII_TOKEN = re.compile(r"\d+(?:[.,]\d+)+(?![a-zA-Z])|\w+(?:'[a-zA-Z]+|(?<=\d)\.\d+)*", re.ASCII)
_UNSPACED_START = re.compile(UNSPACED)
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")  # 5,120 and 1,000.50: commas group thousands
_INDIVISIBLE = re.compile(r"['\u2019.,]")  # don't, v1.2.3, 3.14
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|[A-Z]|\d+")


@dataclass(frozen=True, slots=True)
class QueryTerm:
    """A term to look up: its stem in each query language, and the stretch `text[start:end]` it came from."""

    stems: tuple[str, ...]
    start: int
    end: int


def analyze(text: str, language: str = DEFAULT_LANGUAGE, *, characters: bool = True) -> list[str]:
    """The terms of `text`, in order; without `characters`, a run of Han characters gives its pairs alone.

    Example:
        >>> analyze("Refunds of 5,120 euros: see getUserName()")
        ['refund', 'of', '5120', 'euro', 'see', 'getusernam', 'get', 'user', 'name']
    """
    tokens = (_ASCII_TOKEN if text.isascii() else _TOKEN).findall(text)
    return list(chain.from_iterable(map(_terms(language, characters).__getitem__, tokens)))


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
    """The ISO 639-1 code of a document's language where the guess is sure, else English.

    It knows the languages that there is a stemmer for, and those that are told by their script. Only the first
    characters are looked at; a mistaken guess costs stems, never words.
    """
    sample = text[:_SAMPLE]
    if not sample.isascii() and (language := _by_script(sample)):
        return language
    words = sample.lower().split()
    # Most English is told by its commonest words, a thousand times faster than by the classifier.
    if len(words) < _TOO_FEW_WORDS or sum(word in _COMMON_ENGLISH for word in words) > _ENGLISH_SHARE * len(words):
        return DEFAULT_LANGUAGE
    language, probability = _identifier().classify(sample)
    return language if language in _STEMMERS and probability >= _SURE else DEFAULT_LANGUAGE


def _by_script(sample: str) -> str | None:
    """The language of a text that is written without spaces for the most part."""
    letters = sum(map(str.isalpha, sample))
    found = {language: len(script.findall(sample)) for language, script in _SCRIPTS.items()}
    if 2 * sum(found.values()) < letters or not letters:
        return None
    if found["ja"] * _KANA_SHARE > found["zh"]:
        return "ja"
    return max(found, key=found.__getitem__)


_SAMPLE = 2_000
_SCRIPTS = {
    "zh": re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]"),
    "ja": re.compile(r"[\u3040-\u30ff]"),
    "ko": re.compile(r"[\uac00-\ud7af]"),
    "th": re.compile(r"[\u0e00-\u0e7f]"),
}
_KANA_SHARE = 10  # Chinese may quote a little kana, Japanese always has some
_TOO_FEW_WORDS = 6
_ENGLISH_SHARE = 0.12
_SURE = 0.9
_COMMON_ENGLISH = frozenset(
    ("the", "of", "and", "to", "is", "that", "for", "with", "was", "are", "by", "this", "from", "which", "be", "it")
)


def fold(word: str) -> str:
    """A word without its accents, vowel points and joiners; letters that are others than those they come from stay.

    Example:
        >>> fold("müller"), fold("søster"), fold("ёлочный"), fold("كِتَاب")
        ('muller', 'soster', 'елочный', 'كتاب')
    """
    return word if word.isascii() else word.translate(_FOLDED)


class _Folded(dict[int, str]):
    """Maps a character to itself without accents, and a digit to the European one."""

    def __missing__(self, code: int) -> str:
        digit = unicodedata.decimal(chr(code), None)
        bases = "".join(_ACCENTS.split(unicodedata.normalize("NFD", chr(code))))
        self[code] = folded = unicodedata.normalize("NFC", bases) if digit is None else str(digit)
        return folded


# Accents; Hebrew and Arabic points with the stroke that only stretches; the dot below of India's scripts (nukta), which
# few type; what chooses among the shapes of a character.
_ACCENTS = re.compile(
    r"[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed\u093c\u09bc\u0a3c\u0abc\u0b3c"
    r"\u1ab0-\u1aff\u1dc0-\u1dff\u200c\u200d\u20d0-\u20f0\ufe00-\ufe0f\ufe20-\ufe2f]"
)
# Letters without a decomposition, and letters that their decomposition would make others.
_ALIKE = {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "þ": "th", "œ": "oe", "æ": "ae"}
# Written one for another: alef without its hamza, Persian kaf and yeh, the yeh without dots; the nasal signs of Hindi.
_ALIKE |= {"ٱ": "ا", "ک": "ك", "ی": "ي", "ى": "ي", "ँ": "ं"}
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
    normal = normal.translate(_simplified())
    return [normal[offset : offset + 2] for offset in range(max(1, len(normal) - 1))]


def _characters(pairs: Sequence[str]) -> list[str]:
    """The Han characters of the pairs of a run, each of which may be a word."""
    if len(pairs[0]) == 1 or not _UNSPACED_START.match(pairs[0]):
        return []
    run = "".join(pair[0] for pair in pairs) + pairs[-1][1:]
    return [character for character in run if _HAN.match(character)]


@cache
def _simplified() -> dict[int, str]:
    """Traditional → simplified characters (`scripts/build_han.py`)."""
    traditional, simplified = (Path(__file__).parent / "han.txt").read_text(encoding="utf-8").splitlines()
    return dict(zip(map(ord, traditional), simplified, strict=True))


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
    """Caches token as typed → its terms: the same few thousand tokens make up most of any text."""

    def __init__(self, algorithm: str, *, characters: bool) -> None:
        super().__init__()
        self._characters = characters
        self._stem = Stemmer.Stemmer(algorithm, 0).stemWord

    def stems(self, word: str) -> Iterable[str]:
        """The terms a word is indexed under: one, or two where its accents make its stem another."""
        if word.isdigit():
            return (fold(word),)
        if word.isascii():
            return (self._stem(word),)
        both = (fold(self._stem(word)), self._stem(fold(word)))
        return [stem[:MAX_TERM_LENGTH] for stem in dict.fromkeys(both) if stem]

    def __missing__(self, raw: str) -> tuple[str, ...]:
        pieces = _pieces(raw)
        also = _characters(pieces) if self._characters else ()
        words = (word for piece in chain(pieces, also) for word in _expand(piece))
        found = tuple(chain.from_iterable(map(self.stems, words)))
        if len(self) >= _MOST_TOKENS:
            self.clear()
        self[raw] = found
        return found


_MOST_TOKENS = 200_000  # some 50 MB


@cache
def _terms(language: str, characters: bool = True) -> _Terms:
    return _Terms(_STEMMERS.get(language, _STEMMERS[DEFAULT_LANGUAGE]), characters=characters)


@cache
def _identifier():  # type: ignore[no-untyped-def]
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(sorted(_STEMMERS))
    return identifier
