from __future__ import annotations

from dataclasses import replace

from rag.answering.abstention import abstain
from tests.rag.samples import hit


def test_abstaining_names_the_nearest_sources_and_nothing_else():
    found = [hit(f"Text {n}.", rank=n, relevance=n / 100, title=f"Title {n}") for n in range(1, 6)]
    text = abstain("Who built it?", found)
    assert "“Who built it?”" in text
    shown = [f"- Title {n} ({n}.md, line 11), relevance 0.0{n}: “Text {n}.”" for n in (5, 4, 3)]
    assert text.splitlines()[1:] == shown


def test_each_document_is_named_once_with_its_nearest_sentence():
    one = hit("It rains. The mill was built by Ilsa Varn. It turns.", rank=1, relevance=0.1, title="Mills")
    again = replace(one, rank=2, relevance=0.09, text="Another part.")
    (line,) = abstain("Who built the mill?", [one, again]).splitlines()[1:]
    assert line.endswith("“The mill was built by Ilsa Varn.”")


def test_a_row_is_named_as_in_its_table():
    row = replace(hit("name: Box", rank=1, relevance=0.1, title="Box"), uri="sqlite:///shop.db#products/7")
    assert "(products/7, " in abstain("Who?", [row])


def test_abstaining_over_nothing_says_that_there_is_nothing():
    assert abstain("Who built it?", []) == "The knowledge base holds nothing about this question: “Who built it?”"


def test_an_endless_question_is_not_repeated_whole():
    assert len(abstain("why " * 10_000, [])) < 300
