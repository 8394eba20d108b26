"""The sparse index: BM25 over a tantivy inverted index. A cache of the catalog, rebuildable from it at any time."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tantivy
from tantivy import FieldType, Occur, Query

from indexes.analyzer import ANALYZER_VERSION, analyze
from indexes.catalog import Ids
from indexes.errors import StoreError
from indexes.files import write_atomically
from indexes.rows import StoredChunk

FORMAT_VERSION = 1
NAME_BOOST = 0.3  # a file's name is a hint, not evidence
_WRITER_BYTES = 64_000_000
_STATE = "state.json"
_SLICE = 1_000  # chunks in memory, and ids in one query, at a time
Scores = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class SparseState:
    """What a sparse index was built for.

    It holds every chunk alive at `generation`, and still holds chunks that died after `purged`.
    """

    generation: int = 0
    purged: int = 0
    format: int = FORMAT_VERSION
    analyzer: int = ANALYZER_VERSION


@dataclass(frozen=True, slots=True)
class Mask:
    """What a search may see: nothing born after `generation`, nothing `dead`, and only `allowed` where given."""

    generation: int
    dead: Ids
    allowed: Ids | None = None


class SparseIndex:
    """The writable side. Opening never fails on a damaged folder: it comes back empty, with state 0, to be rebuilt.

    Where the disk refuses even that, it raises `StoreError`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.state = read_state(path)
        try:
            self._index = _open(path)
        except (ValueError, OSError):
            self._index, self.state = self._recreate(), SparseState()
        if self.state == SparseState() and self._index.searcher().num_docs:
            self._index = self._recreate()
        self._writer: tantivy.IndexWriter | None = None

    def clear(self) -> None:
        """Drop everything, before a rebuild."""
        self.close()
        self._index, self.state = self._recreate(), SparseState()

    def apply(self, add: Iterable[StoredChunk], delete: Ids, state: SparseState) -> None:
        """Delete and add chunks, commit, fsync, and record `state`. Adding a chunk twice leaves it once.

        Raises:
            StoreError: when the disk refuses; the last committed state stays readable.
        """
        try:
            if self._writer is None:
                self._writer = self._index.writer(heap_size=_WRITER_BYTES, num_threads=1)
            writer = self._writer
            self._delete(writer, delete.tolist())
            added = iter(add)
            while part := list(itertools.islice(added, _SLICE)):
                self._delete(writer, [chunk.id for chunk in part])  # a repeated commit must not add them twice
                for chunk in part:
                    writer.add_document(_to_document(chunk, state.generation))
            writer.commit()
            write_atomically(self.path / _STATE, json.dumps(asdict(state)).encode())
        except (ValueError, OSError) as error:
            self._writer = None
            raise _unwritable(self.path, error) from error
        self.state = state

    def close(self) -> None:
        """Let go of the files."""
        if self._writer is not None:
            self._writer.wait_merging_threads()
            self._writer = None

    def _delete(self, writer: tantivy.IndexWriter, ids: Sequence[int]) -> None:
        # By query: deleting by term silently misses unsigned fields (tantivy-py 0.27).
        for start in range(0, len(ids), _SLICE):
            chosen = Query.term_set_query(self._index.schema, "id", ids[start : start + _SLICE])
            writer.delete_documents_by_query(chosen)

    def _recreate(self) -> tantivy.Index:
        shutil.rmtree(self.path, ignore_errors=True)
        try:
            return _open(self.path)
        except (ValueError, OSError) as error:
            raise _unwritable(self.path, error) from error


class SparseReader:
    """A frozen view of the sparse index as it was last committed."""

    def __init__(self, path: Path) -> None:
        self.state = read_state(path)
        try:
            with _lockable(path) as folder:
                index = tantivy.Index.open(str(folder))
                self._searcher = index.searcher()
        except (ValueError, OSError) as error:
            raise StoreError(
                f"the sparse index at {path} cannot be read: {error}", hint="run `rag index` to rebuild it"
            ) from error
        self._schema = index.schema
        self.newest = self._newest_birth()

    @property
    def size(self) -> int:
        """Chunks in the index, dead ones not yet purged included."""
        return self._searcher.num_docs

    def document_frequency(self, term: str) -> int:
        """How many chunks hold `term`."""
        return self._searcher.doc_freq("body", term)

    def search(self, terms: Sequence[str], limit: int, mask: Mask) -> tuple[Ids, Scores]:
        """Ids and BM25 scores of the best `limit` chunks that hold any of `terms`, best first."""
        if not terms or limit < 1:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        return self._run(self._visible(self._any_of(terms), mask), limit)

    def scores(self, terms: Sequence[str], ids: Ids) -> Scores:
        """BM25 scores of exactly these chunks, in their order; 0 where no term occurs."""
        if not terms or not len(ids):
            return np.zeros(len(ids), np.float32)
        found_ids, found = self._run(_only(self._schema, self._any_of(terms), ids), len(ids))
        by_id = dict(zip(found_ids.tolist(), found.tolist(), strict=True))
        return np.array([by_id.get(key, 0.0) for key in ids.tolist()], dtype=np.float32)

    def _any_of(self, terms: Sequence[str]) -> Query:
        clauses: list[tuple[Occur, Query]] = []
        for term in terms:
            clauses.append((Occur.Should, Query.term_query(self._schema, "body", term)))
            name = Query.term_query(self._schema, "name", term)
            clauses.append((Occur.Should, Query.boost_query(name, NAME_BOOST)))
        return Query.boolean_query(clauses)

    def _visible(self, query: Query, mask: Mask) -> Query:
        if mask.allowed is not None:
            query = _only(self._schema, query, mask.allowed)
        clauses = [(Occur.Must, query)]
        if self.newest > mask.generation:  # only while a commit is under way
            unborn = Query.range_query(
                self._schema, "born", FieldType.Unsigned, lower_bound=mask.generation, include_lower=False
            )
            clauses.append((Occur.MustNot, unborn))
        if len(mask.dead):
            clauses.append((Occur.MustNot, Query.term_set_query(self._schema, "id", mask.dead.tolist())))
        return Query.boolean_query(clauses) if len(clauses) > 1 else query

    def _run(self, query: Query, limit: int) -> tuple[Ids, Scores]:
        hits = self._searcher.search(query, limit=max(1, min(limit, self.size or 1)), count=False).hits
        ids = self._searcher.fast_field_values("id", [address for _, address in hits])
        return np.array(ids, dtype=np.int64), np.array([score for score, _ in hits], dtype=np.float32)

    def _newest_birth(self) -> int:
        if not self.size:
            return 0
        found = self._searcher.search(Query.all_query(), limit=1, count=False, order_by_field="born").hits
        return int(found[0][0]) if found else 0


def read_state(path: Path) -> SparseState:
    """The state recorded beside an index; the empty state when it is missing, damaged or of another version."""
    try:
        state = SparseState(**json.loads((path / _STATE).read_bytes()))
    except (OSError, ValueError, TypeError):
        return SparseState()
    current = state.format == FORMAT_VERSION and state.analyzer == ANALYZER_VERSION
    return state if current else SparseState()


def _unwritable(path: Path, error: Exception) -> StoreError:
    return StoreError(
        f"the sparse index at {path} could not be written: {error}",
        hint="check free disk space and permissions; what was published before is untouched",
    )


def _only(schema: tantivy.Schema, query: Query, ids: Ids) -> Query:
    allowed = Query.const_score_query(Query.term_set_query(schema, "id", ids.tolist()), 0.0)
    return Query.boolean_query([(Occur.Must, query), (Occur.Must, allowed)])


def _to_document(chunk: StoredChunk, born: int) -> tantivy.Document:
    document = tantivy.Document()
    document.add_unsigned("id", chunk.id)
    document.add_unsigned("born", born)
    document.add_text("body", " ".join(analyze(chunk.indexed_text, chunk.language)))
    if chunk.title not in chunk.context:  # a title found in the content is in the context already
        document.add_text("name", " ".join(analyze(chunk.title, chunk.language)))
    return document


@contextmanager
def _lockable(path: Path) -> Iterator[Path]:
    """The folder, or where it cannot be written one of links to its files: tantivy locks what it opens, even to read.

    The links are not needed once a searcher has opened the files.
    """
    if os.access(path, os.W_OK) or not path.is_dir():
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="pilotfish-") as links:
        for file in path.iterdir():
            if file.suffix != ".lock":
                Path(links, file.name).symlink_to(file.absolute())
        yield Path(links)


def _open(path: Path) -> tantivy.Index:
    path.mkdir(parents=True, exist_ok=True)
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("id", indexed=True, fast=True)
    builder.add_unsigned_field("born", indexed=True, fast=True)
    # The terms arrive analysed, one space between them.
    builder.add_text_field("body", tokenizer_name="whitespace", index_option="freq")
    builder.add_text_field("name", tokenizer_name="whitespace", index_option="freq")
    return tantivy.Index(builder.build(), path=str(path))
