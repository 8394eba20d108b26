"""Ignored files: what the built-in list names, and anything that ignore files list."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from pathspec import GitIgnoreSpec

from connectors.errors import ConfigurationError
from connectors.folders.built_in import is_project, reason_to_ignore

OWN_FILE = ".ragignore"
IGNORE_FILES = (".gitignore", OWN_FILE)
"""Read in every folder, gitignore syntax; of two in one folder the later decides."""


_MAX_FILE = 1_000_000
_MAX_STARS = 3  # within one path segment: a hostile `*a*a*a*a*b` would take hours to match


class Tracking(Protocol):
    """What a repository knows about its files."""

    def tracks(self, path: str) -> bool:
        """Whether a file is tracked although `.gitignore` matches it, or a folder leads to such a one."""
        ...

    def leaves_out(self, path: str, *, is_folder: bool) -> bool:
        """Whether a file or folder is not the repository's own."""
        ...


class Spec(NamedTuple):
    """The ignore files of one folder: all patterns, and those that also apply to tracked files."""

    folder: str
    patterns: GitIgnoreSpec
    ours: GitIgnoreSpec


class IgnoreScope(NamedTuple):
    """The ignore files in force in one folder, nearest first."""

    specs: tuple[Spec, ...] = ()
    ignored: bool = False
    """Whether the folder is ignored itself, and entered only for what is included below it."""
    in_project: bool = False
    """Whether the folder belongs to a code repository, or to a project that is built."""


class IgnoreRules:
    """Decides which entries below `root` to leave out.

    In order: `exclude` patterns, `include` patterns (both relative to `root`), the ignore files from the nearest
    folder up to the top of the repository, the built-in list, and what the repository around it knows (`tracking`).
    `use_ignore=False` switches off the last three.
    """

    def __init__(
        self, root: str, *, use_ignore: bool = True, include: Sequence[str] = (), exclude: Sequence[str] = ()
    ) -> None:
        self.tracking: Tracking | None = None
        self._root = root
        self._use_ignore = use_ignore
        self._include = _compiled(include)
        self._exclude = _compiled(exclude)
        # The fixed beginnings of the include patterns: the folders that must be entered to reach what they match.
        self._included_paths = tuple(_fixed_part(pattern) for pattern in include)

    def top(self) -> IgnoreScope:
        """The rules that come from above the root: those of the repository it lies in.

        They do not count when they leave out the root itself: whoever names an ignored folder means it.
        """
        scope = IgnoreScope()
        if self._use_ignore:
            for folder in _repository_above(Path(self._root)):
                scope = IgnoreScope(_specs(str(folder), IGNORE_FILES, _text_of) + scope.specs, in_project=True)
                if _by_files(scope, self._root, is_folder=True):
                    return IgnoreScope(in_project=True)
        return scope

    def enter(
        self, scope: IgnoreScope, folder: str, names: Collection[str], read: Callable[[Path], str] | None = None
    ) -> IgnoreScope | None:
        """The rules in force in `folder`, whose entries are `names`, given its parent's; None when it is left out.

        `read` gives the text of an ignore file that is not on disk.
        """
        if not self._use_ignore:
            return scope
        if "pyvenv.cfg" in names:  # a virtual environment, whatever it is called
            return None
        ignored = scope.ignored or (folder != self._root and self._ignored(scope, folder, is_folder=True) is not None)
        in_project = scope.in_project or is_project(names)
        return IgnoreScope(_specs(folder, names, read or _text_of) + scope.specs, ignored, in_project)

    def skips(self, scope: IgnoreScope, path: str, *, is_folder: bool) -> bool:
        """Whether the entry at `path` is left out."""
        return self.reason(scope, path, is_folder=is_folder) is not None

    def reason(self, scope: IgnoreScope, path: str, *, is_folder: bool) -> str | None:
        """Why the entry at `path` is left out; None where it is read.

        It is empty where a person has asked for it, or is told elsewhere, and for what nobody looks for.
        """
        relative = _relative(self._root, path, is_folder=is_folder)
        if self._exclude.match_file(relative):
            return ""
        if self._include.match_file(relative):
            return None
        if is_folder and any(included.startswith(relative) for included in self._included_paths):
            return None
        if not self._use_ignore:
            return None
        tracked = self.tracking is not None and self.tracking.tracks(path)
        if scope.ignored and not tracked:
            return ""
        reason = self._ignored(scope, path, is_folder=is_folder, tracked=tracked)
        if reason is None and self.tracking is not None and self.tracking.leaves_out(path, is_folder=is_folder):
            return ""
        return reason

    def includes(self, path: str) -> bool:
        """Whether a file is read whatever speaks against it."""
        return self._include.match_file(_relative(self._root, path, is_folder=False))

    def _ignored(self, scope: IgnoreScope, path: str, *, is_folder: bool, tracked: bool = False) -> str | None:
        decided = _by_files(scope, path, is_folder=is_folder, tracked=tracked)
        if decided is not None:
            return "" if decided else None
        name = os.path.basename(path)  # noqa: PTH119
        return reason_to_ignore(name, is_folder=is_folder, in_project=scope.in_project)


def _compiled(patterns: Sequence[str]) -> GitIgnoreSpec:
    for pattern in patterns:
        if not _is_valid(pattern):
            raise ConfigurationError(f"{pattern!r} is not a pattern", hint="write patterns as in .gitignore")
    return GitIgnoreSpec.from_lines(patterns)


def _specs(folder: str, names: Collection[str], read: Callable[[Path], str]) -> tuple[Spec, ...]:
    lines = {name: _lines(Path(folder, name), read) for name in IGNORE_FILES if name in names}
    every = [line for found in lines.values() for line in found]
    if not every:
        return ()
    ours = GitIgnoreSpec.from_lines(lines.get(OWN_FILE, []))
    return (Spec(folder, GitIgnoreSpec.from_lines(every), ours),)


def _by_files(scope: IgnoreScope, path: str, *, is_folder: bool, tracked: bool = False) -> bool | None:
    """What the ignore files say; None when none of them speaks of the path."""
    for folder, patterns, ours in scope.specs:
        spec = ours if tracked else patterns
        decided = spec.check_file(_relative(folder, path, is_folder=is_folder)).include
        if decided is not None:
            return decided
    return None


def _relative(folder: str, path: str, *, is_folder: bool) -> str:
    relative = path[len(folder) :].lstrip("/\\").replace("\\", "/")
    return f"{relative}/" if is_folder else relative


def _repository_above(root: Path) -> Iterable[Path]:
    """The folders from the top of the repository that holds `root` down to its parent; none outside a repository."""
    above = list(root.parents)
    if (root / ".git").exists():
        return ()
    for count, folder in enumerate(above, start=1):
        if (folder / ".git").exists():
            return above[:count][::-1]
    return ()


def _lines(path: Path, read: Callable[[Path], str]) -> list[str]:
    """The usable patterns of an ignore file. It is found data: what is malformed or meant to hang us is passed over."""
    try:
        lines = read(path)[:_MAX_FILE].splitlines()
    except OSError:
        return []
    return [line for line in lines if _is_usable(line)]


def _text_of(path: Path) -> str:
    with path.open(encoding="utf-8", errors="replace") as stream:
        return stream.read(_MAX_FILE)


def _is_usable(line: str) -> bool:
    if any(segment.count("*") > _MAX_STARS for segment in line.split("/")) or line.count("**") > _MAX_STARS + 1:
        return False
    return _is_valid(line)


def _is_valid(pattern: str) -> bool:
    try:
        with warnings.catch_warnings():  # on character classes that look like mistakes
            warnings.simplefilter("error")
            GitIgnoreSpec.from_lines([pattern])
    except (ValueError, re.error, FutureWarning):
        return False
    return True


def _fixed_part(pattern: str) -> str:
    """What a pattern begins with before its first wildcard."""
    for position, character in enumerate(pattern):
        if character in "*?[":
            return pattern[:position].lstrip("/")
    return pattern.lstrip("/")
