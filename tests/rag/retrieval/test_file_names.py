"""A document is found by what its file is called, although the name stands nowhere in its text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from rag import KnowledgeBase
from tests.connectors.samples import make

FILES = {
    "Boathouse.md": "The roof is done by Petra. The gutters must be heated before winter.",
    "People/Petra Vik.md": "Roofer in Alta. Phone 555 0177.",
    "People/Ole Dahl.md": "Electrician in Narvik. Phone 555 0165.",
    "People/Siri Moe.html": "<p>Plumber in Hamar. Phone 555 0151.</p>",
    "Daily/2024-11-08.md": "- call with Petra about gutters\n- felt ill",
    "Daily/2024-11-09.txt": "signed the quay lease",
    "Invoices/INV-4471.md": "# Invoice\n\nTwo anchors, 240 euros, due in May.",
    "Invoices/INV-4417.md": "# Invoice\n\nFour buoys, 90 euros, due in June.",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("named")
    for name, text in FILES.items():
        (folder / "notes" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "notes" / name).write_text(text)
    (folder / "notes/Plans/Slipway.pdf").parent.mkdir()
    (folder / "notes/Plans/Slipway.pdf").write_bytes(make.pdf([[("Concrete, 40 metres, two rails.", 11)]]))
    return folder


@pytest.fixture(scope="module")
def notes(folder: Path) -> Iterator[KnowledgeBase]:
    with closing(KnowledgeBase.open(folder / ".rag")) as kb:
        kb.index(folder / "notes")
        yield kb


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("Petra Vik's phone number", "Petra Vik.md"),
        ("What is the phone number of Siri Moe?", "Siri Moe.html"),
        ("2024-11-09", "2024-11-09.txt"),
        ("what happened on 9 November 2024?", "2024-11-09.txt"),
        ("what is billed in INV-4417?", "INV-4417.md"),
        ("inv 4471", "INV-4471.md"),
        ("How long is the Slipway?", "Slipway.pdf"),
    ],
)
def test_a_question_that_names_a_file_finds_it_first(notes: KnowledgeBase, question: str, name: str) -> None:
    assert Path(notes.search(question, 1)[0].uri).name == name


@pytest.mark.parametrize("query", ["siri", "invoices inv"])
def test_the_words_of_a_path_are_searched(notes: KnowledgeBase, query: str) -> None:
    found = notes.search(query, 2, mode="sparse", min_relevance=0)
    assert found
    assert all(word in hit.uri.lower() for hit in found for word in query.split())


def test_a_question_that_names_a_note_is_answered_from_it(notes: KnowledgeBase) -> None:
    answer = notes.ask("What is Petra Vik's phone number?")
    assert "555 0177" in answer.text
    assert [Path(source.hit.uri).name for source in answer.sources][:1] == ["Petra Vik.md"]


def test_a_question_about_what_a_file_is_called_names_no_file(notes: KnowledgeBase) -> None:
    for question in ("how long is the slipway?", "Slipway", "Where is the boathouse?"):
        assert not notes.search(question, 1).links


def test_a_new_name_is_found_and_embeds_nothing(folder: Path, tmp_path: Path) -> None:
    with closing(KnowledgeBase.open(tmp_path / ".rag")) as kb:
        (tmp_path / "notes").mkdir()
        note = tmp_path / "notes" / "Petra Vik.md"
        note.write_text(FILES["People/Petra Vik.md"])
        (tmp_path / "notes" / "Ole Dahl.md").write_text(FILES["People/Ole Dahl.md"])
        kb.index(tmp_path / "notes")
        note.rename(note.with_name("Ida Lie.md"))
        assert kb.index().embedded == 0
        assert Path(kb.search("Ida Lie's phone number", 1)[0].uri).name == "Ida Lie.md"
        assert not kb.search("Petra Vik's phone number", 1).links
