"""Spelling: a word of a query that no passage has, searched in the nearest spelling that some passage has.

The vocabulary is the index's own, so it has the names and terms of the documents and nothing else. It is not read
through: every string that one slip makes of the word (a letter too many, missing or wrong, or two swapped; after
P. Norvig, *How to Write a Spelling Corrector*) is stemmed and looked up, some 55 strings a letter at about a
microsecond, however many words there are.

Of several spellings found, the one in most passages is the likeliest; the kind of slip counts, too. Of 12,000
misspellings that people made (the list of `codespell`, as far as the right word is in the index and one slip away),
91 to 94 in 100 are put right by the number of passages alone, and 93 to 96 with the odds below.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from indexes.analyzer import fold, query_terms, word_stems

if TYPE_CHECKING:
    from indexes.store import View

_SHORTEST = 4
_SHORT = 4  # one letter is much of these: a slip must be a likely one
_LONGEST = 40
_ENOUGH_PASSAGES = 500  # in fewer, most words of a well typed query may be in none
_MOST_UNKNOWN = 4  # more words that no passage has are another language, or none
# Logarithms: a spelling in e² times as many passages makes up for 2.
_SWAPPED, _ONE_MORE_OR_LESS, _REPLACED = 4.0, 2.0, 0.0
_SAME_FIRST_LETTER = 2.0
_SURE = _ONE_MORE_OR_LESS + _SAME_FIRST_LETTER
_PASSAGES_READ = 3
# Latin (terms have no accents), Greek, Cyrillic, Armenian, Hebrew, Arabic.
_ALPHABETS = tuple(
    "".join(map(chr, range(ord(first), ord(last) + 1))) for first, last in ("az", "αω", "аџ", "աֆ", "את", "ءي")
)
_WORD = re.compile(r"[^\W\d_]+")
_LITERAL = re.compile(r'"[^"]*"|\S*(?:[\d_/\\@#=<>()\[\]{}]|\w[.:]+\w)\S*')


@dataclass(frozen=True, slots=True)
class Correction:
    """A word of the query that no passage has, and what was searched in its place."""

    typed: str
    searched: str


@dataclass(frozen=True, slots=True)
class Respelled:
    """A query (in Unicode's composed form), with the corrections in place."""

    text: str
    corrections: tuple[Correction, ...] = ()


def respell(query: str, view: View) -> Respelled:
    """The query, with words that no passage has in the spelling that some passage has.

    A word that any passage has is never touched, nor is one in double quotes, in capitals, or in a code, a path, an
    address or an identifier. Where more words stay unknown than can be put right, and passages are many,
    the query was not mistyped: it asks for something else, in another language perhaps, or for nothing.
    """
    query = unicodedata.normalize("NFC", query)
    known = _known(query, view)
    unknown = [word for word in _prose(query) if word.start() not in known]
    if not unknown or len(unknown) > _MOST_UNKNOWN:
        return Respelled(query)
    spellings = [(word, spelling) for word in unknown if (spelling := _spelling(word[0], view))]
    if 2 * len(spellings) < len(unknown) and view.indexes.sparse.size >= _ENOUGH_PASSAGES:
        return Respelled(query)
    text = query
    for word, spelling in reversed(spellings):
        text = text[: word.start()] + spelling + text[word.end() :]
    return Respelled(text, tuple(Correction(word[0], spelling) for word, spelling in spellings))


def _known(query: str, view: View) -> set[int]:
    """The places in the query of terms that a passage has."""
    occurrences = view.indexes.sparse.occurrences
    terms = query_terms(query, view.indexes.languages)
    return {place for term in terms if any(map(occurrences, term.stems)) for place in range(term.start, term.end)}


def _prose(query: str) -> Iterator[re.Match[str]]:
    """The words of the query that may be misspelt words of a language."""
    literal = {place for found in _LITERAL.finditer(query) for place in range(*found.span())}
    for word in _WORD.finditer(query):
        plain = word[0].islower() or word[0].istitle() or query.isupper()
        if plain and word.start() not in literal and _SHORTEST <= len(word[0]) <= _LONGEST and _alphabet(word[0]):
            yield word


def _alphabet(word: str) -> str | None:
    letters = set(fold(word.casefold()))
    return next((alphabet for alphabet in _ALPHABETS if letters.issubset(alphabet)), None)


def _spelling(typed: str, view: View) -> str | None:
    """The likeliest spelling of a word that no passage has, in the case that was typed."""
    word = typed.casefold()
    occurrences = cache(view.indexes.sparse.occurrences)
    odds: dict[str, float] = {}
    stems: dict[str, tuple[str, ...]] = {}
    for spelling, slip in _slips(word).items():
        found = word_stems(spelling, view.indexes.languages)
        passages = max(map(occurrences, found), default=0)
        likely = slip + _SAME_FIRST_LETTER * (spelling[0] == word[0])
        if passages and (len(word) > _SHORT or likely >= _SURE):
            odds[spelling], stems[spelling] = likely + math.log(passages), found
    if not odds:
        return None
    best = max(odds, key=odds.__getitem__)
    alike = {spelling for spelling in odds if not set(stems[best]).isdisjoint(stems[spelling])}
    written = _as_written(best, stems[best], alike, view)
    return written.upper() if typed.isupper() else written.title() if typed.istitle() else written


def _slips(word: str) -> dict[str, float]:
    """Every string one slip away from `word` → the logarithm of how likely that slip is."""
    letters = _alphabet(word) or ""
    splits = [(word[:place], word[place:]) for place in range(len(word) + 1)]
    slips = dict.fromkeys([head + letter + tail[1:] for head, tail in splits if tail for letter in letters], _REPLACED)
    slips.update(
        dict.fromkeys([head + letter + tail for head, tail in splits for letter in letters], _ONE_MORE_OR_LESS)
    )
    slips.update(dict.fromkeys([head + tail[1:] for head, tail in splits if tail], _ONE_MORE_OR_LESS))
    slips.update(
        dict.fromkeys([head + tail[1] + tail[0] + tail[2:] for head, tail in splits if len(tail) > 1], _SWAPPED)
    )
    slips.pop(word, None)
    return slips


def _as_written(best: str, stems: tuple[str, ...], alike: set[str], view: View) -> str:
    """Of spellings with one stem the one that a passage has, with its accents; the others may be no words at all."""
    ids, _ = view.indexes.sparse.search(stems, _PASSAGES_READ, view.mask({}))
    folded = {fold(spelling) for spelling in alike}
    for chunk in view.chunks(np.sort(ids)).values():
        for word in _WORD.finditer(unicodedata.normalize("NFC", chunk.indexed_text)):
            if fold(word[0].casefold()) in folded:
                return word[0].lower()
    return best
