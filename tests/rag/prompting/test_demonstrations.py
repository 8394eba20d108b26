"""Solved examples: kept, found again by what they ask, and never lost to a damaged file or another process."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.errors import ConfigurationError
from indexes.errors import LockedError, StoreError
from indexes.files import write_checked, writer_lock
from rag import KnowledgeBase
from rag.prompting.demonstrations import FILE, read_examples


def test_the_examples_nearest_to_a_question_are_found(kb: KnowledgeBase) -> None:
    kb.demonstrations.add(
        [
            ("How long do refunds take?", "14 days. [1]"),
            ("Which forms does a new employee sign?", "The contract. [1]"),
            ("When are refunds paid out?", "On Fridays. [1]"),
        ]
    )
    found = kb.demonstrations.nearest("How many days until I get my refund?")
    assert [one.answer for one in found] == ["14 days. [1]", "On Fridays. [1]"]
    assert found[0].similarity > found[1].similarity


def test_without_examples_there_are_none(kb: KnowledgeBase) -> None:
    assert kb.demonstrations.nearest("anything") == ()
    assert kb.demonstrations.all() == []


def test_a_question_has_one_answer_and_numbers_stay(kb: KnowledgeBase) -> None:
    kb.demonstrations.add([("a question?", "old"), ("another question?", "x")])
    kb.demonstrations.remove(1)
    kb.demonstrations.add([("another question?", "new"), ("a third question?", "y")])
    assert [(one.number, one.answer) for one in kb.demonstrations.all()] == [(2, "new"), (3, "y")]


def test_another_process_sees_them(kb: KnowledgeBase) -> None:
    kb.demonstrations.add([("a question?", "an answer")])
    other = KnowledgeBase.open(kb.path, create=False)
    assert [one.question for one in other.demonstrations.all()] == ["a question?"]
    other.close()


def test_an_unknown_number_is_an_error(kb: KnowledgeBase) -> None:
    with pytest.raises(ConfigurationError, match="there is no demonstration 7"):
        kb.demonstrations.remove(7)


@pytest.mark.parametrize("pair", [("", "a"), ("q", " "), ("q" * 9_000, "a"), ("q", "a" * 9_000)])
def test_empty_and_endless_texts_are_refused(kb: KnowledgeBase, pair: tuple[str, str]) -> None:
    with pytest.raises(ConfigurationError):
        kb.demonstrations.add([("kept?", "yes"), pair])
    assert kb.demonstrations.all() == []  # all or nothing


def test_a_damaged_file_is_told_and_stays_as_it_is(kb: KnowledgeBase) -> None:
    kb.demonstrations.add([("a question?", "an answer")])
    file = kb.path / FILE
    damaged = file.read_bytes().replace(b"answer", b"anszer")
    file.write_bytes(damaged)
    for action in (kb.demonstrations.all, lambda: kb.demonstrations.add([("b?", "c")])):
        with pytest.raises(StoreError, match="is damaged"):
            action()
    assert file.read_bytes() == damaged


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"next": 2, "entries": [{"number": 1, "question": "a?"}], "encoder": "", "vectors": ""},
        {"next": 2, "entries": [{"number": 1, "question": "a?", "answer": 7}], "encoder": "", "vectors": ""},
        {"next": "2", "entries": [], "encoder": "", "vectors": ""},
        {"next": 2, "entries": [{"number": 1, "question": "a?", "answer": "b"}], "encoder": "", "vectors": "AAA="},
        {"next": 2, "entries": "ab", "encoder": "", "vectors": ""},
    ],
)
def test_a_file_that_holds_something_else_is_damaged(kb: KnowledgeBase, values: dict[str, object]) -> None:
    write_checked(kb.path / FILE, values)
    for action in (kb.demonstrations.all, lambda: kb.demonstrations.nearest("a question?")):
        with pytest.raises(StoreError, match="is damaged"):
            action()


def test_a_writer_elsewhere_is_waited_for_and_named(kb: KnowledgeBase) -> None:
    with writer_lock(kb.path, 1), pytest.raises(LockedError):
        kb.demonstrations.add([("a question?", "an answer")], lock_timeout=0.1)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.jsonl", '{"question": "q?", "answer": "a"}\n\n{"question": "r?", "answer": "b", "more": 1}\n'),
        ("a.csv", "question,answer\nq?,a\nr?,b\n"),
    ],
)
def test_files_of_examples(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert read_examples(tmp_path / name) == [("q?", "a"), ("r?", "b")]


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("a.jsonl", '{"question": "q?"}\n', "record 1 of .* has no answer"),
        ("a.jsonl", "[1]\n", "record 1 of .* has no question"),
        ("a.jsonl", "{\n", "cannot be read"),
        ("a.csv", "question;answer\nq?;a\n", "record 1 of .* has no question"),
    ],
)
def test_broken_files_name_the_record(tmp_path: Path, name: str, text: str, problem: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigurationError, match=problem):
        read_examples(tmp_path / name)
