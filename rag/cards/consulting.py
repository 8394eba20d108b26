"""Consults the cards for a question: decides which to ask, and which statements reach the prompt."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from connectors.errors import PilotfishError
from rag.cards.card import Card, CardError, CardKind
from rag.cards.experts import Expert
from rag.cards.gate import Gate
from rag.cards.selecting import ANSWERED, CardStatement, CardVerdict, Selecting, Selectors, best_relevance
from rag.cards.storage import StoredCard
from rag.cards.top_down import needed
from rag.judging.policy import Policy
from rag.llm.base import Complete
from rag.prompting.prompt import Background
from rag.retrieval.hit import Hit
from rag.retrieval.merging import SupplementaryHit, join

_ASKED = Policy(wrong=1, missed=1)
_ELSEWHERE = "the question is about something else"
_KNOWN = "the documents answer the question"


class Integration(StrEnum):
    """How cards and LLM work together."""

    BOTTOM_UP = "bottom-up"  # every card is asked
    TOP_DOWN = "top-down"  # the LLM says whether it needs more, and the card that knows best is asked
    OFF = "off"


@dataclass(frozen=True, slots=True)
class CardUse:
    """How an answer uses cards.

    Attributes:
        integration: who decides which cards are asked.
        names: only these cards; empty for all.
        selectors: what stands between their words and the prompt. Without `relevance` every card is asked, whatever
            the question is about.
    """

    integration: Integration = Integration.BOTTOM_UP
    names: tuple[str, ...] = ()
    selectors: Selectors = field(default_factory=Selectors)


@dataclass(frozen=True, slots=True)
class Consultation:
    """The outcome of consulting one card.

    Attributes:
        card: its name.
        topic_relevance: the probability that the question is about what it knows.
        asked: whether it was asked.
        why: why not, or what went wrong; empty where all went well.
        statements: its sentences, and what became of each.
        seconds: how long it took.
        failed: whether it could not be asked, or failed when it was; `why` else says that nothing was wanted of it.
        hint: what to do about a failure.
    """

    card: str
    topic_relevance: float
    asked: bool
    why: str = ""
    statements: tuple[CardStatement, ...] = ()
    seconds: float = 0.0
    failed: bool = False
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Consulted:
    """The outcome of consulting all cards for an answer.

    Attributes:
        background: sentences that nothing supports, the most relevant first.
        hits: the hits of the search, with the passages that support what a card said.
        consultations: every card, in the order of their names.
        topic: with top-down, what the LLM wanted to know; None where it wanted nothing.
    """

    background: tuple[Background, ...]
    hits: tuple[Hit, ...]
    consultations: tuple[Consultation, ...] = ()
    topic: str | None = None


Opened = Callable[[Card], Expert]
"""Opens the expert behind a card."""


def consult(
    question: str,
    cards: Sequence[StoredCard],
    hits: Sequence[Hit],
    use: CardUse,
    *,
    opened: Opened,
    gate: Gate,
    selecting: Callable[[Sequence[Hit]], Selecting],
    complete: Complete | None = None,
) -> Consulted:
    """Ask the cards, and put what they say through the selectors.

    Args:
        question: what is to be answered.
        cards: those that may be asked, and those that cannot be.
        hits: what the search found.
        use: how.
        opened: opens a card.
        gate: tells which cards know about the question.
        selecting: the selectors, for this question and the hits that may answer it.
        complete: has the LLM write; None for one that cannot, which is then asked nothing: cards go bottom-up.
    """
    if use.integration is Integration.OFF or not cards:
        return Consulted((), tuple(hits))
    topic, wanted = None, question
    if use.integration is Integration.TOP_DOWN and complete is not None:
        topic = needed(question, hits, complete)
        if topic is None:
            return Consulted(
                (), tuple(hits), tuple(_unasked(one.card, 0.0, "the LLM needs no more knowledge") for one in cards)
            )
        wanted = f"{question} {topic}"
    answering = tuple(hits) if topic is None else ()  # a model that wants to know more has seen what the documents say
    select = selecting(answering)
    chosen = _chosen(
        wanted,
        cards,
        use,
        gate,
        only_best=topic is not None,
        answered=best_relevance(answering) > ANSWERED,
    )
    consultations = [
        _unasked(one.card, about, why) if why else _ask(one, about, wanted, opened, select)
        for one, about, why in chosen
    ]
    said = [(consultation.card, one) for consultation in consultations for one in consultation.statements]
    said.sort(key=lambda pair: -pair[1].relevance)  # the prompt takes the first, as far as there is room
    background = tuple(
        Background(card, one.text, one.origin) for card, one in said if one.verdict is CardVerdict.BACKGROUND
    )
    return Consulted(background, join(hits, _evidence(said)), tuple(consultations), topic)


def _chosen(
    question: str, cards: Sequence[StoredCard], use: CardUse, gate: Gate, *, only_best: bool, answered: bool
) -> list[tuple[StoredCard, float, str]]:
    """Each card, how likely the question is about it, and why nothing is wanted of it, if so."""
    chosen = []
    for one in cards:
        about = gate.probability(question, one.card)
        why = ""
        # A glossary knows by its terms, and a knowledge base by its own relevance, what it has nothing to say to.
        if use.selectors.relevance and one.card.kind is CardKind.LM and not one.problem:
            why = _ELSEWHERE if not _ASKED.accepts(about) else _KNOWN if answered else ""
        chosen.append((one, about, why))
    able = [about for one, about, why in chosen if not why and not one.problem]
    if only_best and able:
        chosen = [
            (one, about, why or ("" if one.problem or about == max(able) else "another card knows more about it"))
            for one, about, why in chosen
        ]
    return chosen


def _ask(shelved: StoredCard, about: float, question: str, opened: Opened, selecting: Selecting) -> Consultation:
    if shelved.problem:
        return failed(shelved.card.name, shelved.refusal, about)
    start = time.perf_counter()
    name = shelved.card.name
    try:
        offers = opened(shelved.card).offer(question)
    except CardError as error:
        return failed(name, error, about, time.perf_counter() - start)
    except PilotfishError as error:  # of what stands behind it: another knowledge base may be damaged
        why = CardError(f"the card {name!r} cannot answer: {error}", hint=error.hint)
        return failed(name, why, about, time.perf_counter() - start)
    said = tuple(selecting.select(offers))
    return Consultation(name, about, asked=True, statements=said, seconds=round(time.perf_counter() - start, 3))


def failed(card: str, error: PilotfishError, about: float = 0.0, seconds: float = 0.0) -> Consultation:
    """What became of a card that cannot be asked, or fails when it is: the answer goes on without it."""
    return Consultation(
        card, about, asked=False, why=str(error), seconds=round(seconds, 3), failed=True, hint=error.hint
    )


def _unasked(card: Card, about: float, why: str) -> Consultation:
    return Consultation(card.name, about, asked=False, why=why)


def _evidence(said: Sequence[tuple[str, CardStatement]]) -> Iterator[SupplementaryHit]:
    """The passages that say what a card said: each as relevant as the sentence is, as far as it supports that."""
    for card, one in said:
        if one.verdict is CardVerdict.EVIDENCE and one.passage is not None:
            yield SupplementaryHit(one.passage, one.relevance * one.support, "card", f"says what the card {card} says")
