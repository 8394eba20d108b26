"""The public face, with the real encoder, over real files."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import rag
from connectors.document import Document
from connectors.errors import ConfigurationError
from connectors.files import FileSource
from connectors.source import Added, KnownDocument, Unchanged
from indexes.errors import NoKnowledgeBaseError
from rag import AskOptions, IndexReport, KnowledgeBase, Mode

REFUNDS = "# Refunds\n\nRefunds are paid within 14 days of the return.\n"
SHIPPING = "# Shipping\n\nParcels leave the warehouse every evening at six.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "refunds.md").write_text(REFUNDS)
    (documents / "shipping.md").write_text(SHIPPING)
    return documents


def documents(report: IndexReport) -> tuple[int, int, int, int, int]:
    return report.added, report.changed, report.unchanged, report.removed, len(report.failures)


def titles(kb: KnowledgeBase, query: str, mode: Mode = Mode.HYBRID) -> list[str]:
    return [hit.title for hit in kb.search(query, mode=mode)]


def test_what_is_public_is_there() -> None:
    assert len(rag.__all__) <= 20
    for name in rag.__all__:
        assert getattr(rag, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = rag.nothing


@pytest.mark.parametrize("mode", list(Mode))
def test_every_mode_finds_what_answers(kb: KnowledgeBase, folder: Path, mode: Mode) -> None:
    kb.index(folder)
    best = kb.search("when are refunds paid?", mode=mode)[0]
    assert best.title == "Refunds"
    assert best.text == "Refunds are paid within 14 days of the return."
    text = Path(best.uri).read_text()
    assert text[best.location.start : best.location.end] == best.text
    assert best.location.line_start == best.location.line_end == 3


def test_an_edit_a_deletion_and_a_new_file_are_noticed(kb: KnowledgeBase, folder: Path) -> None:
    assert documents(kb.index(folder)) == (2, 0, 0, 0, 0)
    again = kb.index()
    assert documents(again) == (0, 0, 2, 0, 0)
    assert again.embedded == 0
    (folder / "refunds.md").write_text(REFUNDS.replace("14 days", "three weeks"))
    (folder / "shipping.md").unlink()
    (folder / "new.md").write_text("# Gift cards\n\nGift cards never expire.\n")
    assert documents(kb.index()) == (1, 1, 0, 1, 0)
    for mode in Mode:
        assert kb.search("refunds paid", mode=mode)[0].text.endswith("three weeks of the return.")
        assert "Shipping" not in titles(kb, "when do parcels leave the warehouse", mode)
        assert titles(kb, "do gift cards expire", mode)[0] == "Gift cards"


def test_a_rename_embeds_nothing(kb: KnowledgeBase, folder: Path) -> None:
    kb.index(folder)
    (folder / "refunds.md").rename(folder / "money back.md")
    report = kb.index()
    assert documents(report) == (1, 0, 1, 1, 0)
    assert report.embedded == 0
    assert kb.search("refunds")[0].uri == str(folder / "money back.md")


def test_the_same_text_in_two_files_is_embedded_once_and_found_in_both(kb: KnowledgeBase, folder: Path) -> None:
    (folder / "copy.md").write_text(REFUNDS)
    report = kb.index(folder)
    assert (report.chunks_total, report.embedded) == (3, 2)
    best, other = kb.search("when are refunds paid")
    assert {best.uri, *(copy.uri for copy in best.copies)} == {str(folder / "refunds.md"), str(folder / "copy.md")}
    assert (other.title, other.copies) == ("Shipping", ())
    assert [hit.title for hit in kb.search("when are refunds paid", fold=False)[:2]] == ["Refunds", "Refunds"]
    (folder / "copy.md").unlink()
    assert kb.index().chunks_total == 2
    assert [hit.uri for hit in kb.search("refunds paid")].count(str(folder / "refunds.md")) == 1


def test_overlapping_sources_hold_each_document_once(kb: KnowledgeBase, folder: Path) -> None:
    kb.index(folder)
    assert documents(kb.index(folder / "refunds.md")) == (0, 0, 1, 0, 0)
    (folder / "refunds.md").write_text(REFUNDS.replace("14", "30"))
    assert documents(kb.index(folder / "refunds.md")) == (0, 1, 0, 0, 0)
    assert documents(kb.index()) == (0, 0, 3, 0, 0)
    assert kb.status().documents == 2
    assert [hit.text for hit in kb.search("refunds")].count("Refunds are paid within 30 days of the return.") == 1


def test_a_bad_document_is_named_and_what_was_indexed_of_it_stays(kb: KnowledgeBase, folder: Path) -> None:
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing of the kind")
    report = kb.index(folder)
    assert documents(report) == (2, 0, 0, 0, 1)
    assert report.failures[0].uri == str(folder / "broken.pdf")
    assert report.failures[0].hint
    (folder / "refunds.md").write_bytes(b"%PDF-1.7\n\x00\x01\xffnothing of the kind")
    assert documents(kb.index()) == (0, 0, 1, 0, 2)
    assert titles(kb, "refunds")[0] == "Refunds"


def test_a_source_that_vanished_loses_nothing(kb: KnowledgeBase, folder: Path) -> None:
    kb.index(folder)
    folder.rename(folder.with_name("elsewhere"))
    report = kb.index()
    assert report.failures[0].uri == str(folder)
    assert titles(kb, "refunds")[0] == "Refunds"


def test_a_source_that_never_was_is_not_registered(kb: KnowledgeBase, tmp_path: Path) -> None:
    assert len(kb.index(tmp_path / "nowhere").failures) == 1
    assert kb.status().sources == ()


def test_a_source_is_read_again_as_it_was_registered(kb: KnowledgeBase, folder: Path) -> None:
    kb.index(FileSource(folder, exclude=["shipping.md"]))
    for sources in ([], [folder]):
        assert (kb.index(*sources).unchanged, kb.status().documents) == (1, 1)
    kb.index(FileSource(folder))
    assert kb.status().documents == kb.index().unchanged == 2


def test_a_removed_source_is_forgotten(kb: KnowledgeBase, folder: Path) -> None:
    kb.index(folder)
    report = kb.remove(folder)
    assert (report.removed, report.chunks_total) == (2, 0)
    assert not kb.search("refunds")
    assert kb.status().sources == ()
    with pytest.raises(ConfigurationError, match="not a source of this knowledge base"):
        kb.remove(folder)


def test_filters_and_thresholds(kb: KnowledgeBase, folder: Path) -> None:
    kb.index(folder)
    assert [hit.metadata["filename"] for hit in kb.search("refunds", filters={"filename": "shipping.md"})] == [
        "shipping.md"
    ]
    assert not kb.search("refunds", filters={"filename": ["refunds.md", "shipping.md"], "kind": "pdf"})
    assert all(hit.relevance >= 0.5 for hit in kb.search("when are refunds paid", min_relevance=0.5))


def test_k_beyond_the_corpus_returns_everything_once(kb: KnowledgeBase, folder: Path) -> None:
    kb.index(folder)
    hits = kb.search("anything", k=10_000)
    assert sorted(hit.title for hit in hits) == ["Refunds", "Shipping"]
    assert [hit.rank for hit in hits] == [1, 2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"query": " "}, "the query is empty"),
        ({"query": "x", "k": 0}, "k is 0"),
        ({"query": "x", "mode": "magic"}, "unknown search mode 'magic'"),
        ({"query": "x", "min_relevance": 2.0}, "is not a probability"),
        ({"query": "x", "filters": {"colour": "red"}}, "unknown filter key 'colour'"),
    ],
)
def test_what_cannot_be_asked(kb: KnowledgeBase, folder: Path, arguments: dict[str, object], message: str) -> None:
    kb.index(folder)
    with pytest.raises(ConfigurationError, match=message) as raised:
        kb.search(**arguments)  # type: ignore[arg-type]
    assert raised.value.hint


@pytest.mark.parametrize(
    "query", ["the of and", "🐟🐟", "refund " * 7_000, '"); DROP TABLE chunks; --', "\ud800", "*", "a\x00b"]
)
def test_odd_queries_are_answered(kb: KnowledgeBase, folder: Path, query: str) -> None:
    kb.index(folder)
    assert len(kb.search(query)) <= 2


@pytest.mark.parametrize("value", [None, ["How long?"]])
def test_a_question_that_is_not_text_is_refused(kb: KnowledgeBase, value: Any) -> None:
    for asked in (kb.search, kb.ask):
        with pytest.raises(TypeError, match=f"a question is text, not {type(value).__name__}"):
            asked(value)


def test_explanations_add_up(kb: KnowledgeBase, folder: Path) -> None:
    kb.index(folder)
    signals = kb.search("refunds paid within days", explain=True)[0].signals
    assert sum(signals.terms.values()) == pytest.approx(signals.bm25, rel=1e-4)
    assert signals.late is not None
    assert sum(pair.weight * pair.similarity for pair in signals.aligned) == pytest.approx(signals.late, rel=1e-3)
    assert {pair.query for pair in signals.aligned} >= {"refunds", "days"}


def test_an_empty_knowledge_base_answers_nothing(kb: KnowledgeBase) -> None:
    assert not kb.search("anything")
    answer = kb.ask("anything?")
    assert answer.abstained
    assert answer.confidence == 0


def test_the_nearest_knowledge_base_is_found_from_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    KnowledgeBase.open(tmp_path / ".rag").close()
    below = tmp_path / "one" / "two"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    found = KnowledgeBase.find()
    assert found.path == tmp_path / ".rag"
    found.close()
    with pytest.raises(NoKnowledgeBaseError, match="or above it"):
        KnowledgeBase.find("/")


def test_a_source_of_ones_own(kb: KnowledgeBase) -> None:
    class Notes:
        uri = "notes:mine"

        def size_hint(self) -> int | None:
            return None

        def events(self, known: dict[str, KnownDocument]) -> Iterator[Added | Unchanged]:
            if "notes:1" in known:
                yield Unchanged("notes:1")
            else:
                yield Added(Document("notes:1", "A note", "The key is under the mat.", "note", "1", {"pinned": True}))

    assert documents(kb.index(Notes())) == (1, 0, 0, 0, 0)
    assert documents(kb.index(Notes())) == (0, 0, 1, 0, 0)
    assert kb.search("where is the key?", filters={"pinned": "true"})[0].uri == "notes:1"


def test_threads_search_while_another_indexes(kb: KnowledgeBase, folder: Path) -> None:
    kb.index(folder)
    stop, failures = threading.Event(), []

    def search() -> None:
        try:
            while not stop.is_set():
                assert titles(kb, "when are refunds paid")[0] == "Refunds"
        except BaseException as error:  # noqa: BLE001 - reported by the main thread
            failures.append(error)

    threads = [threading.Thread(target=search) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(4):
        (folder / "news.md").write_text(f"# News\n\nNumber {number} of the newsletter is out.\n")
        kb.index()
    stop.set()
    for thread in threads:
        thread.join()
    assert not failures


def test_progress_reaches_the_end(kb: KnowledgeBase, folder: Path) -> None:
    heard = []
    kb.index(folder, on_progress=heard.append)
    assert (heard[-1].documents, heard[-1].total, heard[-1].embedded, heard[-1].pending) == (2, 2, 2, 0)


def test_status_counts_what_is_there(kb: KnowledgeBase, folder: Path) -> None:
    kb.index(folder)
    status = kb.status()
    assert (status.documents, status.chunks, status.generation) == (2, 2, 1)
    assert [(source.uri, source.documents, source.chunks) for source in status.sources] == [(str(folder), 2, 2)]
    assert status.sizes["catalog"] > 0
    assert status.encoder == "all-MiniLM-L6-v2-int8"


def test_options_of_asking_are_checked(kb: KnowledgeBase, folder: Path) -> None:
    kb.index(folder)
    with pytest.raises(ConfigurationError, match="prompt budget of 5 tokens"):
        kb.ask("when are refunds paid?", options=AskOptions(budget=5))


def test_without_token_vectors_the_first_candidates_are_encoded_when_they_are_needed(
    folder: Path, tmp_path: Path
) -> None:
    for number in range(40):
        (folder / f"form{number}.md").write_text(
            f"# Form {number}\n\nForm {number} is filed with the refunds office.\n"
        )
    query = "who is paid within 14 days?"
    with_tokens, without = (KnowledgeBase.open(tmp_path / name, late=name == "with") for name in ("with", "without"))
    for base in (with_tokens, without):
        base.index(folder)
    assert with_tokens.status().sizes["tokens"] > 0 == without.status().sizes["tokens"]
    expected, hits = with_tokens.search(query), without.search(query)
    assert hits[0].title == expected[0].title
    assert hits[0].signals.late == pytest.approx(expected[0].signals.late, abs=1e-5)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_token_vectors_can_be_dropped_and_taken_back(kb: KnowledgeBase, folder: Path) -> None:
    kb.index(folder)
    before = kb.search("when are refunds paid?")[0].signals.late
    assert kb.index(late=False).embedded == 0
    assert kb.status().sizes["tokens"] == 0
    assert kb.index(late=True).embedded == 2
    assert kb.search("when are refunds paid?")[0].signals.late == pytest.approx(before, abs=1e-6)
    assert kb.index().embedded == 0


def test_filters_take_lists_ranges_and_prefixes(kb: KnowledgeBase) -> None:
    class Reports:
        uri = "reports:all"

        def size_hint(self) -> int | None:
            return None

        def events(self, known: dict[str, KnownDocument]) -> Iterator[Added]:
            for year in range(2018, 2026):
                text, when = f"The harvest of {year} was good.", {"year": year, "due": f"{year}-11-30"}
                yield Added(Document(f"reports:{year}", f"Report of {year}", text, "report", "1", when))

    kb.index(Reports())

    def years(**filters: object) -> list[int]:
        return sorted(hit.metadata["year"] for hit in kb.search("harvest", k=20, filters=filters))  # type: ignore[arg-type]

    assert years(year=2020) == years(year="2020") == [2020]
    assert years(year=[2019, 2021]) == [2019, 2021]
    assert years(year={">=": 2020, "<": 2023}) == [2020, 2021, 2022]
    assert years(due={">": "2019-11-30", "<=": "2021-11-30"}) == [2020, 2021]
    assert years(uri={"prefix": "reports:202"}) == [2020, 2021, 2022, 2023, 2024, 2025]
    assert years(title={"prefix": "Report of 201"}, year={">": 2018}) == [2019]
    with pytest.raises(ConfigurationError, match="unknown operator '~'"):
        years(year={"~": 1})
