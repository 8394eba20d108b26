"""Walks the files of a commit, without a work tree."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from connectors.errors import SourceError
from connectors.folders.ignore import OWN_FILE, IgnoreRules, IgnoreScope
from connectors.folders.left_out import LeftOutTally
from connectors.repository.attributes import FILE as ATTRIBUTES
from connectors.repository.objects import FOLDER, LINK, SUBMODULE, Objects, TreeEntry

_MAX_DEPTH = 200
_MAX_RULES = 1_000_000
_FOLDERS = frozenset({FOLDER, SUBMODULE})
_TOO_MANY_HINT = "check out the part you need and index that folder"


class File(NamedTuple):
    """A file of a commit: its path from the top, and the hash of its content."""

    path: str
    hash: str


class Lost(NamedTuple):
    """A folder that cannot be read, and why."""

    path: str
    error: SourceError


class Tree:
    """The files of one commit that `rules` let through, without links and submodules.

    Iterating raises `SourceError` when the top itself cannot be read, or when there are more than `max_files`.

    Attributes:
        commit: its hash.
        submodules: the paths of those come upon so far.
        attributes: the files of attributes.
        left_out: what the built-in list left out so far.
    """

    def __init__(self, objects: Objects, commit: str, rules: IgnoreRules, max_files: int) -> None:
        self.submodules: list[str] = []
        self.attributes: list[File] = []
        self.left_out = LeftOutTally("")
        self._objects = objects
        self.commit = commit
        self._rules = rules
        self._max_files = max_files
        self._seen = 0

    def __iter__(self) -> Iterator[File | Lost]:
        """Every file, folder by folder in the order of names, and every folder that is lost."""
        yield from self._folder("", self._objects.tree(self.commit), IgnoreScope(in_project=True))

    def _folder(self, folder: str, entries: list[TreeEntry], parent: IgnoreScope) -> Iterator[File | Lost]:
        self._seen += len(entries)
        if self._seen > self._max_files:
            raise SourceError(f"the commit {self.commit} has more than {self._max_files:,} files", hint=_TOO_MANY_HINT)
        scope = self._scope(folder, entries, parent)
        if scope is None:
            return
        for entry in entries:
            name = os.fsdecode(entry.name)
            path = f"{folder}/{name}" if folder else name
            if name == ATTRIBUTES and entry.kind not in {*_FOLDERS, LINK}:
                self.attributes.append(File(path, entry.hash))
            if not name or "/" in name or name in {".", ".."}:
                hint = "no file can have that name: the commit was made by hand"
                yield Lost(path, SourceError(f"its name is {name!r}", hint=hint))
            elif entry.kind != LINK:
                reason = self._rules.reason(scope, path, is_folder=entry.kind in _FOLDERS)
                if reason is not None:
                    self.left_out.add(reason, path)
                elif entry.kind == SUBMODULE:
                    self.submodules.append(path)
                elif entry.kind == FOLDER:
                    yield from self._below(path, entry, scope)
                else:
                    yield File(path, entry.hash)

    def _scope(self, folder: str, entries: list[TreeEntry], parent: IgnoreScope) -> IgnoreScope | None:
        files = {os.fsdecode(entry.name): entry.hash for entry in entries if entry.kind not in {*_FOLDERS, LINK}}

        def read(path: Path) -> str:
            try:
                data = self._objects.blob(files[path.name], _MAX_RULES)
            except SourceError:
                return ""  # it is reported as a file, too
            return "" if isinstance(data, int) else data.decode("utf-8", "replace")

        # What is committed is tracked, whatever .gitignore says: only the file of our own counts.
        return self._rules.enter(parent, folder, files.keys() & {OWN_FILE, "pyvenv.cfg"}, read)

    def _below(self, path: str, entry: TreeEntry, scope: IgnoreScope) -> Iterator[File | Lost]:
        if path.count("/") > _MAX_DEPTH:
            yield Lost(path, SourceError("it is nested too deep", hint=_TOO_MANY_HINT))
            return
        try:
            entries = self._objects.tree(entry.hash)
        except SourceError as error:
            yield Lost(path, error)
            return
        yield from self._folder(path, entries, scope)
