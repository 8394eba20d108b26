"""Checks whether a passage contains a name: in another spelling, inflected, in full or as initials."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from indexes.terms.analyzer import detect_language
from rag.text.names import ACRONYM, PART, SMALL_WORDS, WRITTEN, ProperName
from rag.text.words import words

_CAPITAL_NOUNS = frozenset(["de"])  # languages in which a capital tells no name
_POSSESSIVE = re.compile(r"['’]\w?$")  # Marta's, James'
_PREFIX = 4  # letters that the forms of a name have in common at least
_ENDINGS = frozenset("|s|es|e|n|en|a|ia|i|y|an|ian|ean|ese|ish|ic|al|er|ers|ans|ians".split("|"))  # noqa: SIM905


@dataclass(frozen=True, slots=True)
class PassageNames:
    """The words of a passage that may be names."""

    text: str
    stems: frozenset[str]
    written: frozenset[str]
    by_prefix: Mapping[str, Sequence[str]]
    initials: str
    acronyms: frozenset[str]

    @property
    def nouns_have_capitals(self) -> bool:
        """Whether its language is one in which every noun has a capital."""
        return _language(self.text) in _CAPITAL_NOUNS

    def has(self, name: ProperName) -> bool:
        """Whether `name` is there in some form.

        >>> from rag.text.names import proper_names
        >>> passage = known("Members of the North Atlantic Treaty Organization met in Italy.")
        >>> [passage.has(name) for name in proper_names("At NATO the Italian delegates met those of Malta.")]
        [True, True, False]
        """
        if name.stems <= self.stems or _condensed(name.text) in self.written:
            return True
        if name.is_code:
            return self.written.issuperset(map(str.casefold, PART.findall(name.text))) or self._spells(name.text)
        if self._has_form(name.text) or self._has_initial(name) or _initials(name.run) in self.acronyms:
            return True
        return len(name.run) == 1 and self.nouns_have_capitals

    def _has_form(self, name: str) -> bool:
        """Whether a word differs from the name by its ending only: Germany, German."""
        mine = _condensed(_POSSESSIVE.sub("", name))
        return any(_differ_by_ending(mine, its) for its in self.by_prefix.get(mine[:_PREFIX], ()))

    def _has_initial(self, name: ProperName) -> bool:
        """Whether it is a first name of which the passage has the initial."""
        behind = name.run[name.run.index(name.text) + 1 :]
        pattern = rf"\b{name.text[0]}\.\s*(?:\w\.\s*)*{re.escape(behind[-1])}\b" if behind else ""
        return bool(pattern) and re.search(pattern, self.text) is not None

    def _spells(self, acronym: str) -> bool:
        """Whether words that follow one another begin with the letters of an acronym."""
        return acronym.removesuffix("s").casefold() in self.initials if ACRONYM.match(acronym) else False


@lru_cache(maxsize=1_000)
def _language(text: str) -> str:
    return detect_language(text)


def known(text: str) -> PassageNames:
    """What `text` has that may be a name."""
    written = WRITTEN.findall(text)
    parts = [part for whole in written for part in PART.findall(whole)]
    small = list(map(str.casefold, parts))
    by_prefix = defaultdict(list)
    for part in dict.fromkeys(small):
        by_prefix[part[:_PREFIX]].append(part)
    return PassageNames(
        text=text,
        stems=frozenset(words(text)),
        written=frozenset([*map(_condensed, written), *small]),
        by_prefix=by_prefix,
        initials=_initials(small),
        acronyms=frozenset(part.casefold() for part in parts if ACRONYM.match(part)),
    )


def _condensed(word: str) -> str:
    return "".join(filter(str.isalnum, word)).casefold()


def _initials(several: Sequence[str]) -> str:
    return "".join(word[0] for word in several if word not in SMALL_WORDS).casefold()


def _differ_by_ending(one: str, other: str) -> bool:
    same = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return any(
        one[place:] in _ENDINGS and other[place:] in _ENDINGS for place in range(max(_PREFIX, same - 2), same + 1)
    )
