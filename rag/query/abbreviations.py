"""Abbreviations in a question, by the definitions that documents of the knowledge base give.

One document says what JHC stands for, the others only say JHC. A question with either form is searched with both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

import numpy as np

from indexes.store import View
from indexes.terms.abbreviations import LONGEST, MOST_WORDS, Definition, definitions, long_form, short_form
from indexes.terms.analyzer import analyze
from rag.query.query import Query
from rag.text.words import stop_stems

_WORD = re.compile(r"\w[\w'’&.-]*\w|\w")
_MOST_ASKED = 40  # words of a question, of which the first are looked at
_SHORTEST = 3  # characters of a form that is added: MS may be anything
_MOST_LOOKED_AT = 20  # passages that may have the other form
_MOST_READ = 8  # passages that define one: what more do is known to all
_MOST_MEANINGS = 2  # what has more of them is not written out


@dataclass(frozen=True, slots=True)
class Abbreviation:
    """What a question says in one form, and its other form.

    Attributes:
        said: as the question has it.
        other: the form that was added.
        uri: the document that defines it.
        start: where `said` stands in the question, up to `end`.
    """

    said: str
    other: str
    uri: str
    start: int
    end: int


def abbreviations(query: Query, view: View) -> tuple[Abbreviation, ...]:
    """The abbreviations and long forms in a query that a passage defines, in their order; longer ones go first."""
    found: list[Abbreviation] = []
    seen = set[str]()
    for start, end, form in _candidates(query.text):
        if form in seen or any(start < other.end and other.start < end for other in found):
            continue
        seen.add(form)
        found += _defined(query.text, start, end, form, view)
    return tuple(sorted(found, key=lambda one: one.start))


def written_out(text: str, found: Sequence[Abbreviation]) -> str:
    """A question with the other form of each abbreviation behind it.

    Example:
        >>> written_out("What does JHC do?", [Abbreviation("JHC", "Joint Harbour Council", "a.md", 10, 13)])
        'What does JHC (Joint Harbour Council) do?'
    """
    others: dict[str, list[str]] = {}
    for one in found:
        others.setdefault(one.said, []).append(one.other)
    for said, several in others.items():
        if (end := text.find(said) + len(said)) >= len(said):
            text = f"{text[:end]} ({', '.join(several)}){text[end:]}"
    return text


def in_words_of(question: str, passage: str, found: Sequence[Abbreviation]) -> str:
    """A question with the form of each abbreviation that a passage has, where it has only the other one.

    Example:
        >>> in_words_of("What does JHC do?", "A council.", [Abbreviation("JHC", "council", "a.md", 10, 13)])
        'What does council do?'
    """
    folded = passage.casefold()
    for one in found:
        if one.other.casefold() in folded and one.said.casefold() not in folded:
            question = question.replace(one.said, one.other)
    return question


def _candidates(text: str) -> Iterator[tuple[int, int, str]]:
    """The stretches that may be long forms, the longest first, then the words that may be short ones."""
    words = list(_WORD.finditer(text))[:_MOST_ASKED]
    stems = [analyze(word[0]) for word in words]
    for length in range(min(MOST_WORDS, len(words)), 1, -1):
        for first in range(len(words) - length + 1):
            last = first + length - 1
            if stop_stems().isdisjoint(stems[first][:1] + stems[last][:1]):  # neither begins nor ends so
                joined = [stem for word in stems[first : last + 1] for stem in word]
                yield words[first].start(), words[last].end(), long_form(joined)
    for word, stem in zip(words, stems, strict=True):
        # In small letters it may be a word: air is no acute insulin response.
        if sum(map(str.isupper, word[0])) > 1 and len(word[0]) <= LONGEST and stop_stems().isdisjoint(stem):
            yield word.start(), word.end(), short_form(word[0])


def _defined(text: str, start: int, end: int, form: str, view: View) -> Iterator[Abbreviation]:
    """The other forms of what stands there, which the question does not have itself and other documents do."""
    asked = text.casefold()
    meanings = _meanings(form, view)
    others = {_other(one, form).casefold(): (_other(one, form), uri) for one, uri in meanings}
    defining = {uri for _, uri in meanings}
    for folded, (other, uri) in others.items() if len(others) <= _MOST_MEANINGS else ():
        if len(folded) >= _SHORTEST and folded not in asked and _is_said_elsewhere(other, defining, view):
            yield Abbreviation(text[start:end], other, uri, start, end)


def _other(one: Definition, form: str) -> str:
    return one.long if form == short_form(one.short) else one.short


def _meanings(form: str, view: View) -> list[tuple[Definition, str]]:
    """The definitions of a form, and the documents that give them; none where very many do."""
    ids = view.indexes.sparse.holding([form] if form else [], _MOST_READ + 1, view.mask({}))
    if len(ids) > _MOST_READ:
        return []
    found = ((one, chunk) for chunk in view.chunks(ids).values() for one in definitions(chunk.indexed_text))
    return [(one, chunk.uri) for one, chunk in found if form in (short_form(one.short), long_form(analyze(one.long)))]


def _is_said_elsewhere(other: str, defining: Set[str], view: View) -> bool:
    """Whether a document that does not define a form has it: else nothing is missed without it."""
    ids, _ = view.indexes.sparse.search(analyze(other), _MOST_LOOKED_AT, view.mask({}))
    said = re.compile(rf"(?<!\w){re.escape(other)}s?(?!\w)", 0 if other.isupper() else re.IGNORECASE)
    return any(
        chunk.uri not in defining
        and said.search(chunk.indexed_text)
        and all(other not in one for one in definitions(chunk.indexed_text))
        for chunk in view.chunks(np.sort(ids)).values()
    )
