"""What `extractive` may quote: the sentences of sources, the columns of rows, the heads of definitions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import dropwhile, takewhile

from connectors.document import CODE, ROW
from connectors.sentences import sentence_spans
from rag.prompting.prompt import PromptSource
from rag.text.comments import without_comment_signs
from rag.text.tables import TableRow, sentences_and_rows
from rag.text.words import leans_back, terms, words

_LONGEST = 400  # characters of a row that is quoted whole
_FEWEST_TERMS = 3
_LIST_MARK = re.compile(r"^(?:[-*+•◦▪>]|\d{1,2}[.)]|[(]?[a-z][.)])\s+")
_HEADING = re.compile(r"^(?:#{1,6}\s|={3,}|-{3,}|\d{1,2}(?:\.\d{1,2})*\.?(?: [A-Z][^a-z\s]*){2,}$)|[:?？]$")
_MARK_UP = re.compile(r"^(?:<[^>]+>\s*)+")
_COLUMN = re.compile(r"(\w[^:]{0,80}): ")


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence of a source: `source` and `place` are positions, `text` is verbatim except for line breaks.

    Those that the prompt leaves out have a `place` too. It stands at `start` to `end` of the hit's text. `mark` is what
    stands before it in a list, and it `is_whole` where it says all that the source has to say on the question. `row` is
    what a row of a table is about, its first cell; None where it is a sentence.
    """

    source: int
    place: int
    text: str
    start: int = 0
    end: int = 0
    mark: str = ""
    is_whole: bool = False
    row: str | None = None

    @property
    def is_heading(self) -> bool:
        """A heading, a question or an announcement: it matches a question well and answers nothing."""
        return bool(_HEADING.search(self.text))

    @property
    def can_answer(self) -> bool:
        """Whether it says something for itself."""
        return not self.is_heading and len(terms(self.text)) >= _FEWEST_TERMS


def quotes(sources: Sequence[PromptSource], question: str) -> list[Quote]:
    """What may be quoted of the sources, as far as the prompt shows it."""
    asked = frozenset(words(question))
    return [quote for number, source in enumerate(sources) for quote in _of_source(number, source, asked)]


def with_antecedent(found: Sequence[Quote], place: int) -> list[int]:
    """The places of a quote, and of the one before where it begins with a word that leans on it."""
    if place == 0 or not leans_back(found[place].text):
        return [place]
    before, here = found[place - 1], found[place]
    stands_before = before.source == here.source and before.place == here.place - 1  # nothing left out between them
    return [place - 1, place] if stands_before and before.can_answer else [place]


def _of_source(number: int, source: PromptSource, asked: frozenset[str]) -> Iterator[Quote]:
    if source.hit.kind == ROW:
        yield from _row(number, source, asked)
        return
    if source.hit.kind == CODE and (head := _head(source)):
        yield Quote(number, 0, head, 0, len(source.hit.text), is_whole=True)
        return
    hit = source.hit
    pieces = sentences_and_rows(hit.text, f"{hit.title}\n{hit.context}", hit.kind)
    for place, (start, end, row) in enumerate(pieces):
        if not _is_shown(source, start, end):
            continue
        if row is not None:
            if row.cells:
                yield Quote(number, place, _read_out(row, asked), start, end, row=row.cells[0][1])
            continue
        said = " ".join(hit.text[start:end].split())
        plain = _LIST_MARK.sub("", said)
        yield Quote(number, place, plain, start, end, mark=said.removesuffix(plain).strip())


def _read_out(row: TableRow, asked: frozenset[str]) -> str:
    """A row of a table: what it is about, which is its first cell, and the columns that are asked for, or all."""
    about, *said = row.said
    wanted = [one for one in said if _is_asked_for(one, asked)]
    return "; ".join([about, *(wanted or said)])


def _head(source: PromptSource) -> str:
    """The signature of what a passage of code defines, and the first paragraph of what its author says of it.

    Nothing where the passage does not have its signature, or the prompt does not show the two.
    """
    hit = source.hit
    symbol = hit.location.symbol
    if symbol is None or not any(symbol.signature):
        return ""
    stretches = [symbol.signature, *[symbol.docstring] * any(symbol.docstring)]
    ahead, length = hit.location.start, len(hit.text)  # a long docstring may end in the next passage
    spans = [(start - ahead, min(end - ahead, length)) for start, end in stretches]
    if not all(start >= 0 and _is_shown(source, start, end) for start, end in spans):
        return ""
    signature, *docstring = (hit.text[start:end] for start, end in spans)
    signature = " ".join(signature.split()).rstrip(" :{=;")
    said = _first_paragraph("".join(docstring))
    if len(signature) > _LONGEST:
        signature = signature[: _LONGEST - 1] + "…"
    if said:
        return f"`{signature}`: {said}"
    return f"`{signature}`" if "(" in signature else ""  # the mere name of a class says nothing


def _first_paragraph(docstring: str) -> str:
    """The first paragraph of a docstring or comment, without the signs that make it one."""
    lines = [line.strip() for line in without_comment_signs(docstring.strip(" \n\"'")).splitlines()]
    said = list(takewhile(bool, dropwhile(lambda line: not line, lines)))
    paragraph = _MARK_UP.sub("", " ".join(said)).strip()
    ends = [end for _, end in sentence_spans(paragraph)]
    return paragraph[: max((end for end in ends if end <= _LONGEST), default=min(ends, default=0))].strip()


def _row(number: int, source: PromptSource, asked: frozenset[str]) -> Iterator[Quote]:
    """A row of a database says one thing, or the columns that are asked for; one too long says one with each column."""
    columns: list[Quote] = []
    start = 0
    for line in source.hit.text.splitlines(keepends=True):
        end = start + len(line.rstrip())
        if line.strip() and _is_shown(source, start, end):
            columns.append(Quote(number, len(columns), " ".join(line.split()), start, end))
        start += len(line)
    wanted = [column for column in columns if _is_asked_for(column.text, asked)]
    whole = "; ".join(column.text for column in wanted or columns)
    if columns and (wanted or len(whole) <= _LONGEST):
        yield Quote(number, 0, whole, columns[0].start, columns[-1].end, is_whole=bool(wanted))
    else:
        yield from columns


def _is_asked_for(column: str, asked: frozenset[str]) -> bool:
    """Whether the question has all words of the column's name, and not most of its value, by which it names the row."""
    found = _COLUMN.match(column)
    if found is None:
        return False
    name, value = words(found[1].replace("_", " ")), terms(column[found.end() :])
    return asked.issuperset(name) and 2 * len(asked.intersection(value)) <= len(value)


def _is_shown(source: PromptSource, start: int, end: int) -> bool:
    return any(first <= start and end <= last for first, last in source.spans)
