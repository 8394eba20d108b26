"""Token counts and their cost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens sent to and received from the LLM, estimated if the model does not report them, and their cost.

    Attributes:
        prompt_tokens: sent.
        completion_tokens: given back.
        cost: what they cost, in the currency of the prices; None where no prices were given.
        cached: the reply was kept from an earlier time, and nothing was sent to anybody.

    Example:
        >>> Usage(10, 2, cost=0.5) + Usage(5, 1)
        Usage(prompt_tokens=15, completion_tokens=3, cost=0.5, cached=False)
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None
    cached: bool = False

    def __add__(self, other: Usage) -> Usage:
        """Both together; `cached` only where both were."""
        costs = [usage.cost for usage in (self, other) if usage.cost is not None]
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            sum(costs) if costs else None,
            self.cached and other.cached,
        )
