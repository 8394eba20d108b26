"""What is read out of the source that answers best."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from connectors.document import ROW
from rag.llm.extractive import ExtractiveLLM
from rag.prompting.composer import Composer
from rag.retrieval.hit import Hit, HitReading, Signals
from tests.rag.samples import hit, indexed, word_count

LONG = (
    "Super Bowl 50 was played on February 7, 2016, at Levi's Stadium in Santa Clara, California, while the league "
    "marked its golden anniversary with various gold-themed initiatives, which pleased the sponsors."
)
LIST = (
    "You can pay in three ways:\n\n- by card, of any kind\n- by bank transfer\n- by invoice, from 200 euros on\n\n"
    "Cash is not taken."
)


def answered(question: str, *hits: Hit) -> str:
    prompt = Composer(budget=4000, count=word_count).compose(question, hits)
    return "".join(ExtractiveLLM().stream(prompt, question))


def read(text: str, words: str, **about: object) -> Hit:
    start = text.index(words)
    return replace(hit(text, **about), reading=HitReading(0.9, start, start + len(words), True, ((start, 0.9),)))  # type: ignore[arg-type]


def test_a_long_sentence_is_quoted_less_the_clauses_that_nobody_asked_about() -> None:
    said = answered("Where was Super Bowl 50 played?", read(LONG, "Levi's Stadium"))
    assert said == ("Super Bowl 50 was played on February 7, 2016, at Levi's Stadium in Santa Clara, California… [1]")


@pytest.mark.parametrize("question", ["How was Super Bowl 50 celebrated?", "What was the significance of the game?"])
def test_what_no_phrase_answers_is_quoted_whole(question: str) -> None:
    assert answered(question, read(LONG, "Levi's Stadium")) == f"{LONG} [1]"


def test_what_no_phrase_answers_takes_more_sentences() -> None:
    text = "Refunds are paid by the shop. A form is sent by the customer. The shop has opening hours."
    begins = tuple((text.index(word), 0.3) for word in ("Refunds", "form", "shop has"))
    source = replace(hit(text), reading=HitReading(0.6, 0, 7, True, begins))
    long, short = (answered(question, source) for question in ("How are refunds made?", "Who makes the refunds?"))
    assert long.count("[1]") > short.count("[1]")


@pytest.mark.parametrize("limit", ["but not in 2015", "unless it rained", "although only for members"])
def test_a_sentence_that_limits_what_it_says_is_quoted_whole(limit: str) -> None:
    text = LONG.removesuffix(".") + f", {limit}."
    assert answered("Where was Super Bowl 50 played?", read(text, "Levi's Stadium")) == f"{text} [1]"


def test_a_question_for_several_gets_the_list_and_what_announces_it() -> None:
    said = answered("Which ways of payment are there? What are they?", read(LIST, "bank transfer"))
    assert said.splitlines() == [
        "You can pay in three ways: [1]",
        "- by card, of any kind [1]",
        "- by bank transfer [1]",
        "- by invoice, from 200 euros on [1]",
    ]


STEPS = "To reset the device:\n\n1. Press the red button.\n2. Wait until the lamp is green.\n3. Enter the code 4711.\n"


@pytest.mark.parametrize("words", ["To reset the device", "lamp is green"])
def test_steps_keep_their_numbers_even_where_what_announces_them_is_read(words: str) -> None:
    assert answered("How do I reset the device?", read(STEPS, words)).splitlines() == [
        "To reset the device: [1]",
        "1. Press the red button. [1]",
        "2. Wait until the lamp is green. [1]",
        "3. Enter the code 4711. [1]",
    ]


def test_a_question_for_one_gets_one_item() -> None:
    assert (
        answered("From how much on is there an invoice?", read(LIST, "200 euros"))
        == "by invoice, from 200 euros on [1]"
    )


def test_a_long_list_is_shown_around_what_answers() -> None:
    text = "The steps:\n\n" + "\n".join(f"- step number {number} of the whole" for number in range(40))
    said = answered("What are the steps?", read(text, "step number 20")).splitlines()
    assert len(said) == 11
    assert "- step number 20 of the whole [1]" in said


def test_a_row_says_the_column_that_is_asked_for() -> None:
    row = replace(
        hit("name: Nordisk Dykkerudstyr\niban: DK50 0040 0440 1162 43\nremark: " + "long " * 99),
        kind=ROW,
        signals=Signals(bm25=1.0, cosine=0.5, named="Nordisk Dykkerudstyr"),
    )
    assert answered("What is the IBAN of Nordisk Dykkerudstyr?", row) == "iban: DK50 0040 0440 1162 43 [1]"


CODE_FILES = {
    "long.py": 'def settle(x):\n    """' + "Pays it to the shop at once. " * 200 + '"""\n    return x\n',
    "cart.py": (
        "@cached\ndef load(\n    folder: str,\n    *,\n    fast: bool = False,\n) -> Cart:\n"
        '    """The cart of `folder`,\n    ready to use.\n\n    Raises:\n        OSError: it is gone.\n    """\n'
        "    return Cart(folder)\n"
    ),
    "sum.ts": (
        "/**\n * Adds two numbers.\n *\n * @param a one\n */\n"
        "export function addUp(a: number, b: number): number {\n  return a + b;\n}\n"
    ),
    "cart.go": (
        "package cart\n\n// TotalPrice is the sum of the cart.\n"
        "func (c *Cart) TotalPrice() float64 {\n\treturn c.sum\n}\n"
    ),
    "half.rs": "#[must_use]\n/// Half of it.\npub fn half_of(x: u32) -> u32 {\n    x / 2\n}\n",
}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "load",
            "`def load( folder: str, *, fast: bool = False, ) -> Cart`: The cart of `folder`, ready to use. [1]",
        ),
        ("addUp", "`export function addUp(a: number, b: number): number`: Adds two numbers. [1]"),
        ("settle", f"`def settle(x)`: {' '.join(['Pays it to the shop at once.'] * 13)} [1]"),
        ("TotalPrice", "`func (c *Cart) TotalPrice() float64`: TotalPrice is the sum of the cart. [1]"),
        ("half_of", "`pub fn half_of(x: u32) -> u32`: Half of it. [1]"),
    ],
)
def test_code_is_quoted_by_its_signature_and_what_its_author_says(tmp_path: Path, name: str, said: str) -> None:
    with indexed(tmp_path / "src", CODE_FILES) as kb:
        answer = kb.ask(f"What does {name} do?")
        assert answer.text == said
        assert answer.citations[0].supported
