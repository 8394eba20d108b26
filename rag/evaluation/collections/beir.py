"""Test collections in BEIR's layout: `corpus.jsonl`, `queries.jsonl` and `qrels/SPLIT.tsv`.

Thakur et al., BEIR: A Heterogeneous Benchmark for Zero-shot Evaluation of Information Retrieval Models (2021).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from connectors.document import CODE, Document
from connectors.errors import SourceError
from connectors.formats.codelike import looks_like_code
from connectors.source import Added, Changed, Event, KnownDocument, Removed, Unchanged
from rag.evaluation.collections.lines import read_lines, read_records
from rag.evaluation.collections.qrels import read_judgements

LAYOUT = "a BEIR folder holds corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv"


class BeirCorpus:
    """The corpus of a BEIR folder as a Source: one document per line, with its id as URI."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "corpus.jsonl"

    @property
    def uri(self) -> str:
        """The absolute path of the corpus file."""
        return str(self._file.absolute())

    def size_hint(self) -> int | None:
        """The number of lines."""
        return sum(1 for _ in read_lines(self._file, LAYOUT))

    def ids(self) -> set[str]:
        """Every document id; the whole corpus is read and checked.

        Raises:
            SourceError: as `events`, or the corpus is empty.
        """
        ids = {document.uri for document in self._documents()}
        if not ids:
            raise SourceError(f"{self._file} holds no documents", hint='each line must be {"_id": "d1", "text": "…"}')
        return ids

    def events(self, known: Mapping[str, KnownDocument]) -> Iterator[Event]:
        """One event a document. A collection with a broken line measures nothing, so such a line ends the iteration.

        Raises:
            SourceError: for a file that is missing or unreadable, a broken line, or an id that occurs twice.
        """
        yield from changes(self._documents(), known)

    def _documents(self) -> Iterator[Document]:
        seen: set[str] = set()
        for where, record in read_records(self._file, LAYOUT):
            key, title, text = (_text(record, name, where) for name in ("_id", "title", "text"))
            document = make_document(key, title, text, "beir")
            if document.uri in seen:
                raise SourceError(f"{where}: the id {document.uri!r} occurs twice", hint="ids must be unique")
            seen.add(document.uri)
            yield document


def changes(documents: Iterable[Document], known: Mapping[str, KnownDocument]) -> Iterator[Event]:
    """What `documents`, all that there are, mean for what is known."""
    gone = dict.fromkeys(known)
    for document in documents:
        gone.pop(document.uri, None)
        before = known.get(document.uri)
        if before is None:
            yield Added(document)
        elif before.revision == document.revision:
            yield Unchanged(document.uri)
        else:
            yield Changed(document)
    yield from map(Removed, gone)


def read_queries(folder: Path) -> dict[str, str]:
    """Query id → text, from `queries.jsonl`.

    Raises:
        SourceError: for a missing, unreadable or empty file, a broken line, an empty query, or an id that occurs twice.
    """
    return read_query_file(folder / "queries.jsonl")


def read_query_file(file: Path) -> dict[str, str]:
    """Query id → text, from a JSONL file with `_id` and `text`; as `read_queries`."""
    queries: dict[str, str] = {}
    for where, record in read_records(file, LAYOUT):
        key, text = _text(record, "_id", where), _text(record, "text", where)
        if key in queries:
            raise SourceError(f"{where}: the id {key!r} occurs twice", hint="ids must be unique")
        if not text.strip():
            raise SourceError(f"{where}: the query {key!r} is empty", hint="give it a text, or delete the line")
        queries[key] = text
    if not queries:
        raise SourceError(f"{file} holds no queries", hint='each line must be {"_id": "q1", "text": "…"}')
    return queries


def read_qrels(folder: Path, split: str) -> dict[str, dict[str, int]]:
    """Query id → document id → relevance, from `qrels/SPLIT.tsv`.

    Raises:
        SourceError: for a file that is missing (the hint lists the splits there are) or unreadable, or a broken line.
    """
    return read_judgements(qrels_file(folder, split)).grades


def qrels_file(folder: Path, split: str) -> Path:
    """Where the judgements of a split are.

    Raises:
        SourceError: they are not there; the hint lists the splits there are.
    """
    file = folder / "qrels" / f"{split}.tsv"
    if not file.is_file():
        splits = sorted(path.stem for path in file.parent.glob("*.tsv"))
        raise SourceError(
            f"{file} does not exist", hint=f"the splits here are: {', '.join(splits)}" if splits else LAYOUT
        )
    return file


def _text(record: Mapping[str, Any], key: str, where: str) -> str:
    value = record.get(key, "" if key == "title" else None)
    if not isinstance(value, str):
        raise SourceError(f"{where}: {key!r} is {value!r}, not a text", hint=f"every line needs a text {key!r}")
    return value


def make_document(key: str, title: str, text: str, kind: str) -> Document:
    """A document of a test collection, whose URI is its id; its kind is `kind`, or `code` where it looks like code."""
    content = text if text.strip() else title  # a document that is all title can be found by it
    return Document(
        uri=key,
        title=title,
        text=content,
        kind=CODE if looks_like_code(content) else kind,
        revision=hashlib.blake2b(f"{title}\0{text}".encode("utf-8", "surrogatepass"), digest_size=16).hexdigest(),
        context=title if content is text else "",
    )
