"""What is read out of the sources that answer: the likeliest sentence, shortened, or several, or a list."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from connectors.document import CODE
from rag.llm.quoting.choosing import ENOUGH, ENOUGH_OPEN, any_of, chances, enough, of_other_rows
from rag.llm.quoting.quotes import Quote, with_antecedent
from rag.prompting.prompt import PromptSource
from rag.text.near_duplicates import Fingerprint
from rag.text.words import terms

Scores = Callable[[Sequence[Quote]], NDArray[np.float64]]
"""How near quotes are to the question."""

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
_OPEN = re.compile(
    r"\W*(?:in what ways?|why|describe|explain|discuss|compare|summari[sz]e|what (?:role|happens)"
    r"|how (?!(?:many|much|long|old|often|far|large|big|high|tall|deep|fast|soon|late|wide|heavy|few|small)\b)"
    r"|what (?:is|are|was|were) (?:the )?(?:differences?|purpose|process|role|(?:dis)?advantages?|benefits?|reasons?"
    r"|causes?|effects?|impact|significance|contributions?|implications?))\b",
    re.IGNORECASE,
)
"""Questions that no phrase answers: people's answers to them have 12 words at the median where those to others have 3
(Natural Questions), 16 and 7 (CovidQA), 9 and 3 (MultiRC)."""
_TWO_PARTS = re.compile(r"\b(?:and|or) (?:what|how|who|why|when|where|which|whose)\b", re.IGNORECASE)
"""Questions whose second half another clause may answer."""


@dataclass(frozen=True, slots=True)
class ReadOut:
    """What is quoted, in reading order, and how likely it answers; None where it was not read, but is named."""

    quotes: tuple[Quote, ...] = ()
    chance: float | None = None


def read_out(found: Sequence[Quote], sources: Sequence[PromptSource], question: str, own: Scores) -> ReadOut:
    """The likeliest quotes of the sources that answer, those of the likeliest one first.

    Nothing where no source was read, or where the question names what it asks for and that was not.
    """
    if (named := _named(found, sources)) is not None:
        return ReadOut((named,))
    if any(source.hit.signals.named and source.hit.reading is None for source in sources):
        return ReadOut()
    likely = _likely(found, sources, question, own)
    if not likely:
        return ReadOut()
    chosen = enough([chance for _, chance in likely], ENOUGH_OPEN if _OPEN.match(question) else ENOUGH)
    places = [likely[one][0] for one in chosen]
    return ReadOut(tuple(_shown(found, places, sources, question)), any_of(likely[one][1] for one in chosen))


def _shown(
    found: Sequence[Quote], places: Sequence[int], sources: Sequence[PromptSource], question: str
) -> list[Quote]:
    """The quotes at `places`, the likeliest first, with what they lean on; or the list of the first, or its clauses."""
    best = found[places[0]]
    if _SEVERAL.match(question) and (best.mark or _is_any_row(best, found, question)):
        return _list_around(found, places[0])
    asks_for_a_phrase = not _TWO_PARTS.search(question) and not _OPEN.match(question)
    if len(places) == 1 and best.row is None and asks_for_a_phrase:
        return [*(found[one] for one in with_antecedent(found, places[0])[:-1]), _shortened(best, sources, question)]
    order = list(dict.fromkeys(found[place].source for place in places))
    wanted = dict.fromkeys(one for place in _new(found, places) for one in with_antecedent(found, place))
    return [found[place] for place in sorted(wanted, key=lambda place: (order.index(found[place].source), place))]


def _likely(
    found: Sequence[Quote], sources: Sequence[PromptSource], question: str, own: Scores
) -> list[tuple[int, float]]:
    """The places of the quotes of what counts as an answer, or of the likeliest source, and how likely each answers."""
    read = {number: one for number, source in enumerate(sources) if (one := source.hit.reading) is not None}
    if not read:
        return []
    held = {number: one for number, one in read.items() if one.holds}
    if not held:
        held = dict([max(read.items(), key=lambda one: one[1].answers)])
    likely: list[tuple[int, float]] = []
    for number, reading in held.items():
        places = [place for place, one in enumerate(found) if one.source == number]
        quoted = [found[place] for place in places]
        likely += zip(places, chances(quoted, reading, own(quoted), of_other_rows(quoted, question)), strict=True)
    return [(place, chance) for place, chance in likely if chance > 0]


def _new(found: Sequence[Quote], places: Sequence[int]) -> list[int]:
    """Those of `places` that do not say again what one before them says."""
    kept: list[int] = []
    seen: list[Fingerprint] = []
    for place in places:
        fingerprint = Fingerprint(found[place].text)
        if not any(fingerprint.adds_nothing_to(one) or one.adds_nothing_to(fingerprint) for one in seen):
            kept.append(place)
            seen.append(fingerprint)
    return kept


def _named(found: Sequence[Quote], sources: Sequence[PromptSource]) -> Quote | None:
    """What the first source says for itself: the columns that are asked for, the head of a definition."""
    first = next((one for one in found if one.source == 0), None)
    if first is None or not first.is_whole:
        return None
    is_code = sources[0].hit.kind == CODE
    return first if sources[0].hit.signals.named or is_code or sources[0].hit.reading is None else None


def _is_any_row(quote: Quote, found: Sequence[Quote], question: str) -> bool:
    """Whether it is the row of a table of which the question names none."""
    return quote.row is not None and not of_other_rows([one for one in found if one.source == quote.source], question)


def _list_around(found: Sequence[Quote], place: int) -> list[Quote]:
    """The items of the list that `place` is in, and what announces them; or the rows of its table."""
    source, is_row = found[place].source, found[place].row is not None

    def belongs(quote: Quote) -> bool:
        return quote.source == source and (quote.row is not None if is_row else bool(quote.mark))

    first = last = place
    while first and belongs(found[first - 1]):
        first -= 1
    while last + 1 < len(found) and belongs(found[last + 1]):
        last += 1
    if last - first >= _MOST_ITEMS:
        first, last = max(first, place - _MOST_ITEMS // 2), min(last, place + _MOST_ITEMS // 2)
    items = [replace(item, text=f"{item.mark} {item.text}".strip()) for item in found[first : last + 1]]
    announced = first and found[first - 1].source == source and found[first - 1].text.endswith(":")
    return [found[first - 1], *items] if announced else items


def _shortened(quote: Quote, sources: Sequence[PromptSource], question: str) -> Quote:
    """A long sentence less the clauses that neither answer nor are asked about; a sign stands where they did."""
    hit = sources[quote.source].hit
    start, end = (hit.reading.start, hit.reading.end) if hit.reading is not None else (0, 0)
    words = " ".join(hit.text[start:end].split()) if quote.start <= start < quote.end else ""
    at = quote.text.find(words)
    if not words or at < 0 or len(quote.text.split()) <= _MOST_WORDS or _LIMITS.search(quote.text):
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
