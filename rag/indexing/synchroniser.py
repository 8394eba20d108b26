"""Brings a knowledge base up to date with a source: events in, generations out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from connectors.chunking.splitter import Splitter
from connectors.document import LEFT_OUT, Document
from connectors.source import (
    Added,
    Changed,
    Configured,
    Event,
    Failed,
    KnownDocument,
    LeftOut,
    Noting,
    Recorded,
    Removed,
    Selective,
    Source,
    Unchanged,
)
from indexes.writer import Batch, NewDocument, Writer
from rag.indexing.left_out import LEFT_OUT_FACT, dump_left_out, in_words, together
from rag.indexing.report import Failure

# Chunks a generation: what is searchable while a long run goes on lags at most this far behind.
BATCH_CHUNKS = 1_024
BATCH_DOCUMENTS = 20_000  # and documents, of which some bring no chunks
_NOTES = "notes"  # among the facts of a source
_MOST_PARTIAL = 20  # documents read in part that are named


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of an `index` run within one source.

    Attributes:
        source: its URI.
        documents: documents looked at.
        total: documents expected; None while unknown.
        embedded: texts embedded in the whole run.
        pending: texts that wait to be embedded before the next generation is published.
    """

    source: str
    documents: int
    total: int | None
    embedded: int
    pending: int = 0


@dataclass(slots=True)
class Tally:
    """The running counts of a run."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    chunks_added: int = 0
    chunks_removed: int = 0
    embedded: int = 0
    failures: list[Failure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    news: list[str] = field(default_factory=list)
    left_out: dict[str, LeftOut] = field(default_factory=dict)

    def add_left_out(self, found: Iterable[LeftOut]) -> None:
        """Count what a source left out, beside what others did for the same reason."""
        for each in found:
            before = self.left_out.get(each.reason, LeftOut(each.reason, 0))
            self.left_out[each.reason] = together(before, each)

    @property
    def documents(self) -> int:
        """Documents looked at so far."""
        return self.added + self.changed + self.unchanged + self.removed + len(self.failures)


def synchronise(
    source: Source,
    writer: Writer,
    splitter: Splitter,
    tally: Tally,
    on_progress: Callable[[Progress], None] | None = None,
) -> None:
    """Apply every event of `source`, a generation at a time, and count into `tally`.

    Raises:
        SourceError: the source cannot be listed. What is indexed of it stays, and a new one is not registered.
    """
    _Run(source, writer, splitter, tally, on_progress).run()


def prepare(
    writer: Writer,
    tally: Tally,
    *,
    encoder: str | None = None,
    late: bool | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> None:
    """Before any source is read: change the encoder, keep or drop token vectors, embed what lacks a vector."""

    def report(count: int, pending: int) -> None:
        tally.embedded += count
        if on_progress is not None:
            on_progress(Progress(encoder or "the knowledge base", 0, None, tally.embedded, pending))

    if late is not None:
        writer.keep_tokens(late, report)
    if encoder is not None:
        writer.change_encoder(encoder, report)
    else:
        writer.mend(report)


class _Run:
    def __init__(
        self,
        source: Source,
        writer: Writer,
        splitter: Splitter,
        tally: Tally,
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        self._source = source
        self._writer = writer
        self._splitter = splitter
        self._tally = tally
        self._on_progress = on_progress
        self._done_before = tally.documents
        self._total: int | None = None
        self._source_id: int | None = None
        self._batch = Batch()
        self._chunks = 0  # in the batch
        self._read_in_part: list[str] = []

    def run(self) -> None:
        self._total = self._source.size_hint()
        known = self._writer.known(self._source.uri)
        for event in self._source.events(known):
            self._apply(event)
            self._report()
            if self._chunks >= BATCH_CHUNKS or self._waiting >= BATCH_DOCUMENTS:
                self._commit()
        self._commit()
        self._registered()  # also a source that is empty today
        self._remember()

    def _remember(self) -> None:
        """Keep the state that was read, and what is to be said of it, so that it is news only once."""
        uri = self._source.uri
        facts = dict(self._source.facts) if isinstance(self._source, Recorded) else {}
        notes = list(self._source.notes) if isinstance(self._source, Noting) else []
        notes += self._partial_notes()
        left_out = self._source.left_out if isinstance(self._source, Selective) else ()
        if left_out:
            facts[LEFT_OUT_FACT] = dump_left_out(left_out)
            notes.append(in_words(left_out))
            self._tally.add_left_out(left_out)
        if notes:
            facts[_NOTES] = "\n".join(notes)
        before = self._writer.facts(uri)
        if facts != before:
            self._writer.record(uri, facts)
        told = set(before.get(_NOTES, "").splitlines())
        name = uri.rstrip("/").rpartition("/")[2] or uri
        self._tally.notes += [f"{name}: {note}" for note in notes]
        self._tally.news += [f"{name}: {note}" for note in notes if not told.issuperset(note.splitlines())]

    def _partial_notes(self) -> list[str]:
        """Which documents of this run have less text than their files."""
        more = len(self._read_in_part) - _MOST_PARTIAL
        told = [f"read in part: {what}" for what in self._read_in_part[:_MOST_PARTIAL]]
        return [*told, f"read in part: {more:,} more"] if more > 0 else told

    def _apply(self, event: Event) -> None:
        match event:
            case Added(document, stamp):
                self._add(document, stamp)
            case Changed(document, stamp):
                self._put(document, stamp, self._registered())
                self._tally.changed += 1
            case Unchanged(uri, stamp):
                if stamp is not None:
                    self._batch.stamps[uri] = stamp
                self._tally.unchanged += 1
            case Removed(uri):
                self._batch.removed.append(uri)
                self._tally.removed += 1
            case Failed(uri, error, hint):
                self._tally.failures.append(Failure(uri, error, hint))

    def _add(self, document: Document, stamp: str) -> None:
        """A document new to this source; where two sources overlap, the first one keeps it."""
        owned: tuple[int, KnownDocument] | None = self._writer.find(document.uri)
        if owned is None:
            self._put(document, stamp, self._registered())
            self._tally.added += 1
        elif owned[1].revision == document.revision:
            self._tally.unchanged += 1
        else:
            self._put(document, stamp, owned[0])
            self._tally.changed += 1

    def _registered(self) -> int:
        """The id of the source, registered with its options no later than its first document: a run may be cut off."""
        if self._source_id is None:
            options = self._source.options if isinstance(self._source, Configured) else None
            self._source_id = self._writer.register(self._source.uri, options)
        return self._source_id

    def _put(self, document: Document, stamp: str, source_id: int) -> None:
        if what := document.metadata.get(LEFT_OUT):
            name = document.uri.removeprefix(self._source.uri).lstrip("/#") or document.title
            self._read_in_part.append(f"{name} (without {what})")
        chunks = self._splitter.split(document)
        self._batch.documents.append(NewDocument(source_id, document, chunks, stamp))
        self._chunks += len(chunks)

    def _commit(self) -> None:
        done = self._writer.commit(self._batch, on_embedded=self._count_embedded)
        self._tally.chunks_added += done.chunks_added
        self._tally.chunks_removed += done.chunks_removed
        self._batch = Batch()
        self._chunks = 0

    @property
    def _waiting(self) -> int:
        """Documents whose change waits for the next generation."""
        return len(self._batch.documents) + len(self._batch.removed) + len(self._batch.stamps)

    def _count_embedded(self, count: int, pending: int) -> None:
        self._tally.embedded += count
        self._report(pending)

    def _report(self, pending: int = 0) -> None:
        if self._on_progress is not None:
            done = self._tally.documents - self._done_before
            self._on_progress(Progress(self._source.uri, done, self._total, self._tally.embedded, pending))
