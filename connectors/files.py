"""A file or a folder as a Source: listed quickly, and read only if something may have changed."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from connectors.document import Document, MetadataValue
from connectors.errors import SourceError
from connectors.folders.document import DEFAULTS, MAX_BYTES, file_document, printable, revision_of
from connectors.folders.ignore import IgnoreRules
from connectors.folders.left_out import LeftOutTally
from connectors.folders.walk import FolderEntry, Unreadable, Walk
from connectors.formats import PARSER_VERSION
from connectors.repository.renames import Renames
from connectors.source import (
    Added,
    Changed,
    Event,
    Facts,
    Failed,
    KnownDocument,
    KnownDocuments,
    LeftOut,
    Option,
    Options,
    Removed,
    Unchanged,
    among,
)
from connectors.summaries import shortened

if TYPE_CHECKING:
    from connectors.repository.work_tree import WorkTree


# A file this young may change again without a visible trace: coarse file systems count time in steps of two seconds.
_FRESH_NS = 2_000_000_000
_HEAD = 4096
_PAGE = 500
_GONE_HINT = "check the path; if the source is gone for good, run `rag remove`"
_PERMISSION_HINT = "check its permissions, or exclude it in .ragignore"


_Seen = Added | Changed | Unchanged | Failed


class FileSource:
    """The documents of one file, or of a folder and everything below it.

    Arguments:
        path: the file or folder; it need not exist before `events` is called.
        use_ignore: whether ignore files and the built-in ignore list count. A file that is named itself is always read.
        include: gitignore-style patterns, relative to the folder, of what is read although it would be ignored.
        exclude: patterns of what is never read.
        max_bytes: larger files are reported as failed instead of read.
        vendored: whether vendored and generated code is read, too, in the work tree of a git repository.

    An empty file is a document without text: it is known, it counts, and it fails no run.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        use_ignore: bool = True,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        max_bytes: int = MAX_BYTES,
        vendored: bool = False,
    ) -> None:
        # Not resolved: documents keep the names the user knows them by, symlinks included.
        self._path = os.path.abspath(Path(path).expanduser())  # noqa: PTH100
        self._rules = IgnoreRules(self._path, use_ignore=use_ignore, include=include, exclude=exclude)
        self._skips_opaque = use_ignore
        chosen: dict[str, Option] = {
            "use_ignore": use_ignore,
            "include": list(include),
            "exclude": list(exclude),
            "max_bytes": max_bytes,
            "vendored": vendored,
        }
        self._options = {key: value for key, value in chosen.items() if value != DEFAULTS[key]}
        self._max_bytes = max_bytes
        self._vendored = vendored
        self._work_tree: WorkTree | None = None
        self._walk: Walk | None = None
        self._renames = Renames({}, os.path.lexists)
        self._unread = LeftOutTally(self._path)

    @property
    def uri(self) -> str:
        """The absolute path."""
        return self._path

    @property
    def options(self) -> Options:
        """The arguments that are not the default."""
        return self._options

    @property
    def facts(self) -> Facts:
        """Of a work tree: its repository, the commit that was checked out, and its branch."""
        return self._work_tree.facts if self._work_tree else {}

    @property
    def notes(self) -> Sequence[str]:
        """What was left out, and could have been meant."""
        outside = [path.removeprefix(self._path + os.sep) for path in self._walk.outside] if self._walk else []
        notes = list(self._work_tree.notes) if self._work_tree else []
        if outside:
            notes.append(f"skipped links that lead outside: {shortened(outside)} (add their targets as sources)")
        return notes

    @property
    def left_out(self) -> Sequence[LeftOut]:
        """What the built-in list left out, and what is no document or too large, by reason."""
        return (*(self._walk.left_out.by_reason() if self._walk else ()), *self._unread.by_reason())

    def size_hint(self) -> int | None:
        """How many files will be looked at; None when the path cannot be listed."""
        try:
            return sum(isinstance(found, FolderEntry) for found in self._entries())
        except SourceError:
            return None

    def events(self, known: Mapping[str, KnownDocument]) -> Iterator[Event]:
        """One event for every file found and every document known.

        Raises `SourceError` when the path does not exist, or is a folder that held several documents and now holds
        nothing at all, as where a drive was mounted. A single file that is gone, from a folder that is still
        there, was deleted: that is `Removed`.
        """
        if self._path in known and not os.path.lexists(self._path) and Path(self._path).parent.is_dir():
            yield from (Removed(uri) for uri in known)
            return
        if len(known) > 1 and _is_empty_folder(self._path):
            raise SourceError(
                f"{self._path} is now empty; the {len(known)} documents indexed from it are kept",
                hint="if it is a drive, mount it; if they are gone for good, run `rag remove`",
            )
        self._renames = Renames(known, lambda uri: not os.path.lexists(uri))
        self._unread = LeftOutTally(self._path)
        seen: set[str] = set()
        unreadable: list[str] = []
        # What is known of some hundred files is asked for at once where each question costs.
        entries, size = self._entries(), _PAGE if isinstance(known, KnownDocuments) else 1
        while page := list(islice(entries, size)):
            remembered = among(known, [found.path for found in page])
            for found in page:
                for event in self._look_at(found, remembered):
                    seen.add(event.uri if isinstance(event, Unchanged | Failed) else event.document.uri)
                    yield event
                if isinstance(found, Unreadable):
                    unreadable.append(found.path + os.sep)
        for uri in known:
            if uri not in seen:
                # A known document that was not found: gone, unless it is in a folder that just cannot be read now.
                yield Unchanged(uri) if uri.startswith(tuple(unreadable)) else Removed(uri)

    def _entries(self) -> Iterator[FolderEntry | Unreadable]:
        try:
            info = Path(self._path).stat()
        except OSError as error:
            reason = "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
            raise SourceError(f"{self._path} {reason}", hint=_GONE_HINT) from None
        from connectors.repository.work_tree import WorkTree

        self._rules.tracking = self._work_tree = WorkTree.around(self._path, vendored=self._vendored)
        if stat.S_ISDIR(info.st_mode):
            self._walk = Walk(self._path, self._rules)
            yield from self._walk
        elif stat.S_ISREG(info.st_mode):
            yield FolderEntry(self._path, info.st_size, info.st_mtime_ns)
        else:
            raise SourceError(f"{self._path} is neither a file nor a folder", hint="name a file or a folder")

    def _look_at(self, found: FolderEntry | Unreadable, known: Mapping[str, KnownDocument]) -> Iterator[_Seen]:
        if isinstance(found, Unreadable):
            yield _unreadable(printable(found.path), found.error)
        elif printable(found.path) != found.path:
            yield Failed(printable(found.path), "its name is not valid UTF-8", "rename it")
        else:
            event = self._event(found, known.get(found.path))
            if event is not None:
                yield event

    def _event(self, entry: FolderEntry, known: KnownDocument | None) -> _Seen | None:
        """What became of one file; None for one that nobody expects to be a document."""
        if known is not None and known.stamp and known.stamp == self._stamp(entry.size, entry.modified_ns):
            return Unchanged(entry.path)
        try:
            content = self._read(entry.path)
            if self._leaves_out(entry.path, content.data):
                return None
            revision = revision_of(content.data)
            if known is not None and known.revision == revision:
                return Unchanged(entry.path, content.stamp)
            document = self._document(entry.path, content, revision, is_new=known is None)
        except OSError as error:
            return _unreadable(entry.path, error)
        except SourceError as error:
            from connectors.formats.sniff import OpaqueContentError

            if isinstance(error, OpaqueContentError) and self._skips_opaque and entry.path != self._path:
                self._unread.add("files that are no documents by their content", entry.path)
                return None
            return Failed(entry.path, str(error), error.hint)
        return Added(document, content.stamp) if known is None else Changed(document, content.stamp)

    def _leaves_out(self, path: str, data: bytes) -> bool:
        """Whether a file in a work tree is not read because a program wrote it. What is named itself is always read."""
        if self._work_tree is None or not self._skips_opaque or path == self._path or self._rules.includes(path):
            return False
        return self._work_tree.leaves_out_content(path, data)

    def _read(self, path: str) -> _Content:
        from connectors.formats.sniff import refuse_opaque

        with Path(path).open("rb") as stream:
            before = os.fstat(stream.fileno())
            head = stream.read(_HEAD)
            refuse_opaque(head)  # before the size is looked at: a film is not a document that is too large
            data = head + stream.read(max(0, self._max_bytes + 1 - len(head)))
            after = os.fstat(stream.fileno())
        if len(data) > self._max_bytes:
            hint = "split it, or exclude it in .ragignore"
            self._unread.add(f"files larger than {self._max_bytes:,} bytes", path)
            raise SourceError(f"larger than {self._max_bytes:,} bytes ({after.st_size:,})", hint=hint)
        steady = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
        settled = abs(time.time_ns() - after.st_mtime_ns) >= _FRESH_NS
        stamp = self._stamp(after.st_size, after.st_mtime_ns) if steady and settled else ""
        return _Content(data, stamp, after.st_mtime_ns)

    def _document(self, path: str, content: _Content, revision: str, *, is_new: bool) -> Document:
        name = Path(path)
        folder = os.path.relpath(name.parent, self._path) if path != self._path else "."
        more: dict[str, MetadataValue] = {
            "modified": datetime.fromtimestamp(content.modified_ns / 1e9, UTC).date().isoformat()
        }
        origin = self._renames.origin(revision) if self._work_tree and is_new and content.data else None
        if origin is not None:
            more["renamed_from"] = Path(os.path.relpath(origin, self._path)).as_posix()
        return file_document(path, name, Path(folder).as_posix(), content.data, revision, more)

    def _stamp(self, size: int, modified_ns: int) -> str:
        """Size and time tell a changed file, the rest a changed reading of it: another parser, other rules."""
        return f"{size}:{modified_ns}:{PARSER_VERSION}{'v' if self._vendored else ''}"


class _Content(NamedTuple):
    data: bytes
    stamp: str
    modified_ns: int


def _is_empty_folder(path: str) -> bool:
    """Whether there is nothing at all in it, which is how a drive that is not mounted looks."""
    try:
        with os.scandir(path) as entries:
            return next(entries, None) is None
    except OSError:
        return False


def _unreadable(path: str, error: OSError) -> Failed:
    if isinstance(error, FileNotFoundError):
        return Failed(path, "disappeared during the run", "run the command again")
    return Failed(path, f"cannot be read: {(error.strerror or str(error)).lower()}", _PERMISSION_HINT)
