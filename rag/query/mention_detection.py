"""Finds what a question may mention: every stretch of it that the dictionary knows in some form."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice, product

from indexes.catalog.dictionary import Dictionary
from indexes.terms.forms import initials, key, stem
from rag.query.disambiguation import Mention
from rag.query.spelling import slips
from rag.query.tokens import Token, TokenizedQuestion

_LONGEST_MENTION = 8  # words
_MOST_NAMES, _MOST_PARTIAL, _MOST_SHORTENED = 30, 12, 3  # that one form, word or abbreviation may stand for
_MOST_UNKNOWN = 4
_SHORTEST_MISTYPED, _LONGEST_MISTYPED = 5, 24
_MOST_SPELLINGS = 8
_MOST_RESPELLED = 16  # ways to spell one mention
_SAME_FIRST_LETTER = 2.0
_LONGEST_INITIALS = 6

Spellings = Mapping[int, Sequence[tuple[str, str]]]  # token → other words it may be, with their stems


def mentions(
    question: TokenizedQuestion, dictionary: Dictionary, schema: Collection[str], common: Collection[str]
) -> list[tuple[Mention, str]]:
    """Mentions, each with the normal form of a name that it may mean: a pair once, in the plainest way it was found."""
    spellings = _spellings(question, dictionary, schema, common)
    found: dict[tuple[int, int, str], Mention] = {}
    for mention, name in (
        *_whole(question, dictionary, spellings),
        *_shortened(question, dictionary),
        *_partial(question, dictionary, spellings, common),
    ):
        found.setdefault((mention.first, mention.last, name), mention)
    return [(mention, name) for (_, _, name), mention in found.items()]


def _whole(question: TokenizedQuestion, dictionary: Dictionary, spellings: Spellings) -> Iterator[tuple[Mention, str]]:
    """Names that are said in full."""
    forms: dict[str, list[Mention]] = defaultdict(list)
    for first, last in _stretches(len(question.tokens)):
        for mention, words, stems in _spelt(question.tokens, first, last, spellings):
            forms[f"={key(stems)}"].append(mention)
            forms[f"={''.join(words)}"].append(mention)
    found = dictionary.having(forms, _MOST_NAMES)
    plain = [(mention, name) for form, names in found.items() for mention in forms[form] for name in names]
    return iter(sorted(plain, key=lambda pair: pair[0].mistyped))


def _stretches(size: int) -> Iterator[tuple[int, int]]:
    for first in range(size):
        for last in range(first + 1, min(size, first + _LONGEST_MENTION) + 1):
            yield first, last


def _spelt(
    tokens: Sequence[Token], first: int, last: int, spellings: Spellings
) -> Iterator[tuple[Mention, list[str], list[str]]]:
    """A stretch as it was typed, then with words in other spellings: the mention, its words and their stems."""
    options = [[(tokens[place].word, tokens[place].stem), *spellings.get(place, ())] for place in range(first, last)]
    for number, choice in enumerate(islice(product(*options), _MOST_RESPELLED)):
        yield Mention(first, last, mistyped=number > 0), [word for word, _ in choice], [stem for _, stem in choice]


def _shortened(question: TokenizedQuestion, dictionary: Dictionary) -> Iterator[tuple[Mention, str]]:
    """Names whose initials are said, and initials whose name is said."""
    short: dict[str, list[Mention]] = defaultdict(list)
    for place, token in enumerate(question.tokens):
        if token.is_code and token.text.isupper() and token.text.isalpha() and len(token.text) <= _LONGEST_INITIALS:
            short[f"^{token.word}"].append(Mention(place, place + 1, shortened=True))
    for form, names in dictionary.having(short, _MOST_SHORTENED).items():
        if len(names) <= _MOST_SHORTENED:
            yield from ((mention, name) for mention in short[form] for name in names)
    if not question.shows_names:
        return
    for first, last in _stretches(len(question.tokens)):
        tokens = question.tokens[first:last]
        capital = [token for token in tokens if token.text[:1].isupper() or not token.is_stop]
        ends = tokens[0].is_capital and tokens[-1].is_capital
        if ends and all(token.is_capital for token in capital) and (letters := initials(question.words(first, last))):
            yield Mention(first, last, shortened=True), letters


def _partial(
    question: TokenizedQuestion, dictionary: Dictionary, spellings: Spellings, common: Collection[str]
) -> Iterator[tuple[Mention, str]]:
    """Names of which some words are said, side by side, at least one of them no word of everybody's."""
    places: dict[str, set[int]] = defaultdict(set)
    mistyped: set[int] = set()
    for place, token in enumerate(question.tokens):
        if not token.is_stop or _shows(question, place):
            places[token.stem].add(place)
        for _, other in spellings.get(place, ()):
            places[other].add(place)
            mistyped.add(place)
    said: dict[str, set[int]] = defaultdict(set)
    for form, names in dictionary.having(places, _MOST_PARTIAL).items():
        if len(names) <= _MOST_PARTIAL:
            for name in names:
                said[name] |= places[form]
    for name, held in said.items():
        for first, last in _runs(sorted(held), question.tokens):
            inside = range(first, last)
            if any(question.tokens[place].word not in common or _shows(question, place) for place in inside):
                yield Mention(first, last, part=True, mistyped=not mistyped.isdisjoint(inside)), name


def _runs(places: Sequence[int], tokens: Sequence[Token]) -> Iterator[tuple[int, int]]:
    """Stretches of the places that follow each other, with at most one small word between two of them."""
    start = places[0]
    for place, after in zip(places, [*places[1:], None], strict=True):
        if after is None or after > place + 2 or (after == place + 2 and not tokens[place + 1].is_stop):
            yield start, place + 1
            if after is not None:
                start = after


def _shows(question: TokenizedQuestion, place: int) -> bool:
    """Whether a word is written as a name: with a capital among small letters, or in a quotation."""
    if question.quoted(place, place + 1):
        return True
    return question.shows_names and question.tokens[place].is_capital


def _spellings(
    question: TokenizedQuestion, dictionary: Dictionary, schema: Collection[str], common: Collection[str]
) -> Spellings:
    """Words that no name has → words that some name has, one slip away, the likeliest first."""
    tokens = question.tokens
    known = dictionary.known({form for token in tokens for form in (token.stem, f"={token.stem}", f"={token.word}")})
    unknown = [
        place
        for place, token in enumerate(tokens)
        if known.isdisjoint((token.stem, f"={token.stem}", f"={token.word}"))
        and token.word.isalpha()
        and _SHORTEST_MISTYPED <= len(token.word) <= _LONGEST_MISTYPED
        and token.stem not in schema
        and (token.word not in common or _shows(question, place))
    ]
    found: dict[int, list[tuple[str, str]]] = {}
    for place in unknown[:_MOST_UNKNOWN]:
        word = tokens[place].word
        likely = {other: odds + _SAME_FIRST_LETTER * (other[0] == word[0]) for other, odds in slips(word).items()}
        stems = {other: stem(other) for other in likely}
        there = dictionary.known({form for ending in stems.values() for form in (ending, f"={ending}")})
        held = [other for other, ending in stems.items() if ending in there or f"={ending}" in there]
        best = sorted(held, key=lambda other: -likely[other])[:_MOST_SPELLINGS]
        if best:
            found[place] = [(other, stems[other]) for other in best]
    return found
