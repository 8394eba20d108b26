"""When a product is ordered again from its supplier."""

from __future__ import annotations

from math import ceil

SAFETY_DAYS = 3


def reorder_point(sold_per_day: float, delivery_days: int) -> int:
    """The stock below which a product is ordered again: what is sold until a delivery arrives, and a little more."""
    return ceil(sold_per_day * (delivery_days + SAFETY_DAYS))


class Shelf:
    """What is left of one product."""

    def __init__(self, article_number: str, count: int) -> None:
        self.article_number = article_number
        self.count = count

    def take(self, quantity: int) -> bool:
        """Take articles for an order; False, and nothing is taken, where there are too few: the order waits."""
        if quantity > self.count:
            return False
        self.count -= quantity
        return True

    def needs_reorder(self, sold_per_day: float, delivery_days: int) -> bool:
        """Whether it is time to order again."""
        return self.count < reorder_point(sold_per_day, delivery_days)
