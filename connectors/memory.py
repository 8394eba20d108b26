"""Documents handed over by a program: added, removed, and read back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.document import Document, Metadata, MetadataValue
from connectors.source import Added, Changed, Event, KnownDocument, Removed, Unchanged, among

KIND = "text"
AS_JSON = "json_keys"  # which of the metadata are JSON: what a filter could not compare


@dataclass(frozen=True, slots=True)
class TextRecord:
    """A text with its id and metadata, as a program supplies it."""

    id: str
    text: str
    metadata: Mapping[str, Any]


class MemorySource:
    """A Source of documents handed over by a program. Those neither given nor removed stay unchanged.

    Args:
        uri: what the source is called; `uri#id` is a document.
        given: what is to be there.
        removed: the ids of what is not to be there.
        only: whether there is to be nothing else.
    """

    def __init__(
        self, uri: str, given: Iterable[TextRecord] = (), removed: Sequence[str] = (), *, only: bool = False
    ) -> None:
        self.uri = uri
        self._given = given
        self._removed = removed
        self._only = only

    def size_hint(self) -> int | None:
        """The number of documents, where they are counted."""
        return len(self._given) if isinstance(self._given, Sequence) else None

    def events(self, known: Mapping[str, KnownDocument]) -> Iterator[Event]:
        """One event for each document that is given or removed."""
        seen = set()
        for given in self._given:
            document = _document(self.uri, given)
            before = among(known, [document.uri]).get(document.uri)
            if document.uri in seen:
                continue
            seen.add(document.uri)
            if before is None:
                yield Added(document)
            else:
                yield Unchanged(document.uri) if before.revision == document.revision else Changed(document)
        gone = (
            [uri for uri in known if uri not in seen] if self._only else [self.document(each) for each in self._removed]
        )
        yield from map(Removed, among(known, gone))

    def document(self, id: str) -> str:  # noqa: A002 — what a program calls it
        """The URI of the document with this id."""
        return f"{self.uri}#{id}"


def _document(uri: str, given: TextRecord) -> Document:
    body = json.dumps([given.text, dict(given.metadata)], sort_keys=True, default=str)
    title = given.metadata.get("title")
    return Document(
        uri=f"{uri}#{given.id}",
        title=title if isinstance(title, str) and title.strip() else given.id,
        text=given.text,
        kind=KIND,
        revision=hashlib.blake2b(body.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest(),
        metadata=_flat(given.metadata),
    )


def _flat(metadata: Mapping[str, Any]) -> Metadata:
    """Values that a filter can compare as they are, all others as JSON."""
    flat: dict[str, MetadataValue] = {}
    encoded = []
    for key, value in metadata.items():
        if isinstance(value, str | int | float | bool):
            flat[str(key)] = value
        else:
            flat[str(key)] = json.dumps(value, sort_keys=True, default=str)
            encoded.append(str(key))
    return {**flat, AS_JSON: "\x1f".join(encoded)} if encoded else flat
