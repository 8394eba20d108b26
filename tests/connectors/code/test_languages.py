"""Each language: the same small shop, and what is found in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.code.languages import LANGUAGES, language_of
from connectors.code.source import module_name, parse_file
from connectors.document import CALLS, DEFINES, Block, Symbol
from connectors.formats import parse
from tests.connectors.code.checks import chunks_of, sample

TOTAL = "sum of all prices, with the value-added tax"

# The definitions of each sample, in order, and where one of them stands: the signature and the headings of its total.
DEFINED = {
    "cart.py": "Parcel Cart Cart.__init__ Cart.total Cart.total.taxed Cart.ship main",
    "cart.js": "Cart Cart.constructor Cart.total Cart.total.taxed Cart.ship Line Cart.clear pages open",
    "cart.ts": "Item Item.weigh Items Carrier Cart Cart.constructor Cart.total Cart.ship open open load",
    "view.tsx": "Props Rows App",
    "Cart.java": "Cart Cart.Cart Cart.total Cart.Carrier Cart.Rate Cart.Rate.of Cart.Item",
    "cart.go": "Cart Priced Priced.Total Item Rate Cart.Total Open",
    "cart.rs": "Cart Priced Priced::price Cart::total Cart::fmt Carrier cart empty",
    "cart.c": "TAXED cart item_t carrier cart_total cart_total cart_open",
    "cart.h": "cart_total cart_names",
    "cart.cpp": "Cart Cart::Cart Cart::~Cart Cart::total Cart::operator+= Carrier Carts shop::Cart::total open",
    "Cart.cs": "Cart Cart.Cart Cart.Total Cart.Count Cart.Sum IPriced IPriced.Total Carrier Item",
    "cart.rb": "Shop Shop::Cart Shop::Cart#initialize Shop::Cart#total Shop::Cart::open Shop::Empty",
    "cart.php": "Cart Cart::__construct Cart::total Cart::open Priced Priced::total parcel",
    "cart.sh": "total ship",
    "shop.sql": "shop.carts carts_by_customer totals total ship",
}
SIGNED = {
    "cart.py": ("Cart.total", "def total(self):"),
    "cart.js": ("Cart.total", "get total()"),
    "Cart.java": ("Cart.total", "public BigDecimal total()"),
    "cart.go": ("Cart.Total", "func (c *Cart) Total() float64"),
    "cart.rs": ("Cart::total", "pub fn total(&self) -> f64"),
    "cart.c": ("cart_total", "double cart_total(const struct cart *cart)"),
    "cart.h": ("cart_total", "double cart_total(const struct cart *cart);"),
    "cart.cpp": ("shop::Cart::total", "template <typename T>\ndouble shop::Cart<T>::total() const"),
    "Cart.cs": ("Cart.Total", "public decimal Total"),
    "cart.rb": ("Shop::Cart#total", "def total"),
    "cart.php": ("Cart::total", "public function total(): float"),
    "cart.sh": ("total", "total()"),
    "shop.sql": ("total", "CREATE FUNCTION total(cart INTEGER)"),
}
CALLED = {
    "cart.py": "carrier.send ValueError Cart",
    "cart.js": "carrier.send Cart Price load",
    "cart.ts": "sum.add load fail",
    "view.tsx": "Rows Row useItems items.map",
    "Cart.java": "sum.add item.price BigDecimal",
    "cart.go": "fmt.Errorf load",
    "cart.rs": "item.price map write",
    "cart.c": "item_price malloc TAXED cart->load",
    "cart.cpp": "std::move vat::rate item.price",
    "Cart.cs": "AddRange Sum",
    "cart.rb": "Store.load items.sum",
    "cart.php": "Store::load Cart round names",
    "cart.sh": "send fail total",
    "shop.sql": "shop.customers items totals parcels",
}
CONSTANTS = ("VAT", "Vat")


def symbols(blocks: tuple[Block, ...]) -> Iterator[Symbol]:
    for block in blocks:
        if block.symbol is not None and block.level:
            yield block.symbol
        yield from symbols(block.parts)


@pytest.mark.parametrize("name", DEFINED)
def test_definitions_are_found_and_named(name: str) -> None:
    parsed = parse_file(sample(name), Path(name))
    assert [symbol.name for symbol in symbols(parsed.blocks)] == DEFINED[name].split()
    assert "syntax_errors" not in parsed.metadata
    defined = {each.text for each in parsed.names if each.role == DEFINES}
    assert set(DEFINED[name].split()) <= defined
    if name not in {"view.tsx", "cart.h", "cart.ts", "cart.cpp", "shop.sql"}:
        assert defined.intersection(CONSTANTS)


@pytest.mark.parametrize("name", SIGNED)
def test_signature_and_docstring_are_told_apart(name: str) -> None:
    text = sample(name)
    found = [symbol for symbol in symbols(parse_file(text, Path(name)).blocks) if symbol.name == SIGNED[name][0]]
    assert text[slice(*found[-1].signature)] == SIGNED[name][1]
    assert TOTAL in " ".join(text[slice(*found[-1].docstring)].replace("*", " ").split())


@pytest.mark.parametrize("name", CALLED)
def test_calls_are_found(name: str) -> None:
    called = {each.text for each in parse_file(sample(name), Path(name)).names if each.role == CALLS}
    assert set(CALLED[name].split()) <= called


def test_namespaces_are_headings_and_no_part_of_a_name() -> None:
    (chunk,) = [
        chunk
        for chunk in chunks_of(sample("Cart.cs"), "csharp", "Cart")
        if chunk.location.symbol and chunk.location.symbol.name == "Cart.Sum"
    ]
    assert chunk.location.headings == ("Cart", "Example.Shop", "Cart", "Sum")
    assert chunk.context == "Example.Shop > Cart\nC# method cart sum"


@pytest.mark.parametrize(
    ("name", "text", "language"),
    [
        ("run", "#!/usr/bin/env -S python3 -u\nprint()", "python"),
        ("run", "#!/bin/sh\n", "bash"),
        ("run", "#!/usr/local/bin/node\n", "javascript"),
        ("run", "no script", ""),
        ("Rakefile", "task :default", "ruby"),
        ("a.pyi", "", "python"),
        ("a.MJS", "", "javascript"),
        ("a.h", "struct cart { int count; };", "c"),
        ("a.h", "namespace shop {\nclass Cart;\n}", "cpp"),
        ("a.sql", "", "sql"),
        ("a.lua", "", ""),
    ],
)
def test_a_language_is_known_by_name_or_first_line(name: str, text: str, language: str) -> None:
    assert language_of(Path(name), text) == language


def test_a_file_named_for_its_folder_is_called_by_it() -> None:
    assert module_name(Path("shop/__init__.py")) == "shop"
    assert module_name(Path("shop/cart.py")) == "cart"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("text", ["", "\n", "// only a comment\n# only a comment\n", "\ufeff", "x"])
def test_a_file_with_next_to_nothing_in_it(language: str, text: str) -> None:
    assert "".join(chunk.text for chunk in chunks_of(text, language)) == text.strip()


def test_what_is_read_goes_to_the_metadata() -> None:
    assert parse(sample("cart.go").encode(), Path("cart.go")).metadata["code_language"] == "go"
