"""Passages that count for a reason of their own: a part of the question asks for them, or a card confirms them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rag.judging.odds import log_odds_of, named_odds, probability
from rag.retrieval.hit import Hit, Signals


@dataclass(frozen=True, slots=True)
class SupplementaryHit:
    """A passage, and its probability of being relevant for this reason alone.

    Attributes:
        passage: the hit of another search than the one for the question.
        chance: the probability.
        signal: what the reason is called among `Signals.log_odds`.
        why: the reason in words.
    """

    passage: Hit
    chance: float
    signal: str
    why: str


def join(hits: Sequence[Hit], others: Iterable[SupplementaryHit]) -> tuple[Hit, ...]:
    """`hits`, and behind them those of `others` that are not among them; one that is becomes more relevant.

    The reasons are taken for independent: a passage is relevant unless it is so for none of them.
    """
    found = {hit.chunk_id: hit for hit in hits}
    for other in others:
        chunk = other.passage.chunk_id
        found[chunk] = _gained(found[chunk], other) if chunk in found else _new(other, len(found) + 1)
    return tuple(found.values())


def _new(other: SupplementaryHit, rank: int) -> Hit:
    # The signals of the other search say nothing about this question.
    bare = Signals(bm25=0.0, cosine=0.0, log_odds={other.signal: log_odds_of(other.chance)}, named=other.why)
    return replace(other.passage, rank=rank, score=0.0, relevance=other.chance, signals=bare)


def _gained(hit: Hit, other: SupplementaryHit) -> Hit:
    known = hit.signals.log_odds
    odds = {**known, other.signal: known.get(other.signal, 0.0) + named_odds(sum(known.values()), other.chance)}
    signals = replace(hit.signals, log_odds=odds, named=hit.signals.named or other.why)
    return replace(hit, relevance=probability(sum(odds.values())), signals=signals)
