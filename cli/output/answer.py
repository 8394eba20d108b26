"""Prints an answer as it arrives, marks unsupported sentences, and lists the sources below."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import IO, TYPE_CHECKING, Protocol

from rich.cells import cell_len
from rich.rule import Rule
from rich.text import Text

from cli.output.bars import percent
from cli.output.cards import print_cards, tell_cards
from cli.output.hits import MARGIN, other_places, place, print_heading, print_indented
from cli.output.terminal import grouped, near, note, one_line, printable, put, shortened, stderr, stdout
from rag import Answer, Citation, Prompt, Verdict
from rag.prompting import PromptSource

if TYPE_CHECKING:
    from rag.reranking import Reranked


_QUOTE_SHOWN = 240
_NAME_SHOWN = 60
_MISSING_SHOWN = 5  # numbers of sources that there are not
_WORD_ENDS = re.compile(r"(?<=\s)")


class Wait(Protocol):
    """A sign on the screen that work is in progress."""

    def stop(self) -> None:
        """Take it off the screen."""


class _Silence:
    def stop(self) -> None:
        """There is nothing on the screen."""


@contextmanager
def waiting(message: str) -> Iterator[Wait]:
    """Show that something goes on, on a terminal."""
    if not stderr().is_terminal:
        yield _Silence()
        return
    with stderr().status(message) as status:
        yield status


class AnswerWriter:
    """Writes an answer as it arrives. Given a width, it writes whole words, so that no word is broken."""

    @classmethod
    def on_stdout(cls, before: Callable[[], None]) -> AnswerWriter:
        """One that writes data: for people within the terminal, for programs as it comes."""
        console = stdout()
        return cls(console.file, console.width if console.is_terminal else None, before)

    def __init__(self, stream: IO[str], width: int | None, before: Callable[[], None]) -> None:
        """Write to `stream`, in lines of `width` (None: as it comes), after a call of `before`."""
        self._before: Callable[[], None] | None = before
        self._stream = stream
        self._width = width
        self._column = 0
        self._word = ""
        self._gap = ""
        self._ended = True

    def __enter__(self) -> AnswerWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._word:
            self._put(self._word)
        if not self._ended:
            self._write("\n")

    def __call__(self, piece: str) -> None:
        """Write the next piece."""
        if self._before is not None:
            self._before()
            self._before = None
        if self._width is None:
            self._write(printable(piece))
            return
        *words, self._word = _WORD_ENDS.split(self._word + printable(piece))
        for word in words:
            self._put(word)

    def _put(self, word: str) -> None:
        """Write a word; the space behind it waits, since at the end of a line there must be none."""
        text = word.rstrip()
        if self._width and self._column and self._column + cell_len(self._gap + text) > self._width:
            self._gap, self._column = "\n", 0
        written = self._gap + text
        self._write(written)
        self._column = self._column + cell_len(written.lstrip("\n"))
        self._gap = word[len(text) :]
        if "\n" in self._gap:
            self._write(self._gap)
            self._gap, self._column = "", 0

    def _write(self, text: str) -> None:
        if text:
            self._stream.write(text)
            self._stream.flush()
            self._ended = text.endswith("\n")


def print_text(answer: Answer) -> None:
    """Print the text of an answer that is there at once: on a terminal with the words that answer in bold."""
    start, end = answer.answer_span or (0, 0)
    before, words, after = (
        printable(part) for part in (answer.text[:start], answer.text[start:end], answer.text[end:])
    )
    put(stdout(), Text.assemble(before, (words, "bold"), after))


def print_rest(answer: Answer, told: set[str]) -> None:
    """Print all that comes after the text of an answer: on stdout what it stands on, on stderr what went wrong.

    What is wrong with a card is `told` once in a conversation.
    """
    tell_reranked(answer.reranked)
    tell_cards(answer, told)
    print_sources(answer)
    print_cards(answer)
    if answer.usage.cost is not None:
        note(f"cost: {answer.usage.cost:.6f}")


def print_sources(answer: Answer) -> None:
    """Print what no source supports, then the numbered sources with the sentences that support the answer."""
    console = stdout()
    for warning in _warnings(answer):
        console.print(Text(f"⚠ {warning}", "yellow"))
    if answer.abstained or not answer.sources:
        return
    console.print(Text(f"\nSources  (confidence {percent(answer.confidence)})", "bold"))
    cited = {citation.shown for citation in answer.citations}
    for source in answer.sources:
        if source.number in cited:
            _print_source(source, answer)
    uncited: dict[tuple[str, str], list[str]] = {}
    for source in answer.sources:
        if source.number not in cited:
            places = uncited.setdefault((source.hit.uri, source.hit.title), [])
            places.append(f"[{source.number}] {source.hit.location}".rstrip())
    if uncited:
        told = [f"{one_line(title)} {', '.join(places)}" for (_, title), places in uncited.items()]
        console.print(Text(f"read, not cited: {'; '.join(map(one_line, told))}", "dim"))


def _warnings(answer: Answer) -> Iterator[str]:
    """What the check found wrong with an answer, a line each, every one once."""
    for citation in dict.fromkeys(answer.citations):
        if citation.moved_to is not None:
            why = "does not exist" if citation.verdict == Verdict.NO_SUCH_SOURCE else "does not support this"
            yield f"[{citation.number}] {why}, but [{citation.moved_to}] does: “{one_line(citation.sentence)}”"
    missing = {each.number for each in answer.citations if each.verdict == Verdict.NO_SUCH_SOURCE and not each.moved_to}
    if missing:
        shown = ", ".join(f"[{number}]" for number in sorted(missing)[:_MISSING_SHOWN])
        more = f" and {grouped(len(missing) - _MISSING_SHOWN)} more" if len(missing) > _MISSING_SHOWN else ""
        yield f"there is no source {shown}{more}"
    for sentence in dict.fromkeys(answer.unsupported):
        yield f"no source supports: “{one_line(sentence)}”"
    for each in dict.fromkeys(answer.unverified):
        yield f"unverified, from the card {one_line(each.background.card)}: “{one_line(each.sentence)}”"
    if answer.unchecked:
        count = "1 sentence" if len(answer.unchecked) == 1 else f"{grouped(len(answer.unchecked))} sentences"
        yield f"not checked (too long, or not in the language of the sources): {count}"
    if answer.sources and not answer.abstained:
        if not answer.citations:
            yield "the answer cites no source"
        elif all(citation.added for citation in answer.citations):
            yield "the answer cites no source, but these support it"


def _holds(citation: Citation) -> bool:
    """Whether the source that the shown answer names supports the sentence."""
    return citation.supported or citation.moved_to is not None


def print_prompt(prompt: Prompt) -> None:
    """Print what the model was sent, and what was left out and why."""
    console = stdout()
    console.print()
    for message in prompt.messages:
        console.print(Rule(Text(f"prompt: {message.role}"), align="left", style="dim"))
        put(console, printable(message.content))
    console.print(
        Rule(Text(f"about {prompt.tokens} tokens; left out: {len(prompt.left_out)}"), align="left", style="dim")
    )
    for each in prompt.left_out:
        place = each.location.of(near(each.uri)) if each.location else ""
        what = place or f"{each.part} “{shortened(each.text, _NAME_SHOWN)}”"
        put(console, Text(one_line(f"{what}: {each.reason}"), "dim"))


def _print_source(source: PromptSource, answer: Answer) -> None:
    console = stdout()
    print_heading(f"[{source.number}]", source.hit)
    console.print(Text(" " * MARGIN).append_text(place(source.hit)), soft_wrap=True)
    if source.hit.copies:
        console.print(other_places(source.hit), soft_wrap=True)
    mine = [citation for citation in answer.citations if citation.shown == source.number]
    quotes = dict.fromkeys(
        shortened(citation.quote, _QUOTE_SHOWN) for citation in mine if _holds(citation) and citation.quote
    )
    for quote in quotes:
        print_indented(Text(f"“{quote}”", "italic"))
    if not any(_holds(citation) or citation.verdict == Verdict.UNCHECKED for citation in mine):
        print_indented(Text("⚠ cited, but does not support the sentence", "yellow"))


def tell_reranked(done: Reranked | None, *, failure_only: bool = False) -> None:
    """Say on stderr where a reranker failed, or did not judge all that it should have."""
    if done is None:
        return
    if done.failure:
        note(f"ranked without the reranker: {done.failure}")
    elif done.scored < done.candidates and not failure_only:
        note(f"reranked {done.scored} of {done.candidates} hits: no time for more")
