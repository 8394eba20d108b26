"""Detects renamed files: a new file with the content of a known one that is gone."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from connectors.source import KnownDocument, among

_PAGE = 2_000


class Renames:
    """Maps each new document to the known document it was renamed from, by equal revisions.

    Arguments:
        known: the documents known of the source.
        is_gone: whether the document with a URI is there no more.
    """

    def __init__(self, known: Mapping[str, KnownDocument], is_gone: Callable[[str], bool]) -> None:
        self._known = known
        self._is_gone = is_gone
        self._by_revision: dict[str, list[str]] | None = None

    def origin(self, revision: str) -> str | None:
        """The URI that a new document with this revision had before; None for one that is just new.

        No document is the origin of two.
        """
        if self._by_revision is None:  # only now: most runs bring nothing new
            self._by_revision = {}
            uris = list(self._known)
            for start in range(0, len(uris), _PAGE):
                for uri, known in among(self._known, uris[start : start + _PAGE]).items():
                    self._by_revision.setdefault(known.revision, []).append(uri)
        candidates = self._by_revision.get(revision, [])
        found = next((uri for uri in sorted(candidates) if self._is_gone(uri)), None)
        if found is not None:
            candidates.remove(found)
        return found
