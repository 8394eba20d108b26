"""The known documents of a source, requested in blocks: there may be more than memory should hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from connectors.source import KnownDocument, KnownDocuments

_BLOCK = 5_000


class Remembered:
    """The known documents of a source."""

    def __init__(self, known: Mapping[str, KnownDocument]) -> None:
        self._known = known

    def __len__(self) -> int:
        return len(self._known)

    def get(self, uri: str) -> KnownDocument | None:
        """What is known of one document."""
        return self._known.get(uri)

    def among(self, uris: Sequence[str]) -> Mapping[str, KnownDocument]:
        """What is known of these documents, where they are known."""
        if isinstance(self._known, KnownDocuments):
            return self._known.among(uris)
        return {uri: self._known[uri] for uri in uris if uri in self._known}

    def blocks(self) -> Iterator[list[str]]:
        """The URIs of all of them, some thousands at a time."""
        uris = iter(self._known)
        while block := list(islice(uris, _BLOCK)):
            yield block

    def stamps(self, start: str) -> Iterator[str]:
        """The stamps of those whose URI begins so."""
        for block in self.blocks():
            yield from (known.stamp for known in self.among([uri for uri in block if uri.startswith(start)]).values())
