"""What a question names exactly decides: a passage that has it comes before one that sounds alike."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from rag import KnowledgeBase
from rag.retrieval.relevance import DEFAULT_MIN_RELEVANCE

SECTIONS = {
    "Releases": {
        "2.9.1": "Fixes the import of dates.",
        "2.10.0": "Adds the barcode scanner.",
        "2.10.1": "Removes the fax module.",
        "3.0": "Needs Windows 11.",
    },
    "Deadlines": {"Tender": "Closes 03/04/2025. Objections until April 17th, 2025. Opening on 2025-05-02."},
    "Minutes": {"Harbour": "The council approved dredging of basin 4. The next meeting is on 14.06.2025."},
    "Errors": {"E07": "The lid is open.", "E08": "The pump is blocked.", "E80": "The filter is full."},
    "Accounts": {"Harbour": "DE89 3704 0044 0532 0130 00", "Depot": "DE12 5001 0517 0648 4898 90"},
    "People": {"Ines": "Reach her at +49 (0)30 901820.", "Olaf": "Reach him at +49 (0)30 901821."},
    "Contracts": {"Cleaning": "Runs until 30 September 2027.", "Heating": "Runs until 30 September 2026."},
    "Invoices": {"INV-20391": "Two anchors.", "INV-20319": "Four buoys."},
}


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    folder = tmp_path_factory.mktemp("exact")
    for title, sections in SECTIONS.items():
        text = "\n\n".join(f"## {heading}\n\n{said}" for heading, said in sections.items())
        (folder / f"{title}.md").write_text(f"# {title}\n\n{text}\n")
    with closing(KnowledgeBase.open(folder / ".rag")) as kb:
        kb.index(folder)
        yield kb


@pytest.mark.parametrize(
    ("question", "passage"),
    [
        ("what is new in 2.10.1", "Removes the fax module."),
        ("what is new in v2.10.0?", "Adds the barcode scanner."),
        ("which system does version 3.0 need?", "Needs Windows 11."),
        ("14 June 2025", "The next meeting is on 14.06.2025."),
        ("what happens on 17.04.2025?", "April 17th, 2025"),
        ("the pump shows error E80", "The filter is full."),
        ("the filter shows E08", "The pump is blocked."),
        ("whose account is DE89370400440532013000?", "DE89 3704"),
        ("who is called under 030 901821?", "Reach him"),
        ("which contract ends on 2027-09-30?", "30 September 2027"),
        ("what was billed with inv 20319?", "Four buoys."),
    ],
)
def test_the_passage_that_has_it_comes_first(notes: KnowledgeBase, question: str, passage: str) -> None:
    first, *_ = notes.search(question, 5)
    assert passage in first.text
    assert first.signals.named.startswith("has ")
    assert first.relevance > DEFAULT_MIN_RELEVANCE


def test_an_answer_rests_on_it(notes: KnowledgeBase) -> None:
    answer = notes.ask("What is new in 2.10.1?")
    assert answer.text.startswith("Removes the fax module.")
    assert answer.sources[0].hit.location.headings[-1] == "2.10.1"


@pytest.mark.parametrize(
    "question", ["What is new in 2.10.2?", "What did INV-20399 cost?", "Who eats E08 for lunch in Peru?"]
)
def test_what_no_passage_answers_stays_unanswered(notes: KnowledgeBase, question: str) -> None:
    assert notes.ask(question).abstained


def test_a_filter_hides_what_has_it(notes: KnowledgeBase, tmp_path: Path) -> None:
    hits = notes.search("what is new in 2.10.1", 5, filters={"title": "Minutes"})
    assert all(not hit.signals.named for hit in hits)


def test_an_amount_counts_and_names_nothing(tmp_path: Path) -> None:
    (tmp_path / "parking.md").write_text("# Parking\n\nBehind the hall nothing is paid for 120 minutes.\n")
    (tmp_path / "walks.md").write_text("# Walks\n\nThe way to the lighthouse takes 90 minutes.\n")
    with closing(KnowledgeBase.open(tmp_path / ".rag")) as kb:
        kb.index(tmp_path)
        first, other = kb.search("where is it free for 2 hours?")
        assert "Behind the hall" in first.text
        assert first.signals.contributions["named"] == pytest.approx(0.3)
        assert not first.signals.named
        assert "named" not in other.signals.contributions


def test_what_many_passages_have_decides_nothing(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"{number}.md").write_text(f"# Note {number}\n\nThe F-16 flew over field {number}.\n")
    with closing(KnowledgeBase.open(tmp_path / ".rag")) as kb:
        kb.index(tmp_path)
        assert not any(hit.signals.named for hit in kb.search("where did the F-16 fly?", 10))
