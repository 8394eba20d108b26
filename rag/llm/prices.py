"""The cost of an LLM, by prices that the user states: they change too often to be built in."""

from __future__ import annotations

from dataclasses import dataclass, replace

from connectors.errors import ConfigurationError
from rag.llm.base import LLM, DelegatingLLM
from rag.llm.reply import Reply
from rag.llm.usage import Usage
from rag.prompting.prompt import Prompt

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Prices:
    """The price of a million tokens, sent and received, in any currency.

    Example:
        >>> Prices(0.5, 2.0).cost(Usage(3_000, 200))
        0.0019
    """

    prompt: float
    completion: float

    def __post_init__(self) -> None:
        for price in (self.prompt, self.completion):
            if not 0 <= price < float("inf"):
                raise ConfigurationError(f"the price {price} of a million tokens is not a price", hint="use 0 or more")

    def cost(self, usage: Usage) -> float:
        """What `usage` costs, to a millionth."""
        spent = usage.prompt_tokens * self.prompt + usage.completion_tokens * self.completion
        return round(spent / _MILLION, 6)


class PricedLLM(DelegatingLLM):
    """`llm`, whose usage says what it cost."""

    def __init__(self, llm: LLM, prices: Prices) -> None:
        super().__init__(llm)
        self._prices = prices

    def stream(self, prompt: Prompt, question: str) -> Reply:
        """The model's reply."""
        reply = super().stream(prompt, question)
        reply.at_end.append(lambda _, usage: replace(usage, cost=0.0 if usage.cached else self._prices.cost(usage)))
        return reply
