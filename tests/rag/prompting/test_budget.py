from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import ConfigurationError
from rag.prompting.budget import PromptShares, fitted


def test_the_evidence_has_what_the_others_may_not_take():
    assert PromptShares().evidence == 0.55
    assert PromptShares(0.0, 0.0, 0.0).evidence == 1.0


@pytest.mark.parametrize(("shares", "problem"), [((-0.1,), "-0.1"), ((1.2,), "1.2"), ((0.5, 0.3, 0.2), "no room")])
def test_shares_that_make_no_sense_are_refused(shares, problem):
    with pytest.raises(ConfigurationError, match=problem):
        PromptShares(*shares)


@given(st.lists(st.text()), st.integers(-5, 200))
def test_what_fits_costs_no_more_than_the_room_and_keeps_its_order(items, room):
    kept = fitted(items, room, lambda some: sum(map(len, some)), lambda item: [item[: len(item) // 2]])
    assert sum(len(shown) for _, shown in kept) <= max(0, room)
    rest = iter(items)
    assert all(any(item is other for other in rest) for item, _ in kept)
    assert all(item.startswith(shown) for item, shown in kept)
