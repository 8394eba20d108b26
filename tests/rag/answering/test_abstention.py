from __future__ import annotations

from rag.answering.abstention import abstain
from tests.rag.samples import hit


def test_abstaining_names_the_nearest_sources_and_nothing_else():
    found = [hit(f"Text {n}.", rank=n, relevance=n / 100, title=f"Title {n}") for n in range(1, 6)]
    text = abstain("Who built it?", found)
    assert "“Who built it?”" in text
    assert text.splitlines()[1:] == [f"- Title {n} (/docs/{n}.md, line 11), relevance 0.0{n}" for n in (5, 4, 3)]


def test_abstaining_over_nothing_says_that_there_is_nothing():
    assert abstain("Who built it?", []) == "The knowledge base holds nothing about this question: “Who built it?”"


def test_an_endless_question_is_not_repeated_whole():
    assert len(abstain("why " * 10_000, [])) < 300
