"""What knowledge cards did for an answer, as `rag ask` and `rag chat` tell it."""

from __future__ import annotations

import shutil

import pytest

from tests.cli.conftest import Shop, typed
from tests.rag.gguf_files import CHAT

TERMS = """term,definition
Express parcel,one that a courier carries on a motorcycle with a sidecar
"""
MODELS = """
def parcels(messages):
    return ("Express parcels cost 18 francs. Express parcels cost 90 francs. "
            "Express parcels are carried by couriers \\x1b[31mof the south\\x1b[0m. Penguins are birds.")

def silent(messages):
    return "nothing"

def broken(messages):
    raise ValueError("no credit left")

def writer(messages):
    return "Express parcels cost 18 francs. [1]"
"""
QUESTION = "what does an express parcel cost, and who carries it?"


@pytest.fixture
def desk(shop_copy: Shop) -> Shop:
    (shop_copy.folder / "terms.csv").write_text(TERMS)
    (shop_copy.folder / "cardmodels.py").write_text(MODELS)
    return shop_copy


def add(desk: Shop, name: str, target: str) -> None:
    described = ["--description", "parcels, express parcels, what they cost and who carries them"]
    ran = desk.rag("card", "add", name, target, *described)
    assert ran.code == 0, ran.err


def test_what_cards_said_follows_the_sources(desk: Shop) -> None:
    add(desk, "parcels", "cardmodels:parcels")
    add(desk, "terms", "terms.csv")
    ran = desk.rag("ask", QUESTION)
    assert (ran.code, ran.err) == (0, "")
    sources, parcels = ran.out.index("Sources  ("), ran.out.index("\nFrom the card parcels  (not a source)\n")
    terms = ran.out.index("\nFrom the card terms  (not a source)\n")
    assert sources < parcels < terms
    said = ran.out[parcels:terms].splitlines()[2:]
    assert said[0] == "· Express parcels are carried by couriers �[31mof the south�[0m.  unverified"
    assert said[1] == "✓ Express parcels cost 18 francs.  the knowledge base says so"
    assert "docs/shipping.md:" in said[2]
    assert said[3] == "left out: 1 (the knowledge base has another number), 1 (not about the question)"
    assert "90 francs" not in ran.out
    assert "· Express parcel: one that a courier carries" in ran.out[terms:]


def test_what_did_not_fit_the_prompt_is_counted_and_not_shown(desk: Shop) -> None:
    add(desk, "parcels", "cardmodels:parcels")
    wide, narrow = (desk.rag("ask", QUESTION, "--budget", budget) for budget in ("1500", "340"))
    assert "couriers" in wide.out
    assert narrow.code == 0, narrow.err
    assert "couriers" not in narrow.out
    assert "1 (no room)" in narrow.out


@pytest.mark.parametrize("target", ["cardmodels:silent", "terms.csv"])
def test_nothing_is_told_of_a_card_that_said_nothing(desk: Shop, target: str) -> None:
    before = desk.rag("ask", "within how many days are refunds paid?")
    add(desk, "silent", target)
    after = desk.rag("ask", "within how many days are refunds paid?")
    assert (after.out, after.err) == (before.out, before.err)


def test_an_abstention_tells_what_cards_say_once(desk: Shop) -> None:
    add(desk, "parcels", "cardmodels:parcels")
    ran = desk.rag("ask", QUESTION, "--min-relevance", "1")
    assert ran.out.count("are carried by couriers") == 1
    assert "From the card" not in ran.out


def test_a_card_with_a_problem_is_a_warning_with_the_reason_and_a_hint(desk: Shop) -> None:
    add(desk, "broken", "cardmodels:broken")
    add(desk, "terms", "terms.csv")
    add(desk, "torn", "terms.csv")
    model = desk.folder / "small.gguf"
    model.write_bytes(CHAT)
    add(desk, "vanished", "small.gguf")
    model.unlink()
    (desk.folder / ".rag" / "cards" / "torn" / "card.json").write_text("{")
    ran = desk.rag("ask", QUESTION, "--min-relevance", "0.2")
    assert ran.code == 0
    assert "From the card terms" in ran.out, "the answer goes on with the others"
    assert "⚠ the card" not in ran.out
    lines = ran.err.splitlines()
    broken, *others = [line for line in lines if line.startswith("⚠")]
    assert broken.startswith("⚠ the card 'broken' cannot answer: ")
    assert "no credit left" in broken
    assert others == [
        "⚠ the card 'torn' is damaged: it is not what was written",
        f"⚠ the card 'vanished' cannot be asked: its file {model} cannot be read: No such file or directory",
    ]
    assert "hint: remove it, and add it again: rag card remove torn" in lines
    assert "hint: put it back, or remove the card: rag card remove vanished" in lines
    as_json = desk.rag("ask", QUESTION, "--json")
    assert [each["card"] for each in as_json.json["cards"] if each["why"]] == ["broken", "torn", "vanished"]
    assert as_json.err == "", "a program reads it there"
    assert desk.rag("ask", QUESTION, "--cards", "off").err == ""


def test_a_card_whose_folder_was_renamed_does_not_end_the_answer(desk: Shop) -> None:
    add(desk, "terms", "terms.csv")
    cards = desk.folder / ".rag" / "cards"
    (cards / "terms").rename(cards / "My Terms")
    ran = desk.rag("ask", QUESTION)
    assert ran.code == 0
    assert "the card 'My Terms' is damaged: it is called 'terms'" in ran.err


def test_a_damaged_knowledge_base_behind_a_card_does_not_end_the_answer(desk: Shop) -> None:
    shutil.copytree(desk.folder / ".rag", desk.folder / "other")
    add(desk, "other", "other")
    (desk.folder / "other" / "catalog.sqlite").write_bytes(b"nothing of a database" * 100)
    ran = desk.rag("ask", QUESTION)
    assert ran.code == 0
    assert "18 francs" in ran.out
    assert "⚠ the card 'other' cannot be opened: " in ran.err


def test_a_conversation_tells_the_same_and_a_problem_once(desk: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    add(desk, "broken", "cardmodels:broken")
    add(desk, "parcels", "cardmodels:parcels")
    typed(monkeypatch, QUESTION, "/new", QUESTION)
    ran = desk.rag("chat")
    assert ran.out.count("From the card parcels") == 2
    assert ran.out.count("  unverified") == 2
    assert ran.err.count("⚠ the card 'broken' cannot answer") == 1


@pytest.mark.usefixtures("smollm2")
def test_what_a_real_model_said(desk: Shop) -> None:
    add(desk, "small", "local")
    question = "how does an express parcel travel?"
    (told,) = desk.rag("ask", question, "--json").json["cards"]
    assert told["asked"]
    shown = desk.rag("ask", question)
    assert shown.err == ""
    for said in told["statements"]:
        kept = said["verdict"] in {"background", "evidence"}
        assert (f"{said['text']}  " in shown.out) == kept, said
    assert any(said["verdict"] in {"background", "evidence"} for said in told["statements"])
