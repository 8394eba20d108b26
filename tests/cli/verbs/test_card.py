"""`rag card`: what is added is shown, asked and checked, and what others added is not asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Rag, Ran, Shop, run_process
from tests.rag.gguf_files import CHAT

TERMS = """term,definition,aliases
Refund,money that is paid back,reimbursement
RMA,a number \x1b[31mthat\x1b[0m allows a parcel to be returned,returns number
"""
LAW = """# Law

Sale items can be exchanged. Whoever buys at a distance may withdraw from the contract.
The minister of trade plays chess.
"""
EXPERT = """
def expert(messages):
    return "Express parcels cost 18 francs. Parcels travel by balloon. Penguins are birds of the south."
"""


@pytest.fixture
def desk(shop_copy: Shop) -> Shop:
    (shop_copy.folder / "terms.csv").write_text(TERMS)
    return shop_copy


@pytest.fixture
def law(desk: Shop) -> Path:
    """Another knowledge base."""
    folder = desk.folder.parent / "law"
    folder.mkdir()
    (folder / "law.md").write_text(LAW)
    indexed = desk.run("--kb", folder / ".rag", "index", "law.md", cwd=folder)
    assert indexed.code == 0, indexed.err
    return folder


def verdicts(ran: Ran) -> dict[str, str]:
    return {said["text"]: said["verdict"] for said in ran.json["statements"]}


def test_a_glossary_is_added_listed_and_forgotten(desk: Shop) -> None:
    added = desk.rag("card", "add", "terms", "terms.csv", "--licence", "CC0-1.0")
    assert (added.code, added.out) == (0, "")
    assert "added the card terms (glossary): 2 terms: Refund, RMA" in added.err
    assert "2 terms: Refund, RMA" in desk.rag("card", "list").out
    (desk.folder / "terms.csv").unlink()  # its terms were copied
    assert "money that is paid back" in desk.rag("card", "ask", "terms", "what is a reimbursement?").out
    assert desk.rag("card", "remove", "terms", "--json").json == {"removed": "terms"}
    assert desk.rag("card", "list", "--json").json == {"cards": [], "damaged": []}
    assert "no cards yet" in desk.rag("card", "list").err


def test_all_that_is_known_of_a_card(desk: Shop) -> None:
    url = "http://127.0.0.1:9/v1"
    desk.rag("card", "add", "med", "openai:medic", "--description", "heart", "--base-url", url, "--licence", "MIT")
    told = desk.rag("card", "show", "med", "--json").json
    assert (told["kind"], told["target"], told["settings"], told["files"]) == (
        *("lm", "openai:medic"),
        {"base_url": url},
        [],
    )
    shown = desk.rag("card", "show", "med")
    assert shown.code == 0
    rows = [line.split(maxsplit=1) for line in shown.out.splitlines()]
    assert {("description", "heart"), ("licence", "MIT"), ("settings", f"base_url: {url}")} <= {
        (key, value.strip()) for key, value in rows
    }
    assert "problem" not in dict(rows)


def test_codes_in_a_glossary_are_text(desk: Shop) -> None:
    desk.rag("card", "add", "terms", "terms.csv", "--description", "codes \x1b]0;owned\x07 of the shop")
    for line in (["list"], ["show", "terms"], ["ask", "terms", "what is an RMA?"]):
        ran = desk.rag("card", *line)  # that no escape code reaches a pipe holds for every run
        assert ran.code == 0
    assert "�[31mthat�[0m allows" in ran.out


def test_what_a_card_says_is_checked_against_the_documents(desk: Shop, law: Path) -> None:
    desk.rag("card", "add", "law", law, "--description", "consumer law")
    shown = desk.rag("card", "ask", "law", "can a sale item be exchanged, or a contract be withdrawn from?")
    assert shown.code == 0
    lines = shown.out.splitlines()
    evidence = lines.index("✓ Sale items can be exchanged.  the knowledge base says so")
    assert "refunds.md:" in lines[evidence + 1], "the place in the knowledge base's own documents"
    background = lines.index("· Whoever buys at a distance may withdraw from the contract.  unverified")
    assert "law.md, line 3" in lines[background + 1], "where the card has it from"
    assert "– The minister of trade plays chess.  not about the question" in lines


def test_what_a_model_says_is_checked_sentence_by_sentence(desk: Shop) -> None:
    (desk.folder / "parcel_card.py").write_text(EXPERT)
    added = desk.rag("card", "add", "parcels", "parcel_card:expert", "--description", "parcels", "--json")
    assert added.json["kind"] == "lm"
    said = verdicts(
        desk.rag(
            "card", "ask", "parcels", "how do parcels go to France, and what does an express parcel cost?", "--json"
        )
    )
    assert said == {
        "Express parcels cost 18 francs.": "evidence",
        "Parcels travel by balloon.": "unneeded",
        "Penguins are birds of the south.": "irrelevant",
    }


def test_a_card_with_nothing_to_say(desk: Shop) -> None:
    desk.rag("card", "add", "terms", "terms.csv")
    ran = desk.rag("card", "ask", "terms", "who won?")
    assert (ran.code, ran.out) == (0, "")
    assert "nothing to say" in ran.err
    assert desk.rag("card", "ask", "terms", "who won?", "--json").json["statements"] == []


def test_a_card_that_came_with_the_folder_is_not_asked_until_it_is_trusted(
    desk: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.rag("card", "add", "terms", "terms.csv")
    monkeypatch.setenv("PILOTFISH_DATA", str(tmp_path / "somebody-else"))
    assert "you did not add it" in " ".join(desk.rag("card", "list").out.split())
    refused = desk.rag("card", "ask", "terms", "what is a refund?")
    assert refused.code == 1
    assert "rag card trust terms" in refused.err
    (consulted,) = desk.rag("ask", "what is a refund?", "--json").json["cards"]
    assert not consulted["asked"]
    assert "you did not add it" in consulted["why"]
    assert "is trusted and will be asked" in desk.rag("card", "trust", "terms").err
    assert "money that is paid back" in desk.rag("card", "ask", "terms", "what is a refund?").out


def test_a_model_that_has_been_exchanged_is_not_asked(desk: Shop) -> None:
    model = desk.folder / "small.gguf"
    model.write_bytes(CHAT)
    desk.rag("card", "add", "small", "small.gguf", "--description", "parcels")
    assert desk.rag("card", "show", "small", "--json").json["problem"] == ""
    model.write_bytes(b"quite another one")
    assert "has changed since the card was added" in " ".join(desk.rag("card", "list").out.split())
    refused = desk.rag("card", "ask", "small", "what does a parcel cost?")
    assert refused.code == 1
    assert "has changed since the card was added" in refused.err


def test_a_damaged_card_is_named_and_can_be_removed(desk: Shop) -> None:
    desk.rag("card", "add", "terms", "terms.csv")
    (desk.folder / ".rag" / "cards" / "terms" / "card.json").write_text("{")
    assert desk.rag("card", "list", "--json").json == {"cards": [], "damaged": ["terms"]}
    assert "damaged" in desk.rag("card", "list").out
    assert desk.rag("card", "show", "terms").code == 1
    assert desk.rag("ask", "how long do refunds take?").code == 0
    assert desk.rag("card", "remove", "terms").code == 0
    assert desk.rag("card", "list", "--json").json["damaged"] == []


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (["add", "Terms", "terms.csv"], "'Terms'"),
        (["add", "../terms", "terms.csv"], "'../terms'"),
        (["add", "there", "terms.csv"], "rag card remove there"),
        (["add", "empty", "empty.csv"], "holds no terms"),
        (["add", "gone", "gone.csv", "--kind", "glossary"], "gone.csv"),
        (["add", "docs", "docs"], "not a knowledge base"),
        (["add", "itself", ".rag"], "itself"),
        (["add", "quoting", "extractive", "--description", "all"], "`extractive`"),
        (["add", "vague", "openai:medic"], "needs a description"),
        (["add", "terms", "terms.csv", "--base-url", "http://localhost"], "a base URL"),
        (["add", "terms", "terms.csv", "--kind", "book"], "book"),
        (["show", "nowhere"], "there are: there"),
        (["ask", "nowhere", "why?"], "'nowhere'"),
        (["remove", "nowhere"], "'nowhere'"),
        (["trust", "nowhere"], "'nowhere'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage(desk: Shop, line: list[str], told: str) -> None:
    (desk.folder / "empty.csv").write_text("term,definition\n")
    desk.rag("card", "add", "there", "terms.csv")
    ran = desk.rag("card", *line)
    assert ran.code == 2
    assert ran.out == ""
    assert told in ran.err
    assert [card["name"] for card in desk.rag("card", "list", "--json").json["cards"]] == ["there"]


def test_the_cards_of_an_answer_are_chosen(desk: Shop) -> None:
    desk.rag("card", "add", "terms", "terms.csv")
    (desk.folder / "more.md").write_text("**Parcel**: a thing that is sent")
    desk.rag("card", "add", "more", "more.md")
    question = "how long does a reimbursement take?"
    everything = desk.rag("ask", question, "--json").json
    assert [(each["card"], each["asked"]) for each in everything["cards"]] == [("more", True), ("terms", True)]
    assert everything["expansions"] == ["Refund"]
    assert "14 days" in everything["answer"], "found by the name that the glossary gives it"
    assert [each["card"] for each in desk.rag("ask", question, "--card", "more", "--json").json["cards"]] == ["more"]
    assert desk.rag("ask", question, "--cards", "off", "--json").json["cards"] == []
    assert desk.rag("ask", question, "--card", "nowhere").code == 2


def test_without_a_knowledge_base(rag: Rag) -> None:
    for line in (["list"], ["add", "terms", "terms.csv"], ["ask", "terms", "why?"]):
        assert rag("card", *line).code == 3


def test_json_is_one_object(desk: Shop) -> None:
    ran = run_process("card", "add", "terms", "terms.csv", "--json", cwd=desk.folder)
    assert json.loads(ran.out)["name"] == "terms"
    assert ran.err == ""
