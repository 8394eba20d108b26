"""`rag ask` as a process: the answer, its sources, and the plain word when there is no evidence."""

from __future__ import annotations

from tests.cli.conftest import Shop

MODEL = """
def honest(messages):
    print("a model that talks to stdout")
    return "Refunds are paid within 14 days. [1]"

def dreamer(messages):
    yield "Refunds are paid within 14 days. [1] "
    yield "Penguins deliver them by submarine. [9]"

def careless(messages):
    return "Refunds, surely."

def miscounting(messages):
    return "Refunds are paid within 14 days of the return [9]."

def german(messages):
    return "Das Geld wird vierzehn Tage nach der Ankunft der zurückgeschickten Ware überwiesen [1]."

def broken(messages):
    raise ValueError("no credit left")
"""
QUESTION = "within how many days are refunds paid?"


def write_model(shop: Shop) -> None:
    (shop.folder / "mymodel.py").write_text(MODEL)


def test_an_extractive_answer_with_its_sources(shop: Shop) -> None:
    ran = shop.rag("ask", QUESTION)
    assert ran.code == 0
    assert ran.err == ""
    answer, _, sources = ran.out.partition("Sources")
    assert "within 14 days" in " ".join(answer.split())
    assert "[1]" in answer
    assert "[1]" in sources
    assert "docs/refunds.md:" in sources
    assert "“Refunds are paid within 14 days" in " ".join(sources.split())


def test_an_answer_as_json(shop: Shop) -> None:
    given = shop.rag("ask", QUESTION, "--json", "--show-prompt").json
    assert set(given) >= {
        *("question", "answer", "abstained", "citations", "sources", "confidence", "usage", "timings_ms", "prompt")
    }
    assert given["abstained"] is False
    citation = given["citations"][0]
    assert set(citation) >= {"number", "uri", "location", "quote", "supported"}
    assert citation["supported"] is True
    assert citation["quote"] in (shop.folder / "docs" / "refunds.md").read_text(encoding="utf-8")
    assert [source["number"] for source in given["sources"]] == list(range(1, len(given["sources"]) + 1))
    assert QUESTION in given["prompt"]["messages"][-1]["content"]


def test_without_evidence_it_says_so(shop: Shop) -> None:
    ran = shop.rag("ask", "who won the chess championship of 1886?")
    assert ran.code == 0
    assert "Sources" not in ran.out
    assert shop.rag("ask", "who won the chess championship of 1886?", "--json").json["abstained"] is True


def test_a_model_of_ones_own_and_its_chatter(shop: Shop) -> None:
    write_model(shop)
    ran = shop.rag("ask", QUESTION, "--llm", "mymodel:honest", "--json")
    assert ran.json["answer"] == "Refunds are paid within 14 days. [1]"
    assert "talks to stdout" in ran.err


def test_what_no_source_supports_is_marked(shop: Shop) -> None:
    write_model(shop)
    ran = shop.rag("ask", QUESTION, "--llm", "mymodel:dreamer")
    assert ran.code == 0
    assert "⚠ there is no source [9]" in ran.out
    assert "⚠ no source supports: “Penguins deliver them by submarine" in ran.out
    careless = shop.rag("ask", QUESTION, "--llm", "mymodel:careless")
    assert "⚠ the answer cites no source" in careless.out


def test_a_model_that_fails(shop: Shop) -> None:
    write_model(shop)
    ran = shop.rag("ask", QUESTION, "--llm", "mymodel:broken")
    assert ran.code == 1
    assert "no credit left" in ran.err


def test_wrong_usage(shop: Shop) -> None:
    for arguments, said in (
        (["", "--llm", "extractive"], "empty"),
        ([QUESTION, "--llm", "gpt"], "gpt"),
        ([QUESTION, "--llm", "nowhere:model"], "nowhere"),
        ([QUESTION, "-k", "0"], "k is 0"),
        ([QUESTION, "--base-url", "http://localhost:1"], "base URL"),
    ):
        ran = shop.rag("ask", *arguments)
        assert ran.code == 2
        assert ran.out == ""
        assert said in ran.err
        assert "hint: " in ran.err


def test_the_prompt_can_be_seen(shop: Shop) -> None:
    ran = shop.rag("ask", QUESTION, "--show-prompt")
    assert "prompt: system" in ran.out
    assert QUESTION in ran.out


def test_a_wrong_number_is_told_and_put_right(shop: Shop) -> None:
    write_model(shop)
    given = shop.rag("ask", QUESTION, "--llm", "mymodel:miscounting", "--json").json
    assert "paid within 14 days of the return [1]." in given["answer"]
    assert "[9]" in given["raw"]
    citation = given["citations"][0]
    assert (citation["number"], citation["moved_to"], citation["verdict"]) == (9, 1, "no such source")
    shown = shop.rag("ask", QUESTION, "--llm", "mymodel:miscounting").out
    assert "⚠ [9] does not exist, but [1] does: “Refunds are paid within 14 days" in shown


def test_an_answer_in_another_language_is_not_checked(shop: Shop) -> None:
    write_model(shop)
    given = shop.rag("ask", QUESTION, "--llm", "mymodel:german", "--json").json
    assert [citation["verdict"] for citation in given["citations"]] == ["unchecked"]
    assert given["unchecked"]
    assert given["unsupported"] == []
    assert "⚠ not checked" in shop.rag("ask", QUESTION, "--llm", "mymodel:german").out
