"""Sources that overlap, vanish and come back: nothing is lost, and nothing is embedded again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from connectors.document import Document
from connectors.source import Added, Event, KnownDocument, Unchanged
from rag import IndexReport, KnowledgeBase


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    (folder / "deep").mkdir(parents=True)
    for name in ("tea", "coffee", "deep/water", "deep_sea"):
        (folder / f"{name}.md").write_text(f"# About {name}\n\nThe house serves {name} at noon.\n")
    return folder


class Customers:
    """A source that a program made."""

    def __init__(self, uri: str) -> None:
        self.uri = uri

    def size_hint(self) -> int | None:
        return None

    def events(self, known: Mapping[str, KnownDocument]) -> Iterator[Event]:
        text = "Ada Lovelace drinks chocolate."
        document = Document(uri=f"{self.uri}/1", title="Ada", text=text, kind="row", revision="1")
        yield Unchanged(document.uri) if document.uri in known else Added(document)


def counts(report: IndexReport) -> tuple[int, int, int, int, int]:
    return report.added, report.changed, report.removed, len(report.failures), report.embedded


def test_removing_a_source_keeps_what_lies_in_another_one(kb: KnowledgeBase, docs: Path) -> None:
    kb.index(docs)
    kb.index(docs / "deep")
    removed = kb.remove(docs)
    assert (removed.removed, removed.chunks_total) == (3, 1)
    assert [hit.title for hit in kb.search("water")] == ["About deep/water"]
    again = kb.index()
    assert counts(again) == (0, 0, 0, 0, 0)
    assert again.unchanged == 1


def test_what_is_read_in_part_is_told(kb: KnowledgeBase, docs: Path) -> None:
    part = "--x\nContent-Disposition: attachment; filename=a.txt\n\nTea at noon.\n"
    letter = f"From: a@b\nSubject: s\nContent-Type: multipart/mixed; boundary=x\n\n{part * 300}--x--\n"
    (docs / "deep" / "letter.eml").write_text(letter)
    report = kb.index(docs)
    assert report.notes == ("docs: read in part: deep/letter.eml (without attachments beyond 200 of 300)",)
    assert report.failures == ()


def test_a_drive_that_is_not_mounted_loses_nothing(kb: KnowledgeBase, docs: Path) -> None:
    kb.index(docs)
    shutil.rmtree(docs)
    gone = kb.index()
    assert counts(gone) == (0, 0, 0, 1, 0)
    assert "rag remove" in gone.failures[0].hint
    docs.mkdir()  # an empty mount point
    empty = kb.index()
    assert counts(empty) == (0, 0, 0, 1, 0)
    assert "is now empty; the 4 documents indexed from it are kept" in empty.failures[0].error
    assert "rag remove" in empty.failures[0].hint
    assert kb.search("tea")[0].title == "About tea"


def test_the_last_document_of_a_folder_can_be_deleted(kb: KnowledgeBase, docs: Path) -> None:
    kb.index(docs / "deep")
    (docs / "deep" / "water.md").unlink()
    assert counts(kb.index()) == (0, 0, 1, 0, 0)
    assert not kb.search("water")


def test_files_that_swap_their_names_are_not_embedded_again(kb: KnowledgeBase, docs: Path) -> None:
    kb.index(docs)
    (docs / "tea.md").rename(docs / "other")
    (docs / "coffee.md").rename(docs / "tea.md")
    (docs / "other").rename(docs / "coffee.md")
    assert counts(kb.index()) == (0, 2, 0, 0, 0)
    assert Path(kb.search("coffee at noon", k=1)[0].uri).name == "tea.md"


def test_a_file_and_a_folder_that_take_each_others_place(kb: KnowledgeBase, docs: Path) -> None:
    kb.index(docs)
    text = (docs / "tea.md").read_text()
    (docs / "tea.md").unlink()
    (docs / "tea.md").mkdir()
    (docs / "tea.md" / "leaf.md").write_text(text)
    assert counts(kb.index()) == (1, 0, 1, 0, 0)
    shutil.rmtree(docs / "tea.md")
    (docs / "tea.md").write_text(text)
    assert counts(kb.index()) == (1, 0, 1, 0, 0)


@pytest.mark.parametrize("uri", ["crm://customers", "customers"])
def test_a_source_made_by_a_program_does_not_stop_the_others(kb: KnowledgeBase, docs: Path, uri: str) -> None:
    kb.index(Customers(uri), docs)
    (docs / "tea.md").unlink()
    report = kb.index()
    assert counts(report) == (0, 0, 1, 1, 0)
    assert report.failures[0].uri == uri
    assert "source object" in report.failures[0].hint
    assert kb.search("chocolate", k=1)[0].title == "Ada"
    assert counts(kb.index(Customers(uri))) == (0, 0, 0, 0, 0)
    assert kb.remove(uri).removed == 1
