"""Spelling: replaces a query word that no passage contains with the nearest spelling that some passage contains.

The vocabulary is the index's own, so it has the names and terms of the documents and nothing else. It is never scanned:
every string that one slip makes of the word (a letter too many, missing or wrong, or two swapped; after
P. Norvig, *How to Write a Spelling Corrector*) is stemmed and looked up, some 55 strings a letter at about a
microsecond, however many words there are.

A word may also be missing because the documents do not mention it, especially if they are few. So a word that the
encoder knows whole, as it knows the common words of its language, is not a slip; and the shorter a word, the likelier
the slip must be. A stemmer makes something of any string, so the spelling itself must occur in a passage; for a long
word it is enough that its stem is one slip from the stem of the typed word.

Before that, a missing space is looked for ("wifi" where a passage has "Wi-Fi"), and the parts of a compound in
languages that make words of words.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from indexes.terms.analyzer import LETTERS, fold, word_stems
from rag.query.abbreviations import Abbreviation
from rag.query.query import Query

if TYPE_CHECKING:
    from indexes.encoding.base import Encoder
    from indexes.store import View

_SHORTEST = 4
_SHORT, _MIDDLING = 4, 6  # one letter is much of words so long: a slip must be a likely one
_SHORT_STEM, _LONG_STEM = 5, 8
_LONGEST = 40
_ENOUGH_PASSAGES = 500  # in fewer, most words of a well typed query may be in none
_MOST_UNKNOWN = 4  # more words that no passage has are another language, or none
# Logarithms: a spelling in e² times as many passages makes up for 2.
_SWAPPED, _ONE_MORE_OR_LESS, _BESIDE, _REPLACED = 4.0, 2.0, 1.0, 0.0
_SAME_FIRST_LETTER = 2.0
_PASSAGES_READ = 3
# Letters taken for one another: keys side by side or one above the other on the layouts of several countries, vowels,
# and consonants that sound alike.
_LAYOUTS = tuple(
    layout.split()
    for layout in ("qwertyuiop asdfghjkl zxcvbnm", "qwertzuiop asdfghjkl yxcvbnm", "azertyuiop qsdfghjklm")
)
_ALIKE = ("aeiou", "ckqs", "sz", "bp", "dt", "mn", "fv", "vw", "iy", "gj")
# Languages that write what others say in several words as one; what may stand between its parts; their least length.
_COMPOUNDING = frozenset(("da", "de", "et", "fi", "hu", "nl", "no", "sv"))
_LINKS = ("", "s", "n", "en", "es", "e", "er")
_PART = 4
_SPACED = 3  # letters of a word that a space was forgotten beside; a forgotten hyphen may stand beside fewer
# Latin (terms have no accents), Greek, Cyrillic, Armenian, Hebrew, Arabic.
_ALPHABETS = tuple(
    "".join(map(chr, range(ord(first), ord(last) + 1))) for first, last in ("az", "αω", "аџ", "աֆ", "את", "ءي")
)
_WORD = re.compile(LETTERS)
_TOKEN = re.compile(r'"[^"]*"|[^\s"]+|"')
_LITERAL = re.compile(r'"|[\d_/\\@#=<>()\[\]{}]|\w[.:]+\w')  # in a token: nobody meant a word of a language


def _taken_for() -> frozenset[str]:
    """Both orders of every two letters that are taken for one another."""
    sets = [*_ALIKE]
    for rows in _LAYOUTS:
        sets += [row[place : place + 2] for row in rows for place in range(len(row) - 1)]
        sets += [key + upper[place : place + 2] for upper, row in pairwise(rows) for place, key in enumerate(row)]
    return frozenset(one + other for letters in sets for one in letters for other in letters if one != other)


_TAKEN_FOR = _taken_for()


@dataclass(frozen=True, slots=True)
class Correction:
    """A query word that no passage contains, and the word searched in its place."""

    typed: str
    searched: str


@dataclass(frozen=True, slots=True)
class Respelled:
    """A query (in Unicode's composed form) with its corrections applied, and its abbreviations written out."""

    query: Query
    corrections: tuple[Correction, ...] = ()
    abbreviations: tuple[Abbreviation, ...] = ()

    @property
    def text(self) -> str:
        """What is searched for."""
        return self.query.text


def respell(asked: Query, view: View, encoder: Encoder) -> Respelled:
    """The query, with words that no passage has in the spelling that some passage has.

    A word that any passage has is never touched, nor is one that the encoder knows whole, one in double quotes, in
    capitals, or in a code, a path, an address or an identifier. Where more words stay unknown than can be put right,
    and passages are many, the query was not mistyped: it asks for something else, in another language perhaps, or for
    nothing.
    """
    composed = unicodedata.normalize("NFC", asked.text)
    query = asked if composed == asked.text else Query(composed)
    known = _known(query, view)
    unknown = [word for word in _prose(query.text) if word.start() not in known]
    if not unknown or len(unknown) > _MOST_UNKNOWN:
        return Respelled(query)
    spellings = [(word, spelling) for word in unknown if (spelling := _instead(word[0], view, encoder))]
    if 2 * len(spellings) < len(unknown) and view.indexes.sparse.size >= _ENOUGH_PASSAGES:
        return Respelled(query)
    text = query.text
    for word, spelling in reversed(spellings):
        text = text[: word.start()] + spelling + text[word.end() :]
    return Respelled(Query(text), tuple(Correction(word[0], spelling) for word, spelling in spellings))


def _known(query: Query, view: View) -> set[int]:
    """The places in the query of terms that a passage has."""
    occurrences = view.indexes.sparse.occurrences
    terms = query.index_terms(view.indexes.languages)
    return {place for term in terms if any(map(occurrences, term.stems)) for place in range(term.start, term.end)}


def _prose(query: str) -> Iterator[re.Match[str]]:
    """The words of the query that may be misspelt words of a language."""
    tokens = (found for found in _TOKEN.finditer(query) if _LITERAL.search(found[0]))
    literal = {place for found in tokens for place in range(*found.span())}
    shouted = query.isupper()
    for word in _WORD.finditer(query):
        plain = word[0] == word[0].lower() or word[0].istitle() or shouted
        if plain and word.start() not in literal and _SHORTEST <= len(word[0]) <= _LONGEST and _alphabet(word[0]):
            yield word


def _alphabet(word: str) -> str | None:
    letters = set(fold(word.casefold()))
    return next((alphabet for alphabet in _ALPHABETS if letters.issubset(alphabet)), None)


def _instead(typed: str, view: View, encoder: Encoder) -> str | None:
    """What to search instead of a word that no passage has, in the case that was typed."""
    word = typed.casefold()
    found = _spaced(word, view) or _parted(word, view)
    if found is None and not is_general(word, encoder):
        found = _spelling(word, view)
    if found is None:
        return None
    return found.upper() if typed.isupper() else found.title() if typed.istitle() else found


def is_general(word: str, encoder: Encoder) -> bool:
    """Whether the encoder knows a word whole: it makes one piece of it, not for want of any smaller one."""
    return len(encoder.spans(word)) == 1 < len(encoder.spans(word + word))


def _spaced(word: str, view: View) -> str | None:
    """The two words, as a passage has them one after the other, that `word` is without the space or hyphen."""
    for place in range(2, len(word) - 1):
        stems = [_held(part, view) for part in (word[:place], word[place:])]
        if all(stems):
            between = "[ -]" if min(place, len(word) - place) >= _SPACED else "-"
            pair = re.compile(rf"\b{re.escape(fold(word[:place]))}{between}{re.escape(fold(word[place:]))}\b")
            for text in _passages([stem for part in stems for stem in part], view):
                if found := pair.search(fold(text.casefold())):
                    return found[0]
    return None


def _parted(word: str, view: View) -> str | None:
    """The two words that a compound is made of, where passages have both."""
    if _COMPOUNDING.isdisjoint(view.indexes.languages):
        return None
    for place in range(_PART, len(word) - _PART + 1):
        if _held(word[place:], view):
            for link in _LINKS:
                first = word[:place].removesuffix(link)
                if word[:place].endswith(link) and len(first) >= _PART and _held(first, view):
                    return f"{first} {word[place:]}"
    return None


def _spelling(word: str, view: View) -> str | None:
    """The likeliest spelling of a word that no passage has."""
    occurrences = cache(view.indexes.sparse.occurrences)
    odds: dict[str, float] = {}
    stems: dict[str, tuple[str, ...]] = {}
    for spelling, slip in slips(word).items():
        found = word_stems(spelling, view.indexes.languages)
        passages = max(map(occurrences, found), default=0)
        if passages and _is_likely(word, spelling, slip):
            likely = slip + _SAME_FIRST_LETTER * (spelling[0] == word[0])
            odds[spelling], stems[spelling] = likely + math.log(passages), found
    near = _near_stems(word, view)
    while odds:
        best = max(odds, key=odds.__getitem__)
        alike = {spelling for spelling in odds if not set(stems[best]).isdisjoint(stems[spelling])}
        if written := _as_written(stems[best], alike, view):
            return written
        if not near.isdisjoint(stems[best]):
            return best
        odds = {spelling: odd for spelling, odd in odds.items() if spelling not in alike}
    return None


def _is_likely(word: str, spelling: str, slip: float) -> bool:
    """Whether the slip is likely enough for a word of this length."""
    if len(word) > _MIDDLING:
        return True
    if spelling[0] != word[0]:
        return slip == _SWAPPED and len(word) > _SHORT
    return slip > _REPLACED if len(word) > _SHORT else slip >= _ONE_MORE_OR_LESS and len(spelling) >= _SHORTEST


def _near_stems(word: str, view: View) -> set[str]:
    """Every string one slip away from a stem of `word`; of a short one, only what two swapped letters make of it."""
    stems = word_stems(word, view.indexes.languages)
    return {
        near
        for stem in stems
        for near, slip in slips(stem).items()
        if len(stem) >= (_SHORT_STEM if slip == _SWAPPED else _LONG_STEM)
    }


def _held(word: str, view: View) -> tuple[str, ...]:
    """The stems of a word that some passage has."""
    return tuple(filter(view.indexes.sparse.occurrences, word_stems(word, view.indexes.languages)))


def slips(word: str) -> dict[str, float]:
    """Every string one slip away from `word` → the logarithm of how likely that slip is."""
    letters = _alphabet(word) or ""
    splits = [(word[:place], word[place:]) for place in range(len(word) + 1)]
    found = {
        head + letter + tail[1:]: _BESIDE if fold(tail[0]) + letter in _TAKEN_FOR else _REPLACED
        for head, tail in splits
        if tail
        for letter in letters
    }
    found.update(
        dict.fromkeys([head + letter + tail for head, tail in splits for letter in letters], _ONE_MORE_OR_LESS)
    )
    found.update(dict.fromkeys([head + tail[1:] for head, tail in splits if tail], _ONE_MORE_OR_LESS))
    found.update(
        dict.fromkeys([head + tail[1] + tail[0] + tail[2:] for head, tail in splits if len(tail) > 1], _SWAPPED)
    )
    found.pop(word, None)
    return found


def _as_written(stems: Sequence[str], alike: set[str], view: View) -> str | None:
    """Of spellings with one stem the one that a passage has, with its accents; the others may be no words at all."""
    folded = {fold(spelling) for spelling in alike}
    for text in _passages(stems, view):
        for word in _WORD.finditer(text):
            if fold(word[0].casefold()) in folded:
                return word[0].lower()
    return None


def _passages(stems: Sequence[str], view: View) -> Iterator[str]:
    """The texts of the best passages for some stems."""
    ids, _ = view.indexes.sparse.search(stems, _PASSAGES_READ, view.mask({}))
    for chunk in view.chunks(np.sort(ids)).values():
        yield unicodedata.normalize("NFC", chunk.indexed_text)
