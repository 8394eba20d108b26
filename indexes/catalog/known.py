"""The documents of one source as the store remembers them, read in pages if there are many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from connectors.source import KnownDocument, KnownDocuments

if TYPE_CHECKING:
    from indexes.catalog.catalog import Catalog

_HELD = 50_000  # documents; some 20 MB
_PAGE = 10_000


class StoredKnown(KnownDocuments):
    """The documents of a source in generation `generation`, whatever is committed meanwhile.

    Up to `held` of them are held in memory; of more, `page` are read at a time.
    """

    def __init__(
        self, catalog: Catalog, source_id: int, generation: int, *, held: int = _HELD, page: int = _PAGE
    ) -> None:
        self._page = page
        self._catalog = catalog
        self._source_id = source_id
        self._generation = generation
        self._held: dict[str, KnownDocument] | None = None
        with catalog.reading() as reading:
            self._count = reading.count_known(source_id, generation)
            if self._count <= held:
                self._held = reading.known(source_id, generation)

    def __getitem__(self, uri: str) -> KnownDocument:
        """What is remembered of one document."""
        if self._held is not None:
            return self._held[uri]
        return self.among([uri])[uri]

    def __iter__(self) -> Iterator[str]:
        """The URI of every document, in the order they were added."""
        if self._held is not None:
            yield from self._held
            return
        after = 0
        while True:
            with self._catalog.reading() as reading:
                page = reading.known_uris(self._source_id, self._generation, after, self._page)
            if not page:
                return
            yield from (uri for _, uri in page)
            after = page[-1][0]

    def __len__(self) -> int:
        """How many documents there are."""
        return self._count

    def among(self, uris: Sequence[str]) -> dict[str, KnownDocument]:
        """What is remembered of those of these documents that are known."""
        if self._held is not None:
            return super().among(uris)
        with self._catalog.reading() as reading:
            return reading.known_among(self._source_id, self._generation, uris)
