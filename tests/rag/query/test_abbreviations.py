"""An abbreviation that one document defines counts in the others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.terms.abbreviations import definitions
from rag import KnowledgeBase

DOCUMENTS = {
    "terms": "The Joint Harbour Council (JHC) meets on Tuesdays. The council decides on dredging.",
    "minutes": "JHC approved dredging of basin 4 in May. The next meeting is in June.",
    "pump": "The DPG (differential pressure gauge) is behind the lid.",
    "service": "Clean the differential pressure gauge with vinegar once a year.",
    "harbour": "The Port Security Team (PST) has four members.",
    "office": "Our office follows Pacific Standard Time (PST), and the shop People, Ships, Trade (PST) does not.",
}


@pytest.fixture(scope="module")
def kb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    folder = tmp_path_factory.mktemp("abbreviations")
    for name, text in DOCUMENTS.items():
        (folder / f"{name}.md").write_text(f"# {name.title()}\n\n{text}\n")
    with closing(KnowledgeBase.open(folder / ".rag")) as base:
        base.index(folder)
        yield base


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The Joint Harbour Council (JHC) meets.", [("JHC", "Joint Harbour Council")]),
        ("Ask the ECB (European Central Bank).", [("ECB", "European Central Bank")]),
        ("body mass index (BMI; in kg/m²)", [("BMI", "body mass index")]),
        ("insulin-like growth factor 1 (IGF-1)", [("IGF-1", "insulin-like growth factor 1")]),
        ("the United States of America (U.S.A.)", [("U.S.A.", "United States of America")]),
        ("das Amtliche Verzeichnis (AV) der Straßen", [("AV", "Amtliche Verzeichnis")]),
        ("the pump (see below) and the lid (PDF)", []),
        ("It closed (JHC). The Joint Harbour Council", []),
        ("World Health Organization, in Geneva (UN)", []),
    ],
)
def test_what_a_text_defines(text: str, found: list[tuple[str, str]]) -> None:
    assert list(definitions(text)) == found


@settings(max_examples=200, deadline=None)
@given(text=st.text(st.sampled_from("abAB (),.-1ſİß\n"), max_size=120))
def test_any_text_can_be_looked_through(text: str) -> None:
    for short, long in definitions(text):
        assert short in text
        assert long in text


@pytest.mark.parametrize(
    ("question", "said", "other", "document"),
    [
        ("What did the Joint Harbour Council approve?", "Joint Harbour Council", "JHC", "minutes"),
        ("what did the joint harbour council approve in may", "joint harbour council", "JHC", "minutes"),
        ("What is the DPG cleaned with?", "DPG", "differential pressure gauge", "service"),
    ],
)
def test_the_other_form_is_searched_too(kb: KnowledgeBase, question: str, said: str, other: str, document: str) -> None:
    found = kb.search(question, 3)
    (one,) = found.abbreviations
    assert (one.said, one.other, question[one.start : one.end]) == (said, other, said)
    assert Path(one.uri).name in {"terms.md", "pump.md"}
    assert document in {Path(hit.uri).stem for hit in found.hits[:2]}


def test_an_answer_is_found_in_the_document_that_only_abbreviates(kb: KnowledgeBase) -> None:
    assert "dredging of basin 4" in kb.ask("What did the Joint Harbour Council approve?").text
    assert "vinegar" in kb.ask("What is the DPG cleaned with?").text


@pytest.mark.parametrize(
    "question",
    [
        "What is the time in PST?",
        "Which council meets?",
        "Is the Joint Harbour Council the JHC?",
        "What is the JHC?",  # its long form stands nowhere else
        "may",
        "(",
        "a b c",
    ],
)
def test_what_is_not_defined_has_many_meanings_or_both_forms_is_searched_as_it_is(
    kb: KnowledgeBase, question: str
) -> None:
    assert kb.search(question).abbreviations == ()


def test_a_form_is_added_once(kb: KnowledgeBase) -> None:
    assert len(kb.search("DPG " * 400).abbreviations) == 1
