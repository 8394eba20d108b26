"""Entity linking: finds the names of rows that a question mentions, in the dictionary of the knowledge base.

Every stretch of a question is looked up: as it stands, without endings, in another order, without legal forms, spaces
and hyphens, by its initials, as a part of a longer name, and with words that no name has in the nearest spelling that
some name has (`rag.query.mention_detection`). The candidates are then judged (`rag.query.disambiguation`): a mention
that is more likely to be none links nothing. Longer mentions take precedence over shorter ones within them, and every
meaning of a mention that is likely enough is kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from indexes.catalog.dictionary import Dictionary, Meaning
from indexes.terms.names import StoredName, is_of_row, reference
from rag.judging.logistic import LogisticModel
from rag.judging.odds import probability
from rag.judging.policy import Policy
from rag.query.disambiguation import ONE_ROW, Mention, MentionJudge, column, linking_model
from rag.query.mention_detection import mentions
from rag.query.query import Query
from rag.query.tokens import TokenizedQuestion

_LINKED = Policy(wrong=1, missed=1)  # a passage that is not meant is as bad as one that is missed
MOST_ROWS = 20  # of one link: a name that more rows have is a property of them
_MOST_PAIRS = 12  # of neighbouring mentions that are tried as one row
_FAINT = 4.0  # log-odds below the best meaning of a mention: dropped
_ROUNDABOUT = 0.6  # what a mention that is not the whole name, or mistyped, counts beside another


@dataclass(frozen=True, slots=True)
class EntityLink:
    """A name that a question mentions.

    Attributes:
        text: the mention as it was typed, at `start` to `end` of the question.
        name: what it means, as it is stored.
        role: the `table.column` that holds it.
        rows: the documents it names, the oldest first; at most `MOST_ROWS`, and one more where there are more.
        score: the probability that this is meant.
    """

    text: str
    start: int
    end: int
    name: str
    role: str
    rows: tuple[StoredName, ...]
    score: float

    @property
    def uris(self) -> tuple[str, ...]:
        """The rows it names."""
        return tuple(dict.fromkeys(row.uri for row in self.rows))

    @property
    def is_selective(self) -> bool:
        """Whether it names some rows, and is no property of very many."""
        return len(self.rows) <= MOST_ROWS


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a mention may mean, and the log-odds that it does; `rows` where a mention beside it narrows them down."""

    mention: Mention
    meaning: Meaning
    features: Mapping[str, float]
    odds: float
    rows: tuple[StoredName, ...] = ()

    @property
    def probability(self) -> float:
        """The probability that this is meant."""
        return probability(self.odds)


class Linker:
    """Links questions to the names of one generation.

    `is_common` tells whether a word, in lower case, is in everybody's vocabulary; `model` weighs the features.
    """

    def __init__(
        self, dictionary: Dictionary, is_common: Callable[[str], bool], model: LogisticModel | None = None
    ) -> None:
        self._model = model or linking_model()
        self._dictionary = dictionary
        self._is_common = is_common

    def link(self, query: Query) -> tuple[EntityLink, ...]:
        """The links of a question, in its order; of one mention the likeliest first."""
        question = query.tokens
        links = [self._link(candidate, question) for candidate in _chosen(self.candidates(query), question)]
        return tuple(sorted((link for link in links if link is not None), key=lambda link: (link.start, -link.score)))

    def candidates(self, query: Query) -> list[Candidate]:
        """Everything that a question may mention."""
        roles = self._dictionary.roles()
        columns = [column(role) for role in roles if is_of_row(role)]
        if not columns:
            return []
        question = query.tokens
        schema = {word for each in columns for word in each.table | each.column}
        common = {token.word for token in question.tokens if self._is_common(token.word)}
        judge = MentionJudge(question, _related(roles), schema, common)
        return self._one_row(self._judged(mentions(question, self._dictionary, schema, common), judge), question)

    def _judged(self, pairs: Sequence[tuple[Mention, str]], judge: MentionJudge) -> list[Candidate]:
        """Everything that may be meant."""
        meanings = self._dictionary.meanings({name for _, name in pairs})
        found = [
            (mention, meaning)
            for mention, name in pairs
            for meaning in meanings.get(name, ())
            if is_of_row(meaning.role) and _may_shorten(mention, meaning)
        ]
        covered: dict[str, set[int]] = defaultdict(set)
        for mention, meaning in found:
            if not mention.part:
                covered[meaning.role].update(range(mention.first, mention.last))
        features = [judge.features(mention, meaning, covered[meaning.role]) for mention, meaning in found]
        return [
            Candidate(mention, meaning, each, self._model.log_odds(each))
            for (mention, meaning), each in zip(found, features, strict=True)
        ]

    def _one_row(self, candidates: list[Candidate], question: TokenizedQuestion) -> list[Candidate]:
        """The candidates, surer of neighbours that one row has: given and family name, a city and its state."""
        starting: dict[int, list[Candidate]] = defaultdict(list)
        for candidate in candidates:
            if not candidate.mention.part:
                starting[candidate.mention.first].append(candidate)
        tried = 0
        joined: dict[int, Candidate] = {}
        for one in sorted(candidates, key=lambda candidate: -candidate.odds):
            for other in () if one.mention.part else starting[one.mention.last]:
                if not _of_one_table(one.meaning, other.meaning) or not _shown(question, one.mention, other.mention):
                    continue
                if (tried := tried + 1) > _MOST_PAIRS:
                    break
                if rows := self._dictionary.rows_of_both(one.meaning, other.meaning, MOST_ROWS + 1):
                    for each in (one, other):
                        together = {**each.features, ONE_ROW: 1.0}
                        odds = self._model.log_odds(together)
                        joined[id(each)] = Candidate(each.mention, each.meaning, together, odds, tuple(rows))
        return [joined.get(id(candidate), candidate) for candidate in candidates]

    def _link(self, candidate: Candidate, question: TokenizedQuestion) -> EntityLink | None:
        rows = candidate.rows or tuple(self._dictionary.rows(candidate.meaning, MOST_ROWS + 1))
        if not rows:  # all dead
            return None
        tokens = question.tokens[candidate.mention.first : candidate.mention.last]
        return EntityLink(
            text=question.typed(candidate.mention.first, candidate.mention.last),
            start=tokens[0].start,
            end=tokens[-1].end,
            name=candidate.meaning.text,
            role=candidate.meaning.role,
            rows=rows,
            score=candidate.probability,
        )


def _related(roles: Iterable[str]) -> dict[str, set[str]]:
    """Table → the words that the tables it refers to, and those which refer to it, are called by."""
    found: dict[str, set[str]] = defaultdict(set)
    for one, other in filter(None, map(reference, roles)):
        found[one] |= column(f"{other}.").table
        found[other] |= column(f"{one}.").table
    return found


def _may_shorten(mention: Mention, meaning: Meaning) -> bool:
    """Whether a name may be the initials of a mention of several words: those are capitals."""
    return not mention.shortened or mention.last == mention.first + 1 or meaning.text.isupper()


def _of_one_table(one: Meaning, other: Meaning) -> bool:
    table, _, name = one.role.rpartition(".")
    other_table, _, other_name = other.role.rpartition(".")
    return table == other_table and name != other_name


def _shown(question: TokenizedQuestion, *mentions: Mention) -> bool:
    """Whether every word of these mentions is written as a name, or there is no telling."""
    tokens = [token for mention in mentions for token in question.tokens[mention.first : mention.last]]
    return not question.shows_names or all(token.text[:1].isupper() for token in tokens)


def _chosen(candidates: Sequence[Candidate], question: TokenizedQuestion) -> Iterator[Candidate]:
    """Of overlapping mentions the longest and surest; of each mention all meanings that are likely enough."""
    spans: dict[tuple[int, int], list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        if _LINKED.accepts(candidate.probability):
            spans[candidate.mention.first, candidate.mention.last].append(candidate)

    def weight(span: tuple[int, int]) -> float:
        best = max(spans[span], key=lambda candidate: candidate.odds)
        mention = best.mention
        roundabout = mention.part or mention.mistyped or mention.shortened
        letters = sum(len(word) for word in question.words(*span))
        return letters * best.probability * (_ROUNDABOUT if roundabout else 1.0)

    taken: set[int] = set()
    for span in sorted(spans, key=lambda span: (-weight(span), span)):
        places = range(*span)
        if taken.isdisjoint(places):
            taken.update(places)
            in_full = [candidate for candidate in spans[span] if not candidate.mention.part]
            best = max(candidate.odds for candidate in spans[span])
            yield from (candidate for candidate in in_full or spans[span] if candidate.odds >= best - _FAINT)
