"""What is kept of a card, who may have it asked, and what becomes of one whose files change."""

from __future__ import annotations

import json
import os
import shlex
import shutil
from pathlib import Path

import pytest

from connectors.errors import ConfigurationError
from rag.cards.card import Card, CardError, CardFile, CardKind
from rag.cards.storage import CardStore


def card(name: str = "law", *files: CardFile) -> Card:
    return Card(name, CardKind.LM, "Swiss tax law", "local:/models/law.gguf", "a friend", "Apache-2.0", {}, files)


def test_a_card_comes_back_as_it_was_added(tmp_path: Path) -> None:
    shelf = CardStore(tmp_path)
    added = shelf.add(card())
    assert added.added
    assert shelf.get("law").card == added
    assert shelf.get("law").problem == ""
    assert [one.card.name for one in CardStore(tmp_path).all()] == ["law"]


def test_a_name_is_given_once(tmp_path: Path) -> None:
    shelf = CardStore(tmp_path)
    shelf.add(card())
    with pytest.raises(ConfigurationError, match="the card 'law' already exists") as caught:
        shelf.add(card())
    assert "rag card remove law" in caught.value.hint


@pytest.mark.parametrize("name", ["", "..", "a/b", "Law", "-x", "a" * 49, "card.json", "a b", "ä"])
def test_a_name_that_could_leave_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="invalid name of a card"):
        CardStore(tmp_path).add(card(name))
    with pytest.raises(ConfigurationError):
        CardStore(tmp_path).remove(name)


def test_a_removed_card_is_gone_and_others_stay(tmp_path: Path) -> None:
    shelf = CardStore(tmp_path)
    shelf.add(card("law"))
    shelf.add(card("tax"))
    shelf.remove("law")
    assert shelf.names() == ["tax"]
    with pytest.raises(ConfigurationError, match="there is no card 'law'") as caught:
        shelf.get("law")
    assert caught.value.hint == "there are: tax"


def test_a_card_of_somebody_else_is_shown_and_not_asked_until_it_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = CardStore(tmp_path / "kb")
    shelf.add(card())
    monkeypatch.setenv("PILOTFISH_DATA", str(tmp_path / "somebody-else"))
    found = shelf.get("law")
    assert found.card.target == "local:/models/law.gguf"
    assert found.problem == "you did not add it on this machine"
    assert "rag card trust law" in found.hint
    shelf.trust("law")
    assert shelf.get("law").problem == ""


def test_a_card_that_was_changed_by_hand_loses_its_seal(tmp_path: Path) -> None:
    from indexes.files import read_checked, write_checked

    shelf = CardStore(tmp_path)
    shelf.add(card())
    path = tmp_path / "cards" / "law" / "card.json"
    values = read_checked(path)
    values["card"]["target"] = "openai:evil"
    write_checked(path, values)
    assert shelf.get("law").problem == "you did not add it on this machine"


def test_the_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    CardStore(tmp_path).add(card())
    key = Path(os.environ["PILOTFISH_DATA"]) / "seal.key"
    assert key.stat().st_mode & 0o077 == 0
    assert len(key.read_bytes()) == 32


def test_a_damaged_card_is_told_by_name_and_the_others_stay(tmp_path: Path) -> None:
    shelf = CardStore(tmp_path)
    shelf.add(card("law"))
    shelf.add(card("tax"))
    (tmp_path / "cards" / "law" / "card.json").write_text("{")
    assert [one.card.name for one in shelf.all()] == ["tax"]
    assert list(shelf.damaged()) == ["law"]
    with pytest.raises(CardError, match="the card 'law' is damaged"):
        shelf.get("law")


@pytest.mark.parametrize("other", ["My Law", "law; rm -rf x", "LAW"])
def test_a_card_whose_folder_was_renamed_can_be_removed(tmp_path: Path, other: str) -> None:
    shelf = CardStore(tmp_path)
    shelf.add(card("law"))
    (tmp_path / "cards" / "law").rename(tmp_path / "cards" / other)
    [(name, error)] = shelf.damaged().items()
    assert name == other
    assert error.hint == f"remove it, and add it again: rag card remove {shlex.quote(other)}"
    shelf.remove(other)
    assert shelf.names() == []


@pytest.mark.parametrize("name", ["..", ".", "", "law/..", "../law", ".new-1"])
def test_what_is_no_card_is_never_removed(tmp_path: Path, name: str) -> None:
    shelf = CardStore(tmp_path)
    shelf.add(card("law"))
    (tmp_path / "law").mkdir()
    (tmp_path / "cards" / ".new-1").mkdir()
    for take in (shelf.remove, shelf.get, shelf.trust):
        with pytest.raises(ConfigurationError, match="there is no card"):
            take(name)
    assert shelf.names() == ["law"]


@pytest.mark.parametrize(
    "values", [{}, [], {"card": {}}, {"card": {"name": "law", "kind": "spell"}, "seal": ""}, {"card": None, "seal": 1}]
)
def test_a_file_that_is_no_card_is_damaged(tmp_path: Path, values: object) -> None:
    import zlib

    home = tmp_path / "cards" / "law"
    home.mkdir(parents=True)
    body = json.dumps(values, sort_keys=True)
    (home / "card.json").write_text(json.dumps({"crc": zlib.crc32(body.encode()), "values": values}))
    assert list(CardStore(tmp_path).damaged()) == ["law"]


def test_files_are_known_again_and_others_are_not(tmp_path: Path) -> None:
    model = tmp_path / "law.gguf"
    model.write_bytes(b"GGUF one")
    shelf = CardStore(tmp_path / "kb")
    shelf.add(card("law", CardFile.of(model)))
    assert shelf.get("law").problem == ""
    os.utime(model, (1, 1))
    assert shelf.get("law").problem == ""  # touched, and the same still
    model.write_bytes(b"GGUF two")
    assert "has changed since the card was added" in shelf.get("law").problem
    model.unlink()
    assert "cannot be read: No such file" in shelf.get("law").problem


def test_a_knowledge_base_that_moves_takes_its_cards_own_files_along(tmp_path: Path) -> None:
    shelf = CardStore(tmp_path / "kb")
    draft = shelf.draft()
    (draft / "terms.jsonl").write_text("{}")
    own = CardFile.of(draft / "terms.jsonl", own=True)
    shelf.add(card("law", own), payload=draft)
    shutil.move(tmp_path / "kb", tmp_path / "moved")
    assert CardStore(tmp_path / "moved").get("law").problem == ""


def test_nothing_half_made_is_left_by_a_card_that_cannot_be_kept(tmp_path: Path) -> None:
    shelf = CardStore(tmp_path)
    shelf.add(card("law"))
    shelf.remove("law")
    assert not [entry for entry in (tmp_path / "cards").iterdir() if not entry.name.startswith(".gone")]
