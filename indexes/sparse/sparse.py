"""The sparse index: BM25 over a tantivy inverted index. A cache of the catalog, which can rebuild it at any time."""

from __future__ import annotations

import dataclasses
import itertools
import os
import secrets
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tantivy
from tantivy import FieldType, Occur, Query

from indexes.catalog.reading import Ids
from indexes.catalog.rows import StoredChunk
from indexes.errors import StoreError
from indexes.files import (
    is_being_written,
    is_own_state,
    make_folder,
    read_checked,
    state_seal,
    sync_folder,
    write_checked,
)
from indexes.limits import StoreLimits
from indexes.sparse.fields import BODY, EXACT, FIELDS, boosts, field_terms
from indexes.sparse.tantivy_files import check_folder, count_held, damaged_files, digests, unknown_files
from indexes.terms.analyzer import ANALYZER_VERSION

FORMAT_VERSION = 7
_SEALED = "sparse index"
_WRITER_BYTES = 64_000_000
_STATE = "state.json"
_CODE = "code"  # marks the chunks that have the fields of code
# A mask that hides most of the index is put into the query; another is applied to a ranking that is read deeper, which
# keeps tantivy's shortcuts (block-max WAND) and is several times as fast.
_DEEPEST = 50_000
Scores = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class SparseState:
    """What a sparse index was built for.

    Attributes:
        generation: it holds every chunk alive at this generation.
        mark: what tells that generation from another with its number.
        purged: it still holds chunks that died after this generation.
        folder: the folder inside the index's that holds the files of tantivy.
        files: the SHA-256 of each file that the last commit is made of.
        seal: of whoever wrote all this.
    """

    generation: int = 0
    mark: str = ""
    purged: int = 0
    folder: str = ""
    format: int = FORMAT_VERSION
    analyzer: int = ANALYZER_VERSION
    files: Mapping[str, str] = dataclasses.field(default_factory=dict)
    seal: str = ""


@dataclass(frozen=True, slots=True)
class Mask:
    """What a search may see: nothing born after `generation`, nothing `dead`, and if `allowed` is given, only that.

    Both are ascending.
    """

    generation: int
    dead: Ids
    allowed: Ids | None = None

    def visible(self, ids: Ids) -> npt.NDArray[np.bool_]:
        """Which of these chunks, all born in time, may be seen."""
        seen = ~np.isin(ids, self.dead)
        return seen if self.allowed is None else seen & np.isin(ids, self.allowed)


class SparseIndex:
    """The writable side. Opening never fails on a damaged folder: its state is then empty, to be rebuilt.

    Attributes:
        path: its folder.
        state: what it was built for.
        foreign: whether it is empty because somebody else wrote the files.
    """

    def __init__(self, path: Path, limits: StoreLimits | None = None) -> None:
        self.path = path
        self._limits = limits or StoreLimits()
        self.state = read_state(path)
        self.foreign = not self.state.folder and _is_foreign(path)
        self._index: tantivy.Index | None = None
        self._writer: tantivy.IndexWriter | None = None
        try:
            self._index = _open(_checked(path, self.state))
        except (ValueError, OSError, KeyError, TypeError):
            self.state = SparseState()

    @property
    def files(self) -> Path:
        """The folder that holds the files of tantivy."""
        return self.path / self.state.folder

    def apply(self, add: Iterable[StoredChunk], delete: Ids, state: SparseState) -> None:
        """Delete and add chunks, commit, fsync, and record `state`. Adding a chunk twice leaves it once.

        Raises:
            StoreError: when the disk refuses; the last committed state stays readable.
        """
        if self._index is None:
            raise StoreError(f"the sparse index at {self.path} is missing", hint="run `rag doctor --repair`")
        with self._refusals():
            self._write(self.files, self._index, add, delete, state.generation)
            self._record(replace(state, folder=self.state.folder, files=self.state.files))

    def rebuild(self, chunks: Iterable[StoredChunk], state: SparseState) -> None:
        """Write an index of just these chunks beside the old one, then switch to it.

        Raises:
            StoreError: when the disk refuses; the old index stays as it was.
        """
        self.close()
        with self._refusals():
            folder = f"{state.generation}-{secrets.token_hex(4)}"
            make_folder(self.path / folder)
            self._index = tantivy.Index(_schema(), path=str(self.path / folder))
            self._write(self.path / folder, self._index, chunks, np.empty(0, np.int64), state.generation)
            self._record(replace(state, folder=folder))
            self.close()
            for other in self.path.iterdir():
                if other.is_dir() and other != self.files:
                    shutil.rmtree(other, ignore_errors=True)

    def worth_rebuilding(self) -> bool:
        """Whether so much of the index is dead that it should be written anew."""
        held, dead = count_held(self.files) if self._index is not None else (0, 0)
        return dead > max(self._limits.dead_least, self._limits.dead_share * held)

    def close(self) -> None:
        """Let go of the files, once nothing changes them any more, and seal what they have become."""
        if self._writer is None:
            return
        self._writer.wait_merging_threads()
        self._writer = None
        with suppress(OSError):  # what is not sealed is made anew
            self._record(self.state)

    def _write(
        self, folder: Path, index: tantivy.Index, add: Iterable[StoredChunk], delete: Ids, generation: int
    ) -> None:
        if self._writer is None:
            self._writer = index.writer(heap_size=_WRITER_BYTES, num_threads=1)
        writer = self._writer
        self._delete(writer, index.schema, delete.tolist())
        added = iter(add)
        while part := list(itertools.islice(added, self._limits.indexed_at_once)):
            # A repeated commit must not add them twice.
            self._delete(writer, index.schema, [chunk.id for chunk in part])
            for chunk in part:
                writer.add_document(_to_document(chunk, generation))
        writer.commit()
        # tantivy syncs its files, and lastly puts a new meta.json in the place of the old one, but leaves that to be
        # synced by chance: after a power cut, the state beside it could speak of a commit that is not there.
        sync_folder(folder)

    def _record(self, state: SparseState) -> None:
        files = digests(self.path / state.folder, state.files)
        state = replace(state, files=files, seal="")
        self.state = replace(state, seal=state_seal(_SEALED, asdict(state)))
        write_checked(self.path / _STATE, asdict(self.state))

    def _delete(self, writer: tantivy.IndexWriter, schema: tantivy.Schema, ids: Sequence[int]) -> None:
        # By query: deleting by term silently misses unsigned fields (tantivy-py 0.27).
        size = self._limits.indexed_at_once
        for start in range(0, len(ids), size):
            writer.delete_documents_by_query(Query.term_set_query(schema, "id", ids[start : start + size]))

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        try:
            yield
        except (ValueError, OSError) as error:
            self._writer = None
            raise StoreError(
                f"the sparse index at {self.path} could not be written: {error}",
                hint="check free disk space and permissions; everything published is untouched",
            ) from error


class SparseReader:
    """A frozen view of the sparse index as of the last commit.

    Raises:
        StoreError: it is missing or damaged.
    """

    def __init__(self, path: Path) -> None:
        self.state = read_state(path)
        try:
            with _lockable(_checked(path, self.state)) as folder:
                index = _open(folder)
                self._searcher = index.searcher()
        except (ValueError, OSError, KeyError, TypeError) as error:
            raise StoreError(
                f"the sparse index at {path} cannot be read: {error}", hint="run `rag index` to rebuild it"
            ) from error
        self._schema = index.schema
        self._boosts = boosts(self.size, self._searcher.doc_freq(_CODE, 1))
        self.newest = self._newest_birth()

    @property
    def size(self) -> int:
        """Chunks in the index, dead ones not yet purged included."""
        return self._searcher.num_docs

    def document_frequency(self, term: str) -> int:
        """How many chunks hold `term`."""
        return self._searcher.doc_freq(BODY, term)

    def occurrences(self, term: str) -> int:
        """How often `term` is held by a field of a chunk; 0 where nothing holds it."""
        return sum(self._searcher.doc_freq(field, term) for field in self._boosts)

    def search(self, terms: Sequence[str], limit: int, mask: Mask) -> tuple[Ids, Scores]:
        """Ids and BM25 scores of the best `limit` chunks that hold any of `terms`, best first."""
        if not terms or limit < 1:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        query = self._any_of(terms)
        hidden = len(mask.dead) if mask.allowed is None else max(0, self.size - len(mask.allowed))
        depth = limit + min(hidden, limit * self.size // max(1, self.size - hidden))
        # While a commit is under way, the ranking also holds what is not born yet.
        while depth <= _DEEPEST and self.newest <= mask.generation:
            ids, scores = self._run(query, depth)
            seen = mask.visible(ids)
            if seen.sum() >= limit or len(ids) < depth or depth >= self.size:
                return ids[seen][:limit], scores[seen][:limit]
            depth *= 4
        return self._run(self._visible(query, mask), limit)

    def holding(self, forms: Sequence[str], limit: int, mask: Mask) -> Ids:
        """Ids of chunks that hold an exact thing in one of these forms; of more than `limit`, any."""
        if not any(self._searcher.doc_freq(EXACT, form) for form in forms):
            return np.empty(0, np.int64)
        clauses = [(Occur.Should, Query.term_query(self._schema, EXACT, form)) for form in forms]
        return self._run(self._visible(Query.boolean_query(clauses), mask), limit)[0]

    def scores(self, terms: Sequence[str], ids: Ids) -> Scores:
        """BM25 scores of exactly these chunks, in their order; 0 where no term occurs."""
        if not terms or not len(ids):
            return np.zeros(len(ids), np.float32)
        found_ids, found = self._run(_only(self._schema, self._any_of(terms), ids), len(ids))
        by_id = dict(zip(found_ids.tolist(), found.tolist(), strict=True))
        return np.array([by_id.get(key, 0.0) for key in ids.tolist()], dtype=np.float32)

    def visible_ids(self, first: int, last: int, mask: Mask) -> Ids:
        """Ids from `first` through `last` that a search may see, ascending; one that is held twice comes twice."""
        between = Query.range_query(
            self._schema, "id", FieldType.Unsigned, lower_bound=first, upper_bound=last, include_upper=True
        )
        return np.sort(self._run(self._visible(between, mask), self.size)[0])

    def _any_of(self, terms: Sequence[str]) -> Query:
        """A term that comes twice counts twice, and is looked up once."""
        clauses: list[tuple[Occur, Query]] = []
        for term, times in Counter(terms).items():
            for field, boost in self._boosts.items():
                query, factor = Query.term_query(self._schema, field, term), boost * times
                clauses.append((Occur.Should, query if factor == 1 else Query.boost_query(query, factor)))
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
    """The state recorded beside an index; the empty state when there is none that can be used.

    What somebody else wrote, or another version, cannot: tantivy maps what it reads into memory, and believes it.
    """
    state = _recorded(path)
    if state is None or (state.format, state.analyzer) != (FORMAT_VERSION, ANALYZER_VERSION):
        return SparseState()
    return state if is_own_state(_SEALED, asdict(state)) else SparseState()


def _recorded(path: Path) -> SparseState | None:
    try:
        return SparseState(**read_checked(path / _STATE))
    except (OSError, ValueError, TypeError):
        return None


def _is_foreign(path: Path) -> bool:
    state = _recorded(path)
    return state is not None and state.format == FORMAT_VERSION and not is_own_state(_SEALED, asdict(state))


def _checked(path: Path, state: SparseState) -> Path:
    """The folder with the files of tantivy, all of which this user wrote, and none of which is damaged."""
    files = path / state.folder
    if not state.folder:
        raise ValueError("its state is missing, damaged, or somebody else's")
    check_folder(files)
    if unknown := unknown_files(files, state.files):
        # A writer at work merges files, and seals the new ones when it has finished.
        if not is_being_written(path.parent):
            raise ValueError(f"{unknown[0]} is not what was written")
        if damaged := damaged_files(files, once=True):
            raise ValueError(f"{damaged[0]} is not what was written")
    return files


def _open(files: Path) -> tantivy.Index:
    """The index in a folder, as far as tantivy must look to tell that it is whole.

    Raises:
        ValueError: it is not.
    """
    index = tantivy.Index.open(str(files))
    if index.schema != _schema():  # it stands in the one file that has no checksum
        raise ValueError("its schema is not what was written")
    # Only the first query opens the postings, and misses one of their files.
    index.searcher().search(Query.term_query(index.schema, BODY, ""), limit=1, count=False)
    return index


def _only(schema: tantivy.Schema, query: Query, ids: Ids) -> Query:
    allowed = Query.const_score_query(Query.term_set_query(schema, "id", ids.tolist()), 0.0)
    return Query.boolean_query([(Occur.Must, query), (Occur.Must, allowed)])


def _to_document(chunk: StoredChunk, born: int) -> tantivy.Document:
    document = tantivy.Document()
    document.add_unsigned("id", chunk.id)
    document.add_unsigned("born", born)
    if chunk.location.symbol is not None:
        document.add_unsigned(_CODE, 1)
    for field, terms in field_terms(chunk).items():
        document.add_text(field, " ".join(terms))
    return document


@contextmanager
def _lockable(path: Path) -> Iterator[Path]:
    """The folder, or where it cannot be written one of links to its files: tantivy locks what it opens, even to read.

    The links are not needed once a searcher has opened the files.
    """
    if os.access(path, os.W_OK) or not path.is_dir():
        yield path
        return
    # A thread of tantivy may lay a lock file down while the folder goes away.
    with tempfile.TemporaryDirectory(prefix="pilotfish-", ignore_cleanup_errors=True) as links:
        for file in path.iterdir():
            if file.suffix != ".lock":
                Path(links, file.name).symlink_to(file.absolute())
        yield Path(links)


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("id", indexed=True, fast=True)
    builder.add_unsigned_field("born", indexed=True, fast=True)
    # The terms arrive analysed, one space between them.
    for field in FIELDS:
        builder.add_text_field(field, tokenizer_name="whitespace", index_option="freq")
    builder.add_unsigned_field(_CODE, indexed=True)
    return builder.build()
