"""Walks a folder: every file once, without ignored ones; survives symlink loops and unreadable folders."""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from connectors.folders.ignore import IgnoreRules, IgnoreScope
from connectors.folders.left_out import LeftOutTally


class FolderEntry(NamedTuple):
    """A regular file, with the values its stamp is made of."""

    path: str
    size: int
    modified_ns: int


class Unreadable(NamedTuple):
    """A folder that cannot be listed, or an entry that cannot be inspected."""

    path: str
    error: OSError


class Walk:
    """One walk below `root`.

    Symlinks are followed within `root`, but only after everything that is really there: a file or folder that is
    reached both ways is reported once, by its own path. A link that leads out of `root` is passed over: a folder from
    someone else must not pull private files in. To index what is behind one, name it as a source.

    Attributes:
        outside: the links passed over so far.
        left_out: what the built-in list left out so far, by reason.
    """

    def __init__(self, root: str, rules: IgnoreRules) -> None:
        self.outside: list[str] = []
        self.left_out = LeftOutTally(root)
        self._rules = rules
        self._inside = Path(root).resolve()
        self._folders: deque[tuple[str, IgnoreScope]] = deque([(root, rules.top())])
        self._links: deque[tuple[str, IgnoreScope]] = deque()
        self._seen: set[tuple[int, int]] = set()

    def __iter__(self) -> Iterator[FolderEntry | Unreadable]:
        """Every file found, folder by folder in the order of names, and what cannot be read."""
        while self._folders or self._links:
            if self._folders:
                yield from self._folder(*self._folders.popleft())
            else:
                yield from self._link(*self._links.popleft())

    def _folder(self, folder: str, parent: IgnoreScope) -> Iterator[FolderEntry | Unreadable]:
        try:
            info = os.stat(folder)  # noqa: PTH116 - strings all the way: thousands of Path objects cost real time
            if _identity(info) in self._seen:
                return
            self._seen.add(_identity(info))
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            yield Unreadable(folder, error)
            return
        scope = self._rules.enter(parent, folder, {entry.name for entry in entries})
        if scope is None:
            self.left_out.add("virtual environments", folder)
            return
        for entry in entries:
            yield from self._entry(entry, scope)

    def _entry(self, entry: os.DirEntry[str], scope: IgnoreScope) -> Iterator[FolderEntry | Unreadable]:
        try:
            if entry.is_symlink():
                self._links.append((entry.path, scope))
                return
            is_folder = entry.is_dir()
            reason = self._rules.reason(scope, entry.path, is_folder=is_folder)
            if reason is not None:
                self.left_out.add(reason, entry.path)
                return
            if is_folder:
                self._folders.append((entry.path, scope))
            else:
                yield from self._file(entry.path, entry.stat())
        except OSError as error:
            yield Unreadable(entry.path, error)

    def _link(self, path: str, scope: IgnoreScope) -> Iterator[FolderEntry | Unreadable]:
        try:
            info = os.stat(path)  # noqa: PTH116
        except OSError:
            return  # it points nowhere, or at itself
        is_folder = stat.S_ISDIR(info.st_mode)
        if _identity(info) in self._seen or self._rules.skips(scope, path, is_folder=is_folder):
            return
        if not Path(path).resolve().is_relative_to(self._inside):
            self.outside.append(path)
            return
        if is_folder:
            self._folders.append((path, scope))
        else:
            yield from self._file(path, info)

    def _file(self, path: str, info: os.stat_result) -> Iterator[FolderEntry]:
        # Pipes, sockets and devices are not documents, and reading one may never end.
        if stat.S_ISREG(info.st_mode):
            self._seen.add(_identity(info))
            yield FolderEntry(path, info.st_size, info.st_mtime_ns)


def _identity(info: os.stat_result) -> tuple[int, int]:
    return info.st_dev, info.st_ino
