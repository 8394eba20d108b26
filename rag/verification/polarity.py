"""What a text affirms and what it denies, by its words alone.

Words are signed: "not valid" and "invalid" both become -valid.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from indexes.terms.analyzer import analyze
from rag.text.words import denials, stop_stems

_CLAUSE_END = re.compile(r"[,;:()!?]|\.(?!\d)|\b(?:but|because|although|while|whereas)\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?")

_SCOPE = 3  # content words after a "not" that it denies
_NON = "non"
# A piece of a phrase, the phrase, and what says the same in words that are known here; the order matters. Few texts
# have the piece, and to look for it takes a hundredth of the time.
_PHRASES = tuple(
    (piece, re.compile(rf"\b(?:{phrase})\b", re.IGNORECASE), word)
    for piece, phrase, word in (
        ("not", r"not\s+(?:only|just|merely|really|sure|surprised)", " "),
        (" than", r"(?:no|not)\s+(?:less|fewer|more)\s+than", " "),
        (" to", r"(?:(?:impossible|unable)|(?:refus|declin|fail|neglect|omit)\w*)\s+to", "not"),
        ("incapable", r"incapable\s+of", "not"),
        ("no longer", r"no longer", "not"),
        ("den", r"den(?:y|ies|ied)(?=\s+\w+ing\b)", "not"),
        ("free", r"free\s+(?:of|from)", "without"),
        (
            " from",
            r"(?:prevent|stop|keep|kept|block|hinder)\w*\s+((?:[\w'’-]+\s+){1,4}?)from(?=\s+\w+ing\b)",
            r"\1 not",
        ),
    )
)

# What denies or excepts in words that are not compared: beside one of these, a "not" more or less tells nothing.
_UNCLEAR = re.compile(
    r"\b(?:except\w*|unless|other\s+than|(?:apart|aside)\s+from|but\s+not|only|exclud\w+|prohibit\w*|forbid\w*|forbade|"
    r"bann?(?:ed|s|ing)?|refus\w+|reject\w*|den(?:y|ies|ied|ial)|declin\w+|lacks?|impossible)\b",
    re.IGNORECASE,
)
# What is left has to be a word: four letters at least keep "under", "index" and "image" what they are.
_PREFIX = re.compile(r"(?:un|in|im|il|ir|dis)(?=[^\W\d_]{4})")
# They begin like the denial of another word, and are none.
_NO_DENIAL = frozenset(
    analyze("""
    discharge discount discourse discover disease dismiss dispatch display dispose dispute dissolve distress illness
    immigrant immigration imminent impart implant import impose imposition impress imprint improve income incoming
    increase indeed indoor indoors infield inflow inform information inhale inland inlet innate input inquire insert
    inset inside insight inspect inspire install instance instate instead instill intact intake intend intent invent
    invest inward understand understood unit union unite universe universal until
    """)
)


@dataclass(frozen=True, slots=True)
class Polarity:
    """What a text holds.

    Attributes:
        holds: content words, each behind "+" or "-".
        against: the same with the other signs: who holds one of these, differs.
        turned: those of `holds` that are so by a "not".
        unclear: whether it denies or excepts something by other words.
    """

    holds: frozenset[str]
    against: frozenset[str]
    turned: frozenset[str]
    unclear: bool


def polarity_of(text: str) -> Polarity:
    """What `text` holds.

    Example:
        >>> sorted(polarity_of("Smoking is not allowed.").turned)
        ['-allow']
        >>> sorted(polarity_of("Invalid tickets").holds)
        ['+invalid', '+ticket', '-valid']
    """
    present = " ".join(text.casefold().split())
    for piece, phrase, word in _PHRASES:
        if piece in present:
            text = phrase.sub(word, text)
    signed, turned = set[str](), set[str]()
    for clause in _CLAUSE_END.split(text):
        _read([word.casefold().replace("’", "'") for word in _WORD.findall(clause)], signed, turned)
    # What is both affirmed and denied says nothing.
    holds = frozenset(key for key in signed if _flipped(key) not in signed)
    against = frozenset(map(_flipped, holds))
    return Polarity(holds, against, turned=holds & turned, unclear=_UNCLEAR.search(text) is not None)


def _read(clause: Sequence[str], signed: set[str], turned: set[str]) -> None:
    """Sign the words of a clause, in small letters."""
    left = 0
    for word in clause:
        if _denies(word):
            left = _SCOPE if word != _NON else 1
        elif content(word):
            keys: Iterable[str] = _signs(word)
            if left > 0:
                keys = list(map(_flipped, keys))
                turned.update(keys)
            signed.update(keys)
            left -= 1


def differ(one: Polarity, other: Polarity) -> bool:
    """Whether the one affirms what the other denies; a "not" that both have may reach further in one of them.

    >>> differ(polarity_of("Parking is allowed."), polarity_of("Parking is not allowed."))
    True
    """
    if one.unclear or other.unclear:
        return False
    found = one.against & other.holds
    if found and agree(one, other):
        turned = one.turned | other.turned
        found -= turned.union(map(_flipped, turned))
    return bool(found)


def agree(one: Polarity, other: Polarity) -> bool:
    """Whether what one of them holds by a "not" the other holds too, by a "not" or otherwise."""
    return not one.turned.isdisjoint(other.holds) or not other.turned.isdisjoint(one.holds)


def _flipped(key: str) -> str:
    return ("-" if key[0] == "+" else "+") + key[1:]


@lru_cache(maxsize=50_000)
def content(word: str) -> tuple[str, ...]:
    """The stems of a word in small letters; none of one that carries no content."""
    return tuple(stem for stem in analyze(word, characters=False) if stem not in stop_stems())


@lru_cache(maxsize=50_000)
def _denies(word: str) -> bool:
    # "Fail" denies only what somebody fails to do, which is among the phrases.
    return word == _NON or word.endswith("n't") or (not word.startswith("fail") and bool(denials(analyze(word))))


@lru_cache(maxsize=50_000)
def _signs(word: str) -> tuple[str, ...]:
    """What a content word holds: itself, and not the word of which it is the denial."""
    keys = [f"+{stem}" for stem in content(word)]
    prefix = _PREFIX.match(word)
    if prefix and _NO_DENIAL.isdisjoint(content(word)):
        keys += [f"-{stem}" for stem in content(word[prefix.end() :])]
    return tuple(keys)
