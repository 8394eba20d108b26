"""An answer taken apart: its sentences, and the citation marks that belong to each."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from connectors.sentences import sentence_spans
from rag.words import terms

# [1], [1, 2], [1-3], [source 2], [^3], 【4】, 【5†title】
_SEPARATOR = r"\s*(?:,|;|/|&|\band\b|-|–|—|\bto\b)\s*"
_WORD = r"(?:(?:source|doc(?:ument)?)s?\s*)?[#^]?"
_MARK = re.compile(
    rf"[ \t]*(?:\[|【)\s*{_WORD}(?P<numbers>\d+(?:{_SEPARATOR}{_WORD}\d+)*)(?:†[^\]】]*)?\s*(?:\]|】)", re.IGNORECASE
)
_RANGE = re.compile(rf"(\d+)\s*(?:-|–|—|\bto\b)\s*{_WORD}(\d+)|(\d+)", re.IGNORECASE)
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`", re.DOTALL)
_LONGEST_RANGE = 20
_OWN_REFERENCE = 24
_FEWEST_TERMS = 2

_DECLINES = re.compile(
    r"\b(?:sources?|documents?|context|passages?|information|text)\b.{0,40}\b(?:do(?:es)?|did|is|are)(?: not|n['’]t)\b"
    r"|\bI (?:do not|don['’]t|cannot|can['’]t|could not)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Mark:
    """A citation of source `number`; `claim` is what the sentence says since the mark before."""

    number: int
    claim: str


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence of an answer: `answer[start:end]` with its marks, `claim` without them."""

    start: int
    end: int
    claim: str
    marks: tuple[Mark, ...]

    @property
    def is_factual(self) -> bool:
        """Whether it claims something that a source could support: no question, no heading, no "I do not know"."""
        text = self.claim.rstrip("*_ ")
        if text.endswith((":", "?", "？", "：")) or text.startswith("#") or _DECLINES.search(text):
            return False
        return len(terms(text)) >= _FEWEST_TERMS


def statements(answer: str, sources: Sequence[str] = ()) -> list[Statement]:
    """The sentences of `answer` with their marks. `sources` tells the marks of quoted text from the answer's own.

    Example:
        >>> [(s.claim, [m.number for m in s.marks]) for s in statements("It is red [1, 3]. It flies. [2]")]
        [('It is red.', [1, 3]), ('It flies.', [2])]
    """
    marks = _marks(answer, sources)
    bare, kept = _without(answer, marks)
    spans = sentence_spans(bare)
    owners: list[list[re.Match[str]]] = [[] for _ in spans]
    for mark in marks:
        if spans:
            owners[_owner(bare, spans, _bare_offset(kept, mark.start()))].append(mark)
    found = []
    for (start, end), own in zip(spans, owners, strict=True):
        first, last = _offset(kept, start), _offset(kept, end - 1) + 1
        if own:
            first, last = min(first, _inside(own[0])), max(last, own[-1].end())
        found.append(Statement(first, last, bare[start:end], _claims(bare, kept, (start, end), own)))
    return found


def _marks(answer: str, sources: Sequence[str]) -> list[re.Match[str]]:
    """The citation marks, without what stands in code and without the references inside quoted text."""
    code = [match.span() for match in _CODE.finditer(answer)]
    flat = [" ".join(source.split()) for source in sources]
    found = []
    for mark in _MARK.finditer(answer):
        quoted = " ".join(answer[max(0, mark.start() - _OWN_REFERENCE) : mark.end()].split())
        in_code = any(start <= mark.start() < end for start, end in code)
        if not in_code and not any(quoted in source for source in flat):
            found.append(mark)
    return found


_Kept = list[tuple[int, int]]
"""Pieces of the answer that remain without its marks: (offset in the bare text, offset in the answer)."""


def _without(answer: str, marks: Sequence[re.Match[str]]) -> tuple[str, _Kept]:
    pieces: list[str] = []
    kept: _Kept = []
    bare = done = 0
    for start, end in [*((mark.start(), mark.end()) for mark in marks), (len(answer), len(answer))]:
        kept.append((bare, done))
        pieces.append(answer[done:start])
        bare += start - done
        done = end
    return "".join(pieces), kept


def _offset(kept: _Kept, bare: int) -> int:
    """Where a character of the bare text stands in the answer."""
    piece, start = kept[bisect_right(kept, (bare, len(kept) and kept[-1][1])) - 1]
    return start + bare - piece


def _bare_offset(kept: _Kept, offset: int) -> int:
    """Where a mark stood, in the bare text."""
    piece, start = kept[bisect_right([start for _, start in kept], offset) - 1]
    return piece + offset - start


def _owner(bare: str, spans: Sequence[tuple[int, int]], place: int) -> int:
    """The sentence a mark belongs to: the one it stands in or follows, unless it opens a new line."""
    before = bisect_right([start for start, _ in spans], place - 1) - 1
    if before < 0:
        return 0
    between = bare[spans[before][1] : place]
    opens_next = "\n" in between and before + 1 < len(spans) and not bare[place : spans[before + 1][0]].strip(" \t")
    return before + 1 if opens_next else before


def _claims(bare: str, kept: _Kept, span: tuple[int, int], own: Sequence[re.Match[str]]) -> tuple[Mark, ...]:
    found: dict[int, Mark] = {}
    done = span[0]
    for mark in own:
        place = min(max(_bare_offset(kept, mark.start()), span[0]), span[1])
        part = bare[done:place].strip(" ,;")
        # A mark right after another one is about the same words.
        claim = part if len(terms(part)) >= _FEWEST_TERMS and part else bare[slice(*span)]
        for number in _numbers(mark["numbers"]):
            found.setdefault(number, Mark(number, claim))
        if bare[place : span[1]].strip(" .!?") and part:
            done = place
    return tuple(found.values())


def _numbers(text: str) -> list[int]:
    found: list[int] = []
    for match in _RANGE.finditer(text):
        if match[3]:
            found.append(int(match[3]))
            continue
        first, last = int(match[1]), int(match[2])
        wide = not 0 <= last - first <= _LONGEST_RANGE
        found += [first, last] if wide else range(first, last + 1)
    return found


def _inside(mark: re.Match[str]) -> int:
    """Where a mark begins, behind the white space before it."""
    return mark.end() - len(mark.group().lstrip())
