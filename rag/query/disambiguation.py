"""How likely a stretch of a question means a name: by how it is written and what stands around it.

The features are made here; what each adds to the log-odds is in `linking.json`, fitted by `scripts/fit_linking.py`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from indexes.catalog.dictionary import Meaning
from indexes.terms.forms import significant, stem, words
from indexes.terms.names import normal
from rag.judging.logistic import LogisticModel
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

_TWO = 2
_RELATED = 0.5  # of a word of the table itself: one of a table that refers to it, or that it refers to
_OUT_OF_ORDER = 3.0  # percent

MODEL_FILE = Path(__file__).with_name("linking.json")
ONE_ROW = "one row"  # the feature that a mention beside this one names the same row


@cache
def linking_model() -> LogisticModel:
    """What each feature adds to the log-odds that a mention means a name."""
    return LogisticModel.read(MODEL_FILE)


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

    def features(self, mention: Mention, meaning: Meaning, transparent: Collection[int] = ()) -> dict[str, float]:
        """What speaks for and against it that a mention means a name, those that are 0 left out where they may be.

        `transparent` tokens lie between the mention and its context unseen.
        """
        tokens = self._question.tokens[mention.first : mention.last]
        return {
            **_form(mention, tokens, meaning),
            **self._writing(mention, tokens, meaning),
            **self._context(mention, meaning.role, transparent),
        }

    def _writing(self, mention: Mention, tokens: Sequence[Token], meaning: Meaning) -> dict[str, float]:
        """What the mention's own look says."""
        quoted = self._question.quoted(mention.first, mention.last)
        found = {"quoted": quoted}
        if all(token.is_number for token in tokens):
            return found | {"numbered" if self._is_numbered(mention, column(meaning.role)) else "number": 1.0}
        counted = [token for token in tokens if not token.is_stop] or tokens
        capital = self._question.shows_names and all(token.is_capital for token in counted)
        same_code = meaning.text.upper() == meaning.text and any(token.is_code for token in tokens)
        found |= {"capital": float(capital), "same code": float(same_code)}
        if len(tokens) > 1:
            return found | {"several words": 1.0}
        return found | self._single(tokens[0], meaning, shown=capital or bool(quoted))

    def _is_numbered(self, mention: Mention, own: ColumnWords) -> bool:
        """Whether what the number counts stands before it: order 7, order no. 7, but not 7 orders."""
        place = mention.first - 1
        while place > 0 and self._question.tokens[place].word in _EMPTY_WORDS:
            place -= 1
        return place >= 0 and met(self._question.tokens[place].stem, own.table | own.column) is not None

    def _single(self, token: Token, meaning: Meaning, *, shown: bool) -> dict[str, float]:
        found = {}
        if token.is_stop and not (shown and token.text == meaning.text):
            found["stop word"] = 1.0
        elif token.word not in self._common:
            found["rare word"] = 1.0
        elif not shown:
            found["common word"] = 1.0
        if token.stem in self._schema and not shown:
            found["schema word"] = 1.0
        return found

    def _context(self, mention: Mention, role: str, transparent: Collection[int]) -> dict[str, float]:
        """What words of the table and the column, or of tables around it, stand around the mention, and how near."""
        own = column(role)
        around = list(self._around(mention, transparent))
        found = {"category": float(own.is_category)}
        if nearest := _nearest(around, own.table | own.column):
            found |= {_nearness(min(nearest.values())): 1.0, "further word": len(nearest) - 1.0}
        elif related := _nearest(around, self._related.get(role.rpartition(".")[0], ())):
            found[_nearness(min(related.values()))] = _RELATED
        return found

    def _around(self, mention: Mention, transparent: Collection[int]) -> Iterator[tuple[str, int]]:
        """The stems before and after a mention, each with how many words that count stand between the two."""
        tokens = self._question.tokens
        for places in (range(mention.first - 1, -1, -1), range(mention.last, len(tokens))):
            distance = 0
            for place in places:
                yield tokens[place].stem, distance
                distance += not tokens[place].is_stop and place not in transparent


def _form(mention: Mention, tokens: Sequence[Token], meaning: Meaning) -> dict[str, float]:
    """How the mention differs from the name."""
    if mention.shortened:
        few = min(
            len(tokens[0].text) if len(tokens) == 1 else len(tokens),
            len(meaning.text.split()) if len(tokens) == 1 else len(meaning.text),
        )
        return {"initials": 1.0, "two initials": float(few <= _TWO)}
    said, name = [token.word for token in tokens], words(meaning.text)
    stems = {token.stem for token in tokens}
    if mention.part:
        held = sum(len(word) for word in name if stem(word) in stems)
        return {"part": 1.0, "part missing": max(0.0, 1 - held / sum(map(len, significant(name))))}
    alike = likeness(said, name)
    if alike < 1.0 and not mention.mistyped and stems.issuperset(map(stem, significant(name))):
        return {"inflected": 1.0}
    return {"unlike": 1 - alike}


def _nearest(around: Iterable[tuple[str, int]], words: Collection[str]) -> dict[str, int]:
    """Word → how near it stands."""
    found: dict[str, int] = {}
    for said, distance in around:
        if (word := met(said, words)) is not None:
            found[word] = min(distance, found.get(word, distance))
    return found


def _nearness(distance: int) -> str:
    return "beside" if distance == 0 else "close" if distance <= _NEAR else "somewhere"


def _pieces(identifier: str) -> list[str]:
    return [normal(piece) for piece in _PIECE.findall(identifier)]
