"""Passages that count for a reason of their own join the hits without unsettling them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.retrieval.merging import SupplementaryHit, join
from tests.rag.samples import hit


def found(chunk: int, relevance: float):
    import math

    one = hit(f"passage {chunk}", relevance=relevance)
    odds = {"start": math.log(relevance / (1 - relevance))}
    return replace(one, chunk_id=chunk, signals=replace(one.signals, log_odds=odds))


@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_a_new_passage_has_the_chance_as_its_relevance_and_says_why(relevance: float, chance: float) -> None:
    old, new = join([found(1, relevance)], [SupplementaryHit(found(2, 0.5), chance, "part", "why")])
    assert old == found(1, relevance)
    assert new.relevance == chance
    assert new.signals.named == "why"
    assert sum(new.signals.log_odds.values()) == pytest.approx(__import__("math").log(chance / (1 - chance)))


@given(st.floats(0.01, 0.95), st.floats(0.01, 0.95))
def test_a_passage_that_was_found_gains_and_its_log_odds_still_add_up(relevance: float, chance: float) -> None:
    import math

    (gained,) = join([found(1, relevance)], [SupplementaryHit(found(1, 0.5), chance, "part", "why")])
    assert gained.relevance == pytest.approx(1 - (1 - relevance) * (1 - chance), abs=0.01)
    assert 1 / (1 + math.exp(-sum(gained.signals.log_odds.values()))) == pytest.approx(gained.relevance)


def test_two_reasons_count_for_more_than_one() -> None:
    one = join([found(1, 0.2)], [SupplementaryHit(found(1, 0.2), 0.5, "part", "a")])
    two = join(one, [SupplementaryHit(found(1, 0.2), 0.5, "card", "b")])
    assert two[0].relevance > one[0].relevance > 0.2
    assert set(two[0].signals.log_odds) == {"start", "part", "card"}
    assert two[0].signals.named == "a"
