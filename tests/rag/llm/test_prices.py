from __future__ import annotations

import pytest

from connectors.errors import ConfigurationError
from rag.llm.base import LLM
from rag.llm.loading import as_llm
from rag.llm.prices import PricedLLM, Prices
from rag.llm.usage import Usage
from rag.prompting.prompt import Message, Prompt


def test_usage_says_what_it_cost():
    llm = PricedLLM(as_llm(lambda messages: "one two three four"), Prices(1_000.0, 100_000.0))
    assert isinstance(llm, LLM)
    reply = llm.stream(Prompt((Message("user", "?"),), (), (), 50), "")
    assert list(reply)
    assert reply.usage == Usage(50, 5, cost=0.55)


@pytest.mark.parametrize("prices", [(-1.0, 0.0), (0.0, float("nan")), (float("inf"), 0.0)])
def test_what_is_no_price_is_refused(prices):
    with pytest.raises(ConfigurationError, match="is not a price"):
        Prices(*prices)


def test_usages_add_up():
    assert Usage(1, 2) + Usage(3, 4) == Usage(4, 6)
    assert Usage(1, 2, cost=0.5) + Usage(3, 4, cost=0.25) == Usage(4, 6, cost=0.75)
    assert Usage(1, 2, cost=0.0, cached=True) + Usage(3, 4, cost=0.25) == Usage(4, 6, cost=0.25)
