"""The Query: what a person asks, made once and handed down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from indexes.terms.analyzer import QueryTerm, query_terms
from indexes.terms.exact import ExactThing, exact_things
from rag.query.symbols import symbols
from rag.query.tokens import TokenizedQuestion
from rag.text.names import names_in
from rag.text.words import numbers, terms_of, words

if TYPE_CHECKING:
    from indexes.encoding.base import EncodedQuery, Encoder

_KEPT = 64  # queries whose analysis is remembered: those of a conversation, and the parts of its questions


class Query:
    """What a person asks, and what can be told of it by its text alone.

    Each attribute is worked out when it is first used, and kept: nothing cuts the same text into words a second time.
    `Query.of` makes one; the same text gives the same Query. Threads may share one.

    Raises:
        TypeError: the question is not text.

    Example:
        >>> query = Query.of("Where does NATO keep 5,120 reports on Malta?")
        >>> query.terms, sorted(query.numbers), list(query.names)
        (['nato', 'keep', '5120', 'report', 'malta'], ['5120'], ['NATO', 'Malta'])
        >>> Query.of(query) is Query.of(query.text) is query
        True
    """

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            raise TypeError(f"a question is text, not {type(text).__name__}")
        self.text = text
        self._index_terms: dict[tuple[str, ...], list[QueryTerm]] = {}
        self._encoded: dict[str, EncodedQuery] = {}

    @staticmethod
    def of(text: str | Query) -> Query:
        """The Query of a text."""
        if isinstance(text, str):
            return _query(text)
        return text if isinstance(text, Query) else Query(text)  # which refuses it

    def __repr__(self) -> str:
        """As it was typed."""
        return f"Query({self.text!r})"

    @cached_property
    def words(self) -> list[str]:
        """Its words, stemmed, in order."""
        return words(self.text)

    @cached_property
    def terms(self) -> list[str]:
        """Its content words, stemmed, in order; every word when it has nothing but stop words."""
        return terms_of(self.words)

    @cached_property
    def numbers(self) -> frozenset[str]:
        """The numbers in it, in one notation."""
        return numbers(self.text)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What looks like names in it."""
        return tuple(names_in(self.text))

    @cached_property
    def exact(self) -> list[ExactThing]:
        """The dates, versions, codes and the like that it names."""
        return exact_things(self.text)

    @cached_property
    def symbols(self) -> Mapping[str, float]:
        """The symbols of code that it names, each with its share of the query."""
        return symbols(self.text)

    @cached_property
    def tokens(self) -> TokenizedQuestion:
        """Its words as they are written, for entity linking."""
        return TokenizedQuestion(self.text)

    def index_terms(self, languages: Sequence[str]) -> list[QueryTerm]:
        """The terms to look up in an index of documents in these languages, in order."""
        key = tuple(languages)
        if key not in self._index_terms:
            self._index_terms[key] = query_terms(self.text, key)
        return self._index_terms[key]

    def encoded(self, encoder: Encoder) -> EncodedQuery:
        """Its vector and token vectors."""
        if encoder.fingerprint not in self._encoded:
            self._encoded[encoder.fingerprint] = encoder.encode_query(self.text)
        return self._encoded[encoder.fingerprint]


@lru_cache(maxsize=_KEPT)
def _query(text: str) -> Query:
    return Query(text)
