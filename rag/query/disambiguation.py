"""How likely a stretch of a question means a name: log-odds from its spelling and its surroundings."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from indexes.catalog.dictionary import Meaning
from indexes.terms.forms import significant, stem, words
from indexes.terms.names import normal
from rag.query.tokens import Token, TokenizedQuestion

_PIECE = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+")
# Columns of every table have these in their names: they say nothing about which one is meant.
_EMPTY = "id name number no num code key value text desc description label title"
# Columns of a few values that questions use as adjectives and verbs: open orders, sell transactions.
_CATEGORIES = (
    "type status category kind class state stage level grade gender sex method mode role priority severity group "
    "channel department region segment tier genre colour color size season direction specialty"
)
_EMPTY_WORDS, _CATEGORY_WORDS = frozenset(_EMPTY.split()), frozenset(_CATEGORIES.split())
_SHORTEST_PREFIX = 4
_NEAR = 2

BASE = -1.0
_SEVERAL_WORDS = 2.5
_QUOTED = 3.0
_CAPITAL = 1.5
_SAME_CODE = 2.0
_RARE_WORD = 1.5
_COMMON_WORD = -1.2
_STOP_WORD = -4.0
_SCHEMA_WORD = -2.0
_NUMBER, _NUMBERED = -3.0, 2.5
_BESIDE, _CLOSE, _SOMEWHERE = 3.0, 1.5, 0.7
_FURTHER_WORD = 0.3
_RELATED = (
    0.5  # of what a word of the table itself says, where a table that refers to it, or that it refers to, is named
)
_CATEGORY = 0.7
_INFLECTED = -0.7
_INITIALS, _TWO_INITIALS = -1.0, -1.5
_TWO = 2
_PART, _PART_MISSING = -0.3, -4.0
_UNLIKE = -10.0
_OUT_OF_ORDER = 3.0  # percent
ONE_ROW = 2.5


@dataclass(frozen=True, slots=True)
class ColumnWords:
    """The words of a role: those of its table, and the meaningful ones of its column."""

    table: frozenset[str]
    column: frozenset[str]
    is_category: bool


def met(word: str, own: Collection[str]) -> str | None:
    """Which of these words `word`, a stem, is, or begins with."""
    if word in own:
        return word
    return next((each for each in own if len(each) >= _SHORTEST_PREFIX and word.startswith(each)), None)


@cache
def column(role: str) -> ColumnWords:
    """The words of a role `table.column`.

    >>> sorted(column("sbTicker.sbTickerType").table)
    ['sb', 'ticker']
    """
    table, _, name = role.rpartition(".")
    parts = _pieces(name)
    return ColumnWords(
        frozenset(map(stem, _pieces(table))),
        frozenset(stem(part) for part in parts if part not in _EMPTY_WORDS),
        not _CATEGORY_WORDS.isdisjoint(parts),
    )


@dataclass(frozen=True, slots=True)
class Mention:
    """Tokens `first` up to `last` of a question, which may mean a name.

    `part` says that the name has more words than are mentioned, `mistyped` that a word was looked up in another
    spelling, `shortened` that one of the two is the other's initials.
    """

    first: int
    last: int
    part: bool = False
    mistyped: bool = False
    shortened: bool = False


def likeness(said: Sequence[str], name: Sequence[str]) -> float:
    """How alike the words of a mention and those of a name are, from 0 to 1: whatever their order, less if it differs.

    >>> likeness(["stocks"], ["stock"]) > 0.9, likeness(["ford"], ["ford", "inc"]), likeness(["b", "747"], ["b747"])
    (True, 1.0, 1.0)
    """
    best = 0.0
    for parts in (name, significant(name)):
        apart = similarity(" ".join(said), " ".join(parts)), similarity("".join(said), "".join(parts))
        ordered = similarity(" ".join(sorted(said)), " ".join(sorted(parts)))
        best = max(best, *apart, ordered - _OUT_OF_ORDER)
    return best / 100


def similarity(one: str, other: str) -> float:
    """How much two texts have in common, in percent: twice their longest common subsequence, of all their characters.

    The subsequence is found with one bit for each character of `one` (Hyyrö, "Bit-parallel LCS-length computation
    revisited", 2004). A question compares a few names with what it says, so that no library in C is needed for it.

    >>> similarity("stocks", "stock"), similarity("ford", "fiat")
    (90.9090909090909, 25.0)
    """
    where: dict[str, int] = {}
    for place, character in enumerate(one):
        where[character] = where.get(character, 0) | 1 << place
    unmatched = every = (1 << len(one)) - 1
    for character in other:
        matches = unmatched & where.get(character, 0)
        unmatched = ((unmatched + matches) | (unmatched - matches)) & every
    common, total = len(one) - unmatched.bit_count(), len(one) + len(other)
    return (1 - (total - 2 * common) / total) * 100 if total else 100.0


class MentionJudge:
    """Estimates how likely each mention in a question means each name.

    Args:
        question: the question.
        related: table → the words that the tables around it are called by, those which refer to it or it refers to.
        schema: the stems of the words that tables and columns are called by.
        common: the words of the question that are in everybody's vocabulary.
    """

    def __init__(
        self,
        question: TokenizedQuestion,
        related: Mapping[str, Collection[str]],
        schema: Collection[str],
        common: Collection[str],
    ) -> None:
        self._question = question
        self._related = related
        self._schema = schema
        self._common = common

    def odds(self, mention: Mention, meaning: Meaning, transparent: Collection[int] = ()) -> float:
        """Log-odds that a mention means a name; `transparent` tokens lie between it and its context unseen."""
        tokens = self._question.tokens[mention.first : mention.last]
        return (
            BASE
            + self._form(mention, tokens, meaning)
            + self._writing(mention, tokens, meaning)
            + self._context(mention, meaning.role, transparent)
        )

    def _form(self, mention: Mention, tokens: Sequence[Token], meaning: Meaning) -> float:
        """How the mention differs from the name."""
        if mention.shortened:
            few = min(
                len(tokens[0].text) if len(tokens) == 1 else len(tokens),
                len(meaning.text.split()) if len(tokens) == 1 else len(meaning.text),
            )
            return _INITIALS + (_TWO_INITIALS if few <= _TWO else 0.0)
        said, name = [token.word for token in tokens], words(meaning.text)
        if mention.part:
            held = sum(len(word) for word in name if stem(word) in {token.stem for token in tokens})
            return _PART + _PART_MISSING * (1 - held / sum(map(len, significant(name))))
        alike = likeness(said, name)
        if alike == 1.0:
            return 0.0
        if not mention.mistyped and {token.stem for token in tokens} >= set(map(stem, significant(name))):
            return _INFLECTED
        return _UNLIKE * (1 - alike)

    def _writing(self, mention: Mention, tokens: Sequence[Token], meaning: Meaning) -> float:
        """What the mention's own look says."""
        total = _QUOTED * self._question.quoted(mention.first, mention.last)
        counted = [token for token in tokens if not token.is_stop] or list(tokens)
        if all(token.is_number for token in tokens):
            return total + (_NUMBERED if self._is_numbered(mention, column(meaning.role)) else _NUMBER)
        if len(tokens) > 1:
            total += _SEVERAL_WORDS if len(counted) > 1 or "".join(token.text for token in tokens) else 0.0
        shown = self._question.shows_names and all(token.is_capital for token in counted)
        if shown:
            total += _CAPITAL
        if any(token.is_code for token in tokens) and meaning.text.upper() == meaning.text:
            total += _SAME_CODE
        if len(tokens) == 1:
            total += self._single(
                tokens[0], meaning, shown=shown or bool(self._question.quoted(mention.first, mention.last))
            )
        return total

    def _is_numbered(self, mention: Mention, own: ColumnWords) -> bool:
        """Whether what the number counts stands before it: order 7, order no. 7, but not 7 orders."""
        place = mention.first - 1
        while place > 0 and self._question.tokens[place].word in _EMPTY_WORDS:
            place -= 1
        return place >= 0 and met(self._question.tokens[place].stem, own.table | own.column) is not None

    def _single(self, token: Token, meaning: Meaning, *, shown: bool) -> float:
        total = 0.0
        if token.is_stop and not (shown and token.text == meaning.text):
            total += _STOP_WORD
        elif token.word not in self._common:
            total += _RARE_WORD
        elif not shown:
            total += _COMMON_WORD
        if token.stem in self._schema and not shown:
            total += _SCHEMA_WORD
        return total

    def _context(self, mention: Mention, role: str, transparent: Collection[int]) -> float:
        """What words of the table and the column, or of tables around it, stand around the mention, and how near."""
        own = column(role)
        words = own.table | own.column
        around = list(self._around(mention, transparent))
        nearest = _nearest(around, words)
        total = _CATEGORY if own.is_category else 0.0
        if nearest:
            total += _nearness(min(nearest.values())) + _FURTHER_WORD * (len(nearest) - 1)
        elif related := _nearest(around, self._related.get(role.rpartition(".")[0], ())):
            total += _RELATED * _nearness(min(related.values()))
        return total

    def _around(self, mention: Mention, transparent: Collection[int]) -> Iterator[tuple[str, int]]:
        """The stems before and after a mention, each with how many words that count stand between the two."""
        tokens = self._question.tokens
        for places in (range(mention.first - 1, -1, -1), range(mention.last, len(tokens))):
            distance = 0
            for place in places:
                yield tokens[place].stem, distance
                distance += not tokens[place].is_stop and place not in transparent


def _nearest(around: Iterable[tuple[str, int]], words: Collection[str]) -> dict[str, int]:
    """Word → how near it stands."""
    found: dict[str, int] = {}
    for said, distance in around:
        if (word := met(said, words)) is not None:
            found[word] = min(distance, found.get(word, distance))
    return found


def _nearness(distance: int) -> float:
    return _BESIDE if distance == 0 else _CLOSE if distance <= _NEAR else _SOMEWHERE


def _pieces(identifier: str) -> list[str]:
    return [normal(piece) for piece in _PIECE.findall(identifier)]
