from contextlib import closing
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.catalog.dictionary import Dictionary
from rag.knowledge_base import KnowledgeBase
from rag.query.entity_linking import Linker
from rag.query.query import Query
from rag.query.spelling import is_general
from tests.rag.tables import ADDRESS, Rows, shop


@pytest.fixture(scope="module")
def kb(tmp_path_factory):
    home = tmp_path_factory.mktemp("linking")
    with closing(KnowledgeBase.open(home / "kb")) as knowledge_base:
        knowledge_base.index(Rows(shop(home / "shop.db")))
        yield knowledge_base


@pytest.fixture(scope="module")
def link(kb):
    with kb._store.view() as view:
        encoder = kb._store.encoder
        linker = Linker(Dictionary(view.reading, view.indexes.generation), lambda word: is_general(word, encoder))
        yield lambda text: linker.link(Query.of(text))


def _best(links):
    """The first link of each mention."""
    first = {}
    for each in links:
        first.setdefault((each.start, each.end), (each.text, each.role, each.name))
    return list(first.values())


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        # as it stands; capitals and accents do not matter
        ("Who lives in Berlin?", [("Berlin", "customers.city", "Berlin")]),
        ("customers in mexico", [("mexico", "customers.city", "México")]),
        ("How many Harbour Lanterns did we sell?", [("Harbour Lanterns", "products.name", "Harbour Lantern")]),
        # codes, with their hyphens and without; case does not matter
        ("price of KX-0142-B", [("KX-0142-B", "products.product_code", "KX-0142-B")]),
        ("price of kx0142b", [("kx0142b", "products.product_code", "KX-0142-B")]),
        ("what is PA 7?", [("PA 7", "products.product_code", "PA-7")]),
        # without legal forms, articles, parentheses
        ("Where is Exotic Liquids?", [("Exotic Liquids", "suppliers.company_name", "Exotic Liquids Ltd.")]),
        ("Does Pasta House deliver?", [("Pasta House", "suppliers.company_name", "The Pasta House")]),
        ("address of Kangaroo Tools", [("Kangaroo Tools", "suppliers.company_name", "Kangaroo Tools (Pty) Ltd")]),
        # mistyped, in another order, in part
        ("Who sells the Harbuor Lantern?", [("Harbuor Lantern", "products.name", "Harbour Lantern")]),
        ("stock of taglatelle", [("taglatelle", "products.name", "Tagliatelle")]),
        ("is the Lantern Harbour in stock", [("Lantern Harbour", "products.name", "Harbour Lantern")]),
        ("a supplier called Kangaroo", [("Kangaroo", "suppliers.company_name", "Kangaroo Tools (Pty) Ltd")]),
        # initials
        ("suppliers from the UK", [("UK", "suppliers.country", "United Kingdom")]),
        # the longest mention
        ("customers from New Order", [("New Order", "customers.city", "New Order")]),
        # common words that are values, where the context says so
        ("Which orders are open?", [("open", "orders.status", "open")]),
        ("How many active customers are there?", [("active", "customers.status", "active")]),
        ("list orders with status 'new'", [("new", "orders.status", "new")]),
        ("products of the category Food", [("Food", "products.category", "Food")]),
        # a number, beside what it numbers
        ("show order 10248", [("10248", "orders.order_id", "10248")]),
    ],
)
def test_what_a_question_names_is_linked(link, question, expected):
    assert _best(link(question)) == expected


@pytest.mark.parametrize(
    "question",
    [
        "",
        "   ?!",
        "How do I open the door?",
        "Is there anything new about food in general?",
        "In what order should I read the first chapters of this book?",
        "When were the ten thousand and 10248 soldiers counted?",
        "Name the top 7 of them",
        "the tools of an active mind",
        "Stay inactive, new to it all",
        "Zanzibar Wolfgang",
        "🎻 \x00 の",
        "''\"\"``",
    ],
)
def test_what_names_nothing_links_nothing(link, question):
    assert link(question) == ()


def test_given_and_family_name_are_one_person(link):
    given_name, family_name = link("orders of Maria Anders")
    assert (given_name.text, family_name.text) == ("Maria", "Anders")
    assert given_name.uris == family_name.uris == (f"{ADDRESS}#customers/C-1001",)


def test_a_name_of_several_rows_names_them_all(link):
    (each,) = link("customers called Anders")
    assert each.uris == (f"{ADDRESS}#customers/C-1001", f"{ADDRESS}#customers/C-1003")


def test_of_several_columns_the_one_comes_first_that_the_question_is_about(link):
    orders = [each.role for each in link("orders of the 'new' status")]
    kinds = [each.role for each in link("which order type is 'new'")]
    assert orders[0] == "orders.status"
    assert kinds[0] == "orders.order_type"
    assert set(orders) == set(kinds) == {"orders.status", "orders.order_type"}  # and the other stays


def test_a_link_says_where_it_stands(link):
    question = "  Is “Harbour  Lantern” sold in Berlin?"
    for each in link(question):
        assert question[each.start : each.end] == each.text
        assert 0.5 <= each.score <= 1.0


def test_mentions_do_not_overlap(link):
    links = link("Maria Anders of New Order bought the Harbour Lantern KX-0142-B from Exotic Liquids Ltd in Berlin")
    spans = sorted({(each.start, each.end) for each in links})
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    assert len(spans) == 7


@given(st.text(max_size=200))
def test_no_question_fails(link, question):
    for each in link(question):
        assert question[each.start : each.end] == each.text


def test_a_long_question_costs_no_more_than_its_first_words(link):
    assert len({each.text for each in link("Berlin " * 5_000)}) == 1


def test_who_is_gone_is_named_no_more(tmp_path):
    path = shop(tmp_path / "shop.db")
    with closing(KnowledgeBase.open(tmp_path / "kb")) as kb:
        kb.index(Rows(path))
        assert [each.name for each in kb.search("Who lives in Rostock?").links] == ["Rostock"]
        kb.remove(ADDRESS)
        assert kb.search("Who lives in Rostock?").links == ()
        with kb.reading() as reading:
            dictionary = Dictionary(reading, reading.generation())
            assert dictionary.known({"=rostock", "kangaroo", "=kx0142b"}) == set()
