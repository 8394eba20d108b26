"""Test collections in BEIR's layout: `corpus.jsonl`, `queries.jsonl` and `qrels/SPLIT.tsv`.

Thakur et al., BEIR: A Heterogeneous Benchmark for Zero-shot Evaluation of Information Retrieval Models (2021).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from connectors.document import Document
from connectors.errors import SourceError
from connectors.source import Added, Changed, Event, Known, Removed, Unchanged

_LAYOUT = "a BEIR folder holds corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv"


class BeirCorpus:
    """The corpus of a BEIR folder as a Source: one document a line, whose URI is its id."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "corpus.jsonl"

    @property
    def uri(self) -> str:
        """The absolute path of the corpus file."""
        return str(self._file.absolute())

    def size_hint(self) -> int | None:
        """The number of lines."""
        return sum(1 for _, line in _lines(self._file) if line.strip())

    def ids(self) -> set[str]:
        """Every document id."""
        return {_text(record, "_id", where) for where, record in read_records(self._file)}

    def events(self, known: Mapping[str, Known]) -> Iterator[Event]:
        """One event a document. A collection with a broken line measures nothing, so such a line ends the iteration.

        Raises:
            SourceError: for a file that is missing or unreadable, a broken line, or an id that occurs twice.
        """
        seen: set[str] = set()
        for where, record in read_records(self._file):
            document = _document(record, where)
            if document.uri in seen:
                raise SourceError(f"{where}: the id {document.uri!r} occurs twice", hint="ids must be unique")
            seen.add(document.uri)
            before = known.get(document.uri)
            if before is None:
                yield Added(document)
            elif before.revision == document.revision:
                yield Unchanged(document.uri)
            else:
                yield Changed(document)
        yield from (Removed(uri) for uri in known if uri not in seen)


def read_queries(folder: Path) -> dict[str, str]:
    """Query id → text, from `queries.jsonl`.

    Raises:
        SourceError: for a missing or unreadable file, a broken line, an empty query, or an id that occurs twice.
    """
    queries: dict[str, str] = {}
    for where, record in read_records(folder / "queries.jsonl"):
        key, text = _text(record, "_id", where), _text(record, "text", where)
        if key in queries:
            raise SourceError(f"{where}: the id {key!r} occurs twice", hint="ids must be unique")
        if not text.strip():
            raise SourceError(f"{where}: the query {key!r} is empty", hint="give it a text, or delete the line")
        queries[key] = text
    return queries


def read_qrels(folder: Path, split: str) -> dict[str, dict[str, int]]:
    """Query id → document id → relevance, from `qrels/SPLIT.tsv`.

    Raises:
        SourceError: for a file that is missing (the hint lists the splits there are) or unreadable, or a broken line.
    """
    file = folder / "qrels" / f"{split}.tsv"
    if not file.is_file():
        splits = sorted(path.stem for path in file.parent.glob("*.tsv"))
        hint = f"the splits here are: {', '.join(splits)}" if splits else _LAYOUT
        raise SourceError(f"{file} is not there", hint=hint)
    qrels: dict[str, dict[str, int]] = {}
    for number, line in _lines(file):
        cells = line.split("\t")
        if not line.strip() or (number == 1 and cells[-1] == "score"):
            continue
        try:
            query, document, grade = cells
            qrels.setdefault(query, {})[document] = int(grade)
        except ValueError as error:
            raise SourceError(
                f"{file}, line {number}: {line[:80]!r} is not a judgement",
                hint="a line is: query id, document id and a whole number, separated by tabs",
            ) from error
    if not qrels:
        raise SourceError(f"{file} holds no judgements", hint="a line is: query id, document id, score")
    return qrels


def read_records(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Where it stands (`FILE, line N`) and the object, for every line of a JSONL file.

    Raises:
        SourceError: for a file that is missing or unreadable, or a line that is not a JSON object.
    """
    for number, line in _lines(file):
        if not line.strip():
            continue
        where = f"{file}, line {number}"
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise SourceError(f"{where}: not JSON ({error})", hint="each line is one JSON object") from error
        if not isinstance(record, dict):
            raise SourceError(f"{where}: not a JSON object", hint="each line is one JSON object")
        yield where, record


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    """Line numbers from 1, and lines without their ends."""
    try:
        with file.open(encoding="utf-8-sig", newline="\n") as lines:
            for number, line in enumerate(lines, 1):
                yield number, line.rstrip("\r\n")
    except FileNotFoundError as error:
        raise SourceError(f"{file} is not there", hint=_LAYOUT) from error
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{file} cannot be read: {error}", hint="it should be a readable UTF-8 file") from error


def _text(record: Mapping[str, Any], key: str, where: str) -> str:
    value = record.get(key, "" if key == "title" else None)
    if not isinstance(value, str):
        raise SourceError(f"{where}: {key!r} is {value!r}, not a text", hint=f"every line needs a text {key!r}")
    return value


def _document(record: Mapping[str, Any], where: str) -> Document:
    key, title, text = (_text(record, name, where) for name in ("_id", "title", "text"))
    content = text if text.strip() else title  # a document that is all title can be found by it
    return Document(
        uri=key,
        title=title,
        text=content,
        kind="beir",
        revision=hashlib.blake2b(f"{title}\0{text}".encode("utf-8", "surrogatepass"), digest_size=16).hexdigest(),
        context=title if content is text else "",
    )
