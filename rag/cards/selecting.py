"""The three selectors between a card and the prompt: is a sentence relevant, does it fit, and is it true?

After Feng et al., *Knowledge Card: Filling LLMs' Knowledge Gaps with Plug-in Specialized Language Models*, ICLR 2024.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from connectors.sentences import sentence_spans
from rag.cards.experts import Offer
from rag.judging.calibration import Calibration
from rag.judging.policy import Policy
from rag.query.query import Query
from rag.retrieval.hit import Hit
from rag.retrieval.search import Search
from rag.text.near_duplicates import Fingerprint
from rag.text.sentence_encoder import SentenceEncoder
from rag.text.words import terms
from rag.verification.support import SupportJudge

# A sentence's relevance, from its cosine with the question: right answers of WikiQA, TREC-QA and HotpotQA lie above .36
# in 95 of 100, sentences about something else below .19 (benchmarks/card_gate.py).
RELEVANCE = Calibration.around(0.28, slope=18.0)
_RELEVANT = Policy(wrong=1, missed=1)
_VOUCHED = Policy(wrong=1, missed=4)  # of a passage that the card found relevant more stays: an "It was so" may answer
_MOST_SENTENCES = 12  # of one card that are looked at: each is searched for in the knowledge base
_MOST_CHARACTERS = 900  # of one card that pass
_CHECKED_AGAINST = 5  # passages
ANSWERED = 0.5  # a passage that is more relevant answers the question better than the word of a model
_MISSING = 2  # words of the question that only the card's passage has: it may answer another part of it
# How likely a passage must say what a sentence says to take its place: what the sentence knows beyond it is lost then.
# Of sentences about what the knowledge base does not hold, 64 in 600 reach .5, and 1 reaches .7
# (benchmarks/card_effect.py, the card `right`).
_SURE = Policy(wrong=7, missed=3)


# Words that open a question to which the answer is yes or no.
_AUXILIARIES = frozenset(
    "am are is was were do does did can could has have had will would shall should must may might".split()  # noqa: SIM905
)


class CardVerdict(StrEnum):
    """The verdict on a sentence of a card."""

    EVIDENCE = "evidence"  # the knowledge base says so: its passage is cited instead
    BACKGROUND = "background"  # nothing speaks for it: it is labelled
    OTHER_NUMBER = "other number"  # the knowledge base says the same with another one
    IRRELEVANT = "irrelevant"
    UNNEEDED = "unneeded"  # the documents answer that
    REPEATED = "repeated"
    TOO_LONG = "too long"


@dataclass(frozen=True, slots=True)
class CardStatement:
    """A sentence of a card, with its verdict.

    Attributes:
        text: the sentence.
        relevance: the probability that it matters for the question.
        vouched: whether the card itself found that, by better means than its words.
        needed: whether the documents leave open what it is about.
        origin: where it stands, where that is known.
        passage: what supports it, and `support` how probably; or what has another number.
    """

    text: str
    relevance: float
    verdict: CardVerdict = CardVerdict.BACKGROUND
    vouched: bool = False
    needed: bool = True
    origin: str = ""
    passage: Hit | None = None
    support: float = 0.0


@dataclass(frozen=True, slots=True)
class Selectors:
    """Which of the three selectors are active. Without any, everything a card says is background."""

    relevance: bool = True
    brevity: bool = True
    factuality: bool = True


class Selecting:
    """Runs the sentences of cards through the selectors, for one question and its `hits`."""

    def __init__(
        self,
        question: str,
        hits: Sequence[Hit],
        encoder: SentenceEncoder,
        judge: SupportJudge,
        search: Search,
        selectors: Selectors,
    ) -> None:
        self._encoder = encoder
        self._judge = judge
        self._search = search
        self._selectors = selectors
        self._question = encoder.encode_query(question).vector
        self._asked = _terms(question)
        self._decides = question.casefold().partition(" ")[0] in _AUXILIARIES
        self._seen: list[tuple[Fingerprint, frozenset[str]]] = []
        self._answered = best_relevance(hits)
        evidence = [hit for hit in hits if hit.relevance >= self._answered / 2]
        self._missing = frozenset(Query.of(question).terms).difference(
            *(_terms(f"{hit.title} {hit.text}") for hit in evidence)
        )

    def select(self, offers: Sequence[Offer]) -> list[CardStatement]:
        """What becomes of each sentence of one card, in the order in which they were said."""
        said = [one for offer in offers for one in self._sentences(offer)]
        steps = (
            (True, self._once),
            (self._selectors.relevance, self._relevant),
            (self._selectors.factuality, self._true),
            (self._selectors.relevance, self._needed),
            (self._selectors.brevity, self._brief),
        )
        for wanted, step in steps:
            said = step(said) if wanted else said
        return said

    def _sentences(self, offer: Offer) -> list[CardStatement]:
        spans = [(0, len(offer.text))] if offer.whole else sentence_spans(offer.text)
        spans = [(start, end) for start, end in spans if offer.text[start:end].strip()]
        if not spans:
            return []
        texts = [" ".join(offer.text[start:end].split()) for start, end in spans]
        cosines = self._encoder.encode(texts).vectors @ self._question
        relevances = [RELEVANCE.probability(float(cosine)) for cosine in cosines]
        vouched = offer.relevance is not None
        if vouched:  # the sentence that is nearest to the question stays in any case
            nearest = int(cosines.argmax())
            relevances[nearest] = max(relevances[nearest], _RELEVANT.least)
        return [
            CardStatement(
                text, matters, vouched=vouched, needed=self._is_needed(offer), origin=offer.origin(start, end)
            )
            for text, matters, (start, end) in zip(texts, relevances, spans, strict=True)
        ]

    def _once(self, said: Sequence[CardStatement]) -> list[CardStatement]:
        """A sentence that repeats the question, or one before it, says nothing.

        What answers shares most of its words with the question, and facts of a kind with each other: to repeat is to
        have no word of one's own. Where the question is whether something is so, a statement in its words says that.
        """
        kept = []
        for one in said:
            fingerprint, own = Fingerprint(one.text), _terms(one.text)
            echoes = own <= self._asked and (not self._decides or one.text.rstrip().endswith("?"))
            repeats = echoes or any(own <= its and fingerprint.adds_nothing_to(other) for other, its in self._seen)
            self._seen.append((fingerprint, own))
            kept.append(_as(one, CardVerdict.REPEATED) if repeats else one)
        return kept

    def _relevant(self, said: Sequence[CardStatement]) -> list[CardStatement]:
        """Of a passage that the card found relevant more stays: what answers may be an "It was so"."""
        return [one if not _open(one) or _matters(one) else _as(one, CardVerdict.IRRELEVANT) for one in said]

    def _true(self, said: Sequence[CardStatement]) -> list[CardStatement]:
        """Every sentence is looked for in the knowledge base, up to a number; the rest stays unverified."""
        order = sorted((i for i, one in enumerate(said) if _open(one)), key=lambda i: -said[i].relevance)
        checked = list(said)
        for i in order[:_MOST_SENTENCES]:
            checked[i] = self._verified(said[i])
        return checked

    def _needed(self, said: Sequence[CardStatement]) -> list[CardStatement]:
        """What nobody has checked stays out where the documents answer better: it can only do harm there."""
        return [_as(one, CardVerdict.UNNEEDED) if _open(one) and not one.needed else one for one in said]

    def _is_needed(self, offer: Offer) -> bool:
        """Whether a text is more relevant than the documents, or has words of the question that they do not have.

        A model repeats the words of a question whether it knows anything or not: of its words only its own rank counts.
        """
        if offer.relevance is None:
            return self._answered <= ANSWERED
        return offer.relevance > self._answered or len(self._missing & _terms(offer.text)) >= _MISSING

    def _verified(self, one: CardStatement) -> CardStatement:
        best: CardStatement | None = None
        for hit in self._search(one.text, _CHECKED_AGAINST):
            support = self._judge.judge(one.text, hit.text, f"{hit.title}\n{hit.context}", hit.kind)
            if _SURE.accepts(support.probability) and (best is None or support.probability > best.support):
                best = replace(one, verdict=CardVerdict.EVIDENCE, passage=hit, support=support.probability)
            elif support.other_number and best is None:
                best = replace(one, verdict=CardVerdict.OTHER_NUMBER, passage=hit)
        return best or one

    def _brief(self, said: Sequence[CardStatement]) -> list[CardStatement]:
        """The most relevant sentences that fit; evidence is the composer's, and takes no room here."""
        room = _MOST_CHARACTERS
        fitted = list(said)
        for i in sorted((i for i, one in enumerate(said) if _open(one)), key=lambda i: -said[i].relevance):
            room -= len(said[i].text)
            if room < 0:
                fitted[i] = _as(said[i], CardVerdict.TOO_LONG)
        return fitted


def best_relevance(hits: Sequence[Hit]) -> float:
    """How likely the best of `hits` answers the question."""
    return max((hit.relevance for hit in hits), default=0.0)


def _terms(text: str) -> frozenset[str]:
    return frozenset(terms(text))


def _matters(one: CardStatement) -> bool:
    return (_VOUCHED if one.vouched else _RELEVANT).accepts(one.relevance)


def _open(one: CardStatement) -> bool:
    return one.verdict is CardVerdict.BACKGROUND


def _as(one: CardStatement, verdict: CardVerdict) -> CardStatement:
    return replace(one, verdict=verdict)
