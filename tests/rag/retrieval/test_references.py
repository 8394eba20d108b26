"""Callers and callees of real code: found by name, near ones first, and never sure where a name is everybody's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rag import Hit, KnowledgeBase
from tests.connectors.repository.repositories import commit, git, repository

SHOP = {
    "shop/cart.py": '''\
"""What a customer wants to buy."""

from shop.prices import with_tax


class Cart:
    """The things in a cart."""

    def __init__(self, prices):
        self._prices = prices

    def total(self):
        """What all of it costs."""
        return with_tax(sum(self._prices)) + self._shipping()

    def get(self, key):
        """One of the things."""
        return self._prices[key]

    def _shipping(self):
        """What it costs to send."""
        return 4 if self.get(0) < 50 else 0
''',
    "shop/prices.py": '''\
"""What things cost."""

RATE = 1.2


def with_tax(price):
    """The price with the tax on it."""
    return price * RATE


def rounded(price):
    """The price in whole coins."""
    return round(price, 2)
''',
    "shop/checkout.py": '''\
"""How a customer pays."""

from shop.cart import Cart
from shop.prices import rounded


def pay(prices, purse):
    """Take the money for what is in the cart."""
    cart = Cart(prices)
    due = rounded(cart.total())
    return purse.get(due)


def countdown(seconds):
    """Wait for the customer, and wait again."""
    return countdown(seconds - 1) if seconds else None
''',
    "report/invoice.py": '''\
"""What the customer gets to see."""


class Invoice:
    """A list of things and their prices."""

    def total(self):
        """The sum at the foot of the list."""
        return self.lines()

    def lines(self):
        """The lines of the list."""
        return {}.get("lines")


def show(invoice, order):
    """Print the sums."""
    return invoice.total(), order.total()
''',
    "report/totals.go": "package report\n\nfunc Show() int {\n\treturn total()\n}\n\nfunc total() int { return 1 }\n",
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return repository(tmp_path_factory.mktemp("code") / "repo", dict(SHOP))


@pytest.fixture(scope="module")
def kb(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    base = KnowledgeBase.open(tmp_path_factory.mktemp("kb") / ".rag")
    base.index(shop / "shop", shop / "report")  # two sources of one repository
    yield base
    base.close()


def definition(kb: KnowledgeBase, symbol: str) -> Hit:
    found = kb.search(symbol.rpartition(".")[2] + " " + symbol, k=50, explain=True, fold=False)
    return next(hit for hit in found if hit.location.symbol and hit.location.symbol.name == symbol)


def told(kb: KnowledgeBase, symbol: str) -> tuple[list[str], list[str]]:
    references = definition(kb, symbol).references
    assert references is not None
    short = [
        [f"{each.symbol} {Path(each.uri).name}:{each.line}" for each in of]
        for of in (
            references.callers,
            references.callees,
        )
    ]
    return short[0], short[1]


def test_callers_and_callees_across_files_and_sources(kb: KnowledgeBase) -> None:
    assert told(kb, "with_tax") == (["Cart.total cart.py:14"], [])
    assert told(kb, "pay") == ([], ["Cart cart.py:6", "rounded prices.py:11", "Cart.total cart.py:12"])
    assert told(kb, "Cart._shipping") == (["Cart.total cart.py:14"], ["Cart.get cart.py:16"])


def test_a_class_is_called_where_one_is_made(kb: KnowledgeBase) -> None:
    assert told(kb, "Cart")[0] == ["pay checkout.py:9"]


def test_of_a_name_that_several_have_the_count_is_told_and_the_qualified_call_comes_first(kb: KnowledgeBase) -> None:
    references = definition(kb, "Cart.total").references
    assert references is not None
    callers = [(each.symbol, each.candidates) for each in references.callers]
    assert callers[0] == ("pay", 1), "cart.total() is likely that of a Cart"
    assert {name for name, _ in callers} == {"pay", "show", "Show"}
    assert all(count == 3 for _, count in callers[1:])
    assert str(references.callers[1]).endswith("(1 of 3)")
    of_invoice = definition(kb, "Invoice.total").references
    assert of_invoice is not None
    assert (of_invoice.callers[0].symbol, of_invoice.callers[0].candidates) == ("show", 1)
    assert [(each.symbol, each.candidates) for each in of_invoice.callees] == [("Invoice.lines", 1)]


def test_what_everybody_is_called_needs_more_than_the_name(kb: KnowledgeBase) -> None:
    assert told(kb, "Cart.get")[0] == ["Cart._shipping cart.py:22"], "not purse.get, and not that of a dictionary"
    assert "Cart.get cart.py:16" not in told(kb, "pay")[1]
    assert told(kb, "Invoice.lines")[1] == []


def test_a_call_of_itself_is_no_reference(kb: KnowledgeBase) -> None:
    assert told(kb, "countdown") == ([], [])


def test_metadata_says_it_in_lines_and_only_when_asked(kb: KnowledgeBase, shop: Path) -> None:
    hit = definition(kb, "with_tax")
    assert hit.metadata["callers"] == (f"Cart.total {shop}/shop/cart.py:14",)
    assert "callees" not in hit.metadata
    assert hit.metadata["filename"] == "prices.py"
    plain = kb.search("with_tax", k=1)[0]
    assert plain.references is None
    assert "callers" not in plain.metadata


def test_the_order_and_the_number_are_the_same_every_time(kb: KnowledgeBase, tmp_path: Path) -> None:
    calls = "".join(f"def use_{number}():\n    return helper({number})\n\n\n" for number in range(40))
    folder = repository(
        tmp_path / "many", {"b.py": calls, "a.py": calls, "helpers.py": "def helper(n):\n    return n\n"}
    )
    seen = []
    for name in ("one", "two"):
        base = KnowledgeBase.open(tmp_path / name)
        base.index(folder)
        references = definition(base, "helper").references
        assert references is not None
        seen.append([str(each) for each in references.callers])
        assert references.more_callers == 70
        base.close()
    assert seen[0] == seen[1] == [f"use_{number} {folder}/a.py:{4 * number + 2}" for number in range(10)]


def test_another_repository_calls_other_things(shop: Path, tmp_path: Path) -> None:
    other = repository(tmp_path / "other", {"tax.py": "def due(price):\n    return with_tax(price)\n"})
    base = KnowledgeBase.open(tmp_path / "kb")
    base.index(shop, other)
    assert told(base, "with_tax") == (["Cart.total cart.py:14"], [])
    assert told(base, "due") == ([], [])
    base.close()


def test_callers_in_what_is_committed(shop: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(shop), "shop.git")
    base = KnowledgeBase.open(tmp_path / "kb")
    base.index(tmp_path / "shop.git")
    references = definition(base, "with_tax").references
    assert references is not None
    assert [str(each) for each in references.callers] == [f"Cart.total git://{tmp_path}/shop.git#shop/cart.py:14"]
    base.close()


def test_references_follow_a_change(shop: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", str(shop), "mine")
    base = KnowledgeBase.open(tmp_path / "kb")
    base.index(tmp_path / "mine")
    commit(tmp_path / "mine", {"shop/cart.py": SHOP["shop/cart.py"].replace("with_tax(sum", "(sum")})
    base.index()
    assert told(base, "with_tax") == ([], [])
    base.close()
