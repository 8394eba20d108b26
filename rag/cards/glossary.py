"""Glossaries: files of terms with definitions and aliases, and a search for the terms in a question."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from connectors.encoding import decode
from connectors.errors import ConfigurationError
from rag.query.query import Query
from rag.text.words import STOP_WORDS, words

_LARGEST = 32 << 20  # bytes of a file
_MOST = 200_000  # terms
_LONGEST_TERM = 200
_LONGEST_DEFINITION = 4_000
_MOST_ALIASES = 3  # that are added to a query for one term
_LINE = re.compile(
    r"^\s*(?:[-*+]\s+)?(?:\*\*|__)?(?P<term>[^:*_]{1,200}?)(?:\*\*|__)?\s*:\s*(?:\*\*|__)?\s*(?P<definition>\S.*)$"
)
_ALIAS_SEPARATOR = re.compile(r"\s*[;|]\s*")
_PARENTHESES = re.compile(r"^(?P<term>.+?)\s*\((?P<alias>[^()]{1,60})\)$")


@dataclass(frozen=True, slots=True)
class Term:
    """A term, its definition and its aliases."""

    term: str
    definition: str
    aliases: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All that it is called, the term itself first."""
        return (self.term, *self.aliases)

    def __str__(self) -> str:
        """Say it in a sentence: `PTO (paid time off): days for which one is paid.` is one."""
        also = f" ({', '.join(self.aliases)})" if self.aliases else ""
        definition = self.definition.rstrip()
        return f"{self.term}{also}: {definition}{'' if definition.endswith(('.', '!', '?', '。')) else '.'}"


class Glossary:
    """Terms, and where they occur in a question.

    Example:
        >>> glossary = Glossary([Term("PTO", "days for which one is paid", ("paid time off",))])
        >>> [term.term for term in glossary.mentioned("How many days of paid time off are there?")]
        ['PTO']
        >>> glossary.expansions("How much pto is left?")
        ['paid time off']
    """

    def __init__(self, terms: Iterable[Term]) -> None:
        self.terms = tuple(terms)

    def mentioned(self, question: str) -> list[Term]:
        """The terms that `question` has by one of their names, in its order; longer names go before shorter ones."""
        return list(dict.fromkeys(term for term, _ in self._found(question)))

    def expansions(self, question: str) -> list[str]:
        """The other names of the terms in `question`, a few of each, that it does not have yet."""
        added: list[str] = []
        have = f" {' '.join(Query.of(question).words)} "
        for term in self.mentioned(question):
            missing = [name for name in term.names if f" {' '.join(words(name))} " not in have]
            added += [name for name in missing[:_MOST_ALIASES] if name not in added]
        return added

    def _found(self, question: str) -> Iterator[tuple[Term, str]]:
        stems = Query.of(question).words
        place = 0
        while place < len(stems):
            for length in range(min(self._longest, len(stems) - place), 0, -1):
                name = tuple(stems[place : place + length])
                meant = [one for one in self._index.get(name, ()) if _is_meant(one[1], question)]
                if meant:
                    yield from meant
                    place += length
                    break
            else:
                place += 1

    @cached_property
    def _index(self) -> Mapping[tuple[str, ...], list[tuple[Term, str]]]:
        index: dict[tuple[str, ...], list[tuple[Term, str]]] = {}
        for term in self.terms:
            for name in term.names:
                if stems := tuple(words(name)):
                    index.setdefault(stems, []).append((term, name))
        return index

    @cached_property
    def _longest(self) -> int:
        return max(map(len, self._index), default=0)


def read_glossary(path: Path) -> list[Term]:
    """The terms of a file: a table or JSON with `term`, `definition` and `aliases`, or lines `term: definition`.

    Tables are CSV or TSV; several aliases are parted by `;` or `|`. JSON is a list, an object for each line, or one
    object of terms and definitions.

    Raises:
        ConfigurationError: the file cannot be read, or holds no terms.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp(), "terms.md")
        >>> _ = file.write_text("**PTO (paid time off)**: days for which one is paid")
        >>> read_glossary(file)
        [Term(term='PTO', definition='days for which one is paid', aliases=('paid time off',))]
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise ConfigurationError(
                f"{path} is larger than {_LARGEST >> 20} MB", hint="give a list of terms, not a whole text"
            )
        text = decode(path.read_bytes()).text
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    try:
        records = list(_records(path, text))
    except (ValueError, csv.Error) as error:
        raise ConfigurationError(f"{path} cannot be read as {path.suffix[1:]}: {error}") from error
    terms = _terms(records)
    if not terms:
        raise ConfigurationError(
            f"{path} holds no terms",
            hint="give a table with the columns term, definition and aliases, or lines like: PTO (paid time off): …",
        )
    if len(terms) > _MOST:
        raise ConfigurationError(f"{path} holds {len(terms):,} terms", hint=f"the most are {_MOST:,}")
    return terms


def write_terms(path: Path, terms: Iterable[Term]) -> None:
    """Keep terms as JSON lines."""
    lines = (
        json.dumps({"term": one.term, "definition": one.definition, "aliases": one.aliases}, ensure_ascii=False)
        for one in terms
    )
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _records(path: Path, text: str) -> Iterator[Mapping[str, Any]]:
    match path.suffix.lower():
        case ".csv" | ".tsv":
            head = text.partition("\n")[0]
            delimiter = "\t" if path.suffix.lower() == ".tsv" else max(",;\t", key=head.count)
            for row in csv.DictReader(io.StringIO(text), delimiter=delimiter):
                yield {str(key).strip().casefold(): value for key, value in row.items()}
        case ".jsonl" | ".ndjson":
            yield from (json.loads(line) for line in text.splitlines() if line.strip())
        case ".json":
            yield from _json_records(json.loads(text))
        case _:
            for line in text.splitlines():
                if match := _LINE.match(line):
                    yield match.groupdict()


def _json_records(found: object) -> Iterator[Mapping[str, Any]]:
    """A list of records, or one object: term → definition."""
    if isinstance(found, dict):
        yield from ({"term": term, "definition": definition} for term, definition in found.items())
    elif isinstance(found, list):
        yield from found
    else:
        raise ValueError("it is neither a list nor an object")  # noqa: TRY004 — a file's fault, no caller's


def _terms(records: Iterable[object]) -> list[Term]:
    """One entry a term, all definitions and aliases of it together."""
    found: dict[str, Term] = {}
    for record in records:
        term = _term(record)
        if term is None:
            continue
        known = found.get(term.term)
        if known is not None:
            definition = (
                known.definition if term.definition in known.definition else f"{known.definition} {term.definition}"
            )
            term = Term(term.term, definition[:_LONGEST_DEFINITION], _distinct(term.term, known.aliases + term.aliases))
        found[term.term] = term
    return list(found.values())


def _term(record: object) -> Term | None:
    if not isinstance(record, Mapping):
        return None
    name, definition = (_line(record.get(key)) for key in ("term", "definition"))
    if not name or not definition or len(name) > _LONGEST_TERM:
        return None
    aliases = _aliases(record.get("aliases"))
    if match := _PARENTHESES.match(name):
        name, aliases = match["term"], [match["alias"], *aliases]
    return Term(name, definition[:_LONGEST_DEFINITION], _distinct(name, aliases))


def _aliases(value: object) -> list[str]:
    if isinstance(value, str):
        return [alias for alias in map(_line, _ALIAS_SEPARATOR.split(value)) if alias]
    if isinstance(value, Sequence):
        return [alias for alias in map(_line, value) if alias]
    return []


def _distinct(term: str, aliases: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(alias for alias in aliases if alias != term and len(alias) <= _LONGEST_TERM))


def _line(value: object) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""


def _is_meant(name: str, question: str) -> bool:
    """Whether an abbreviation that is a common word, too, stands there in capitals: IT, US, WHO."""
    if name.casefold() not in _COMMON or not name.isupper():
        return name.casefold() not in _COMMON
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", question) is not None and not question.isupper()


_COMMON = frozenset(STOP_WORDS.split())
