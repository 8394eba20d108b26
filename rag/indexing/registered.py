"""The registered sources of a knowledge base: synchronises, trusts and forgets them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.errors import ConfigurationError, SourceError
from connectors.source import Options, Source
from indexes.store import LOCK_TIMEOUT_SECONDS, Store
from indexes.writer import Batch
from rag.indexing.report import Failure, IndexReport
from rag.indexing.sources import as_source, reopened, shown_name
from rag.indexing.trust import Foreign, known_options, needs_seal, source_seal

if TYPE_CHECKING:
    from connectors.chunking.splitter import Splitter
    from indexes.writer import Writer
    from rag.indexing.synchroniser import Progress, Tally


class RegisteredSources:
    """What a store is made of, and how it was registered. `rag.KnowledgeBase` explains the arguments of its methods."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def options(self) -> Mapping[str, Options]:
        """URI → what each is opened with; `Foreign` for those that this user has not registered on this machine."""
        with self._store.catalog.reading() as reading:
            return known_options(reading.source_options(), reading.source_seals(), self._store.path)

    def foreign(self) -> dict[str, Options]:
        """URI → options of those that this user has not registered on this machine."""
        return {uri: dict(options) for uri, options in self.options().items() if isinstance(options, Foreign)}

    def trust(self, uri: str) -> None:
        """Allow one that came with the knowledge base, as it is registered.

        Raises:
            ConfigurationError: there is no such source.
        """
        with self._store.writer() as writer:
            registered = writer.options()
            _check_registered(uri, list(registered))
            self._seal(writer, uri, registered[uri])

    def synchronise(
        self,
        specs: Sequence[str | Path | Source],
        make_splitter: Callable[[], Splitter],
        *,
        encoder: str | None = None,
        late: bool | None = None,
        on_encoder_changed: Callable[[], None],
        on_progress: Callable[[Progress], None] | None = None,
        lock_timeout: float = LOCK_TIMEOUT_SECONDS,
    ) -> IndexReport:
        """Register and synchronise `specs`; without any, synchronise all that are registered.

        Raises:
            LockedError: another process is writing.
            StoreError: the disk refuses; everything published before stays.
        """
        # Here because a search must not wait for what only indexing needs.
        from rag.indexing.synchroniser import Tally, prepare, synchronise

        start = time.perf_counter()
        tally = Tally()
        with self._store.writer(lock_timeout) as writer:
            prepare(writer, tally, encoder=encoder, late=late, on_progress=on_progress)
            if encoder is not None:
                on_encoder_changed()
            splitter = make_splitter()
            options = known_options(writer.options(), writer.seals(), self._store.path)
            for spec in specs or list(options):
                try:
                    source = as_source(spec, options) if specs else reopened(str(spec), options)
                    try:
                        synchronise(source, writer, splitter, tally, on_progress)
                    finally:
                        if specs and source.uri in (registered := writer.options()):
                            self._seal(writer, source.uri, registered[source.uri])
                except SourceError as error:
                    tally.failures.append(Failure(shown_name(spec), str(error), error.hint))
        return self._report(tally, start)

    def remove(self, name: str) -> IndexReport:
        """Forget a source and its documents.

        Raises:
            ConfigurationError: it is not registered.
        """
        from connectors.registry import open_source
        from rag.indexing.synchroniser import Tally

        start = time.perf_counter()
        tally = Tally()
        with self._store.writer() as writer:
            registered = [known.uri for known in writer.sources()]
            uri = name if name in registered else open_source(name).uri
            _check_registered(uri, registered)
            for other in registered:  # what lies in two sources stays, as a document of the other one
                if other != uri:
                    writer.hand_over(uri, other)
            known = writer.known(uri)
            done = writer.commit(Batch(removed=list(known)))
            writer.forget(uri)
            tally.removed, tally.chunks_removed = len(known), done.chunks_removed
        return self._report(tally, start)

    def _seal(self, writer: Writer, uri: str, options: Options) -> None:
        if needs_seal(uri, options, self._store.path):
            writer.seal(uri, source_seal(uri, options))

    def _report(self, tally: Tally, start: float) -> IndexReport:
        with self._store.catalog.reading() as reading:
            generation = reading.generation()
            total = reading.count_chunks(generation)
        return IndexReport(
            added=tally.added,
            changed=tally.changed,
            unchanged=tally.unchanged,
            removed=tally.removed,
            failures=tuple(tally.failures),
            chunks_added=tally.chunks_added,
            chunks_removed=tally.chunks_removed,
            chunks_total=total,
            embedded=tally.embedded,
            seconds=round(time.perf_counter() - start, 3),
            generation=generation,
            notes=tuple(tally.notes),
            news=tuple(tally.news),
            left_out=tuple(tally.left_out.values()),
        )


def _check_registered(uri: str, registered: Sequence[str]) -> None:
    if uri not in registered:
        raise ConfigurationError(
            f"{uri} is not a source of this knowledge base",
            hint=f"its sources are: {', '.join(registered) or 'none'}",
        )
