"""The passages that a question names: definitions of symbols, rows it mentions, and rows tied to these; and those that
have a date, a version, a code or the like of it which few have.

They join the candidates of a search. Each claim adds a bounded amount to a score (`rag.retrieval.ranking.Ranking`).
A question that names nothing is searched as if there were no names at all.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain

from connectors.document import DEFINES, FILE_NAME
from indexes.catalog.dictionary import Dictionary, Meaning
from indexes.catalog.reading import Ids, Reading
from indexes.store import View
from indexes.terms.exact import ExactThing
from indexes.terms.names import normal, reference
from rag.query.entity_linking import EntityLink, Linker
from rag.query.query import Query
from rag.query.symbols import inner, is_called
from rag.text.words import stop_stems, words

# Who names a symbol mostly wants its definition. Who names a row wants something about it, which may stand elsewhere:
# in what it is tied to, say, which is background by itself, and evidence if any of the question's words say so.
_DEFINITION, _ROW, _NEIGHBOUR = 0.7, 0.3, 0.2
_EXACT = 0.6  # of the share of the question's content words that it is
_WORD = re.compile(r"\S+")
_AMOUNT = 0.3  # of what an exact thing adds
_FEW_EXACT = 8  # passages: what more have decides nothing
_ATTRIBUTE = 0.8  # of what it counts to be what is asked for: to have it as an attribute
_MOST_DEFINITIONS = 30
_MOST_ROWS = 20  # that have neighbours looked up
_MOST_NEIGHBOURS = 8  # of one row by one column
_MOST_OF_FILE = 8  # passages of a file that is named
_FEW = 4  # more neighbours by one column share what so many would have


class Tie(StrEnum):
    """How a passage is tied to a name in the question."""

    DEFINES = "defines"  # it defines the symbol
    EXACT = "exact"  # it has the same date, version, code, …
    FILE = "file"  # the file that it is in is named
    ROW = "row"  # it is the row that is named
    PROPERTY = "property"  # it is one of many rows that have this value
    NEIGHBOUR = "neighbour"  # a foreign key ties it to a row that is named


@dataclass(frozen=True, slots=True)
class Claim:
    """What the question says about one passage.

    Attributes:
        tie: how they are tied.
        score: how likely that is meant.
        why: in words.
        relevance: the chance that the passage is relevant for this alone.
    """

    tie: Tie
    score: float
    why: str
    relevance: float = 0.0


@dataclass(frozen=True, slots=True)
class NamedPassages:
    """The names in a question: the links to rows, and chunk → the best claim to it."""

    links: tuple[EntityLink, ...] = ()
    claims: Mapping[int, Claim] = field(default_factory=dict)


def find_named(query: Query, view: View, is_common: Callable[[str], bool]) -> NamedPassages:
    """What a query names in the generation that `view` sees."""
    if not view.reading.has_names():
        return NamedPassages(claims=_exact(query.exact, query, view))
    dictionary = Dictionary(view.reading, view.indexes.generation)
    every = Linker(dictionary, is_common).link(query)
    links = tuple(link for link in every if link.role != FILE_NAME or _is_named_file(link))
    # What is linked to rows is looked up there, and not once more.
    rows = [link for link in links if link.role != FILE_NAME]
    exact = [thing for thing in query.exact if all(thing.end <= one.start or one.end <= thing.start for one in rows)]
    claims = _exact(exact, query, view)
    found = (_definitions(query, dictionary, view.reading), _rows(links, dictionary), _neighbours(links, dictionary))
    for chunk, claim in chain.from_iterable(found):
        if chunk not in claims or _order(claim) < _order(claims[chunk]):
            claims[chunk] = claim
    return NamedPassages(links, claims)


def properties(named: NamedPassages, ids: Ids, view: View) -> dict[int, Claim]:
    """Of these chunks, those whose rows have a value that the question names and very many rows have."""
    many = {(normal(link.name), link.role): link for link in named.links if not link.is_selective}
    if not many or not len(ids):
        return {}
    dictionary = Dictionary(view.reading, view.indexes.generation)
    found: dict[int, Claim] = {}
    for chunk, name, role in dictionary.names_of_chunks(ids.tolist(), {name for name, _ in many}):
        link = many.get((name, role))
        if link is not None and (chunk not in found or found[chunk].score < link.score):
            found[chunk] = Claim(Tie.PROPERTY, link.score, _said(link))
    return found


def _is_named_file(link: EntityLink) -> bool:
    """Whether a file is meant, and not what it is about: `refunds.md` is not what a question about refunds names."""
    if len(link.text.split()) > 1 or any(character.isdigit() for character in link.text):
        return True
    return link.start > 0 and any(character.isupper() for character in link.text)


def _order(claim: Claim) -> tuple[int, float]:
    return list(Tie).index(claim.tie), -claim.score


def _exact(exact: Sequence[ExactThing], query: Query, view: View) -> dict[int, Claim]:
    """The passages that have what the question names exactly, where few do: most of all those that have all of it.

    An amount is mostly a condition ("within two hours"), which much else may have, too: it counts, and names nothing.
    """
    mask, sparse = view.mask({}), view.indexes.sparse
    held: dict[int, list[ExactThing]] = {}
    decisive = 0
    for thing in exact:
        chunks = sparse.holding(thing.forms, _FEW_EXACT + 1, mask).tolist()
        if 0 < len(chunks) <= _FEW_EXACT:
            decisive += 1
            for chunk in chunks:
                held.setdefault(chunk, []).append(thing)
    content = [word for word in _WORD.finditer(query.text) if not stop_stems().issuperset(words(word[0]))]
    found = {}
    for chunk, things in held.items():
        within = [
            word for word in content if any(thing.start < word.end() and word.start() < thing.end for thing in things)
        ]
        said = ", ".join(query.text[thing.start : thing.end] for thing in things)
        if all(thing.is_amount for thing in things):
            found[chunk] = Claim(Tie.EXACT, _AMOUNT * len(things) / decisive, "")
            continue
        chance = _EXACT * len(within) / max(1, len(content))
        found[chunk] = Claim(Tie.EXACT, len(things) / decisive, f"has {said}", chance)
    return found


def _definitions(query: Query, dictionary: Dictionary, reading: Reading) -> Iterator[tuple[int, Claim]]:
    """The passages that define the symbols of a query: with the same capitals, where there are any.

    Of several, what is called so itself comes before what has an attribute, a constant or the like of that name.
    """
    for symbol, share in query.symbols.items():
        defined = dict(_defining(symbol, dictionary))
        for chunk, stored in reading.chunks_by_id(list(defined)).items():
            name, own = defined[chunk], stored.location.symbol
            is_own = own is not None and is_called(own.name, name)
            score = share if is_own else _ATTRIBUTE * share
            yield chunk, Claim(Tie.DEFINES, score, f"defines {name}", _DEFINITION * score)


def _defining(symbol: str, dictionary: Dictionary) -> Iterator[tuple[int, str]]:
    """The chunks that define a symbol, each with what it is called there."""
    for spelling in (symbol, *inner(symbol)):
        rows = dictionary.rows(Meaning(normal(spelling), DEFINES, spelling), _MOST_DEFINITIONS)
        for row in [row for row in rows if row.text == spelling] or rows:
            if (chunk := dictionary.passage(row)) is not None:
                yield chunk, row.text
        if rows:
            return


def _rows(links: Sequence[EntityLink], dictionary: Dictionary) -> Iterator[tuple[int, Claim]]:
    for link in links:
        for row in link.rows if link.is_selective else ():
            if link.role == FILE_NAME:
                claim = Claim(Tie.FILE, link.score, _said(link), _ROW * link.score)
                yield from ((chunk, claim) for chunk in row.chunks[:_MOST_OF_FILE])
            elif (chunk := dictionary.passage(row)) is not None:
                yield chunk, Claim(Tie.ROW, link.score, _said(link), _ROW * link.score)


def _neighbours(links: Sequence[EntityLink], dictionary: Dictionary) -> Iterator[tuple[int, Claim]]:
    """The rows that named rows refer to, and those that refer to them."""
    of_rows: dict[str, EntityLink] = {}
    for link in sorted(links, key=lambda link: -link.score):
        for uri in link.uris if link.is_selective else ():
            of_rows.setdefault(uri, link)
    for uri, link in list(of_rows.items())[:_MOST_ROWS]:
        tied = [(row, 0) for row in dictionary.referring(uri, _MOST_NEIGHBOURS)]
        tied += [(row, 1) for row in dictionary.referred(uri, _MOST_NEIGHBOURS)]
        count = Counter(row.role for row, _ in tied)
        for row, end in tied:
            if (chunk := dictionary.passage(row)) is not None and (ends := reference(row.role)) is not None:
                # Of several rows that are called the same, nobody means the neighbours of all.
                share = min(1.0, _FEW / count[row.role]) / len(link.uris)
                why = f"{ends[end]} of {link.name}"
                yield chunk, Claim(Tie.NEIGHBOUR, link.score, why, _NEIGHBOUR * share * link.score)


def _said(link: EntityLink) -> str:
    same = "" if link.text == link.name else f" for {link.name}"
    return f"“{link.text}”{same} in {link.role}"
