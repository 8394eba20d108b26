"""The committed files of a repository as a Source: those of `HEAD` or of a revision, read without a work tree."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from connectors.errors import SourceError
from connectors.folders.document import DEFAULTS, MAX_BYTES, file_document, printable
from connectors.folders.ignore import IgnoreRules
from connectors.formats import PARSER_VERSION
from connectors.formats.sniff import OpaqueContentError, refuse_opaque
from connectors.repository import attributes
from connectors.repository.address import address
from connectors.repository.foreign import Foreign
from connectors.repository.git import Git
from connectors.repository.limits import RepositoryLimits
from connectors.repository.objects import Objects
from connectors.repository.renames import Renames
from connectors.repository.repository import Commit, Repository, bare_repository, repository_around
from connectors.repository.tree import File, Lost, Tree
from connectors.source import (
    Added,
    Changed,
    Event,
    Facts,
    Failed,
    KnownDocument,
    LeftOut,
    Option,
    Options,
    Removed,
    Unchanged,
    among,
)

_HEAD = 4096
_PAGE = 2_000


class CommittedSource:
    """The documents in a commit. Their URIs are `git:///folder/of/repo.git#path/in/it`.

    An unchanged one is known by the hash that git has for its content: nothing but folders is read then.

    Arguments:
        path: a bare clone, or the top of a work tree; it need not be there before `events` is called.
        rev: a branch, tag or commit in the place of `HEAD`; documents of another revision are other documents.
        vendored: whether vendored and generated code is read, too.
        use_ignore, include, exclude, max_bytes: as for `FileSource`; of the ignore files only `.ragignore` counts,
            for what is committed is not ignored by git.
        limits: what reading the repository may cost.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        rev: str = "",
        vendored: bool = False,
        use_ignore: bool = True,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        max_bytes: int = MAX_BYTES,
        limits: RepositoryLimits = RepositoryLimits(),  # noqa: B008 - frozen
    ) -> None:
        self._path = Path(os.path.abspath(Path(path).expanduser()))  # noqa: PTH100 - links stay as the user knows them
        self._rev = rev
        self._rules = IgnoreRules("", use_ignore=use_ignore, include=include, exclude=exclude)
        self._everything = vendored or not use_ignore
        self._skips_opaque = use_ignore
        self._max_bytes = max_bytes
        self._limits = limits
        chosen = (use_ignore, list(include), list(exclude), max_bytes, vendored)
        options: dict[str, Option] = dict(zip(DEFAULTS, chosen, strict=True))
        self._options = {key: value for key, value in options.items() if value != DEFAULTS[key]}
        self._listing: _Listing | None = None

    @property
    def uri(self) -> str:
        """The repository as a URI, and the revision in its query."""
        return address(self._path, self._rev)

    @property
    def options(self) -> Options:
        """The arguments that are not the default; the revision is in the URI."""
        return self._options

    @property
    def facts(self) -> Facts:
        """The repository, the commit that was listed, and its branch."""
        return self._listing.repository.facts(self._listing.commit) if self._listing else {}

    @property
    def notes(self) -> Sequence[str]:
        """What was left out."""
        return self._listing.foreign.notes() if self._listing else ()

    @property
    def left_out(self) -> Sequence[LeftOut]:
        """What the built-in list left out, by reason."""
        return self._listing.left_out if self._listing else ()

    def size_hint(self) -> int | None:
        """How many files will be looked at; None when the commit cannot be listed."""
        try:
            self._listing = self._list()
        except SourceError:
            return None
        return len(self._listing.files)

    def events(self, known: Mapping[str, KnownDocument]) -> Iterator[Event]:
        """One event for every file of the commit and every document known.

        Raises `SourceError` when there is no commit, or its top cannot be read: everything known is kept then.
        """
        listing = self._listing = self._list()
        prefix = f"{self.uri}#"
        there = {prefix + file.path for file in listing.files}
        seen: set[str] = set()
        for lost in listing.lost:
            yield _failed(prefix + lost.path, lost.error)
        with closing(Objects(listing.repository.git)) as objects:
            reading = _Reading(prefix, objects, Renames(known, lambda uri: uri not in there))
            for start in range(0, len(listing.files), _PAGE):
                page = listing.files[start : start + _PAGE]
                remembered = among(known, [prefix + file.path for file in page])
                for file in page:
                    event = self._event(file, remembered.get(prefix + file.path), reading)
                    if event is not None:
                        seen.add(prefix + file.path)
                        yield event
        lost_folders = tuple(f"{prefix}{lost.path}/" for lost in listing.lost)
        for uri in known:
            if uri not in seen:
                yield Unchanged(uri) if uri.startswith(lost_folders) else Removed(uri)

    def _list(self) -> _Listing:
        """The files of the commit as it is now; what was found for this commit before, when it is that."""
        repository = replace(_repository(self._path), limits=self._limits)
        commit = repository.commit(self._rev)
        if self._listing is not None and self._listing.commit == commit:
            return self._listing
        files: list[File] = []
        lost: list[Lost] = []
        with closing(Objects(repository.git)) as objects:
            tree = Tree(objects, commit.hash, self._rules, self._limits.files)
            for found in tree:
                if isinstance(found, Lost):
                    lost.append(found)
                else:
                    files.append(found)
            marked = {} if self._everything else _marked(repository.git, tree, files, objects)
            foreign = Foreign(marked, everything=self._everything)
        for path in tree.submodules:
            foreign.mount(path)
        kept = [
            file for file in files if self._rules.includes(file.path) or not foreign.skips(file.path, is_folder=False)
        ]
        return _Listing(repository, commit, kept, lost, foreign, tree.left_out.by_reason())

    def _event(self, file: File, known: KnownDocument | None, reading: _Reading) -> Event | None:
        """What became of one file; None for one that nobody expects to be a document."""
        uri, revision = reading.prefix + file.path, f"{file.hash}:{PARSER_VERSION}"
        stamp = "vendored" if self._everything else ""  # what was read under another rule has to be looked at again
        if known is not None and known.revision == revision and known.stamp == stamp:
            return Unchanged(uri)
        try:
            data = self._read(file, reading.objects)
            if data is None:
                return None
            if known is not None and known.revision == revision:
                return Unchanged(uri, stamp)
            if printable(file.path) != file.path:
                return Failed(printable(uri), "its name is not valid UTF-8", "rename it")
            origin = reading.renames.origin(revision) if known is None and data else None
            renamed = {"renamed_from": origin.removeprefix(reading.prefix)} if origin else {}
            folder = file.path.rpartition("/")[0] or "."
            document = file_document(uri, Path(file.path), folder, data, revision, renamed)
        except OpaqueContentError as error:
            return None if self._skips_opaque else _failed(uri, error)
        except SourceError as error:
            return _failed(uri, error)
        return Added(document, stamp) if known is None else Changed(document, stamp)

    def _read(self, file: File, objects: Objects) -> bytes | None:
        """The content of a file; None for one whose content says that it is left out."""
        data = objects.blob(file.hash, self._max_bytes)
        if isinstance(data, int):
            refuse_opaque(objects.head(file.hash, _HEAD))  # a film is not a document that is too large
            hint = "split it, or exclude it in .ragignore"
            raise SourceError(f"larger than {self._max_bytes:,} bytes ({data:,})", hint=hint)
        refuse_opaque(data[:_HEAD])
        assert self._listing is not None  # noqa: S101
        left_out = not self._rules.includes(file.path) and self._listing.foreign.skips_content(file.path, data)
        return None if left_out else data


class _Reading(NamedTuple):
    """Everything needed to read the files of a commit."""

    prefix: str
    objects: Objects
    renames: Renames


@dataclass(frozen=True, slots=True)
class _Listing:
    repository: Repository
    commit: Commit
    files: list[File]
    lost: list[Lost]
    foreign: Foreign
    left_out: tuple[LeftOut, ...]


def _repository(path: Path) -> Repository:
    if not path.exists():
        hint = "check the path; if the source is gone for good, run `rag remove`"
        raise SourceError(f"{path} does not exist", hint=hint)
    found = bare_repository(path) or repository_around(path)
    if found is None:
        hint = "name the folder of a bare clone, or the top of a work tree"
        raise SourceError(f"{path} is not a git repository", hint=hint)
    if (found.top or found.folder) != path:
        raise SourceError(
            f"{path} is only a folder of a git repository", hint=f"name the whole repository: {found.top}"
        )
    return found


def _marked(git: Git, tree: Tree, files: Sequence[File], objects: Objects) -> dict[str, bool]:
    """What the attributes say, asked for only where they say anything about owners."""
    for file in tree.attributes:
        with suppress(SourceError):  # the names decide then
            data = objects.blob(file.hash, attributes.MAX_FILE)
            if not isinstance(data, int) and attributes.speaks_of_owners(data):
                return attributes.of_commit(git, tree.commit, [file.path for file in files])
    return {}


def _failed(uri: str, error: SourceError) -> Failed:
    return Failed(printable(uri), str(error), error.hint)
