"""Names in a sentence, and whether a passage has them: written otherwise, inflected, in full or by their initials."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from indexes.terms.analyzer import detect_language
from rag.text.words import STOP_WORDS, words

_STOPS = frozenset([*STOP_WORDS.split(), "not", "no", "never"])
_CAPITAL_NOUNS = frozenset(["de"])  # languages in which a capital tells no name
# A word, or what is written as one: "config.toml", "parse_header", "--dry-run", "/var/archive", "LX-200", "Wi-Fi".
_WRITTEN = re.compile(r"(?<!\w)(?:--|/)?\w+(?:(?:[._/'’-]|::)\w+)*")
_PART = re.compile(r"[^\W_]+")
_POSSESSIVE = re.compile(r"['’]\w?$")
_ACRONYM = re.compile(r"(?![IVXLC]+$)[^\W\d_a-zß-ÿ]{3,6}(?=s?$)")
_CODE = re.compile(r"^(?:--|/)[^\W\d_]|\w_\w|[a-z][A-Z]|\w::\w|[^\W\d_]{2}\.[a-z]{2}")
_NUMBERED = re.compile(r"^(?=.*[A-Z])[^\W\d_]+-?\d")
_CAPITAL = re.compile(r"[^\W\d_](?<![a-zß-öø-ÿ])[^\W\d_A-ZÀ-Þ]")
# What stands before a name inside a sentence: a word or a comma, an opening quote, an initial, or a form of address.
_INSIDE = re.compile(r"(?:[\w,;)%’'\"”]\s+|\s[\"“„«'‘]|(?:^|\s)(?:[^\W\d_a-z]|Dr|Mr|Mrs|Ms|Prof|St)\.\s+)$")
_LOOKED_BACK = 8  # characters: a text may be long
_LONG_WORD = re.compile(r"\b[^\W\d_]{4,}")
# A sentence that begins with somebody or something by name who does something; a verb shows that it is no plain plural.
_SUBJECT = re.compile(
    r"([A-Z][^\W\d_A-Z][^\W\d_]+(?<!ly)(?<!ing))(?:['’]s\s"
    r"|\s+(?:is|was|has|does|[^\W\d_]{2,}[^\Ws]s)\s"
    r"|(?<!s)\s+(?:had|did|will|can|could|may|might|must|would|should|[^\W\d_]{2,}ed"
    r"|(?!\w+ing\b)([^\W\d_]{2,})\s+(?:an?|the|his|her|its|their|no|every))\s)"
)
_TITLE = 0.75  # of the longer words have capitals: then capitals tell no names
_PREFIX = 4  # letters that the forms of a name have in common at least
_ENDINGS = frozenset("|s|es|e|n|en|a|ia|i|y|an|ian|ean|ese|ish|ic|al|er|ers|ans|ians".split("|"))  # noqa: SIM905


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


@dataclass(frozen=True, slots=True)
class PassageNames:
    """What a passage has that may be a name."""

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

        >>> passage = known("Members of the North Atlantic Treaty Organization met in Italy.")
        >>> [passage.has(name) for name in proper_names("At NATO the Italian delegates met those of Malta.")]
        [True, True, False]
        """
        if name.stems <= self.stems or _condensed(name.text) in self.written:
            return True
        if name.is_code:
            return self.written.issuperset(map(str.casefold, _PART.findall(name.text))) or self._spells(name.text)
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
        return acronym.removesuffix("s").casefold() in self.initials if _ACRONYM.match(acronym) else False


@lru_cache(maxsize=1_000)
def _language(text: str) -> str:
    return detect_language(text)


def known(text: str) -> PassageNames:
    """What `text` has that may be a name."""
    written = _WRITTEN.findall(text)
    parts = [part for whole in written for part in _PART.findall(whole)]
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
        acronyms=frozenset(part.casefold() for part in parts if _ACRONYM.match(part)),
    )


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
    (Name(text='Anna', stems=frozenset({'anna'}), is_code=False, is_loose=False, run=('Anna',)), None)
    """
    found = _SUBJECT.match(text)
    if found is None or not _STOPS.isdisjoint([found[1].casefold(), found[2]]):
        return None
    return ProperName(found[1], frozenset(words(found[1])), is_code=False, is_loose=False, run=(found[1],))


def _runs(text: str) -> list[list[re.Match[str]]]:
    """The words that may be names; those with capitals that stand side by side, but for an "of", are together."""
    runs: list[list[re.Match[str]]] = []
    for match in _WRITTEN.finditer(text):
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
        len(match.group()) <= _PREFIX and text[match.end() : match.end() + 2] == ". "
    )


def _is_code(word: str) -> bool:
    return bool(_CODE.search(word))


def _is_loose(word: str) -> bool:
    return not _is_code(word) and bool(_NUMBERED.match(word) or _ACRONYM.match(word)) and word.casefold() not in _STOPS


def _condensed(word: str) -> str:
    return "".join(filter(str.isalnum, word)).casefold()


def _initials(several: Sequence[str]) -> str:
    return "".join(word[0] for word in several if word not in _STOPS).casefold()


def _differ_by_ending(one: str, other: str) -> bool:
    same = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return any(
        one[place:] in _ENDINGS and other[place:] in _ENDINGS for place in range(max(_PREFIX, same - 2), same + 1)
    )
