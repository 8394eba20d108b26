"""Finds the repository at or above a path, and its checked-out commit."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from connectors.errors import SourceError
from connectors.repository.git import Git, NoGitError
from connectors.repository.limits import RepositoryLimits
from connectors.source import REPOSITORY, Facts

_MAX_POINTER = 4096
_EMPTY_HINT = "commit something first"
_BROKEN_HINT = "`git fsck` says what is damaged; fetch or clone it again"


class NoCommitsError(SourceError):
    """The repository has no commits yet."""


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit: its hash, and its branch if it is that branch's tip and `HEAD`."""

    hash: str
    branch: str = ""


@dataclass(frozen=True, slots=True)
class Repository:
    """A local repository.

    Attributes:
        folder: where it is itself: `.git`, the folder of a bare clone, or what a linked work tree points to.
        top: the top of its work tree; None for a bare one.
        limits: what reading it may cost.
    """

    folder: Path
    top: Path | None = None
    limits: RepositoryLimits = RepositoryLimits()  # noqa: RUF009 - frozen

    @property
    def git(self) -> Git:
        """Commands on it."""
        return Git(self.folder, self.top, self.limits.seconds)

    def commit(self, revision: str = "") -> Commit:
        """The commit that a revision names; `HEAD` without one.

        Raises `SourceError` where there is none, and `NoGitError`.
        """
        git = self.git
        try:
            # An option in the place of a revision is refused, not obeyed.
            wanted = f"{revision or 'HEAD'}^{{commit}}"
            found = git.run("rev-parse", "--verify", "--quiet", "--end-of-options", wanted).decode().strip()
        except NoGitError:
            raise
        except SourceError as error:
            raise self._without(revision, error) from None
        return Commit(found, "" if revision else self._branch())

    def facts(self, commit: Commit | None) -> Facts:
        """What is remembered of a source in it, which was read when this was its commit."""
        facts = {REPOSITORY: str(self.top or self.folder)}
        if commit is not None:
            facts["commit"] = commit.hash
        if commit is not None and commit.branch:
            facts["branch"] = commit.branch
        return facts

    def _branch(self) -> str:
        try:
            return os.fsdecode(self.git.run("symbolic-ref", "--quiet", "--short", "HEAD")).strip()
        except SourceError:
            return ""  # a detached HEAD

    def _without(self, revision: str, error: SourceError) -> SourceError:
        place = self.top or self.folder
        if revision:
            hint = "name a branch, a tag or a commit from `git log`"
            return SourceError(f"{place} has no revision {revision!r}", hint=hint)
        branch = self._branch()
        if branch and not self._exists(f"refs/heads/{branch}"):
            return NoCommitsError(f"{place} has no commits on its branch {branch}", hint=_EMPTY_HINT)
        said = "" if str(error).startswith("git rev-parse failed") else f" ({error})"
        return SourceError(f"{place}: its HEAD names no existing commit{said}", hint=_BROKEN_HINT)

    def _exists(self, reference: str) -> bool:
        try:
            self.git.run("show-ref", "--verify", "--quiet", reference)
        except SourceError:
            return False
        return True


def bare_repository(path: Path) -> Repository | None:
    """The repository whose own folder `path` is, as that of a bare clone is; None for any other folder."""
    if (path / "HEAD").is_file() and (path / "objects").is_dir() and (path / "refs").is_dir():
        return Repository(path)
    return None


def repository_around(path: Path) -> Repository | None:
    """The repository with a work tree that `path` is the top of or lies in; None where there is none."""
    for folder in (path, *path.parents):
        inside = folder / ".git"
        if inside.is_dir():
            return Repository(inside, folder) if (inside / "HEAD").exists() else None
        if inside.is_file():
            pointed = _pointed_to(inside)
            return Repository(pointed, folder) if pointed is not None else None
    return None


def _pointed_to(file: Path) -> Path | None:
    """Where a linked work tree, or a submodule, says its repository is; None where nothing is there (any more)."""
    try:
        with file.open("rb") as stream:
            text = os.fsdecode(stream.read(_MAX_POINTER)).strip()
    except OSError:
        return None
    if not text.startswith("gitdir:") or "\0" in text:
        return None
    folder = Path(os.path.normpath(file.parent / text.removeprefix("gitdir:").strip()))
    return folder if (folder / "HEAD").exists() else None
