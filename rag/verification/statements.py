"""Splits an answer into sentences, each with its citation marks."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from connectors.sentences import sentence_spans
from rag.text.citation_marks import FoundMark, code_spans, find_marks
from rag.text.words import terms

_FEWEST_TERMS = 2
_ENDS = " .!?。！？"
_INDENT = 8  # characters before a mark that opens a line

_DECLINES = re.compile(
    r"\b(?:sources?|documents?|context|passages?|information|text)\b.{0,40}\b(?:do(?:es)?|did|is|are)(?: not|n['’]t)\b"
    r"|\bI (?:do not|don['’]t|cannot|can['’]t|could not)\b",
    re.IGNORECASE,
)
_LISTING = re.compile(
    r"[\W_]*(?:(?:cited|used|list of)\s+)?(?:sources?|references?|citations?|bibliography|works cited|footnotes?|"
    r"quellen?|fuentes?|fontes?|référence?s?|источники?|来源|參考|参考(?:文献|资料)?|出典)(?:\s+(?:used|cited))?[\W_]*",
    re.IGNORECASE,
)
# A line of a list of sources: "1. …", "- [2] …".
_LISTED = re.compile(r"[\s>*+-]*(?:\d{1,3}[.)]\s|\[\^?\d|【\d)")
# What stands before the full stop once "according to source 2" is gone.
_DANGLING = re.compile(r"[\s,;]+(?=[.!?。！？]\Z)")
_DEFINED = re.compile(r"\s*\[\^\d{1,3}\]:")  # a footnote as Markdown writes it


@dataclass(frozen=True, slots=True)
class Mark:
    """A citation of source `number`; `claim` is the text of the sentence since the previous mark."""

    number: int
    claim: str


@dataclass(frozen=True, slots=True)
class AnswerSentence:
    """A sentence of an answer: `answer[start:end]` with its marks, `claim` without them.

    `written` are the marks as they stand in the answer, each with the claim it is for. A `listing` says which sources
    were used ("Sources: [1], [3]") and claims nothing itself; its marks are for the sentences before it. `is_code` is
    what stands in a code block.
    """

    start: int
    end: int
    claim: str
    marks: tuple[Mark, ...]
    written: tuple[tuple[FoundMark, str], ...] = ()
    listing: bool = False
    is_code: bool = False

    @property
    def is_factual(self) -> bool:
        """Whether it claims something that a source could support: no question, no heading, no "I do not know"."""
        text = self.claim.rstrip("*_ ")
        if self.listing or self.is_code or text.endswith((":", "?", "？", "：")) or text.startswith("#"):
            return False
        return not _DECLINES.search(text) and len(terms(text)) >= _FEWEST_TERMS


def statements(answer: str, sources: Mapping[int, str] | None = None) -> list[AnswerSentence]:
    """The sentences of `answer` with their marks.

    `sources` (number → text) tell the marks of quoted text from the answer's own, and "(2)" from a number.

    Example:
        >>> [(s.claim, [m.number for m in s.marks]) for s in statements("It is red [1, 3]. It flies. [2]")]
        [('It is red.', [1, 3]), ('It flies.', [2])]
    """
    marks = find_marks(answer, sources)
    text = _Bare(answer, [mark for mark in marks if not mark.prose])
    spans = _cut(
        text.bare, sentence_spans(text.bare), [text.place(mark.start) for mark in _list_items(answer, text.removed)]
    )
    owners: list[list[FoundMark]] = [[] for _ in spans]
    owner = _Owner(text.bare, spans, [text.place(mark.start) for mark in text.removed])
    for mark in marks if spans else ():
        place = text.place(mark.start)
        owners[owner.inside(place) if mark.prose else owner.of(place)].append(mark)
    code = code_spans(answer)
    found = [_statement(text, span, own, code) for span, own in zip(spans, owners, strict=True)]
    return _with_listings(answer, found)


class _Bare:
    """An answer without its marks, and a mapping between the two sets of offsets."""

    def __init__(self, answer: str, removed: Sequence[FoundMark]) -> None:
        self.answer = answer
        self.removed = removed
        self._places: list[int] = []  # of the pieces that are left, in the bare text
        self._starts: list[int] = []  # and in the answer
        pieces = []
        place = done = 0
        for start, end in [*((mark.start, mark.end) for mark in removed), (len(answer), len(answer))]:
            self._places.append(place)
            self._starts.append(done)
            pieces.append(answer[done:start])
            place += start - done
            done = end
        self.bare = "".join(pieces)

    def offset(self, place: int) -> int:
        """Where a character of the bare text stands in the answer."""
        piece = bisect_right(self._places, place) - 1
        return self._starts[piece] + place - self._places[piece]

    def place(self, offset: int) -> int:
        """Where a character of the answer, or a mark that was there, stands in the bare text."""
        piece = bisect_right(self._starts, offset) - 1
        end = self._places[piece + 1] if piece + 1 < len(self._places) else len(self.bare)
        return min(end, self._places[piece] + offset - self._starts[piece])


class _Owner:
    """Finds the sentence that a mark belongs to."""

    def __init__(self, bare: str, spans: Sequence[tuple[int, int]], places: Sequence[int]) -> None:
        self._bare = bare
        self._spans = spans
        self._starts = [start for start, _ in spans]
        # Where the text opens with a mark and does not end with one, marks stand before what they are for.
        self._leading = bool(spans and places) and places[0] <= spans[0][0] and places[-1] < spans[-1][0] + 1

    def inside(self, place: int) -> int:
        """The sentence that holds a place."""
        return max(0, bisect_right(self._starts, place) - 1)

    def of(self, place: int) -> int:
        """The sentence a mark stands in or follows, unless it opens a line, or all marks come first."""
        before = bisect_right(self._starts, place - 1) - 1
        if before < 0 or before + 1 >= len(self._spans):
            return max(0, before)
        between = self._bare[self._spans[before][1] : place]
        adjoins = not self._bare[place : self._spans[before + 1][0]].strip(" \t")
        past = place >= self._spans[before][1]
        return before + 1 if adjoins and past and ("\n" in between or self._leading) else before


def _list_items(answer: str, marks: Sequence[FoundMark]) -> Iterator[FoundMark]:
    """The marks that open a line of a list of sources: below its heading, or below another such line."""
    for mark in marks:
        start = _visible(answer, mark)
        line = answer.rfind("\n", max(0, start - _INDENT), start) + 1
        if not line or answer[line:start].strip(" \t>*+-"):
            continue
        above = answer[answer.rfind("\n", 0, line - 1) + 1 : line - 1]
        if _LISTED.match(above) or _LISTING.fullmatch(above):
            yield mark


def _cut(bare: str, spans: Sequence[tuple[int, int]], places: Sequence[int]) -> list[tuple[int, int]]:
    """The spans, cut at places that are inside of them, and trimmed of white space."""
    found = []
    for start, end in spans:
        first = bisect_right(places, start)
        cuts = [place for place in places[first : bisect_right(places, end - 1)] if place > start]
        for left, right in pairwise([start, *dict.fromkeys(cuts), end]):
            if piece := bare[left:right].strip():
                opening = left + bare[left:right].index(piece[0])
                found.append((opening, opening + len(piece)))
    return found


def _statement(
    text: _Bare, span: tuple[int, int], own: Sequence[FoundMark], code: Sequence[tuple[int, int]]
) -> AnswerSentence:
    first, last = text.offset(span[0]), text.offset(span[1] - 1) + 1
    inside = [mark for mark in own if not mark.prose]
    if inside:
        first, last = min(first, _visible(text.answer, inside[0])), max(last, inside[-1].end)
    claim = _claim(text, span, own)
    at = bisect_right(code, (first, len(text.answer) + 1)) - 1
    in_code = at >= 0 and code[at][0] <= first < code[at][1] and last <= code[at][1]
    written = tuple(zip(own, _parts(text, span, own, claim), strict=True))
    marks = dict.fromkeys(Mark(number, part) for mark, part in written for number in mark.numbers)
    return AnswerSentence(first, last, claim, tuple(marks), written, is_code=in_code)


def _claim(text: _Bare, span: tuple[int, int], own: Sequence[FoundMark]) -> str:
    """The sentence without "according to source 2,"."""
    claim, done = "", span[0]
    for mark in own:
        if mark.prose:
            claim += text.bare[done : text.place(mark.start)]
            done = max(done, text.place(mark.end))
    if done == span[0]:
        return text.bare[slice(*span)]
    return _DANGLING.sub("", claim + text.bare[done : span[1]]).strip(" ,")


def _parts(text: _Bare, span: tuple[int, int], own: Sequence[FoundMark], claim: str) -> Iterator[str]:
    """What each mark of a sentence is for: the words since the mark before, or the whole where these are few."""
    done = span[0]
    part = claim
    for position, mark in enumerate(own):
        place = min(max(text.place(mark.start), span[0]), span[1])
        if mark.prose:
            following = [text.place(other.start) for other in own[position + 1 :] if other.prose]
            words = text.bare[text.place(mark.end) : min([*following, span[1]])].strip(" ,;")
        else:
            words = text.bare[done:place].strip(" ,;")
        short = words == claim.rstrip(_ENDS) or len(terms(words)) < _FEWEST_TERMS
        if words or mark.prose:  # a mark right after another one is for the same words
            part = claim if short or _names_source(text, done, place, own) else words
        yield part
        if not mark.prose and text.bare[place : span[1]].strip(" .!?") and words:
            done = place


def _names_source(text: _Bare, start: int, end: int, own: Sequence[FoundMark]) -> bool:
    """Whether a stretch of a sentence holds a mark that is part of its words."""
    return any(mark.prose and start <= text.place(mark.start) < end for mark in own)


def _visible(answer: str, mark: FoundMark) -> int:
    """Where a mark begins, behind the white space before it."""
    text = answer[mark.start : mark.end]
    return mark.end - len(text.lstrip())


def _with_listings(answer: str, found: Sequence[AnswerSentence]) -> list[AnswerSentence]:
    """The statements, those that only list sources told as such."""
    result = []
    inside = False
    for statement in found:
        names = bool(_LISTING.fullmatch(statement.claim))
        listed = inside and bool(_LISTED.match(answer[statement.start : statement.end]))
        defined = bool(_DEFINED.match(answer[statement.start : statement.end + 1]))
        result.append(replace(statement, listing=True) if names or listed or defined else statement)
        inside = listed or (names and not statement.marks)
    return result
