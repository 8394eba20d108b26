"""What a source said, by path."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.document import Document
from connectors.source import Added, Changed, Event, KnownDocument, Removed, Source, Unchanged


def listed(source: Source, known: Mapping[str, KnownDocument] | None = None) -> dict[str, Event]:
    """The event for each document, by its path in the source."""
    events = list(source.events(known or {}))
    by_uri = {uri_of(event).removeprefix(source.uri).lstrip("/#"): event for event in events}
    assert len(by_uri) == len(events), "one event per document"
    return by_uri


def uri_of(event: Event) -> str:
    return event.document.uri if isinstance(event, Added | Changed) else event.uri


def kinds(events: Mapping[str, Event]) -> dict[str, type[Event]]:
    return {path: type(event) for path, event in events.items()}


def document(events: Mapping[str, Event], path: str) -> Document:
    event = events[path]
    assert isinstance(event, Added | Changed)
    return event.document


def remember(events: Mapping[str, Event], known: Mapping[str, KnownDocument] | None = None) -> dict[str, KnownDocument]:
    """What a knowledge base would know after these events."""
    after = dict(known or {})
    for event in events.values():
        if isinstance(event, Added | Changed):
            after[event.document.uri] = KnownDocument(event.document.revision, event.stamp)
        elif isinstance(event, Unchanged) and event.stamp is not None:
            after[event.uri] = KnownDocument(after[event.uri].revision, event.stamp)
        elif isinstance(event, Removed):
            del after[event.uri]
    return after
