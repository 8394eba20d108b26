"""What the store's parts must do, in the plainest way: dictionaries, loops, and the formulas as they are printed."""

from __future__ import annotations

import copy
import itertools
import json
import math
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from connectors.errors import ConfigurationError
from connectors.source import KnownDocument
from indexes.catalog.filters import OPERATORS, Condition
from indexes.catalog.reading import Ids, Vectors
from indexes.catalog.rows import ChunkRow, DocumentRow, SourceCount, StoredChunk
from indexes.errors import DamagedError, StoreError
from indexes.files import read_checked, write_checked
from indexes.sparse.fields import BOOSTS, CODE_BOOSTS, field_terms
from indexes.sparse.sparse import Mask, Scores, SparseState
from indexes.terms.names import StoredName, normal

# BM25, Robertson and Zaragoza, "The Probabilistic Relevance Framework" (2009).
K1, B = 1.2, 0.75


class NaiveSparseIndex:
    """The terms of every chunk in one JSON file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.state, self.chunks = SparseState(), {}
        with suppress(OSError, ValueError):
            self.state, self.chunks = _load(path)

    def rebuild(self, chunks: Iterable[StoredChunk], state: SparseState) -> None:
        self.chunks = {}
        self.apply(chunks, np.empty(0, np.int64), state)

    def apply(self, add: Iterable[StoredChunk], delete: Ids, state: SparseState) -> None:
        for key in delete.tolist():
            self.chunks.pop(key, None)
        for chunk in add:
            self.chunks[chunk.id] = (state.generation, field_terms(chunk))
        self.state = state
        self.path.mkdir(exist_ok=True)
        write_checked(self.path / "index.json", {"state": asdict(state), "chunks": list(self.chunks.items())})

    def close(self) -> None:
        pass


class NaiveSparseReader:
    """BM25 by its formula over every chunk."""

    def __init__(self, path: Path) -> None:
        try:
            self.state, self.chunks = _load(path)
        except (OSError, ValueError) as error:
            raise StoreError(f"the sparse index at {path} cannot be read: {error}", hint="run `rag index`") from error

    @property
    def size(self) -> int:
        return len(self.chunks)

    def document_frequency(self, term: str) -> int:
        return sum(term in fields["body"] for _, fields in self.chunks.values())

    def search(self, terms: Sequence[str], limit: int, mask: Mask) -> tuple[Ids, Scores]:
        allowed = None if mask.allowed is None else set(mask.allowed.tolist())
        hidden = set(mask.dead.tolist())
        seen = [
            key
            for key, (born, fields) in self.chunks.items()
            if born <= mask.generation
            and key not in hidden
            and (allowed is None or key in allowed)
            and set(terms) & set(itertools.chain(*fields.values()))
        ]
        scores = self.scores(terms, np.array(seen, np.int64))
        order = np.argsort(-scores, kind="stable")[: max(0, limit)]
        return np.array(seen, np.int64)[order], scores[order]

    def scores(self, terms: Sequence[str], ids: Ids) -> Scores:
        total = dict.fromkeys(ids.tolist(), 0.0)
        for name, boost in (*BOOSTS.items(), *CODE_BOOSTS.items()):
            held = {key: fields.get(name, []) for key, (_, fields) in self.chunks.items()}
            shortening = 1.0
            if name in CODE_BOOSTS:  # what a term counts once in a stretch as long as the mean of code
                code = max(1, sum(name in fields for _, fields in self.chunks.values()))
                shortening = (1 + K1 * (1 - B + B * len(held) / code)) / (1 + K1)
            scores = bm25(terms, held)
            total = {key: score + boost * shortening * scores.get(key, 0) for key, score in total.items()}
        return np.array([total[key] for key in ids.tolist()], np.float32)


def bm25(terms: Sequence[str], documents: Mapping[int, list[str]]) -> dict[int, float]:
    """The scores of documents, given as their terms, for a query."""
    scores = dict.fromkeys(documents, 0.0)
    average = sum(map(len, documents.values())) / max(1, len(documents)) or 1
    for term in terms:
        frequency = sum(term in document for document in documents.values())
        idf = math.log(1 + (len(documents) - frequency + 0.5) / (frequency + 0.5))
        for key, document in documents.items():
            if occurs := document.count(term):
                scores[key] += idf * occurs * (K1 + 1) / (occurs + K1 * (1 - B + B * len(document) / average))
    return scores


def _load(path: Path) -> tuple[SparseState, dict[int, tuple[int, dict[str, list[str]]]]]:
    written = read_checked(path / "index.json")
    return SparseState(**written["state"]), dict(written["chunks"])


class NaiveDense:
    """Every live vector in one JSON file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, old: Vectors, new: Vectors, dead: Ids) -> None:
        self.folder.mkdir()
        vectors = dict(enumerate([*old, *new], 1))
        write_checked(
            self.folder / "vectors.json", {str(key): vectors[key].tolist() for key in set(vectors) - set(dead)}
        )

    def nearest(self, query: Vectors, limit: int, allowed: Ids | None = None) -> tuple[Ids, Scores]:
        live = _ids(self._vectors)
        ids = live if allowed is None else np.intersect1d(live, allowed)
        cosines = self.cosines(query, ids)
        order = np.lexsort((ids, -cosines))[: max(0, limit)]
        return ids[order], cosines[order]

    def cosines(self, query: Vectors, ids: Ids) -> Scores:
        nothing = np.zeros_like(query)
        return np.array([self._vectors.get(key, nothing) @ query for key in ids.tolist()], np.float32)

    def close(self) -> None:
        pass

    @cached_property
    def _vectors(self) -> dict[int, Vectors]:
        try:
            written = read_checked(self.folder / "vectors.json")
        except (OSError, ValueError) as error:
            raise StoreError(f"the dense index at {self.folder} cannot be read") from error
        return {int(key): np.array(vector, np.float32) for key, vector in written.items()}


@dataclass(slots=True)
class _Document:
    row: DocumentRow
    born: int
    source_id: int
    stamp: str
    died: int | None = None

    def alive(self, generation: int) -> bool:
        return self.born <= generation and (self.died is None or self.died > generation)

    @property
    def chunks(self) -> range:
        return range(self.row.first_chunk, self.row.first_chunk + self.row.chunks)


@dataclass(slots=True)
class NaiveTransaction:
    """Everything a catalog holds, and everything one can ask or do with it. Texts go in as UTF-8 can hold them."""

    settings: dict[str, str] = field(default_factory=dict)
    marks: dict[int, str] = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)
    documents: dict[int, _Document] = field(default_factory=dict)
    chunks: dict[int, ChunkRow] = field(default_factory=dict)
    graves: list[tuple[range, int]] = field(default_factory=list)
    vectors: dict[tuple[bytes, str], bytes] = field(default_factory=dict)
    tokens: dict[tuple[bytes, str], bytes] = field(default_factory=dict)

    def setting(self, key: str, default: str = "") -> str:
        return self.settings.get(key, default)

    def set_setting(self, key: str, value: str) -> None:
        self.settings[key] = value

    def take_ids(self, counter: str, count: int) -> int:
        first = int(self.setting(counter, "1"))
        self.settings[counter] = str(first + count)
        return first

    def generation(self) -> int:
        return int(self.setting("generation", "0"))

    def begin_generation(self, number: int) -> None:
        self.marks[number] = f"{number}-{len(self.marks)}-{zlib.crc32(repr(self.documents).encode())}"

    def mark(self, generation: int) -> str:
        return self.marks.get(generation, "")

    def pending_generation(self) -> int | None:
        latest = max(self.marks, default=0)
        return latest if latest > self.generation() else None

    def forget_generations(self, keep: Iterable[int]) -> None:
        self.marks = {number: mark for number, mark in self.marks.items() if number in keep}

    def add_source(self, uri: str) -> int:
        return self.sources.setdefault(uri, max(self.sources.values(), default=0) + 1)

    def drop_source(self, source_id: int) -> None:
        self.sources = {uri: key for uri, key in self.sources.items() if key != source_id}

    def source_uris(self) -> dict[str, int]:
        return dict(self.sources)

    def move_documents(self, source_id: int, to: int, place: str) -> None:
        for document in self.documents.values():
            at = document.row.uri
            if document.source_id == source_id and (at == place or at.startswith(f"{place.rstrip('/')}/")):
                document.source_id = to

    def add_documents(self, rows: Sequence[DocumentRow], born: int) -> None:
        self.documents.update((row.id, _Document(row, born, row.source_id, row.stamp)) for row in rows)

    def add_chunks(self, rows: Iterable[ChunkRow]) -> None:
        self.chunks.update((row.id, row) for row in rows)

    def kill_documents(self, uris: Sequence[str], died: int) -> int:
        doomed = [each for each in self.documents.values() if each.row.uri in uris and each.died is None]
        for document in doomed:
            document.died = died
        return sum(document.row.chunks for document in doomed)

    def set_stamps(self, stamps: Mapping[str, str]) -> None:
        for document in self.documents.values():
            if document.died is None:
                document.stamp = stamps.get(document.row.uri, document.stamp)

    def bury(self, through: int, limit: int) -> int:
        doomed = [each for each in self.documents.values() if each.died is not None and each.died <= through][:limit]
        for document in doomed:
            del self.documents[document.row.id]
            gone = {self.chunks.pop(key).text_hash for key in document.chunks}
            gone -= {chunk.text_hash for chunk in self.chunks.values()}
            for table in (self.vectors, self.tokens):
                for key in [key for key in table if key[0] in gone]:
                    del table[key]
            if document.row.chunks:
                self.graves.append((document.chunks, document.died or 0))
        return len(doomed)

    def clear_graves(self, through: int) -> None:
        self.graves = [(chunks, died) for chunks, died in self.graves if died > through]

    def add_vectors(self, encoder: str, hashes: Sequence[bytes], values: Vectors, codes: Sequence[bytes]) -> None:
        for key, vector in zip(hashes, values, strict=True):
            self.vectors.setdefault((key, encoder), vector.astype(np.float16).tobytes())
        for key, code in zip(hashes, codes, strict=False):
            self.tokens.setdefault((key, encoder), code)

    def sweep_vectors(self, encoder: str) -> None:
        used = {(chunk.text_hash, encoder) for chunk in self.chunks.values()}
        self.vectors = {key: value for key, value in self.vectors.items() if key in used}
        self.tokens = {key: value for key, value in self.tokens.items() if key in used}

    def drop_tokens(self) -> None:
        self.tokens = {}

    def known(self, source_id: int, generation: int) -> dict[str, KnownDocument]:
        live = [each for each in self._alive(generation) if each.source_id == source_id]
        return {document.row.uri: KnownDocument(document.row.revision, document.stamp) for document in live}

    def known_among(self, source_id: int, generation: int, uris: Sequence[str]) -> dict[str, KnownDocument]:
        return {uri: known for uri, known in self.known(source_id, generation).items() if uri in uris}

    def known_uris(self, source_id: int, generation: int, after: int, limit: int) -> list[tuple[int, str]]:
        live = [each.row for each in self._alive(generation) if each.source_id == source_id and each.row.id > after]
        return [(row.id, row.uri) for row in live][:limit]

    def count_known(self, source_id: int, generation: int) -> int:
        return len(self.known(source_id, generation))

    def named(self, normals: Sequence[str], generation: int) -> dict[str, list[StoredName]]:
        found: dict[str, list[StoredName]] = {}
        for document in self._alive(generation):
            for name in self._names(document):
                if normal(name.text) in normals:
                    found.setdefault(normal(name.text), []).append(name)
        return found

    def names_within(self, uri: str, generation: int) -> list[StoredName]:
        return [name for each in self._alive(generation) if each.row.uri == uri for name in self._names(each)]

    def has_names(self) -> bool:
        return any(document.row.names for document in self.documents.values())

    def _names(self, document: _Document) -> list[StoredName]:
        called = sorted(document.row.names, key=lambda name: (name.start, name.role))
        return [StoredName(name.text, name.role, name.start, document.row.uri, document.chunks) for name in called]

    def find_document(self, uri: str, generation: int) -> tuple[int, KnownDocument] | None:
        for document in self._alive(generation):
            if document.row.uri == uri:
                return document.source_id, KnownDocument(document.row.revision, document.stamp)
        return None

    def count_sources(self, generation: int) -> list[SourceCount]:
        counts = []
        for uri, key in sorted(self.sources.items()):
            its = [document for document in self._alive(generation) if document.source_id == key]
            counts.append(SourceCount(uri, len(its), sum(document.row.chunks for document in its)))
        return counts

    def count_chunks(self, generation: int) -> int:
        return sum(document.row.chunks for document in self._alive(generation))

    def count_documents(self, generation: int) -> int:
        return len(self._alive(generation))

    def count_changed(self, after: int, through: int) -> int:
        return len(self.born_chunks(after, through)) + len(self.dead_chunks(after, through))

    def born_chunks(self, after: int, through: int) -> Ids:
        return _ids(key for document in self._alive(through) if document.born > after for key in document.chunks)

    def dead_chunks(self, after: int, through: int) -> Ids:
        dead = [(each.chunks, each.died) for each in self.documents.values() if each.died is not None] + self.graves
        return _ids({key for chunks, died in dead if after < died <= through for key in chunks})

    def chunks_by_id(self, ids: Sequence[int]) -> dict[int, StoredChunk]:
        return {key: self._stored(key) for key in ids if key in self.chunks}

    def chunks_of_generation(self, after: int, through: int) -> Iterator[StoredChunk]:
        return map(self._stored, self.born_chunks(after, through).tolist())

    def vectors_by_id(self, encoder: str, ids: Ids, dimensions: int) -> tuple[Ids, Vectors]:
        found = self._of_texts(self.vectors, encoder, ids)
        if any(len(vector) != 2 * dimensions for vector in found.values()):
            raise DamagedError("a vector")
        rows = np.frombuffer(b"".join(found.values()), np.float16).reshape(len(found), dimensions)
        return _ids(found), rows.astype(np.float32)

    def tokens_by_id(self, encoder: str, ids: Sequence[int]) -> dict[int, bytes]:
        return self._of_texts(self.tokens, encoder, ids)

    def missing_vectors(self, encoder: str, hashes: Iterable[bytes]) -> set[bytes]:
        return {key for key in hashes if (key, encoder) not in self.vectors}

    def unencoded_chunks(
        self, encoder: str, generation: int, after: int, limit: int, *, tokens: bool = False
    ) -> list[tuple[int, bytes, str]]:
        table = self.tokens if tokens else self.vectors
        found = [self.chunks[key] for key in self.born_chunks(0, generation).tolist() if key > after]
        missing = [chunk for chunk in found if (chunk.text_hash, encoder) not in table]
        return [(chunk.id, chunk.text_hash, self._stored(chunk.id).indexed_text) for chunk in missing][:limit]

    def filtered(self, filters: Mapping[str, Condition], generation: int) -> Ids:
        keys = {key for document in self.documents.values() for key in document.row.metadata}
        for key in filters:
            if key not in keys and key not in _COLUMNS:
                raise ConfigurationError(f"unknown filter key {key!r}", hint=", ".join(sorted(keys)))
        return _ids(
            chunk
            for document in self._alive(generation)
            if all(meets(document.row, key, condition) for key, condition in filters.items())
            for chunk in document.chunks
        )

    def _alive(self, generation: int) -> list[_Document]:
        return [document for document in self.documents.values() if document.alive(generation)]

    def _of_texts(self, table: Mapping[tuple[bytes, str], bytes], encoder: str, ids: Iterable[int]) -> dict[int, bytes]:
        known = [
            (key, (self.chunks[key].text_hash, encoder)) for key in sorted(set(map(int, ids))) if key in self.chunks
        ]
        return {key: table[place] for key, place in known if place in table}

    def _stored(self, key: int) -> StoredChunk:
        chunk, row = self.chunks[key], self.documents[self.chunks[key].document_id].row
        metadata = json.loads(json.dumps(dict(row.metadata)))
        return StoredChunk(
            key, chunk.text, chunk.context, chunk.location, row.uri, row.title, row.kind, row.language, metadata
        )


class NaiveCatalog:
    """Transactions are copies: one that fails is thrown away."""

    def __init__(self) -> None:
        self._now = NaiveTransaction()

    @contextmanager
    def reading(self) -> Iterator[NaiveTransaction]:
        yield self._now

    @contextmanager
    def writing(self) -> Iterator[NaiveTransaction]:
        changed = copy.deepcopy(self._now)
        yield changed
        self._now = changed


_COLUMNS = ("uri", "title", "kind", "language")


def meets(row: DocumentRow, key: str, condition: Condition) -> bool:
    """Whether a document meets one filter."""
    if not isinstance(condition, Mapping):
        condition = {"=": condition}
    if unknown := set(condition) - set(OPERATORS):
        raise ConfigurationError(f"unknown operator {unknown}")
    in_column = key in _COLUMNS
    if not in_column and key not in row.metadata:
        return False
    stored = getattr(row, key) if in_column else row.metadata[key]
    either = [_equal(stored, value, in_column) for value in _each(condition.get("=", ()))]
    either += [_text(stored).startswith(_text(value)) for value in _each(condition.get("prefix", ()))]
    if {"=", "prefix"} & set(condition) and not any(either):
        return False
    return all(
        _compare(stored, operator, value, in_column)
        for operator in set(condition) - {"=", "prefix"}
        for value in _each(condition[operator])
    )


def _equal(stored: object, value: object, in_column: bool) -> bool:
    if _text(stored) == _text(value):
        return True
    if _text(value).removeprefix("-").isdecimal() and abs(int(_text(value))) >= 2**53:
        return False  # a float may stand for several such numbers
    return not in_column and _number(value) is not None and _number(stored) == _number(value)


def _compare(stored: object, operator: str, value: object, in_column: bool) -> bool:
    left, right = _text(stored), _text(value)
    if not in_column and _number(value) is not None:
        if _number(stored) is None:
            return False
        left, right = _number(stored), _number(value)  # type: ignore[assignment]
    return {">": left > right, ">=": left >= right, "<": left < right, "<=": left <= right}[operator]


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(value: object) -> float | None:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _each(values: object) -> Sequence[object]:
    return values if isinstance(values, list | tuple) else [values]


def _ids(keys: Iterable[int]) -> Ids:
    return np.array(sorted(keys), np.int64)
