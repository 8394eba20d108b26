from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.llm.loading import load_llm
from rag.prompting.composer import Composer
from rag.prompting.prompt import Prompt
from rag.verification.citations import MOST_CLAIMS, check
from rag.verification.verdicts import Verdict
from tests.rag.samples import hits, prompt, word_count

REFUNDS = "Orders can be returned within 30 days.\nThe customer pays the return shipping."
WARRANTY = "The warranty lasts twenty-four months. It covers the battery."
PROMPT = prompt("How do returns work?", REFUNDS, WARRANTY)


def test_a_supported_citation_quotes_the_passage_at_its_exact_place():
    checked = check("The return shipping is paid by the customer [1].", PROMPT)
    (citation,) = checked.citations
    hit = PROMPT.sources[0].hit
    assert citation.supported
    assert citation.verdict == Verdict.SUPPORTED
    assert citation.uri == hit.uri
    assert citation.quote == "The customer pays the return shipping."
    start = citation.location.start - hit.location.start
    assert hit.text[start : start + len(citation.quote)] == citation.quote
    assert citation.location.end - citation.location.start == len(citation.quote)
    assert (citation.location.line_start, citation.location.line_end) == (12, 12)
    assert citation.sentence == checked.text == "The return shipping is paid by the customer [1]."
    assert checked.unsupported == ()


def test_lines_are_counted_by_any_line_end():
    text = "Nothing here.\r\n\r\nOld files end lines so.\rThe battery is covered."
    (citation,) = check("The battery is covered [1].", prompt("What is covered?", text)).citations
    assert citation.location.line_start == 14


def test_a_citation_of_a_source_that_does_not_exist_is_not_supported():
    checked = check("The moon is made of green cheese [7].", PROMPT)
    (citation,) = checked.citations
    assert (citation.number, citation.supported, citation.location, citation.quote) == (7, False, None, "")
    assert (citation.verdict, citation.moved_to) == (Verdict.NO_SUCH_SOURCE, None)
    assert checked.unsupported == ("The moon is made of green cheese [7].",)


def test_a_misattributed_citation_is_moved_to_the_source_that_says_so():
    checked = check("Orders can be returned within 30 days [2]. It covers the battery [2].", PROMPT)
    moved, kept = checked.citations
    assert (moved.number, moved.moved_to, moved.shown) == (2, 1, 1)
    assert moved.verdict == Verdict.MISATTRIBUTED
    assert not moved.supported
    assert moved.quote == "Orders can be returned within 30 days."
    assert moved.uri == PROMPT.sources[0].hit.uri
    assert moved.sentence == "Orders can be returned within 30 days [1]."
    assert (kept.verdict, kept.shown) == (Verdict.SUPPORTED, 2)
    assert checked.text == checked.annotated == "Orders can be returned within 30 days [1]. It covers the battery [2]."
    assert checked.unsupported == ()


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("It covers the battery [99].", "It covers the battery [2]."),
        ("It covers the battery [1, 99].", "It covers the battery [2]."),
        ("It covers the battery (source 1).", "It covers the battery (source 2)."),
        ("According to source 1, it covers the battery.", "According to source 2, it covers the battery."),
        ("It covers the battery.¹", "It covers the battery.²"),
        ("It covers the battery【1】.", "It covers the battery【2】."),
        ("| Battery | It covers the battery [1] |", "| Battery | It covers the battery [2] |"),
    ],
)
def test_a_wrong_number_is_put_right_in_the_shape_it_was_written_in(written, shown):
    assert check(written, PROMPT).text == shown


def test_a_number_cited_twice_in_a_sentence_is_put_right_where_it_is_wrong():
    answer = "Orders can be returned within 30 days [2], and the warranty lasts twenty-four months [2]."
    checked = check(answer, PROMPT)
    assert checked.text == answer.replace("[2],", "[1],")
    assert [citation.verdict for citation in checked.citations] == [Verdict.MISATTRIBUTED, Verdict.SUPPORTED]
    assert checked.unsupported == ()


def test_parts_whose_sources_are_exchanged_are_both_put_right():
    answer = "Orders can be returned within 30 days [2], while the warranty lasts 24 months, battery too [1]."
    assert check(answer, PROMPT).text == answer.replace("[2]", "[x]").replace("[1]", "[2]").replace("[x]", "[1]")


def test_a_mark_beside_the_right_one_is_not_moved_onto_it():
    checked = check("It covers the battery [1][2].", PROMPT)
    assert [citation.verdict for citation in checked.citations] == [Verdict.UNSUPPORTED, Verdict.SUPPORTED]
    assert checked.text == "It covers the battery [1][2]."
    assert checked.unsupported == ()


def test_ninety_nine_sources_that_are_not_there_are_each_caught():
    answer = "Elephants travel by sea " + "".join(f"[{number}]" for number in range(3, 102)) + "."
    checked = check(answer, PROMPT)
    assert {citation.verdict for citation in checked.citations} == {Verdict.NO_SUCH_SOURCE}
    assert len(checked.citations) == 99
    assert checked.confidence == 0


def test_a_wrong_number_is_unsupported_however_alike_the_words():
    checked = check("Orders can be returned within 60 days [1].", PROMPT)
    assert [citation.verdict for citation in checked.citations] == [Verdict.UNSUPPORTED]
    assert checked.unsupported


def test_each_part_of_a_sentence_is_checked_against_the_source_that_closes_it():
    checked = check(
        "Orders can be returned within 30 days [1], while the warranty lasts twenty-four months [2].", PROMPT
    )
    assert [(citation.number, citation.supported) for citation in checked.citations] == [(1, True), (2, True)]
    assert checked.unsupported == ()


def test_sources_may_support_a_sentence_together():
    answer = "The customer pays the return shipping and the warranty covers the battery for months [1, 2]."
    checked = check(answer, PROMPT)
    assert [citation.supported for citation in checked.citations] == [True, True]
    assert checked.unsupported == ()


def test_a_sentence_without_a_mark_is_checked_too():
    checked = check("The warranty lasts twenty-four months [2]. Elephants travel by sea in summer.", PROMPT)
    assert len(checked.citations) == 1
    assert checked.unsupported == ("Elephants travel by sea in summer.",)


def test_an_answer_that_cites_nothing_is_cited_for_where_a_source_says_so():
    checked = check("The warranty lasts twenty-four months. Elephants travel by sea in summer!", PROMPT)
    assert checked.text == "The warranty lasts twenty-four months [2]. Elephants travel by sea in summer!"
    assert checked.annotated.endswith(" Elephants travel by sea in summer! [unsupported]")
    (citation,) = checked.citations
    assert (citation.number, citation.added, citation.supported) == (2, True, True)


def test_a_list_of_sources_is_for_the_sentences_before_it():
    answer = "Orders can be returned within 30 days.\n\nSources: [1], [2], [3]"
    checked = check(answer, PROMPT)
    assert [(citation.number, citation.verdict) for citation in checked.citations] == [
        (1, Verdict.SUPPORTED),
        (2, Verdict.UNSUPPORTED),
        (3, Verdict.NO_SUCH_SOURCE),
    ]
    assert checked.text == answer
    assert checked.unsupported == ()


def test_the_titles_in_a_list_of_sources_are_no_claims():
    answer = "Orders can be returned within 30 days [1].\n\nSources:\n[1] The big handbook\n[2] Blue whale atlas\n"
    assert check(answer, PROMPT).unsupported == ()


def test_what_claims_nothing_needs_no_support():
    for answer in ("The sources do not answer this question.", "", "```\nx = rows[1] + unrelated_name\n```"):
        checked = check(answer, PROMPT)
        assert (checked.text, checked.citations, checked.unsupported) == (answer, (), ())


def test_an_answer_in_another_language_is_unchecked_rather_than_invented():
    answer = (
        "Die Gewährleistung beträgt zwei Jahre und schließt den Akku des Geräts mit ein [2]. "
        "Bestellungen können innerhalb eines Monats zurückgeschickt werden [1]."
    )
    checked = check(answer, PROMPT)
    assert {citation.verdict for citation in checked.citations} == {Verdict.UNCHECKED}
    assert checked.unsupported == ()
    assert len(checked.unchecked) == 2
    assert checked.annotated.count("[not checked]") == 2
    assert checked.confidence == 0


def test_what_comes_after_the_most_claims_is_unchecked():
    answer = " ".join(f"Elephant number {number} travels by sea [1]." for number in range(10_000))
    checked = check(answer, PROMPT)
    assert len(checked.citations) == 10_000
    assert len(checked.unsupported) == MOST_CLAIMS
    assert len(checked.unchecked) == 10_000 - MOST_CLAIMS
    assert {citation.verdict for citation in checked.citations[MOST_CLAIMS:]} == {Verdict.UNCHECKED}


def test_an_answer_that_repeats_itself_is_checked_to_its_end():
    checked = check("Orders can be returned within 30 days [1]. " * 5_000, PROMPT)
    assert len(checked.citations) == 5_000
    assert all(citation.supported for citation in checked.citations)
    assert checked.unchecked == ()


def test_unsupported_sentences_are_visibly_marked():
    answer = "Orders can be returned within 30 days [1]. Elephants are grey. [2]\nThe warranty lasts 36 months."
    assert check(answer, PROMPT).annotated == (
        "Orders can be returned within 30 days [1]. Elephants are grey. [2] [unsupported]\n"
        "The warranty lasts 36 months. [unsupported]"
    )


def test_confidence_is_the_best_relevance_times_the_share_supported():
    answer = "Orders can be returned within 30 days [1]. Elephants are grey animals [2]."
    assert check(answer, PROMPT).confidence == pytest.approx(0.9 / 2)
    assert check("The sources do not answer this question.", PROMPT).confidence == 0
    assert check(answer, replace(PROMPT, sources=())).confidence == 0


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
    checked = check(answer, built)
    assert checked.citations
    assert all(citation.supported for citation in checked.citations)
    assert all(citation.quote in answer for citation in checked.citations)
    assert checked.unsupported == ()
    assert checked.text == answer


@settings(max_examples=150, deadline=None)
@given(
    answer=st.lists(
        st.sampled_from(["Orders return. ", "[1]", "[9]", "\n", "It covers ", "30 days. ", "漢字。"]), max_size=15
    ).map("".join)
)
def test_only_marks_are_changed_and_only_marks_added(answer):
    checked = check(answer, PROMPT)
    assert re.sub(r" ?\[[^\]]*\]", "", checked.annotated) == re.sub(r" ?\[[^\]]*\]", "", answer)
    assert checked.annotated.replace(" [unsupported]", "") == checked.text
    assert all(citation.sentence in checked.text for citation in checked.citations)
    assert all(sentence in checked.text for sentence in checked.unsupported)
    assert 0 <= checked.confidence <= 1
    for citation in checked.citations:
        assert citation.supported == (citation.verdict == Verdict.SUPPORTED)
        assert (citation.moved_to is None) or citation.verdict in (Verdict.MISATTRIBUTED, Verdict.NO_SUCH_SOURCE)
