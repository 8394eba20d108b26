"""`rag demo`: solved examples, added, listed, shown to a model and removed."""

from __future__ import annotations

from tests.cli.conftest import Shop

MODEL = 'def chat(messages):\n    return "Refunds are paid within 14 days. [1]"\n'
QUESTION = "within how many days are refunds paid?"


def test_an_example_reaches_the_prompt_of_a_model(shop: Shop) -> None:
    (shop.folder / "demomodel.py").write_text(MODEL)
    assert (
        shop.rag("demo", "add", "How soon is a refund paid?", "In no time at all. [1]").err == "added 1 demonstration\n"
    )
    try:
        assert "How soon is a refund paid?" in shop.rag("demo", "list").out
        ask = ["ask", QUESTION, "--llm", "demomodel:chat", "--show-prompt"]
        assert "In no time at all. [1]" in shop.rag(*ask).out
        assert "In no time at all. [1]" not in shop.rag(*ask, "--no-demos").out
    finally:
        (number,) = (each["number"] for each in shop.rag("demo", "list", "--json").json["demonstrations"])
        assert shop.rag("demo", "remove", str(number)).err == "removed: How soon is a refund paid?\n"
    assert shop.rag("demo", "list").err.startswith("no demonstrations yet")


def test_what_is_no_example_is_wrong_usage(shop: Shop) -> None:
    for arguments in ([], ["a question"], ["a question", "an answer", "--from", "file.jsonl"], ["", "an answer"]):
        ran = shop.rag("demo", "add", *arguments)
        assert ran.code == 2
        assert "hint: " in ran.err
    assert shop.rag("demo", "remove", "99").code == 2
