"""The reader: what it reads of a passage of any length, and what it makes of what nobody trained it for."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from connectors.errors import ConfigurationError
from rag.reader.loading import load_reader
from tests.rag.readers import looking_for


@pytest.mark.parametrize("before", [0, 10, 200, 240, 400, 1_000])
@pytest.mark.parametrize("after", [0, 300])
def test_a_passage_of_any_length_is_read_to_its_end(before: int, after: int) -> None:
    passage = "the " * before + "heron " + "the " * after
    (found,) = looking_for("heron").read("what?", [passage])
    assert found.answers == 5
    assert found.span == 28
    assert passage[found.start : found.end] == "heron"
    (supported,) = looking_for("heron").support([("a claim", passage)])
    assert supported[0] > 0.99


def test_what_a_question_says_is_no_part_of_the_passage() -> None:
    (found,) = looking_for("heron").read("heron?", ["the river"])
    assert found.answers == -5


def test_passages_keep_their_places_whatever_their_lengths() -> None:
    passages = ["the " * count + ("heron" if count % 2 else "") for count in (3, 300, 0, 40, 7, 500, 90, 1)]
    found = looking_for("heron").read("what?", passages)
    assert [one.answers for one in found] == [5 if "heron" in passage else -5 for passage in passages]


@pytest.mark.parametrize("question", ["", "what? " * 1_000, "何ですか", "\ud800"])
@pytest.mark.parametrize("passage", ["", "   ", "日本語の文章です。", "\x00", "x" * 100_000])
def test_nothing_that_can_be_typed_breaks_it(question: str, passage: str) -> None:
    (found,) = looking_for("heron").read(question, [passage])
    assert found.answers == -5
    assert 0 <= found.start <= found.end <= len(passage)


def test_no_passages_give_nothing() -> None:
    assert looking_for("heron").read("what?", []) == []
    assert looking_for("heron").support([]).shape == (0, 3)


def test_equal_passages_are_read_alike() -> None:
    found = looking_for("heron").read("what?", ["the heron of the river"] * 16)
    assert len(set(found)) == 1


@pytest.mark.parametrize("name", ["reader.bin", "reader.xml"])
@pytest.mark.parametrize("damage", ["changed", "gone"])
def test_a_damaged_reader_is_told_by_its_file(name: str, damage: str, tmp_path: Path) -> None:
    files = {"reader.bin": b"weights", "reader.xml": b"<graph/>"}
    for each, content in files.items():
        (tmp_path / each).write_bytes(content)
    hashes = {each: hashlib.sha256(content).hexdigest() for each, content in files.items()}
    (tmp_path / "manifest.json").write_text(json.dumps({"name": "mine", "files": hashes}))
    if damage == "changed":
        (tmp_path / name).write_bytes(b"other")
    else:
        (tmp_path / name).unlink()
    with pytest.raises(ConfigurationError, match=name) as caught:
        load_reader(tmp_path)
    assert caught.value.hint


@pytest.mark.parametrize("content", [None, "", "{}", "[]", '{"name": "mine", "files": {}}'])
def test_a_reader_without_its_manifest_is_told(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    for folder in (tmp_path, str(tmp_path)):
        with pytest.raises(ConfigurationError, match="cannot be loaded"):
            load_reader(folder)


def test_it_tells_where_else_the_answer_may_begin() -> None:
    text = "Refunds take some days. Parcels take days too."
    (found,) = looking_for("days").read("How long?", [text])
    assert [text[place:].split(maxsplit=1)[0] for place, _ in found.begins] == ["days.", "days"]
    assert sum(chance for _, chance in found.begins) == pytest.approx(1, abs=0.01)
