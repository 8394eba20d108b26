"""`rag chat`: questions line by line, from a pipe."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import pytest
import typer

from cli.main import app
from tests.cli.conftest import Shop, typed

MODEL = """
def fails_once(messages, calls=[]):
    calls.append(1)
    if len(calls) == 1:
        raise ValueError("no credit left")
    return "Refunds are paid within 14 days. [1]"

def instructed(messages):
    return messages[0]["content"]
"""
QUESTION = "within how many days are refunds paid?"


def test_a_follow_up_is_made_to_stand_alone_and_said(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, "within how many days are refunds paid?", "", "and what about those of sale items?")
    ran = shop.rag("chat")
    assert ran.code == 0
    assert "within 14 days" in ran.out
    assert "searched for: and what about those of sale items? (" in ran.err
    assert ran.out.count("Sources") == 2


def test_each_answer_is_a_line_of_json(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, "within how many days are refunds paid?", "and of sale items?", "/new", "and of sale items?")
    ran = shop.rag("chat", "--json")
    first, second, third = map(json.loads, ran.out.splitlines())
    assert first["standalone"]["by"] is None
    assert second["standalone"]["by"] == "words"
    assert not second["abstained"]
    assert third["standalone"] == {"text": "and of sale items?", "by": None}
    assert ran.err == "started over\n"


def test_quit_ends_it_and_nothing_after_that_is_read(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, "/quit", "within how many days are refunds paid?")
    assert shop.rag("chat").out == ""


def test_a_card_that_is_not_there_is_told_before_the_first_question(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch, QUESTION, QUESTION)
    ran = shop.rag("chat", "--card", "nowhere")
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.count("there is no card 'nowhere'") == 1


def test_a_question_that_fails_does_not_end_the_conversation(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    (shop.folder / "chatmodel.py").write_text(MODEL)
    typed(monkeypatch, "within how many days are refunds paid?", "within how many days are refunds paid?")
    ran = shop.rag("chat", "--llm", "chatmodel:fails_once")
    assert ran.code == 1
    assert "no credit left" in ran.err
    assert "Refunds are paid within 14 days. [1]" in ran.out


def test_flags_of_ask_are_flags_of_every_answer(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, QUESTION, "how many days do refunds take?")
    ran = shop.rag("chat", "--min-relevance", "1", "--json")
    assert [json.loads(line)["abstained"] for line in ran.out.splitlines()] == [True, True]

    (shop.folder / "chatmodel.py").write_text(MODEL)
    prompt = resources.files("rag").joinpath("prompting/prompt.txt").read_text("utf-8")
    (shop.folder / "captain.txt").write_text(prompt.replace("You answer", "You, Captain, answer", 1))
    typed(monkeypatch, QUESTION)
    ran = shop.rag(
        "chat", "--llm", "chatmodel:instructed", "--template", "captain.txt", "--no-parts", "--window", "6000"
    )
    assert ran.code == 0, ran.err
    assert "Captain" in ran.out


def test_ask_and_chat_have_the_same_flags(shop: Shop) -> None:
    group: Any = typer.main.get_command(app)
    asked, chatted = ({flag for each in group.commands[verb].params for flag in each.opts} for verb in ("ask", "chat"))
    assert asked - chatted == {"question", "--show-prompt"}
    assert chatted <= asked


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--prices", "cheap"], "'cheap'"),
        (["--rerank-depth", "3"], "--reranker"),
        (["--filter", "kind"], "KEY=VALUE"),
        (["--cache", "--llm", "chatmodel:instructed"], "cannot be cached"),
        (["--template", "nowhere.txt"], "nowhere.txt"),
    ],
)
def test_flags_that_mean_nothing_end_it_before_the_first_question(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, flags: list[str], said: str
) -> None:
    (shop.folder / "chatmodel.py").write_text(MODEL)
    typed(monkeypatch, QUESTION)
    ran = shop.rag("chat", *flags)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
