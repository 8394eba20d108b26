"""Finds names in a text, for decomposition, verification and linking.

`names_in` returns whole names ("Big Stone Gap", "the House of Lords"), to search for. `proper_names` returns each word
of a sentence that is a name, to look for in a passage. Linking asks how a single word is written. All three recognise a
name by its capital or by its letters and digits, except where nothing tells it from the first word of a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

from connectors.sentences import sentence_spans
from rag.text.words import STOP_WORDS, words

STOPS = frozenset(STOP_WORDS.split())
SMALL_WORDS = STOPS | {"not", "no", "never"}
# A word, or what is written as one: "config.toml", "parse_header", "--dry-run", "/var/archive", "LX-200", "Wi-Fi".
WRITTEN = re.compile(r"(?<!\w)(?:--|/)?\w+(?:(?:[._/'’-]|::)\w+)*")
PART = re.compile(r"[^\W_]+")  # "Wi-Fi" is also there where a passage has "Wi" and "Fi"
# Roman numerals are none; the s of a plural stays outside: "APIs".
ACRONYM = re.compile(r"(?![IVXLC]+$)[^\W\d_a-zß-ÿ]{3,6}(?=s?$)")
# An option, snake_case, camelCase, a::path, a file name: two letters stand before its dot, or "e.g" would be one.
_CODE = re.compile(r"^(?:--|/)[^\W\d_]|\w_\w|[a-z][A-Z]|\w::\w|[^\W\d_]{2}\.[a-z]{2}")
_NUMBERED = re.compile(r"^(?=.*[A-Z])[^\W\d_]+-?\d")
# A capital and then a small letter. `re` has no class for either: small is what is so in Latin-1, capital likewise.
_CAPITAL = re.compile(r"[^\W\d_](?<![a-zß-öø-ÿ])[^\W\d_A-ZÀ-Þ]")
# What stands before a name inside a sentence: a word or a comma, an opening quote, an initial, or a form of address.
_INSIDE = re.compile(r"(?:[\w,;)%’'\"”]\s+|\s[\"“„«'‘]|(?:^|\s)(?:[^\W\d_a-z]|Dr|Mr|Mrs|Ms|Prof|St)\.\s+)$")
_LOOKED_BACK = 8  # characters: a text may be long
_LONG_WORD = re.compile(r"\b[^\W\d_]{4,}")  # a title leaves short ones small: "of", "the"
# A sentence that begins with somebody or something by name who does something; a verb shows that it is no plain plural.
_SUBJECT = re.compile(
    r"([A-Z][^\W\d_A-Z][^\W\d_]+(?<!ly)(?<!ing))(?:['’]s\s"
    r"|\s+(?:is|was|has|does|[^\W\d_]{2,}[^\Ws]s)\s"
    r"|(?<!s)\s+(?:had|did|will|can|could|may|might|must|would|should|[^\W\d_]{2,}ed"
    r"|(?!\w+ing\b)([^\W\d_]{2,})\s+(?:an?|the|his|her|its|their|no|every))\s)"
)
_TITLE = 0.75  # of the longer words have capitals: then capitals tell no names
_ABBREVIATED = 4  # letters at most of a word that a full stop cuts short, as in "Prof."
_LONGEST_NAME = 60
_LEAST_LETTERS = 3
# A name: words in capitals, with small words between them.
_CAPITAL_WORD = r"(?:[^\W\d_a-zß-öø-ÿ][\w'’&.-]*|\d[\w'’.-]*)"
_NAME = re.compile(rf"{_CAPITAL_WORD}(?:[ ](?:(?:of|the|and|de|du|la|van|von|for|in|y)[ ])*{_CAPITAL_WORD})*")


@dataclass(frozen=True, slots=True)
class ProperName:
    """A name in a sentence.

    Attributes:
        text: as it stands there.
        stems: those of its words.
        is_code: whether it is written as no plain word is: an acronym, a product, a file, an identifier.
        is_loose: whether it is an acronym or has a number behind its letters: such a thing has other names as well.
        run: the capitalised words that it is one of, as in "World Health Organization".
    """

    text: str
    stems: frozenset[str]
    is_code: bool
    is_loose: bool
    run: tuple[str, ...]


def names_in(text: str) -> Iterable[str]:
    """What looks like names in `text`: words in capitals, but for one that only begins a sentence with a common word.

    Example:
        >>> list(names_in("The film was directed by Adriana Trigiani of Big Stone Gap."))
        ['Adriana Trigiani of Big Stone Gap']
    """
    found = []
    for match in chain.from_iterable(_NAME.finditer(text, start, end) for start, end in sentence_spans(text)):
        name = match.group().strip(" .,;'’-&")
        first, _, behind = name.partition(" ")
        if first.casefold() in STOPS:
            name = behind
        if _LEAST_LETTERS <= len(name) <= _LONGEST_NAME and not name.isdigit() and name.casefold() not in STOPS:
            found.append(name)
    return dict.fromkeys(found)


def proper_names(text: str) -> tuple[ProperName, ...]:
    """The names in a sentence, but for a plain word at its beginning; none of a title, where everything has capitals.

    >>> [name.text for name in proper_names("Here in Oslo, the LX-200 reads config.toml.")]
    ['Oslo', 'LX-200', 'config.toml']
    """
    long = _LONG_WORD.findall(text)
    if sum(word[0].isupper() for word in long) > _TITLE * len(long):
        return ()
    found: list[ProperName] = []
    for run in _runs(text):
        together = tuple(match.group() for match in run)
        for match in run:
            word = match.group()
            is_code, is_loose = _is_code(word), _is_loose(word)
            if is_code or is_loose or (_CAPITAL.match(word) and _is_inside(text, match)):
                found.append(ProperName(word, frozenset(words(word)), is_code or is_loose, is_loose, together))
    return tuple(dict.fromkeys(found))


def subject(text: str) -> ProperName | None:
    """The word at the beginning of a sentence if it may be the name of who does something.

    >>> subject("Anna sold the house."), subject("Cooks need knives.")
    (ProperName(text='Anna', stems=frozenset({'anna'}), is_code=False, is_loose=False, run=('Anna',)), None)
    """
    found = _SUBJECT.match(text)
    if found is None or not SMALL_WORDS.isdisjoint([found[1].casefold(), found[2]]):
        return None
    return ProperName(found[1], frozenset(words(found[1])), is_code=False, is_loose=False, run=(found[1],))


def _runs(text: str) -> list[list[re.Match[str]]]:
    """The words that may be names; those with capitals that stand side by side, but for an "of", are together."""
    runs: list[list[re.Match[str]]] = []
    for match in WRITTEN.finditer(text):
        word = match.group()
        # Most words are plain, and that is quickly told.
        if (word.isalpha() and word.islower()) or not (_CAPITAL.match(word) or _is_code(word) or _is_loose(word)):
            continue
        if runs and text[runs[-1][-1].end() : match.start()].strip() in {"", "of"}:
            runs[-1].append(match)
        else:
            runs.append([match])
    return runs


def _is_inside(text: str, match: re.Match[str]) -> bool:
    """Whether a word stands inside a sentence, and is none that was cut short, as "Prof." is."""
    return bool(_INSIDE.search(text, max(0, match.start() - _LOOKED_BACK), match.start())) and not (
        len(match.group()) <= _ABBREVIATED and text[match.end() : match.end() + 2] == ". "
    )


def _is_code(word: str) -> bool:
    return bool(_CODE.search(word))


def _is_loose(word: str) -> bool:
    return (
        not _is_code(word) and bool(_NUMBERED.match(word) or ACRONYM.match(word)) and word.casefold() not in SMALL_WORDS
    )


def is_code_like(word: str) -> bool:
    """Whether a word is written as no ordinary word is: in capitals, or of letters and digits.

    >>> [is_code_like(word) for word in ("NASA", "B747", "Anna", "I", "1998")]
    [True, True, False, False, False]
    """
    letters = any(map(str.isalpha, word))
    return letters and (any(map(str.isdigit, word)) or (len(word) > 1 and word.isupper()))


def shows_name(word: str, *, first: bool) -> bool:
    """Whether the capital of a word shows a name: that of the `first` word of a sentence says nothing."""
    return word[:1].isupper() and (not first or is_code_like(word))
