import sqlite3
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from connectors.document import CALLS, CODE, DEFINES, Document, DocumentName
from connectors.source import Added
from rag.knowledge_base import KnowledgeBase
from rag.query.named_passages import find_named
from rag.query.query import Query
from tests.rag.tables import ADDRESS, Rows, shop

CART = '''class Cart:
    """What somebody wants to buy."""

    def total(self):
        return sum(line.price for line in self.lines)
'''
# They say more about totals, carts and invoices than what is asked for.
DISTRACTORS = {
    "report.py": "def report(cart):\n    # total of the cart: Cart.total, total, total\n    print(Cart.total(cart))\n",
    "invoice.py": "def invoice(cart):\n    total = cart.total()  # the total of the Cart\n    return render(total)\n",
    "notes.py": "# Cart.total and render_total are called when a cart has a total; see Cart, total, render_total\n",
}


class Code:
    """Files of code with the names that a parser would give them."""

    uri = "/code"

    def size_hint(self):
        return None

    def events(self, known):
        defined = [DocumentName("Cart", DEFINES, CART.index("Cart"))]
        defined += [DocumentName(name, DEFINES, CART.index("total")) for name in ("Cart.total", "total")]
        yield Added(Document("/code/cart.py", "cart.py", CART, CODE, "1", names=tuple(defined)))
        for name, text in DISTRACTORS.items():
            names = (
                DocumentName(name.removesuffix(".py"), DEFINES, 4),
                DocumentName("Cart.total", CALLS, 40),
                DocumentName("total", CALLS, 45),
            )
            yield Added(Document(f"/code/{name}", name, text, CODE, "1", names=names))
        filler = "\n".join(f"def helper_{number}(value):\n    return value + {number}\n" for number in range(300))
        late = "def get_user_name(user):\n    return user.name\n"
        names = (DocumentName("get_user_name", DEFINES, len(filler) + 5),)
        yield Added(Document("/code/long.py", "long.py", f"{filler}\n{late}", CODE, "1", names=names))


@pytest.fixture(scope="module")
def kb(tmp_path_factory):
    home = tmp_path_factory.mktemp("naming")
    (home / "notes").mkdir()
    for number in range(80):
        text = f"Note {number}. Lanterns and wrenches are sold to customers in Berlin; orders of Maria Anders are many."
        (home / "notes" / f"{number}.txt").write_text(
            f"{text} Number {number} says so, and asks who has ordered lanterns."
        )
    with closing(KnowledgeBase.open(home / "kb")) as knowledge_base:
        knowledge_base.index(home / "notes", Rows(shop(home / "shop.db")), Code())
        yield knowledge_base


def _row(table, key):
    return f"{ADDRESS}#{table}/{key}"


def test_a_named_row_is_a_candidate_where_neither_list_has_it(kb):
    hits = kb.search("Which lanterns has Maria Anders in Berlin ordered?", 100, fold=False)
    named = next(hit for hit in hits if hit.uri == _row("customers", "C-1001"))
    assert all(rank is None or rank > 50 for rank in (named.signals.sparse_rank, named.signals.dense_rank))
    assert "depth" not in named.signals.contributions
    assert 0.2 < named.signals.contributions["named"] <= 0.3
    assert named.signals.named == "“Maria” in customers.first_name"
    assert named.relevance > 0.2


def test_rows_tied_to_a_named_row_join_the_candidates_both_ways(kb):
    named = {hit.uri: hit.signals for hit in kb.search("What about order 10248?", 120, fold=False) if hit.signals.named}
    assert set(named) == {_row("orders", "10248"), _row("customers", "C-1001"), _row("products", "KX-0142-B")}
    assert (
        0
        < named[_row("customers", "C-1001")].contributions["named"]
        < named[_row("orders", "10248")].contributions["named"]
    )
    assert named[_row("customers", "C-1001")].named == "customers of 10248"
    named = {hit.uri for hit in kb.search("stock of the Torque Wrench", 120, fold=False) if hit.signals.named}
    assert named == {_row("products", "WR-19"), _row("orders", "10250"), _row("suppliers", "SUP-03")}


def test_what_is_tied_to_a_named_row_is_background_and_less_than_the_row(kb):
    hits = {hit.uri: hit for hit in kb.search("What about order 10248?", 120, fold=False)}
    row, customer = hits[_row("orders", "10248")], hits[_row("customers", "C-1001")]
    assert 0.15 < customer.relevance < row.relevance
    assert sum(odds for name, odds in customer.signals.log_odds.items() if name != "named") < -3
    nonsense = kb.search("Who is the president of France?", 20)
    assert all(hit.relevance < 0.1 and "named" not in hit.signals.log_odds for hit in nonsense)


def test_very_many_neighbours_share_what_few_would_have(tmp_path):
    path = shop(tmp_path / "shop.db")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(
            "INSERT INTO orders VALUES (?, 'C-1002', NULL, 'open', 'new')", [(20_000 + number,) for number in range(50)]
        )
    with closing(KnowledgeBase.open(tmp_path / "kb")) as kb:
        kb.index(Rows(path))
        with kb._store.view() as view:
            named = find_named(
                Query.of("What did the customer “C-1001” buy, and what “C-1002”?"), view, lambda _: False
            )
            stored = view.chunks(np.array(sorted(named.claims)))
    orders = {stored[chunk].uri: claim for chunk, claim in named.claims.items() if claim.why.startswith("orders of ")}
    few = [claim.relevance for claim in orders.values() if claim.why.endswith("C-1001")]
    many = [claim.relevance for claim in orders.values() if claim.why.endswith("C-1002")]
    assert len(few) == 2
    assert len(many) == 8
    assert 0 < sum(many) / 8 < min(few) <= 0.2


def test_a_filter_holds_for_what_is_named_too(kb):
    hits = kb.search("What did Maria Anders order?", 50, filters={"table": "orders"})
    assert hits
    assert all(hit.metadata["table"] == "orders" for hit in hits)


def test_the_first_hits_do_not_depend_on_k(kb):
    question = "Which lanterns has Maria Anders in Berlin ordered?"
    few, many = kb.search(question, 5), kb.search(question, 200)
    assert [(hit.uri, round(hit.score, 6)) for hit in few] == [(hit.uri, round(hit.score, 6)) for hit in many[:5]]


@pytest.mark.parametrize("mode", ["sparse", "dense"])
def test_the_other_modes_rank_by_their_signal_alone(kb, mode):
    for hit in kb.search("What did Maria Anders order?", 10, mode=mode):
        assert "named" not in hit.signals.contributions


def test_the_addends_add_up_with_names_too(kb):
    for hit in kb.search("orders of Maria Anders", 20):
        assert sum(hit.signals.contributions.values()) == pytest.approx(hit.score, abs=1e-9)


def test_a_question_that_names_nothing_is_searched_as_if_there_were_no_names(kb, tmp_path):
    question = "what do the notes say about lanterns?"
    with closing(KnowledgeBase.open(tmp_path / "kb")) as bare:
        bare.index(_Nameless(Rows(shop(tmp_path / "shop.db"))))
        with closing(KnowledgeBase.open(tmp_path / "named")) as named:
            named.index(Rows(tmp_path / "shop.db"))
            expected, found = bare.search(question, 20), named.search(question, 20)
    assert [(hit.uri, hit.score, hit.relevance) for hit in found] == [
        (hit.uri, hit.score, hit.relevance) for hit in expected
    ]


class _Nameless:
    """The same documents without their names."""

    def __init__(self, source):
        self._source = source
        self.uri = source.uri

    def size_hint(self):
        return None

    def events(self, known):
        for event in self._source.events(known):
            yield Added(replace(event.document, names=()))


@pytest.mark.parametrize(
    "query",
    [
        "Cart.total",
        "cart.total",
        "Cart.total()",
        "`Cart.total`",
        "total",
        "shop.cart.Cart.total",
        "Cart::total",
        "where is Cart.total called?",
        "what does `total` return",
        "why is total() wrong",
    ],
)
def test_a_symbol_finds_its_definition_first(kb, query):
    hit = kb.search(query, 1)[0]
    assert hit.uri == "/code/cart.py"
    assert "def total" in hit.text
    assert hit.signals.named.startswith("defines ")
    assert hit.relevance > 0.5


def test_the_definition_is_the_passage_that_holds_it(kb):
    hit = kb.search("get_user_name", 1)[0]
    assert hit.uri == "/code/long.py"
    assert "def get_user_name" in hit.text


def test_a_word_of_a_question_is_no_symbol(kb):
    hits = kb.search("the total of what somebody wants to buy", 10)
    assert all(not hit.signals.named for hit in hits)


def test_what_died_is_named_no_more(tmp_path):
    path = shop(tmp_path / "shop.db")
    with closing(KnowledgeBase.open(tmp_path / "kb")) as kb:
        kb.index(Rows(path), Code())
        kb.remove("/code")
        assert all(hit.uri.startswith(ADDRESS) for hit in kb.search("Cart.total", 5))
