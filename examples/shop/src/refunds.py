"""What is paid back for a return."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

RESTOCKING_FEE = Decimal("0.15")
RETURN_PERIOD = timedelta(days=30)


@dataclass(frozen=True)
class Return:
    """An article that came back."""

    article_number: str
    price: Decimal
    delivered_on: date
    arrived_on: date
    opened: bool


class TooLateError(Exception):
    """The article was sent back after the end of the return period."""


def refund_amount(returned: Return) -> Decimal:
    """The money to pay back: the price, less the restocking fee for an opened article."""
    if returned.arrived_on - returned.delivered_on > RETURN_PERIOD:
        raise TooLateError(returned.article_number)
    kept = returned.price * RESTOCKING_FEE if returned.opened else Decimal(0)
    return (returned.price - kept).quantize(Decimal("0.01"))
