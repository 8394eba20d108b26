"""Questions with several parts: a part that the first search leaves uncovered becomes a question of its own.

After Juneja et al., *Small Language Models Fine-tuned to Coordinate Larger Language Models Improve Complex Reasoning*
(DaSLaM, EMNLP 2023). It works by rules. A name in a good passage that the question lacks ("directed by Adriana
Trigiani") is the bridge to the part that this passage does not cover ("… is based in what city?"). Each of the things
that a question compares gets a question of its own. An LLM may name further parts (`rag.answering.sub_questions`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice

from rag.query.query import Query
from rag.retrieval.hit import Hit
from rag.retrieval.merging import SupplementaryHit, join
from rag.retrieval.search import Search
from rag.text.names import names_in
from rag.text.words import STOP_WORDS, terms

_MOST_PARTS = 16  # each is a search
_BRIDGES = 2  # passages whose names are followed
_MOST_ADDED = 3  # passages: with more than these, HotpotQA gains nothing
_COVERED = 0.9  # of a question's content words: the rest is how it is put
_CLOSED = 0.8  # of them, by all relevant passages together: no LLM is asked what remains
_FEWEST = 6  # content words of a question that an LLM is asked about: shorter ones hardly have parts

_WORD = re.compile(r"[\w'’-]+")
_STOP = frozenset(STOP_WORDS.split())

Divide = Callable[[str, Sequence[Hit]], "Sequence[QuestionPart]"]
"""Names the parts of a question that the relevant hits leave open, as an LLM does."""


@dataclass(frozen=True, slots=True)
class QuestionPart:
    """A part of a question, phrased as a question.

    Attributes:
        question: what is searched for.
        name: what it is about, as the passage or the question names it; empty where an LLM asks for no name.
        bridge: the passage that names it; None where the question does.
        found: the best that was found for it.
    """

    question: str
    name: str
    bridge: Hit | None = None
    found: Hit | None = None


@dataclass(frozen=True, slots=True)
class Decomposed:
    """The hits for a question and for its parts; `parts` lists those that brought a passage, best first."""

    hits: tuple[Hit, ...]
    parts: tuple[QuestionPart, ...] = ()


def decompose(
    question: Query, hits: Sequence[Hit], search: Search, *, k: int, threshold: float, divide: Divide | None = None
) -> Decomposed:
    """Search for the parts of `question` that the relevant ones of `hits` say nothing about.

    Rules find them, and `divide` names some before that where the relevant hits lack words of the question. What is
    found takes the places, up to `k`, of hits below the relevance `threshold`, which are no evidence: no passage that
    is relevant for the question itself gives way.
    """
    relevant = [hit for hit in hits[:k] if hit.relevance >= threshold]
    if not relevant or len(relevant) >= k:
        return Decomposed(tuple(hits))
    found: dict[int, tuple[float, QuestionPart, Hit]] = {}
    have = {hit.chunk_id for hit in relevant}
    readings = {hit.chunk_id: hit.reading for hit in hits}
    # By the LLM; then by rules, what the question itself names first.
    named = chain(_divided(question, relevant, divide), _compared(question, relevant), _bridged(question, relevant))
    for part in islice(named, _MOST_PARTS):
        for hit in search(part.question, 1):
            chance = hit.relevance * (part.bridge.relevance if part.bridge is not None else 1.0)
            if hit.chunk_id not in have and chance > max(threshold / 2, found.get(hit.chunk_id, (0.0,))[0]):
                # How it answers the whole question is known where it was read with that.
                found[hit.chunk_id] = chance, part, replace(hit, reading=readings.get(hit.chunk_id, hit.reading))
    best = sorted(found.values(), key=lambda one: -one[0])[: min(_MOST_ADDED, k - len(relevant))]
    if not best:
        return Decomposed(tuple(hits))
    parts = tuple(replace(part, found=hit) for _, part, hit in best)
    added = [
        SupplementaryHit(hit, max(chance, threshold), "part", f"answers a part of the question: {part.question}")
        for chance, part, hit in best
    ]
    joined = join(relevant, added)
    others = [hit for hit in hits if hit.chunk_id not in {one.chunk_id for one in joined}]
    return Decomposed((*joined, *others)[: max(k, len(hits))], parts)


def _divided(question: Query, relevant: Sequence[Hit], divide: Divide | None) -> Sequence[QuestionPart]:
    """The parts that `divide` names; it is not asked where the relevant passages have the words of the question."""
    asked = frozenset(question.terms)
    if divide is None or len(asked) < _FEWEST:
        return ()
    have = frozenset(term for hit in relevant for term in terms(f"{hit.title} {hit.text}"))
    return () if len(asked & have) > _CLOSED * len(asked) else divide(question.text, relevant)


def _compared(question: Query, relevant: Sequence[Hit]) -> Iterator[QuestionPart]:
    """The names in the question that no relevant passage has, each with the words of the question that are no names."""
    names = question.names
    covered = frozenset(term for hit in relevant for term in terms(f"{hit.title} {hit.text}"))
    rest = _without(question.text, {term for name in names for term in terms(name)})
    for name in names if len(names) > 1 else ():
        if not covered.issuperset(terms(name)):
            yield QuestionPart(f"{name} {rest}".strip(), name)


def _bridged(question: Query, relevant: Sequence[Hit]) -> Iterator[QuestionPart]:
    """What the best passages name and the question does not, with the words of the question that they lack."""
    asked = frozenset(question.terms)
    for bridge in relevant[:_BRIDGES]:
        here = frozenset(terms(f"{bridge.title} {bridge.text}"))
        if len(asked & here) > _COVERED * len(asked):
            continue
        rest, own = _without(question.text, here), frozenset(terms(bridge.title))
        for name in names_in(bridge.text):
            called = frozenset(terms(name))
            if not called <= asked and not called <= own:
                yield QuestionPart(f"{name} {rest}".strip(), name, bridge)


def _without(question: str, covered: Iterable[str]) -> str:
    """The content words of `question` that are not covered."""
    have = frozenset(covered)
    left = [
        word for word in _WORD.findall(question) if word.casefold() not in _STOP and not have.issuperset(terms(word))
    ]
    return " ".join(left)
