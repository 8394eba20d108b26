"""What is read out of the source that answers best: the sentence of its answering words, shortened, or its list."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from connectors.document import CODE
from rag.llm.quoting.quotes import Quote, with_antecedent
from rag.prompting.prompt import PromptSource
from rag.text.words import terms

_MOST_WORDS = 22  # of a sentence that is quoted whole
_MOST_ITEMS = 10
_CLAUSE = re.compile(r"[;:—–] |, (?!\d)| (?=(?:while|whereas|which|who|whose|where|because|although|though|so that) )")
# What such a word is about changes when its clause is left out.
_LIMITS = re.compile(
    r"\b(?:if|unless|except|only|not|no|nor|never|without|until|provided|but|although|though|however|cannot|\w+n't)\b",
    re.IGNORECASE,
)
_JOINING = re.compile(r"(?:and|but) ")
_FEWEST_WORDS = 3  # of a clause: what is shorter is a place, a date or a member of a list
_SEVERAL = re.compile(
    r"(?:what|which) (?:(?:\w+ ){0,3}\w+s )?(?:are|were|do|can|may|must|should|have)\b"
    r"|(?:list|name|enumerate|how (?:do|can|to|should))\b|.*\b(?:steps|ways)\b",
    re.IGNORECASE,
)
"""Questions that a whole list answers."""


def read_out(found: Sequence[Quote], sources: Sequence[PromptSource], question: str) -> list[Quote]:
    """The quotes with the words that answer, of the source that answers best.

    Nothing where no source was read, or where the question names what it asks for and that was not.
    """
    if (named := _named(found, sources)) is not None:
        return [named]
    if any(source.hit.signals.named and source.hit.reading is None for source in sources):
        return []
    read = [(source.hit.reading, number) for number, source in enumerate(sources) if source.hit.reading is not None]
    if not read:
        return []
    reading, number = max(read, key=lambda one: one[0].answers)
    start, end = reading.start, max(reading.end, reading.start + 1)
    places = [place for place, one in enumerate(found) if one.source == number and one.start < end and start < one.end]
    item = places[0] if places else 0
    if places and found[item].text.endswith(":") and item + 1 < len(found) and found[item + 1].source == number:
        item += 1  # what announces a list is read as the answer
    if places and found[item].mark and _SEVERAL.match(question):
        return _list_around(found, item)
    chosen: list[int] = []
    for place in places:
        chosen += with_antecedent(found, place)
        if found[place].is_heading and place + 1 < len(found) and found[place + 1].source == number:
            chosen.append(place + 1)
    words = " ".join(sources[number].hit.text[start:end].split())
    return [_shortened(found[place], words, question) for place in sorted(set(chosen))]


def _named(found: Sequence[Quote], sources: Sequence[PromptSource]) -> Quote | None:
    """What the first source says for itself: the columns that are asked for, the head of a definition."""
    first = next((one for one in found if one.source == 0), None)
    if first is None or not first.is_whole:
        return None
    is_code = sources[0].hit.kind == CODE
    return first if sources[0].hit.signals.named or is_code or sources[0].hit.reading is None else None


def _list_around(found: Sequence[Quote], place: int) -> list[Quote]:
    """The items of the list that `place` is in, and what announces them."""
    source = found[place].source
    first = last = place
    while first and found[first - 1].source == source and found[first - 1].mark:
        first -= 1
    while last + 1 < len(found) and found[last + 1].source == source and found[last + 1].mark:
        last += 1
    if last - first >= _MOST_ITEMS:
        first, last = max(first, place - _MOST_ITEMS // 2), min(last, place + _MOST_ITEMS // 2)
    items = [replace(item, text=f"{item.mark} {item.text}") for item in found[first : last + 1]]
    announced = first and found[first - 1].source == source and found[first - 1].text.endswith(":")
    return [found[first - 1], *items] if announced else items


def _shortened(quote: Quote, words: str, question: str) -> Quote:
    """A long sentence less the clauses that neither answer nor are asked about; a sign stands where they did."""
    at = quote.text.find(words)
    if at < 0 or len(quote.text.split()) <= _MOST_WORDS or _LIMITS.search(quote.text):
        return quote
    clauses = _clauses(quote.text)
    own = [number for number, (start, end) in enumerate(clauses) if start < at + len(words) and at < end]
    first, last = own[0], own[-1]
    asked = set(terms(question))

    def worth(number: int) -> int:
        return len(asked & set(terms(quote.text[slice(*clauses[number])])))

    def length(start: int, end: int) -> int:
        return len(quote.text[clauses[start][0] : clauses[end][1]].split())

    while True:
        beside = [(first - 1, last)] * (first > 0) + [(first, last + 1)] * (last + 1 < len(clauses))
        fit = [one for one in beside if length(*one) <= _MOST_WORDS]
        if not fit:
            break
        first, last = max(fit, key=lambda one: worth(one[0] if one[0] < first else one[1]))
    start, end = clauses[first][0], clauses[last][1]
    kept = quote.text[start:end].strip().rstrip(",;:—– ")
    kept = _JOINING.sub("", kept, count=1) if start and _JOINING.match(kept) else kept
    text = f"{'…' if start else ''}{kept}{'…' if end < len(quote.text) else ''}"
    return replace(quote, text=text)


def _clauses(sentence: str) -> list[tuple[int, int]]:
    """Where its clauses begin and end."""
    cuts = [0]
    for cut in (found.end() for found in _CLAUSE.finditer(sentence)):
        if len(sentence[cuts[-1] : cut].split()) >= _FEWEST_WORDS:
            cuts.append(cut)
        elif len(cuts) > 1:
            cuts[-1] = cut  # what is too short belongs to what is before it
    if len(sentence[cuts[-1] :].split()) < _FEWEST_WORDS and len(cuts) > 1:
        cuts.pop()
    return list(pairwise([*cuts, len(sentence)]))
