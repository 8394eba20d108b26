"""The `.gitattributes` that mark foreign files: `linguist-vendored` and `linguist-generated`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from connectors.repository.git import Git

FILE = ".gitattributes"
_NAMES = ("linguist-vendored", "linguist-generated")
_MARK = b"linguist-"
MAX_FILE = 1_000_000
_VALUES = {"set": True, "true": True, "unset": False, "false": False}


def of_work_tree(git: Git, top: Path) -> dict[str, bool]:
    """Path from the top → whether it is marked as someone else's; paths of which nothing is said are absent."""
    files = [Path(top, name) for name in git.words("ls-files", "-z", "--", f":(top,glob)**/{FILE}")]
    if not any(_speaks(file) for file in {*files, top / FILE, git.folder / "info" / "attributes"}):
        return {}
    return _marked(git, git.words("ls-files", "-z", "--cached", "--others", "--exclude-standard"))


def of_commit(git: Git, tree: str, paths: Iterable[str]) -> dict[str, bool]:
    """The same for the files of a commit, which are read into an index of their own."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
        git.run("read-tree", tree, environment=environment)
        return _marked(git, paths, "--cached", environment=environment)


def speaks_of_owners(data: bytes) -> bool:
    """Whether a file of attributes says whose writing a file is."""
    return _MARK in data[:MAX_FILE]


def _speaks(file: Path) -> bool:
    with suppress(OSError):
        if not file.is_symlink() and file.is_file():
            with file.open("rb") as stream:
                return speaks_of_owners(stream.read(MAX_FILE))
    return False


def _marked(
    git: Git, paths: Iterable[str], *options: str, environment: dict[str, str] | None = None
) -> dict[str, bool]:
    with tempfile.TemporaryFile() as stdin:
        stdin.writelines(os.fsencode(path) + b"\0" for path in paths if _is_plain(path))
        stdin.seek(0)
        said = git.words("check-attr", *options, "-z", "--stdin", *_NAMES, stdin=stdin, environment=environment)
    marked: dict[str, bool] = {}
    for path, value in zip(said[::3], said[2::3], strict=True):
        if (answer := _VALUES.get(value)) is not None:
            marked[path] = marked.get(path, False) or answer
    return marked


def _is_plain(path: str) -> bool:
    """Whether git takes it for a path inside the repository; a commit made by hand may hold others."""
    return not path.startswith("/") and not {"", ".", ".."} & set(path.split("/"))
