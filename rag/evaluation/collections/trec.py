"""TREC's formats: documents and topics in its SGML, and runs for trec_eval."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from connectors.document import Document
from connectors.errors import SourceError
from connectors.source import Event, KnownDocument
from rag.evaluation.collections.beir import changes, make_document, read_query_file
from rag.evaluation.collections.lines import read_bytes, read_lines

_TAG = re.compile(r"<[^<>]{1,200}>")
_FIELD = r"<{0}>(.*?)(?=</{0}>|\Z)"
_DOCNO = re.compile(_FIELD.format("docno"), re.IGNORECASE | re.DOTALL)
_TITLE = re.compile(r"<(title|headline|head|ttl|hl)>(.*?)</\1>", re.IGNORECASE | re.DOTALL)
_BODY = re.compile(r"<text>(.*?)</text>", re.IGNORECASE | re.DOTALL)
# Topics do not close their tags: a field ends where the next one begins.
_TOPIC = re.compile(r"<(num|title)>\s*(?:number:|topic:)?(.*?)(?=<\w+>|</\w+>|\Z)", re.IGNORECASE | re.DOTALL)
_DOCUMENTS = "documents are <DOC> … </DOC> blocks, each with a <DOCNO>"
_TOPICS = "topics are <top> blocks with <num> and <title>, lines of id, tab and text, or JSONL with _id and text"
_TSV_COLUMNS = 2


class TrecCorpus:
    """A file, or a folder of files (gzipped or not), of TREC documents as a Source. The URI of each is its DOCNO."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def uri(self) -> str:
        """The absolute path."""
        return str(self._path.absolute())

    def size_hint(self) -> None:
        """Unknown until everything has been read."""

    def ids(self) -> set[str]:
        """Every document id; the whole corpus is read and checked.

        Raises:
            SourceError: as `events`, or there are no documents.
        """
        ids = {document.uri for document in self._documents()}
        if not ids:
            raise SourceError(f"{self._path} holds no TREC documents", hint=_DOCUMENTS)
        return ids

    def events(self, known: Mapping[str, KnownDocument]) -> Iterator[Event]:
        """One event a document.

        Raises:
            SourceError: for a file that is unreadable, a document without a DOCNO, or one that occurs twice.
        """
        yield from changes(self._documents(), known)

    def _documents(self) -> Iterator[Document]:
        if not self._path.exists():
            raise SourceError(f"{self._path} is not there", hint=_DOCUMENTS)
        seen: set[str] = set()
        is_folder = self._path.is_dir()
        for file in sorted(filter(Path.is_file, self._path.rglob("*"))) if is_folder else [self._path]:
            for where, block in _blocks(_decoded(file), "doc", file):
                document = _document(block, where)
                if document.uri in seen:
                    raise SourceError(f"{where}: the DOCNO {document.uri!r} occurs twice", hint="ids must be unique")
                seen.add(document.uri)
                yield document


def read_topics(file: Path) -> dict[str, str]:
    """Query id → text: the titles of TREC topics, a TSV of ids and texts, or BEIR's JSONL (by the name `.jsonl`).

    Raises:
        SourceError: the file is missing, unreadable or empty, a topic has no number or title, or an id occurs twice.
    """
    if file.suffix == ".jsonl":
        return read_query_file(file)
    topics: dict[str, str] = {}
    for where, key, text in _topics(file):
        if not key or not text:
            raise SourceError(f"{where}: the topic {key!r} has no {'title' if key else 'number'}", hint=_TOPICS)
        if key in topics:
            raise SourceError(f"{where}: the id {key!r} occurs twice", hint="ids must be unique")
        topics[key] = text
    if not topics:
        raise SourceError(f"{file} holds no topics", hint=_TOPICS)
    return topics


def run_lines(rankings: Mapping[str, Iterable[tuple[str, float]]], tag: str) -> Iterator[str]:
    """A run for trec_eval: `query Q0 document rank score tag` a line. White space in ids is percent-encoded.

    Example:
        >>> list(run_lines({"q1": [("my notes.md", 0.5)]}, "pilotfish-hybrid"))
        ['q1 Q0 my%20notes.md 1 0.5 pilotfish-hybrid']
    """
    for query, ranked in rankings.items():
        for rank, (document, score) in enumerate(ranked, 1):
            yield f"{_bare(query)} Q0 {_bare(document)} {rank} {score!r} {tag}"


def _bare(name: str) -> str:
    return re.sub(r"[\s%]", lambda match: quote(match.group()), name) if re.search(r"\s", name) else name


def _decoded(file: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines. TREC's disks are Latin-1, newer files UTF-8: what is not the one is the other."""
    for number, line in enumerate(read_bytes(file, _DOCUMENTS), 1):
        try:
            yield number, line.decode()
        except UnicodeDecodeError:
            yield number, line.decode("latin-1")


def _blocks(lines: Iterable[tuple[int, str]], tag: str, file: Path) -> Iterator[tuple[str, str]]:
    """Where it begins and the text of every `<tag> … </tag>`; both stand at the beginning of a line."""
    opening, closing = f"<{tag}>", f"</{tag}>"
    where, block = "", list[str]()
    for number, line in lines:
        start = line.lstrip().lower()
        if start.startswith(opening):
            if block:
                raise SourceError(f"{where}: this <{tag}> is not closed", hint=f"close it with </{tag}>")
            where = f"{file}, line {number}"
        if where:
            block.append(line)
        if where and start.rstrip().endswith(closing):
            yield where, "".join(block)
            where, block = "", []
    if block:
        raise SourceError(f"{where}: this <{tag}> is not closed", hint=f"close it with </{tag}>")


def _document(block: str, where: str) -> Document:
    docno = _DOCNO.search(block)
    key = docno[1].strip() if docno else ""
    if not docno or not key:
        raise SourceError(f"{where}: the document has no DOCNO", hint=_DOCUMENTS)
    title = _TITLE.search(block)
    rest = block.replace(docno[0], "", 1)
    body = "\n".join(_BODY.findall(block)) or (rest.replace(title[0], "", 1) if title else rest)
    return make_document(key, " ".join(_plain(title[2]).split()) if title else "", _plain(body).strip(), "trec")


def _plain(markup: str) -> str:
    return html.unescape(_TAG.sub(" ", markup))


def _topics(file: Path) -> Iterator[tuple[str, str, str]]:
    """Where it stands, id and text of each topic."""
    lines = list(read_lines(file, _TOPICS))
    if not any(line.lstrip().lower().startswith("<top>") for _, line in lines):
        for where, line in lines:
            cells = line.split("\t")
            if len(cells) != _TSV_COLUMNS:
                raise SourceError(f"{where}: {line[:80]!r} is not an id and a text", hint=_TOPICS)
            yield where, cells[0].strip(), cells[1].strip()
        return
    numbered = ((int(where.rpartition(" ")[2]), f"{line}\n") for where, line in lines)
    for where, block in _blocks(numbered, "top", file):
        found = {name.lower(): " ".join(_plain(text).split()) for name, text in _TOPIC.findall(block)}
        yield where, found.get("num", ""), found.get("title", "")
