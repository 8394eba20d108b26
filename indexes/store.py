"""The store: one catalog, the indexes derived from it, and views of single generations.

`indexes/writer.py` describes how a commit works, and what happens when one is interrupted.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from indexes.catalog.catalog import Catalog
from indexes.catalog.filters import Condition, filtered_chunks
from indexes.catalog.moving import moved
from indexes.catalog.reading import Ids, Reading, Vectors
from indexes.catalog.rows import StoredChunk
from indexes.catalog.sources import SOURCES_FILE
from indexes.dense.base import BaseState
from indexes.dense.dense import BaseLostError, DenseIndex, load_dense, usable_state
from indexes.encoding.base import Encoder
from indexes.encoding.loading import load_encoder
from indexes.errors import DamagedError, ForeignError, LockedError, NoKnowledgeBaseError, StoreError
from indexes.files import make_folder, refuse_links, write_atomically, writer_lock
from indexes.limits import StoreLimits
from indexes.sparse.sparse import Mask, Scores, SparseIndex, SparseReader, SparseState, read_state
from indexes.writer import Encoders, Notify, Writer

DEFAULT_FOLDER = ".rag"
CATALOG_FILE = "catalog.sqlite"
LOCK_TIMEOUT_SECONDS = 10.0
_ATTEMPTS = 20  # a reader meeting this many commits in a row gives up


@dataclass(frozen=True, slots=True)
class Loaded:
    """The derived indexes of one published generation; `dead` are chunks the sparse index still holds."""

    generation: int
    sparse: SparseReader
    dense: DenseIndex
    languages: tuple[str, ...]
    dead: Ids


@dataclass(frozen=True, slots=True)
class View:
    """One published generation, frozen: the catalog's rows and the indexes agree."""

    reading: Reading
    indexes: Loaded
    encoder: str

    @property
    def keeps_tokens(self) -> bool:
        """Whether token vectors are stored; otherwise they have to be made when they are needed."""
        return self.reading.keeps_tokens()

    def mask(self, filters: Mapping[str, Condition]) -> Mask:
        """What a search of this generation may see.

        Raises:
            ConfigurationError: for a filter key that no document has.
        """
        allowed = filtered_chunks(self.reading, filters, self.indexes.generation) if filters else None
        return Mask(self.indexes.generation, self.indexes.dead, allowed)

    def nearest(self, query: Vectors, limit: int, mask: Mask) -> tuple[Ids, Scores]:
        """Ids and cosines of the `limit` chunks nearest to `query` [dimensions], best first."""
        ids = self.indexes.dense.candidates(query, limit, mask.allowed)
        scores = self.cosines(query, ids)
        order = np.lexsort((ids, -scores))[: max(0, limit)]
        return ids[order], scores[order]

    def tokens(self, ids: Ids) -> dict[int, bytes]:
        """Chunk id → packed token vectors: of all these chunks, or of none where the encoder makes none.

        Raises:
            DamagedError: some are missing or not what was written.
        """
        codes = self.reading.tokens_by_id(self.encoder, ids.tolist())
        if codes and len(codes) < len(ids) and not self.reading.lacks_vectors():
            raise DamagedError(f"a token vector of passage {np.setdiff1d(ids, list(codes))[0]}")
        return codes

    def chunks(self, ids: Ids) -> dict[int, StoredChunk]:
        """The chunks with these ids, which an index found.

        Raises:
            DamagedError: the catalog has not all of them, or a row is not what was written.
        """
        stored = self.reading.chunks_by_id(ids.tolist())
        if missing := [key for key in ids.tolist() if key not in stored]:
            raise DamagedError(f"passage {missing[0]}")
        return stored

    def kinds(self, ids: Ids) -> list[tuple[str, str]]:
        """The kind and the language of the document that each of these chunks is from."""
        found = self.reading.kinds(ids.tolist())
        return [found.get(key, ("", "")) for key in ids.tolist()]

    def cosines(self, query: Vectors, ids: Ids) -> Scores:
        """The cosine of `query` and each of these chunks (ascending), from the vectors of record."""
        return cosines(self.vectors(ids, len(query)), query)

    def vectors(self, ids: Ids, dimensions: int) -> Vectors:
        """The vectors of record of these chunks (ascending), [ids, dimensions]; zeros for one not embedded yet.

        Raises:
            DamagedError: one is missing or not what was written.
        """
        known, found = self.reading.vectors_by_id(self.encoder, ids, dimensions)
        if len(known) == len(ids):
            return found
        if not self.reading.lacks_vectors():
            raise DamagedError(f"the vector of passage {np.setdiff1d(ids, known)[0]}")
        vectors = np.zeros((len(ids), dimensions), np.float32)
        vectors[np.searchsorted(ids, known)] = found
        return vectors


@dataclass(frozen=True, slots=True)
class WordsView(View):
    """A generation whose encoder may not be loaded: `shipped` makes the vectors of passages when they are wanted."""

    shipped: Encoder

    @property
    def keeps_tokens(self) -> bool:
        """None that `shipped` could compare."""
        return False

    def vectors(self, ids: Ids, dimensions: int) -> Vectors:
        """The vectors of these chunks (ascending), [ids, dimensions], made now.

        Raises:
            DamagedError: a chunk is not what was written.
        """
        if not len(ids):
            return np.empty((0, dimensions), np.float32)
        stored = self.chunks(ids)
        return self.shipped.encode([stored[key].indexed_text for key in ids.tolist()]).vectors


def cosines(vectors: Vectors, query: Vectors) -> Scores:
    """The cosine of `query` and each of these unit vectors [n, dimensions], [n].

    Equal vectors have equal cosines. A matrix product gives one row another last bit than the next, depending on where
    the rows stand, and copies of a passage would change places with the number of candidates.
    """
    found: Scores = np.einsum("ij,j->i", vectors, query)
    return found


class Store:
    """A knowledge base on disk. Threads may share it; any number of processes may read while one writes."""

    def __init__(
        self,
        path: Path,
        *,
        create: bool = False,
        encoder: str = "default",
        late: bool = True,
        notify: Notify = print,
        limits: StoreLimits | None = None,
    ) -> None:
        """Open the store at `path`.

        Args:
            path: the folder.
            create: make it when it is not there.
            encoder: the encoder of a new store; an existing one keeps its own.
            late: whether a new store keeps token vectors.
            notify: called with one line when something had to be mended.
            limits: the sizes at which it compacts, and how much it processes at a time.

        Raises:
            NoKnowledgeBaseError: when there is none and `create` is false.
            StoreError: when it cannot be read, or was written by a newer version.
        """
        self.path = path
        self.limits = limits or StoreLimits()
        self._notify = notify
        if not create and not (path / CATALOG_FILE).exists():
            raise NoKnowledgeBaseError(
                f"no knowledge base at {path}", hint="run `rag index PATH` to create one, or name one with --kb"
            )
        refuse_links(path)
        self._encoder: Encoder | None = None
        if not (path / CATALOG_FILE).exists():
            _check_free(path)
            self._encoder = self.make_encoder(encoder)  # first: one that is not there must leave nothing behind
        try:
            make_folder(path)
            self.began_empty = not any(path.iterdir())
            if self.began_empty:
                # For git, and so that no folder around it indexes the index.
                write_atomically(path / ".gitignore", b"*\n")
        except OSError as error:
            raise StoreError(f"cannot create {path}: {error.strerror}", hint="check --kb") from error
        self.catalog = Catalog(path / CATALOG_FILE, create=create, limits=self.limits)
        self.new_encoder = encoder
        self.new_late = late
        self._loaded: Loaded | None = None
        self._loading = threading.RLock()
        self._beside: tempfile.TemporaryDirectory[str] | None = None
        with self.catalog.reading() as reading:
            unfinished, has_moved = not reading.setting("id"), bool(moved(reading, path.parent))
        if unfinished:
            with self.writer():
                pass
        elif has_moved:
            with suppress(StoreError), self.writer(timeout=0):  # where it cannot be written, the old names are shown
                pass

    def make_encoder(self, spec: str) -> Encoder:
        """The encoder called `spec`."""
        return load_encoder(spec)

    @property
    def encoder(self) -> Encoder:
        """The encoder this store was built with, loaded at first use.

        Raises:
            StoreError: when this installation has another encoder under the same name.
            ForeignError: when somebody else chose it, and this user has not allowed it.
        """
        with self.catalog.reading() as reading:
            foreign = reading.foreign_encoder()
            spec = reading.setting("encoder_spec", self.new_encoder)
            fingerprint = reading.setting("encoder")
        if foreign:
            raise ForeignError(
                f"you did not choose the encoder {foreign!r} of {self.path} on this machine",
                hint="allow it with `rag trust encoder`, or embed all with the one that is shipped: "
                "`rag index --encoder default`",
            )
        with self._loading:
            if self._encoder is None or fingerprint not in ("", self._encoder.fingerprint):
                self._encoder = self.make_encoder(spec)
            if fingerprint not in ("", self._encoder.fingerprint):
                raise StoreError(
                    f"{self.path} was built with another version of the encoder {spec!r}",
                    hint=f"`rag index --encoder {spec}` embeds it again with this one",
                )
            return self._encoder

    @contextmanager
    def view(self) -> Iterator[View]:
        """A consistent view of the latest published generation."""
        for _ in range(_ATTEMPTS):
            with self.catalog.reading() as reading:
                loaded = self._load(reading)
                if loaded is None:
                    continue  # the writer moved on between two reads: look again
                yield View(reading, loaded, reading.setting("encoder"))
                return
        raise StoreError(f"{self.path} keeps changing", hint="try again when the current `rag index` has finished")

    @contextmanager
    def words_view(self) -> Iterator[WordsView]:
        """The same for a search by words alone, which needs no vector that is stored."""
        with self.view() as view:
            yield WordsView(view.reading, view.indexes, view.encoder, load_encoder())

    @contextmanager
    def writer(self, timeout: float = LOCK_TIMEOUT_SECONDS, notify: Notify | None = None) -> Iterator[Writer]:
        """Be the one writer; what an earlier writer left unfinished is finished first, and `notify` told of it.

        Raises:
            LockedError: another process writes for longer than `timeout` seconds.
        """
        self.catalog.check_writable()
        with writer_lock(self.path, timeout):
            if not (self.path / CATALOG_FILE).exists():
                raise StoreError(f"{self.path} was removed in the meantime", hint="run it again")
            encoders = Encoders(lambda: self.encoder, self.make_encoder, self.new_encoder, self.new_late)
            writer = Writer(self.path, self.catalog, encoders, self.limits, notify or self._notify)
            try:
                yield writer
                writer.finish()
            finally:
                writer.close()

    def close(self) -> None:
        """Let go of the files."""
        self.catalog.close()
        if self._beside is not None:
            self._beside.cleanup()

    def _load(self, reading: Reading) -> Loaded | None:
        """The indexes of the generation that `reading` sees; None when the writer has moved on meanwhile."""
        generation, encoder = reading.generation(), reading.setting("encoder")
        with self._loading:
            before = self._loaded
            if before is not None and (before.generation, before.dense.encoder) == (generation, encoder):
                return before
            sparse = self._open_sparse(reading)
            if sparse is None:
                return None
            state = usable_state(self.path / "dense", reading, encoder, generation)
            # Chunks that die in a later generation are purged only after it is published. So while no later one is,
            # the indexes just looked at still hold everything that this generation sees.
            with self.catalog.reading() as now:
                if now.generation() != generation:
                    return None
                if sparse.state.mark != now.mark(sparse.state.generation):
                    self._mend()
                    return None
                # It is at most the one that is about to be published, unless the catalog lost the number it stands at.
                if sparse.state.generation > generation + 1:
                    raise DamagedError("the number of the published generation")
            try:
                dense = load_dense(self.path / "dense", reading, generation, state, before.dense if before else None)
            except BaseLostError:
                # The writer removes a base when a newer one is there. One that is still named is damaged.
                if usable_state(self.path / "dense", reading, encoder, generation) != state:
                    return None
                with suppress(StoreError):
                    self._mend()
                    return None
                # Nothing can be written here now: the catalog has everything, if more slowly.
                dense = load_dense(self.path / "dense", reading, generation, BaseState())
            dead = reading.dead_chunks(sparse.state.purged, generation)
            self._loaded = Loaded(generation, sparse, dense, reading.languages(), dead)
            return self._loaded

    def _open_sparse(self, reading: Reading) -> SparseReader | None:
        """The sparse index; None when it had to be mended first, or changed meanwhile."""
        generation, before = reading.generation(), read_state(self.path / "sparse")
        try:
            sparse = SparseReader(self.path / "sparse")
            if sparse.state.generation >= generation:
                return sparse
        except StoreError:
            if read_state(self.path / "sparse") != before:
                return None  # the writer wrote it anew between two reads: nothing is damaged
        try:
            self._mend()
        except LockedError:
            raise
        except StoreError:
            return self._made_beside(reading)
        return None

    def _made_beside(self, reading: Reading) -> SparseReader:
        """The sparse index, made for this process alone, where nothing can be written to the knowledge base."""
        generation = reading.generation()
        self._notify("the sparse index can be neither used nor rebuilt: made one in a temporary folder")
        try:
            beside = tempfile.TemporaryDirectory(prefix="pilotfish-", ignore_cleanup_errors=True)
        except OSError as error:
            raise StoreError(
                f"the sparse index of {self.path} cannot be used, and none can be made beside it: {error.strerror}",
                hint="check that you may write to the knowledge base, or to a temporary folder (TMPDIR)",
            ) from error
        state = SparseState(generation, reading.mark(generation), purged=generation)
        SparseIndex(Path(beside.name), self.limits).rebuild(reading.chunks_of_generation(0, generation), state)
        sparse = SparseReader(Path(beside.name))
        self._beside = beside  # the one before goes
        return sparse

    def _mend(self) -> None:
        """Open as the writer, who makes damaged and missing indexes anew from the catalog."""
        with self.writer():
            pass


def _check_free(path: Path) -> None:
    """The folders of a new store are its own, and cleared of what is not."""
    taken = [part for part in ("sparse", "dense") if (path / part).exists()]
    if taken and not (path / SOURCES_FILE).exists():
        raise StoreError(
            f"{path} has a folder {taken[0]!r} but no knowledge base",
            hint="choose another folder for the knowledge base",
        )
