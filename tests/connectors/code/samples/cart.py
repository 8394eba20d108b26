#!/usr/bin/env python3
"""Shopping carts."""

import decimal
from dataclasses import dataclass

VAT = decimal.Decimal("0.19")


# What the shop takes
# for a parcel.
@dataclass(frozen=True)
class Parcel:
    weight: int


class Cart:
    """What a customer is about to buy.

    It knows its prices.
    """

    currency = "EUR"

    def __init__(self, items):
        self.items = items

    # Prices are net.
    @property
    def total(self):
        """The sum of all prices, with the value-added tax on top of it."""

        def taxed(price):
            return price * (1 + VAT)

        return sum(taxed(item.price) for item in self.items)

    def ship(self, parcel: Parcel, *, express: bool = False) -> str:
        carrier = self.choose(parcel, express)
        if carrier is None:
            raise ValueError(f"nobody carries {parcel.weight} kg today, not even the post")
        for item in self.items:
            carrier.load(item)
        return carrier.send()


def main():
    Cart([]).ship(Parcel(2))


if __name__ == "__main__":
    main()
