"""What a text affirms and what it denies, by its words alone: enough to detect a contradiction.

Words are signed: "not valid" and "invalid" both become -valid; "prohibited" and "not allowed" are on the same side of
a pair of antonyms. A word for time, quantity or certainty counts together with the content word after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from indexes.terms.analyzer import analyze
from rag.text.words import denials, stop_stems
from rag.verification.antonyms import BOUND, bound_sides, sides

_CLAUSE_END = re.compile(r"[,;:()!?]|\.(?!\d)|\b(?:but|because|although|while|whereas)\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?")

_SCOPE = 3  # content words after a "not" that it denies
_EXCEPT, _NON, _FREE = "except", "non", "optional"
# A piece of a phrase, the phrase, and what says the same in words that are known here; the order matters. Few texts
# have the piece, and to look for it takes a hundredth of the time.
_PHRASES = tuple(
    (piece, re.compile(rf"\b(?:{phrase})\b", re.IGNORECASE), word)
    for piece, phrase, word in (
        ("not", r"not\s+(?:only|just|merely|really|sure|surprised)", " "),
        ("exception", r"with the exception of", _EXCEPT),
        ("other than", r"other than", _EXCEPT),
        (" from", r"(?:apart|aside) from", _EXCEPT),
        ("but", r"but\s+not", _EXCEPT),
        ("unless", r"unless", _EXCEPT),
        ("except", r"except(?:ing|ed)?", _EXCEPT),
        ("excluding", r"excluding", _EXCEPT),
        (
            " to",
            r"(?:do|does|did|is|are|was|were)(?:\s+not|n['’]t)\s+(?:have|need|required|obliged|forced)\s+to",
            _FREE,
        ),
        ("need", r"need(?:\s+not|n['’]t)", _FREE),
        (" to", r"(?:ha(?:ve|s|d)|need(?:s|ed)?)\s+to(?!\s+do)", "must"),
        ("ed to", r"(?:is|are|was|were)\s+(?:obliged|required|forced)\s+to(?!\s+do)", "must"),
        ("not", r"not\s+(?:all|every|each|everyone|always|necessarily)", "some not"),
        ("majority", r"(?:a|the)\s+majority\s+of", "most"),
        ("minority", r"(?:a|the)\s+minority\s+of", "few"),
        ("least", r"at\s+(?:the\s+)?least", "minimum"),
        ("most", r"at\s+(?:the\s+)?most", "maximum"),
        (" than", r"(?:no|not)\s+(?:less|fewer)\s+than", "minimum"),
        (" than", r"(?:no|not)\s+more\s+than", "maximum"),
        ("prior", r"prior\s+to", "before"),
        (" than", r"(?:more|greater)\s+than", "over"),
        (" than", r"(?:less|fewer)\s+than", "under"),
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


_JOINS = frozenset(["a", "an", "the", "and", "or", "nor", "of"])
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
        holds: content words and sides of opposites, each behind "+" or "-".
        against: the same with the other signs: who holds one of these, differs.
        turned: those of `holds` that are so by a "not".
        excepted: content words behind an "except".
    """

    holds: frozenset[str]
    against: frozenset[str]
    turned: frozenset[str]
    excepted: frozenset[str]


def polarity_of(text: str) -> Polarity:
    """What `text` holds.

    Example:
        >>> sorted(polarity_of("Smoking is not allowed.").turned)
        ['-allow', '-allow/forbid']
        >>> sorted(polarity_of("Invalid tickets").holds)
        ['+invalid', '+ticket', '-valid']
    """
    present = " ".join(text.casefold().split())
    for piece, phrase, word in _PHRASES:
        if piece in present:
            text = phrase.sub(word, text)
    reader = _Reader()
    for clause in _CLAUSE_END.split(text):
        found = _WORD.findall(clause)
        # The month is no modal verb.
        reader.read([word.casefold().replace("’", "'") for word in found if word != "May"])
    return reader.polarity()


def differ(one: Polarity, other: Polarity, besides: Iterable[str] = ()) -> bool:
    """Whether the one affirms what the other denies; a "not" that both have may reach further in one of them.

    Which side of the opposites of the words `besides` they are on does not count.

    >>> differ(polarity_of("Parking is banned."), polarity_of("Parking is allowed."))
    True
    >>> differ(polarity_of("Parking is banned."), polarity_of("Parking is not allowed."))
    False
    """
    apart = tuple(side[1:] for word in besides for side in bound_sides(word))
    found = {key for key in one.against & other.holds if not apart or not key[1:].startswith(apart)}
    if found and agree(one, other):
        turned = one.turned | other.turned
        found -= turned.union(map(_flipped, turned))
    return bool(found)


def agree(one: Polarity, other: Polarity) -> bool:
    """Whether what one of them holds by a "not" the other holds too, by a "not" or otherwise."""
    return not one.turned.isdisjoint(other.holds) or not other.turned.isdisjoint(one.holds)


def excepts(one: Polarity, other: Polarity) -> bool:
    """Whether the one excepts what the other speaks of.

    >>> excepts(polarity_of("Everyone except interns gets a phone."), polarity_of("Interns get a phone."))
    True
    """
    return any(f"{sign}{word}" in other.holds for word in one.excepted - other.excepted for sign in "+-")


class _Reader:
    """Reads the clauses of a text in order."""

    def __init__(self) -> None:
        self._signed: set[str] = set()
        self._turned: set[str] = set()
        self._excepted: set[str] = set()

    def read(self, clause: Sequence[str]) -> None:
        """Read the words of a clause, in small letters."""
        left, excepting, markers = 0, False, list[str]()
        for word in clause:
            stems = content(word)
            if word == _EXCEPT:
                excepting = True
            elif _denies(word):
                left = _SCOPE if word != _NON else 1
            elif word in BOUND or not stems:
                self._add(sides(word), left)
                markers += [word] if word in BOUND else []
                excepting &= word in _JOINS or not self._excepted
            elif excepting:
                self._excepted.update(stems)
            else:
                self._add(_signs(word), left)
                for marker in markers:
                    self._bind(marker, stems[0], left)
                left, markers = left - 1, []

    def polarity(self) -> Polarity:
        # What is both affirmed and denied says nothing.
        holds = frozenset(key for key in self._signed if _flipped(key) not in self._signed)
        return Polarity(
            holds=holds,
            against=frozenset(map(_flipped, holds)),
            turned=holds & self._turned,
            excepted=frozenset(self._excepted),
        )

    def _add(self, keys: Iterable[str], left: int) -> None:
        if left > 0:
            keys = [_flipped(key) for key in keys]
            self._turned.update(keys)
        self._signed.update(keys)

    def _bind(self, marker: str, stem: str, left: int) -> None:
        self._add([f"{side} {stem}" for side in bound_sides(marker)], left)


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
    """What a content word holds: itself, its side of opposites, and not the word of which it is the denial."""
    keys = [f"+{stem}" for stem in content(word)]
    prefix = _PREFIX.match(word)
    if prefix and _NO_DENIAL.isdisjoint(content(word)):
        keys += [f"-{stem}" for stem in content(word[prefix.end() :])]
    return (*keys, *sides(word))
