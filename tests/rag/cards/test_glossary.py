"""Glossaries as people keep them, and the terms that a question has."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import ConfigurationError
from rag.cards.glossary import Glossary, Term, read_glossary, write_terms

PTO = Term("PTO", "days off that are paid", ("paid time off",))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "term,definition,aliases\nPTO,days off that are paid,paid time off\n"),
        ("a.csv", "Term;Definition;Aliases\nPTO;days off that are paid;paid time off\n"),
        ("a.tsv", "term\tdefinition\taliases\nPTO\tdays off that are paid\tpaid time off\n"),
        ("a.json", '[{"term": "PTO", "definition": "days off that are paid", "aliases": ["paid time off"]}]'),
        ("a.jsonl", '{"term": "PTO", "definition": "days off that are paid", "aliases": "paid time off"}\n'),
        ("a.md", "# Terms\n\n- **PTO (paid time off)**: days off that are paid\n"),
        ("a.md", "**PTO (paid time off):** days off that are paid\n"),
        ("a.txt", "PTO (paid time off): days off that are paid\n"),
        ("a.csv", '﻿term,definition,aliases\n"PTO","days off\nthat are paid","paid time off"\n'),
    ],
)
def test_every_way_of_keeping_terms_gives_the_same(tmp_path: Path, name: str, text: str) -> None:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    assert read_glossary(file) == [PTO]


def test_a_json_object_is_term_and_definition(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text('{"PTO (paid time off)": "days off that are paid"}')
    assert read_glossary(file) == [PTO]


def test_entries_of_one_term_become_one(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("term,definition,aliases\nVAT,a tax,\nVAT,levied on sales,value added tax\n")
    assert read_glossary(file) == [Term("VAT", "a tax levied on sales", ("value added tax",))]


@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.jsonl", "a.md"])
@pytest.mark.parametrize("text", ["", "nothing here", "[1, 2]", "{", "term\n", '{"term"}', "\x00\x01"])
def test_a_file_without_terms_says_what_one_looks_like(tmp_path: Path, name: str, text: str) -> None:
    file = tmp_path / name
    file.write_text(text)
    with pytest.raises(Exception, match=r"holds no terms|cannot be read|binary|is not text"):
        read_glossary(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.csv cannot be read"):
        read_glossary(tmp_path / "none.csv")


@given(
    st.lists(
        st.builds(
            Term,
            st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=20),
            st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=40),
            st.just(()),
        ),
        min_size=1,
        max_size=8,
        unique_by=lambda term: term.term,
    )
)
def test_what_is_kept_is_what_is_read(tmp_path_factory: pytest.TempPathFactory, terms: list[Term]) -> None:
    file = tmp_path_factory.mktemp("terms") / "terms.jsonl"
    write_terms(file, terms)
    assert read_glossary(file) == terms


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("How many days of PTO?", ["PTO"]),
        ("how many days of pto?", ["PTO"]),
        ("Is Paid Time Off paid?", ["PTO"]),
        ("How many optopianists?", []),
        ("Who is responsible for this?", []),  # WHO is another word
        ("Does the WHO recommend it?", ["WHO"]),
        ("WHO IS IT?", []),  # in capitals altogether, it may be either
        ("value added taxes", ["VAT"]),
        ("", []),
    ],
)
def test_terms_are_found_by_whole_words(question: str, found: list[str]) -> None:
    glossary = Glossary([PTO, Term("WHO", "the World Health Organization"), Term("VAT", "a tax", ("value added tax",))])
    assert [term.term for term in glossary.mentioned(question)] == found


def test_the_longer_name_is_meant() -> None:
    glossary = Glossary([Term("group", "several"), Term("VAT group", "firms that are taxed as one")])
    assert [term.term for term in glossary.mentioned("What is a VAT group?")] == ["VAT group"]


def test_a_query_gains_the_names_it_does_not_have() -> None:
    glossary = Glossary([PTO])
    assert glossary.expansions("how much PTO?") == ["paid time off"]
    assert glossary.expansions("how much paid time off?") == ["PTO"]
    assert glossary.expansions("PTO, or paid time off?") == []
