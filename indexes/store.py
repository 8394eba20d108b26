"""The store: one catalog, the indexes derived from it, and the commit protocol that keeps them one.

A commit (1) writes the rows of generation g+1 to the catalog in one transaction, (2) brings the sparse index to g+1
and syncs it, (3) publishes g+1 by one update of the catalog. A crash anywhere leaves g; the next writer finds the
pending rows and rolls them forward. Vectors of record are stored before (1), so no text is ever embedded twice.
"""

from __future__ import annotations

import hashlib
import itertools
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from connectors.document import Chunk, Document
from connectors.source import Known
from indexes.analyzer import detect_language
from indexes.catalog import Catalog, Ids, Reading, Writing
from indexes.dense import DenseIndex, discard, load_dense, read_state
from indexes.encoder import Encoder, load_encoder
from indexes.errors import NoKnowledgeBaseError, StoreError
from indexes.files import writer_lock
from indexes.filters import filtered_chunks
from indexes.rows import ChunkRow, DocumentRow, SourceCount
from indexes.sparse import Mask, SparseIndex, SparseReader, SparseState

CATALOG_FILE = "catalog.sqlite"
LOCK_TIMEOUT_SECONDS = 10.0
_EMBED_BATCH = 256  # texts between two writes of vectors of record: what a crash can cost
_ATTEMPTS = 20  # a reader meeting this many commits in a row gives up

Notify = Callable[[str], None]
OnEmbedded = Callable[[int, int], None]  # texts just embedded, and texts that still wait


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document to index: it replaces the live document with the same URI, if there is one."""

    source_id: int
    document: Document
    chunks: Sequence[Chunk]
    stamp: str


@dataclass(slots=True)
class Batch:
    """What one commit changes. `stamps` are newer stamps of documents whose content is unchanged."""

    documents: list[NewDocument] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    stamps: dict[str, str] = field(default_factory=dict)

    @property
    def chunks(self) -> int:
        """Chunks to be added."""
        return sum(len(new.chunks) for new in self.documents)


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit did."""

    chunks_added: int
    chunks_removed: int
    embedded: int


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

    def mask(self, filters: Mapping[str, Sequence[str]]) -> Mask:
        """What a search of this generation may see.

        Raises:
            ConfigurationError: for a filter key that no document has.
        """
        allowed = filtered_chunks(self.reading, filters, self.indexes.generation) if filters else None
        return Mask(self.indexes.generation, self.indexes.dead, allowed)


class Store:
    """A knowledge base on disk. Threads may share it; any number of processes may read while one writes."""

    def __init__(self, path: Path, *, create: bool = False, encoder: str = "default", notify: Notify = print) -> None:
        """Open the store at `path`.

        Args:
            path: the folder.
            create: make it when it is not there.
            encoder: the encoder of a new store; an existing one keeps its own.
            notify: called with one line when something had to be mended.

        Raises:
            NoKnowledgeBaseError: when there is none and `create` is false.
            StoreError: when it cannot be read, or was written by a newer version.
        """
        self.path = path
        self._notify = notify
        if not create and not (path / CATALOG_FILE).exists():
            raise NoKnowledgeBaseError(
                f"no knowledge base at {path}", hint="run `rag index PATH` to create one, or name one with --kb"
            )
        self._encoder: Encoder | None = None
        if not (path / CATALOG_FILE).exists():
            self._encoder = load_encoder(encoder)  # first: one that is not there must leave nothing behind
        try:
            path.mkdir(parents=True, exist_ok=True)
            if not any(path.iterdir()):
                (path / ".gitignore").write_text("*\n")  # for git, and so that no folder around it indexes the index
        except OSError as error:
            raise StoreError(f"cannot create {path}: {error.strerror}", hint="check --kb") from error
        self.catalog = Catalog(path / CATALOG_FILE, create=create)
        self.new_encoder = encoder
        self._loaded: Loaded | None = None
        self._loading = threading.RLock()
        with self.catalog.reading() as reading:
            unfinished = not reading.setting("id")
        if unfinished:
            with self.writer():
                pass

    @property
    def encoder(self) -> Encoder:
        """The encoder this store was built with, loaded at first use.

        Raises:
            StoreError: when this installation has another encoder under the same name.
        """
        with self.catalog.reading() as reading:
            spec = reading.setting("encoder_spec", self.new_encoder)
            fingerprint = reading.setting("encoder")
        with self._loading:
            if self._encoder is None or fingerprint not in ("", self._encoder.fingerprint):
                self._encoder = load_encoder(spec)
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
    def writer(self, timeout: float = LOCK_TIMEOUT_SECONDS) -> Iterator[Writer]:
        """Be the one writer; what an earlier writer left unfinished is finished first.

        Raises:
            LockedError: another process writes for longer than `timeout` seconds.
        """
        self.catalog.check_writable()
        with writer_lock(self.path, timeout):
            writer = Writer(self, self._notify)
            try:
                yield writer
                writer.finish()
            finally:
                writer.close()

    def close(self) -> None:
        """Let go of the files."""
        self.catalog.close()

    def _load(self, reading: Reading) -> Loaded | None:
        generation, encoder = reading.generation(), reading.setting("encoder")
        with self._loading:
            before = self._loaded
            if before is not None and (before.generation, before.dense.encoder) == (generation, encoder):
                return before
            try:
                sparse = SparseReader(self.path / "sparse")
            except StoreError:
                sparse = None
            if sparse is None or sparse.state.generation < generation:
                with self.writer():  # opening as the writer rebuilds what is damaged or missing
                    return None
            # Chunks that die in a later generation are purged only after it is published. So while no later one is,
            # the index just opened still holds everything that this generation sees.
            with self.catalog.reading() as now:
                if now.generation() != generation:
                    return None
            self._loaded = Loaded(
                generation,
                sparse,
                load_dense(self.path / "dense", reading, encoder, generation, before.dense if before else None),
                reading.languages(generation),
                reading.dead_chunks(sparse.state.purged, generation),
            )
            return self._loaded


class Writer:
    """The one process that changes a store. Made by `Store.writer`, which holds the lock around it."""

    def __init__(self, store: Store, notify: Notify) -> None:
        self._store = store
        self._catalog = store.catalog
        self._sparse = SparseIndex(store.path / "sparse")
        self._changed = False
        with self._catalog.reading() as reading:
            self.generation = reading.generation()
            pending = reading.pending_generation()
            fresh = not reading.setting("id")
        if fresh:
            self._initialise()
        if read_state(store.path / "dense").generation > self.generation:
            # The catalog was put back to an earlier state, and will use generations and ids again for other chunks.
            discard(store.path / "dense")
        if self._sparse.state.generation not in {self.generation, pending}:
            self._rebuild_sparse(notify)
        if pending is not None:
            notify(f"finishing generation {pending}, left over from an interrupted run")
            self._publish(pending)

    def register(self, uri: str) -> int:
        """Register a source; returns its id."""
        with self._catalog.writing() as writing:
            return writing.add_source(uri)

    def known(self, source_uri: str) -> dict[str, Known]:
        """What is indexed of a source; nothing for one that is not registered."""
        with self._catalog.reading() as reading:
            source_id = reading.source_uris().get(source_uri)
            return {} if source_id is None else reading.known(source_id, self.generation)

    def find(self, uri: str) -> tuple[int, Known] | None:
        """The source id of the live document with this URI, and what is known of it."""
        with self._catalog.reading() as reading:
            return reading.find_document(uri, self.generation)

    def sources(self) -> list[SourceCount]:
        """The registered sources."""
        with self._catalog.reading() as reading:
            return reading.count_sources(self.generation)

    def hand_over(self, uri: str, other: str) -> None:
        """Make the documents of the source `uri` that lie at or below `other`, another source, documents of that."""
        with self._catalog.writing() as writing:
            source_ids = writing.source_uris()
            writing.move_documents(source_ids[uri], source_ids[other], other)

    def forget(self, uri: str) -> None:
        """Drop a source whose documents have been removed."""
        with self._catalog.writing() as writing:
            writing.drop_source(writing.source_uris()[uri])

    def commit(self, batch: Batch, on_embedded: OnEmbedded | None = None) -> Committed:
        """Index a batch and publish it as the next generation; `on_embedded` hears how far embedding is.

        Raises:
            StoreError: when it cannot be written (a full disk, say); the published generation stays.
        """
        hashes = [[text_hash(chunk.indexed_text) for chunk in new.chunks] for new in batch.documents]
        texts = {
            key: chunk.indexed_text
            for new, keys in zip(batch.documents, hashes, strict=True)
            for chunk, key in zip(new.chunks, keys, strict=True)
        }
        embedded = self._embed(self._store.encoder, list(texts.items()), on_embedded) if texts else 0
        if not batch.documents and not batch.removed:
            with self._catalog.writing() as writing:
                writing.set_stamps(batch.stamps)
            return Committed(0, 0, embedded)
        born = self.generation + 1
        with self._catalog.writing() as writing:
            killed = writing.kill_documents([*batch.removed, *(new.document.uri for new in batch.documents)], born)
            writing.set_stamps(batch.stamps)
            document_id = writing.take_ids("next_document", len(batch.documents))
            chunk_id = writing.take_ids("next_chunk", batch.chunks)
            documents, chunks = _rows(batch.documents, hashes, document_id, chunk_id)
            writing.add_documents(documents, born)
            writing.add_chunks(chunks, born)
        self._publish(born)
        return Committed(len(chunks), killed, embedded)

    def _embed(self, encoder: Encoder, texts: Sequence[tuple[bytes, str]], on_embedded: OnEmbedded | None) -> int:
        """Make vectors of record for the (hash, text) pairs that have none; returns how many that were."""
        with self._catalog.reading() as reading:
            missing = reading.missing_vectors(encoder.fingerprint, [key for key, _ in texts])
        # Sorted by length, equally long texts share a batch and little padding is computed.
        if missing and on_embedded is not None:
            on_embedded(0, len(missing))
        todo = sorted((item for item in texts if item[0] in missing), key=lambda item: len(item[1]))
        for start in range(0, len(todo), _EMBED_BATCH):
            part = todo[start : start + _EMBED_BATCH]
            encoded = encoder.encode([text for _, text in part])
            with self._catalog.writing() as writing:
                writing.add_vectors(encoder.fingerprint, [key for key, _ in part], encoded.vectors, encoded.tokens)
            if on_embedded is not None:
                on_embedded(len(part), len(todo) - start - len(part))
        return len(todo)

    def change_encoder(self, spec: str, on_embedded: OnEmbedded | None = None) -> int:
        """Embed every chunk with another encoder, then switch to it in one step; returns how many were embedded.

        The old vectors serve every search until the switch.
        """
        encoder = load_encoder(spec)
        with self._catalog.reading() as reading:
            texts = list(reading.unencoded_chunks(encoder.fingerprint, self.generation))
        embedded = self._embed(encoder, texts, on_embedded)
        with self._catalog.writing() as writing:
            _describe_encoder(writing, spec, encoder)
        self._changed = True
        return embedded

    def finish(self) -> None:
        """Purge what died, and write a new dense base when the delta has outgrown it."""
        if not self._changed:
            return
        with self._catalog.reading() as reading:
            dead = reading.dead_chunks(self._sparse.state.purged, self.generation)
            dense = load_dense(self._store.path / "dense", reading, reading.setting("encoder"), self.generation)
        if len(dead):
            self._sparse.apply([], dead, SparseState(self.generation, purged=self.generation))
        if dense.outgrown():
            dense = self._save(dense)
        if not dense.base_generation:
            # Passed over, it is damaged or of another encoder; it must not come back when its dead are forgotten.
            discard(self._store.path / "dense")
        with self._catalog.writing() as writing:
            # The dead are kept while an older base still holds them: they are its mask.
            if dense.base_generation in {0, self.generation}:
                writing.drop_dead(self.generation)
                writing.drop_orphan_vectors()
        self._changed = False

    def close(self) -> None:
        """Let go of the sparse index."""
        self._sparse.close()

    def _save(self, dense: DenseIndex) -> DenseIndex:
        try:
            return dense.save(self._store.path / "dense")
        except OSError as error:
            raise StoreError(
                f"the dense index at {self._store.path} could not be written: {error.strerror}",
                hint="free some space and run the command again; nothing is lost",
            ) from error

    def _publish(self, born: int) -> None:
        """Steps 2 and 3 of a commit, for rows already in the catalog; safe to repeat."""
        with self._catalog.reading() as reading:
            dead = reading.dead_chunks(self._sparse.state.purged, self.generation)
            new = reading.chunks_of_generation(self.generation, born)
            self._sparse.apply(new, dead, SparseState(born, purged=self.generation))
        with self._catalog.writing() as writing:
            writing.set_setting("generation", str(born))
        self.generation = born
        self._changed = True

    def _rebuild_sparse(self, notify: Notify) -> None:
        """Fill the sparse index from the catalog."""
        if self.generation:
            notify("rebuilding the sparse index from the catalog")
        self._sparse.clear()
        with self._catalog.reading() as reading:
            chunks = reading.chunks_of_generation(0, self.generation)
            self._sparse.apply(chunks, np.empty(0, np.int64), SparseState(self.generation, purged=self.generation))

    def _initialise(self) -> None:
        encoder = self._store.encoder
        with self._catalog.writing() as writing:
            writing.set_setting("id", uuid.uuid4().hex)
            _describe_encoder(writing, self._store.new_encoder, encoder)


def text_hash(text: str) -> bytes:
    """What identifies a text among the vectors of record: 16 bytes of BLAKE2b."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _describe_encoder(writing: Writing, spec: str, encoder: Encoder) -> None:
    writing.set_setting("encoder_spec", spec)
    writing.set_setting("encoder", encoder.fingerprint)
    writing.set_setting("encoder_name", encoder.name)
    writing.set_setting("dimensions", str(encoder.dimensions))


def _rows(
    new_documents: Sequence[NewDocument], hashes: Sequence[Sequence[bytes]], document_id: int, chunk_id: int
) -> tuple[list[DocumentRow], list[ChunkRow]]:
    documents: list[DocumentRow] = []
    chunks: list[ChunkRow] = []
    chunk_ids = itertools.count(chunk_id)
    for new, keys in zip(new_documents, hashes, strict=True):
        document = new.document
        documents.append(
            DocumentRow(
                id=document_id + len(documents),
                source_id=new.source_id,
                uri=document.uri,
                title=document.title,
                kind=document.kind,
                language=detect_language(document.text),
                revision=document.revision,
                stamp=new.stamp,
                metadata=document.metadata,
            )
        )
        chunks.extend(
            ChunkRow(next(chunk_ids), documents[-1].id, chunk.text, chunk.context, chunk.location, key)
            for chunk, key in zip(new.chunks, keys, strict=True)
        )
    return documents, chunks
