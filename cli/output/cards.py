"""Prints the sentences of knowledge cards, each with its verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from cli.output.hits import MARGIN, place
from cli.output.terminal import caution, near, one_line, printable, put, put_behind, stdout

if TYPE_CHECKING:
    from rag import Answer, Hit
    from rag.cards import CardStatement, Consultation
    from rag.prompting import Background

_MARKS = {
    "evidence": ("✓", "green", "the knowledge base says so"),
    "background": ("·", "", "unverified"),
    "other number": ("✗", "red", "the knowledge base has another number"),
    "irrelevant": ("–", "dim", "not about the question"),
    "unneeded": ("–", "dim", "already answered by the documents"),
    "repeated": ("–", "dim", "repeated"),
    "too long": ("–", "dim", "no room"),
}
_EVIDENCE, _BACKGROUND, _OTHER_NUMBER, _TOO_LONG = "evidence", "background", "other number", "too long"


def print_said(said: Sequence[CardStatement]) -> None:
    """Print each sentence of a card with what became of it, and the place that decided."""
    for one in said:
        _print_sentence(one.verdict.value, one.text, one.origin, one.passage)


def print_cards(answer: Answer) -> None:
    """Print what of the words of cards became part of an answer: background in its prompt, and evidence for it."""
    background = answer.prompt.background if answer.prompt else ()
    if answer.abstained and not answer.sources:  # the text tells all that cards say
        return
    for consultation in answer.cards:
        _print_card(consultation, [one for one in background if one.card == consultation.card])


def tell_cards(answer: Answer, told: set[str]) -> None:
    """Say on stderr which cards could not be asked, and why; what was `told` before is not told again."""
    for consultation in answer.cards:
        if consultation.failed and consultation.why not in told:
            told.add(consultation.why)
            caution(consultation.why, consultation.hint)


def _print_card(consultation: Consultation, background: Sequence[Background]) -> None:
    evidence = [one for one in consultation.statements if one.verdict.value == _EVIDENCE]
    left_out = Counter(one.verdict.value for one in consultation.statements)
    left_out[_EVIDENCE] = 0
    left_out[_TOO_LONG] += left_out[_BACKGROUND] - len(background)  # the prompt has the last word
    left_out[_BACKGROUND] = 0
    if not (background or evidence or left_out[_OTHER_NUMBER]):
        return
    stdout().print(Text.assemble((f"\nFrom the card {consultation.card}", "bold"), ("  (not a source)", "dim")))
    for one in background:
        _print_sentence(_BACKGROUND, one.text, one.origin, None)
    for said in evidence:
        _print_sentence(_EVIDENCE, said.text, "", said.passage)
    counts = [f"{left_out[verdict]} ({meaning})" for verdict, (_, _, meaning) in _MARKS.items() if left_out[verdict]]
    if counts:
        put(stdout(), Text(f"left out: {', '.join(counts)}", "dim"))


def _print_sentence(verdict: str, text: str, origin: str, passage: Hit | None) -> None:
    """A sentence with its mark, and below it the place of `passage`, or `origin`."""
    mark, style, meaning = _MARKS[verdict]
    body = Text.assemble((printable(text), style), (f"  {meaning}", "dim"))
    put_behind(stdout(), Text(f"{mark} ", style or "dim"), body)
    where = place(passage) if passage is not None else Text(one_line(near(origin)), "dim")
    if where:
        stdout().print(Text(" " * MARGIN).append_text(where), soft_wrap=True)
