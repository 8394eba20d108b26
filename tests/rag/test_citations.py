from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.citations import check, confidence, mark
from rag.composer import Composer
from rag.llm_loading import load_llm
from rag.results import Prompt
from tests.rag.samples import hits, prompt, word_count

REFUNDS = "Orders can be returned within 30 days.\nThe customer pays the return shipping."
WARRANTY = "The warranty lasts twenty-four months. It covers the battery."
PROMPT = prompt("How do returns work?", REFUNDS, WARRANTY)


def test_a_supported_citation_quotes_the_passage_at_its_exact_place():
    ((citation,), unsupported) = check("The return shipping is paid by the customer [1].", PROMPT)
    hit = PROMPT.sources[0].hit
    assert citation.supported
    assert citation.uri == hit.uri
    assert citation.quote == "The customer pays the return shipping."
    start = citation.location.start - hit.location.start
    assert hit.text[start : start + len(citation.quote)] == citation.quote
    assert citation.location.end - citation.location.start == len(citation.quote)
    assert (citation.location.line_start, citation.location.line_end) == (12, 12)
    assert citation.sentence == "The return shipping is paid by the customer [1]."
    assert unsupported == []


def test_lines_are_counted_by_any_line_end():
    text = "Nothing here.\r\n\r\nOld files end lines so.\rThe battery is covered."
    ((citation,), _) = check("The battery is covered [1].", prompt("What is covered?", text))
    assert citation.location.line_start == 14


def test_a_citation_of_a_source_that_does_not_exist_is_not_supported():
    ((citation,), unsupported) = check("The moon is made of green cheese [7].", PROMPT)
    assert (citation.number, citation.supported, citation.location, citation.quote) == (7, False, None, "")
    assert unsupported == ["The moon is made of green cheese [7]."]


def test_a_citation_of_the_wrong_source_is_not_supported_though_the_sentence_is():
    ((citation,), unsupported) = check("Orders can be returned within 30 days [2].", PROMPT)
    assert not citation.supported
    assert unsupported == []


def test_a_wrong_number_is_unsupported_however_alike_the_words():
    ((citation,), unsupported) = check("Orders can be returned within 60 days [1].", PROMPT)
    assert not citation.supported
    assert unsupported


def test_each_part_of_a_sentence_is_checked_against_the_source_that_closes_it():
    citations, unsupported = check(
        "Orders can be returned within 30 days [1], while the warranty lasts twenty-four months [2].", PROMPT
    )
    assert [(citation.number, citation.supported) for citation in citations] == [(1, True), (2, True)]
    assert unsupported == []


def test_a_sentence_without_a_mark_is_checked_too():
    citations, unsupported = check("The warranty lasts twenty-four months. Elephants travel by sea in summer.", PROMPT)
    assert citations == []
    assert unsupported == ["Elephants travel by sea in summer."]


def test_what_claims_nothing_needs_no_support():
    assert check("The sources do not answer this question.", PROMPT) == ([], [])
    assert check("", PROMPT) == ([], [])


def test_unsupported_sentences_are_visibly_marked():
    answer = "Orders can be returned within 30 days [1]. Elephants are grey. [2]\nThe warranty lasts 24 months."
    _, unsupported = check(answer, PROMPT)
    assert mark(answer, unsupported) == (
        "Orders can be returned within 30 days [1]. Elephants are grey. [2] [unsupported]\n"
        "The warranty lasts 24 months. [unsupported]"
    )
    assert mark(answer, []) == answer


def test_confidence_is_the_best_relevance_times_the_share_supported():
    answer = "Orders can be returned within 30 days [1]. Elephants are grey animals [2]."
    _, unsupported = check(answer, PROMPT)
    assert confidence(answer, PROMPT, unsupported) == pytest.approx(0.9 / 2)
    assert confidence("The sources do not answer this question.", PROMPT, []) == 0
    assert confidence(answer, replace(PROMPT, sources=()), unsupported) == 0


SENTENCES = [
    "The reactor was switched on in March 1957.",
    "It produced 40 megawatts of heat.",
    "Its cooling water came from the river nearby.",
    "The building was listed as a monument in 2004.",
    "Visitors may enter it on the first Sunday of the month.",
    "The archive holds 5,120 photographs of the site.",
]


@settings(max_examples=50, deadline=None)
@given(
    texts=st.lists(st.permutations(SENTENCES).map(" ".join), min_size=1, max_size=4),
    question=st.sampled_from(SENTENCES),
)
def test_the_extractive_answer_always_passes_its_own_check(texts, question):
    built: Prompt = Composer(budget=2000, count=word_count).compose(question, hits(*texts))
    answer = "".join(load_llm("extractive").stream(built, question))
    citations, unsupported = check(answer, built)
    assert citations
    assert all(citation.supported for citation in citations)
    assert all(citation.quote in answer for citation in citations)
    assert unsupported == []


@settings(max_examples=150, deadline=None)
@given(
    answer=st.lists(
        st.sampled_from(["Orders return. ", "[1]", "[9]", "\n", "It covers ", "30 days. ", "漢字。"]), max_size=15
    ).map("".join)
)
def test_marking_only_ever_adds_marks(answer):
    citations, unsupported = check(answer, PROMPT)
    marked = mark(answer, unsupported)
    assert marked.replace(" [unsupported]", "") == answer
    assert all(citation.sentence in answer for citation in citations)
    assert 0 <= confidence(answer, PROMPT, unsupported) <= 1
