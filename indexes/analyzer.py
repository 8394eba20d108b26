"""Text to terms for BM25: Unicode words, stems, identifiers whole and split, CJK bigrams, numbers whole."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain

import Stemmer

ANALYZER_VERSION = 1
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
# Scripts written without spaces between words: Thai, Lao, Myanmar, Khmer, kana, Han, Hangul.
_UNSPACED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"
    r"\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
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
        [QueryTerm(stems=('häuser', 'haus'), start=0, end=6)]
    """
    by_language = [_terms(language) for language in languages or (DEFAULT_LANGUAGE,)]
    return [
        QueryTerm(tuple(dict.fromkeys(stems)), start, end)
        for raw, start, end in _tokens(text)
        for stems in zip(*(terms[raw] for terms in by_language), strict=True)
    ]


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


def _tokens(text: str) -> Iterator[tuple[str, int, int]]:
    """Tokens and where they stand; of a run without spaces its overlapping pairs (a single character is a token)."""
    for match in _TOKEN.finditer(text):
        raw, start, end = match[0], match.start(), match.end()
        if _UNSPACED_START.match(raw):
            for offset, pair in enumerate(_pairs(raw)):
                yield pair, start + offset, min(start + offset + 2, end)
        else:
            yield raw, start, end


def _pairs(raw: str) -> list[str]:
    return [raw[offset : offset + 2] for offset in range(max(1, len(raw) - 1))]


def _expand(raw: str) -> Iterable[str]:
    """A token as typed → the terms it is indexed under: itself, and the parts of an identifier."""
    if raw.isascii():
        if raw.isalpha() and (raw.islower() or raw.istitle()):  # almost every word
            return (raw.lower()[:MAX_TERM_LENGTH],)
    else:
        raw = "".join(unicodedata.normalize("NFKC", raw).split())  # some ligatures decompose into words
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

    def __missing__(self, raw: str) -> tuple[str, ...]:
        pieces = _pairs(raw) if _UNSPACED_START.match(raw) else [raw]
        words = [word for piece in pieces for word in _expand(piece)]
        found = tuple(word if word.isdigit() else self._stem(word) for word in words)
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
