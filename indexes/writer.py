"""The single writer of a store: commits, recovery, compaction.

A commit (1) writes the rows of generation g+1 to the catalog in one transaction, (2) brings the sparse index to g+1
and syncs it, (3) publishes g+1 by one update of the catalog. A crash anywhere leaves g; the next writer finds the
pending rows and rolls them forward. Vectors of record are stored before (1), so no text is ever embedded twice.
"""

from __future__ import annotations

import hashlib
import itertools
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from connectors.document import Chunk, Document
from connectors.source import Facts, KnownDocument, Options
from indexes.catalog.catalog import Catalog
from indexes.catalog.known import StoredKnown
from indexes.catalog.moving import moved
from indexes.catalog.reading import ENCODER_SEAL, HOME, SEAL
from indexes.catalog.rows import ChunkRow, DocumentRow, SourceCount
from indexes.catalog.sources import remember_sources
from indexes.catalog.writing import Writing
from indexes.dense.base import BaseState, discard_others, open_base, write_base
from indexes.dense.dense import usable_state
from indexes.encoding.base import Encoder
from indexes.encoding.loading import encoder_seal
from indexes.errors import StoreError
from indexes.files import confirm_writer
from indexes.limits import StoreLimits
from indexes.sparse.sparse import SparseIndex, SparseState
from indexes.terms.analyzer import detect_language
from indexes.terms.names import distinct

Notify = Callable[[str], None]
OnEmbedded = Callable[[int, int], None]  # texts just embedded, and texts that still wait


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document to index. It replaces the live document with the same URI, if there is one."""

    source_id: int
    document: Document
    chunks: Sequence[Chunk]
    stamp: str


@dataclass(slots=True)
class Batch:
    """The changes of one commit. `stamps` are newer stamps of documents whose content is unchanged."""

    documents: list[NewDocument] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    stamps: dict[str, str] = field(default_factory=dict)

    @property
    def chunks(self) -> int:
        """Chunks to be added."""
        return sum(len(new.chunks) for new in self.documents)


@dataclass(frozen=True, slots=True)
class Committed:
    """The result of a commit."""

    chunks_added: int
    chunks_removed: int
    embedded: int


@dataclass(frozen=True, slots=True)
class Encoders:
    """Provides a writer with encoders.

    Attributes:
        current: the one that the store was built with, loaded at first use.
        make: the one called by a name.
        first: the name of the one that a new store is built with.
        keeps_tokens: whether a new store keeps token vectors.
    """

    current: Callable[[], Encoder]
    make: Callable[[str], Encoder]
    first: str
    keeps_tokens: bool


class Writer:
    """Changes a store. Created by `Store.writer`, which holds the lock around it."""

    def __init__(self, path: Path, catalog: Catalog, encoders: Encoders, limits: StoreLimits, notify: Notify) -> None:
        self._path = path
        self._limits = limits
        self._catalog = catalog
        self._encoders = encoders
        self._dense = path / "dense"
        self._compacting: threading.Thread | None = None
        with self._catalog.reading() as reading:
            self.generation = reading.generation()
            pending = reading.pending_generation()
            # An earlier run embedded texts, and did not live to see whether they are still needed.
            self._sweep = reading.setting("embedding") == "unfinished"
            self._lacking = reading.lacks_vectors()
            fresh = not reading.setting("id")
        if fresh:
            self._initialise()
        self._sparse = SparseIndex(path / "sparse", limits)
        if not self._is_current(pending):
            if self.generation:
                why = ": you did not write it on this machine" if self._sparse.foreign else ""
                notify(f"rebuilding the sparse index from the catalog{why}")
            self._rebuild_sparse()
        if self._has_lost_base():
            notify("rebuilding the dense index from the catalog")
            discard_others(self._dense, BaseState())
        confirm_writer(path)
        self._follow_folder(notify)
        if pending is not None:
            notify(f"finishing generation {pending}, which was written but not published")
            self._publish(pending)

    def register(self, uri: str, options: Options | None = None) -> int:
        """Register a source; returns its id. `options`, where given, are what it will be opened with again."""
        with self._catalog.writing() as writing:
            return writing.add_source(uri, options)

    def seal(self, uri: str, code: str) -> None:
        """Keep what proves who registered a source."""
        with self._catalog.writing() as writing:
            writing.set_setting(f"{SEAL}{uri}", code)

    def trust_encoder(self) -> None:
        """Let the encoder be loaded that somebody else chose."""
        with self._catalog.writing() as writing:
            writing.set_setting(ENCODER_SEAL, encoder_seal(writing.setting("encoder_spec")))

    def seals(self) -> dict[str, str]:
        """URI → what proves who registered it."""
        with self._catalog.reading() as reading:
            return reading.source_seals()

    def record(self, uri: str, facts: Facts) -> None:
        """Remember what state of a registered source was read."""
        with self._catalog.writing() as writing:
            writing.set_facts(uri, facts)

    def facts(self, uri: str) -> Facts:
        """What state of a source was read last."""
        with self._catalog.reading() as reading:
            return reading.facts(uri)

    def options(self) -> dict[str, Options]:
        """URI → what it is opened with, of every registered source."""
        with self._catalog.reading() as reading:
            return reading.source_options()

    def known(self, source_uri: str) -> Mapping[str, KnownDocument]:
        """What is indexed of a source; nothing for one that is not registered."""
        with self._catalog.reading() as reading:
            source_id = reading.source_uris().get(source_uri)
        return {} if source_id is None else StoredKnown(self._catalog, source_id, self.generation)

    def find(self, uri: str) -> tuple[int, KnownDocument] | None:
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
        embedded = self.embed(self._encoders.current(), list(texts.items()), on_embedded) if texts else 0
        if not batch.documents and not batch.removed:
            with self._catalog.writing() as writing:
                writing.set_stamps(batch.stamps)
            return Committed(0, 0, embedded)
        born = self.generation + 1
        with self._catalog.writing() as writing:
            writing.begin_generation(born)
            killed = writing.kill_documents([*batch.removed, *(new.document.uri for new in batch.documents)], born)
            writing.set_stamps(batch.stamps)
            document_id = writing.take_ids("next_document", len(batch.documents))
            chunk_id = writing.take_ids("next_chunk", batch.chunks)
            documents, chunks = _rows(batch.documents, hashes, document_id, chunk_id)
            writing.add_documents(documents, born)
            writing.add_chunks(chunks)
        self._publish(born)
        return Committed(len(chunks), killed, embedded)

    def change_encoder(self, spec: str, on_embedded: OnEmbedded | None = None) -> int:
        """Embed every chunk with another encoder, then switch to it in one step; returns how many were embedded.

        The old vectors serve every search until the switch.
        """
        encoder = self._encoders.make(spec)
        embedded = self._embed_missing(encoder, on_embedded)
        self._compact_dense(encoder.fingerprint, encoder.dimensions)
        with self._catalog.writing() as writing:
            _describe_encoder(writing, spec, encoder)
        self._sweep = True
        return embedded

    def keep_tokens(self, keep: bool, on_embedded: OnEmbedded | None = None) -> int:
        """Store token vectors or drop them; returns how many texts were embedded for those that were missing."""
        with self._catalog.writing() as writing:
            if writing.keeps_tokens() == keep:
                return 0
            writing.set_setting("late", "on" if keep else "off")
            if not keep:
                writing.drop_tokens()
                return 0
            writing.set_setting("vectors", "lacking")
        embedded = self._embed_missing(self._encoders.current(), on_embedded, tokens=True)
        with self._catalog.writing() as writing:
            writing.set_setting("vectors", "")
        return embedded

    def mend(self, on_embedded: OnEmbedded | None = None) -> int:
        """Embed what an interrupted run, or a repair, left without a vector; returns how many texts that were."""
        if not self._sweep and not self._lacking:
            return 0
        encoder = self._encoders.current()
        embedded = self._embed_missing(encoder, on_embedded)
        with self._catalog.reading() as reading:
            tokens = self._lacking and reading.keeps_tokens()
        if tokens and len(encoder.encode_query("any").tokens):  # not every encoder makes token vectors
            embedded += self._embed_missing(encoder, on_embedded, tokens=True)
        if embedded:
            discard_others(self._dense, BaseState())  # a base written meanwhile lacks them
        born = self.generation + 1
        with self._catalog.writing() as writing:
            writing.set_setting("vectors", "")
            if embedded:
                writing.begin_generation(born)
        if embedded:
            self._publish(born)  # nothing is born or dies in it, but everybody loads the vectors
        return embedded

    def finish(self) -> None:
        """Reclaim what died, and write a new dense base when the delta has outgrown it. Searches go on meanwhile."""
        self._wait_for_compaction()
        with self._catalog.reading() as reading:
            dead = reading.dead_chunks(self._sparse.state.purged, self.generation)
            state = SparseState(self.generation, reading.mark(self.generation), purged=self.generation)
            encoder, dimensions = reading.setting("encoder"), reading.dimensions()
        if len(dead):
            self._sparse.apply([], dead, state)
        if self._sparse.worth_rebuilding():
            self._rebuild_sparse()
        base = self._compact_dense(encoder, dimensions)
        self._bury_the_dead()
        with self._catalog.writing() as writing:
            writing.clear_graves(base.generation or self.generation)
            writing.forget_generations({self.generation, base.generation})
            if self._sweep:
                writing.sweep_vectors(encoder)
            if writing.setting("embedding"):
                writing.set_setting("embedding", "")
            spec, tokens = writing.setting("encoder_spec"), writing.keeps_tokens()
            sources = writing.source_options()
        self._sweep = False
        self._catalog.reclaim()
        discard_others(self._dense, base)
        remember_sources(self._path, sources, spec, keeps_tokens=tokens)

    def close(self) -> None:
        """Let go of the sparse index."""
        self._wait_for_compaction()
        self._sparse.close()

    def _follow_folder(self, notify: Notify) -> None:
        """Rename the sources that moved together with the knowledge base, or were copied with it."""
        home = self._path.parent
        with self._catalog.reading() as reading:
            if reading.setting(HOME) == str(home):
                return
        with self._catalog.writing() as writing:
            moves = moved(writing, home)
            for uri, move in moves.items():
                writing.rename_source(uri, move)
            writing.set_setting(HOME, str(home))
        if moves:
            notify(f"the knowledge base has moved: {len(moves)} of its sources are now those in {home}")

    def _is_current(self, pending: int | None) -> bool:
        """Whether the sparse index is that of the published generation, or of one that was not yet published."""
        state = self._sparse.state
        with self._catalog.reading() as reading:
            marked = state.mark == reading.mark(state.generation)
        return bool(state.folder) and marked and state.generation in {self.generation, pending}

    def _has_lost_base(self) -> bool:
        """Whether there should be a dense base, and is none or a damaged one."""
        with self._catalog.reading() as reading:
            encoder = reading.setting("encoder")
            state = usable_state(self._dense, reading, encoder, self.generation)
            if state.generation:
                return open_base(self._dense, state, reading.dimensions()) is None
            return self._limits.outgrown(reading.count_changed(0, self.generation), 0) and self._dense.exists()

    def _embed_missing(self, encoder: Encoder, on_embedded: OnEmbedded | None, *, tokens: bool = False) -> int:
        """Embed the live chunks without a vector (without token vectors), some thousands at a time."""
        embedded, after = 0, 0
        while True:
            with self._catalog.reading() as reading:
                found = reading.unencoded_chunks(
                    encoder.fingerprint, self.generation, after, self._limits.texts_held, tokens=tokens
                )
            if not found:
                return embedded
            texts = {key: text for _, key, text in found}
            embedded += self.embed(encoder, list(texts.items()), on_embedded, again=tokens)
            after = found[-1][0]

    def embed(
        self,
        encoder: Encoder,
        texts: Sequence[tuple[bytes, str]],
        on_embedded: OnEmbedded | None,
        *,
        again: bool = False,
    ) -> int:
        """Make vectors of record for the (hash, text) pairs that have none, or for all; returns how many that were.

        No transaction is open while the encoder works.
        """
        with self._catalog.reading() as reading:
            missing = reading.missing_vectors(encoder.fingerprint, [key for key, _ in texts])
            keep_tokens = reading.keeps_tokens()
        # Sorted by length, equally long texts share a batch and little padding is computed.
        todo = sorted((item for item in texts if again or item[0] in missing), key=lambda item: len(item[1]))
        if todo and on_embedded is not None:
            on_embedded(0, len(todo))
        size = self._limits.embedded_at_once
        for start in range(0, len(todo), size):
            part = todo[start : start + size]
            encoded = encoder.encode([text for _, text in part])
            with self._catalog.writing() as writing:
                writing.set_setting("embedding", "unfinished")
                hashes, tokens = [key for key, _ in part], encoded.tokens if keep_tokens else []
                writing.add_vectors(encoder.fingerprint, hashes, encoded.vectors, tokens)
            if on_embedded is not None:
                on_embedded(len(part), len(todo) - start - len(part))
        return len(todo)

    def _publish(self, born: int) -> None:
        """Steps 2 and 3 of a commit, for rows already in the catalog; safe to repeat."""
        with self._catalog.reading() as reading:
            dead = reading.dead_chunks(self._sparse.state.purged, self.generation)
            new = reading.chunks_of_generation(self.generation, born)
            self._sparse.apply(new, dead, SparseState(born, reading.mark(born), purged=self.generation))
        with self._catalog.writing() as writing:
            writing.set_setting("generation", str(born))
        self.generation = born
        self._compact_in_background()

    def _rebuild_sparse(self) -> None:
        """Write the sparse index anew from the catalog."""
        with self._catalog.reading() as reading:
            chunks = reading.chunks_of_generation(0, self.generation)
            state = SparseState(self.generation, reading.mark(self.generation), purged=self.generation)
            self._sparse.rebuild(chunks, state)

    def _compact_in_background(self) -> None:
        """Write a new dense base when the delta has outgrown it, while the run goes on."""
        if self._compacting is not None and self._compacting.is_alive():
            return
        with self._catalog.reading() as reading:
            encoder, dimensions = reading.setting("encoder"), reading.dimensions()
            state = usable_state(self._dense, reading, encoder, self.generation)
            if not self._limits.outgrown(reading.count_changed(state.generation, self.generation), state.count):
                return

        def compact() -> None:
            with suppress(StoreError):  # what stands in the way now is reported when the run ends
                self._compact_dense(encoder, dimensions)

        self._compacting = threading.Thread(target=compact, name="compaction")
        self._compacting.start()

    def _wait_for_compaction(self) -> None:
        if self._compacting is not None:
            self._compacting.join()

    def _compact_dense(self, encoder: str, dimensions: int) -> BaseState:
        """The state of the dense base, written anew when the delta has outgrown it."""
        generation = self.generation
        with self._catalog.reading() as reading:
            state = usable_state(self._dense, reading, encoder, generation)
            if not self._limits.outgrown(reading.count_changed(state.generation, generation), state.count):
                return state
            try:
                return write_base(self._dense, reading, encoder, generation, dimensions, state, self._limits)
            except OSError as error:
                raise StoreError(
                    f"the dense index at {self._path} could not be written: {error.strerror}",
                    hint="free some space and run the command again; nothing is lost",
                ) from error

    def _bury_the_dead(self) -> None:
        buried = most = self._limits.buried_at_once
        while buried == most:
            with self._catalog.writing() as writing:
                buried = writing.bury(self.generation, most)

    def _initialise(self) -> None:
        encoder = self._encoders.current()
        with self._catalog.writing() as writing:
            writing.set_setting("id", uuid.uuid4().hex)
            writing.set_setting("late", "on" if self._encoders.keeps_tokens else "off")
            _describe_encoder(writing, self._encoders.first, encoder)


def text_hash(text: str) -> bytes:
    """What identifies a text among the vectors of record: 16 bytes of BLAKE2b."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _describe_encoder(writing: Writing, spec: str, encoder: Encoder) -> None:
    writing.set_setting("encoder_spec", spec)
    writing.set_setting(ENCODER_SEAL, encoder_seal(spec))
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
                first_chunk=chunk_id + len(chunks),
                chunks=len(keys),
                names=distinct(document.names),
            )
        )
        chunks.extend(
            ChunkRow(next(chunk_ids), documents[-1].id, chunk.text, chunk.context, chunk.location, key)
            for chunk, key in zip(new.chunks, keys, strict=True)
        )
    return documents, chunks
