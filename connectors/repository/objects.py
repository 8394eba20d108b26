"""Reads the objects of a repository by hash, through one long-running git process."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from connectors.errors import SourceError
from connectors.repository.git import Git

_SECONDS_PER_BYTE = 1e-6
_MAX_TREE = 100 * 1024 * 1024
_MISSING_HINT = "a partial or damaged clone lacks it: fetch it, or clone again without --filter"
_DAMAGED_HINT = "`git fsck` says what is damaged; fetch or clone it again"

FOLDER, SUBMODULE, LINK = 0o040000, 0o160000, 0o120000
_KIND = 0o170000


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One line of a tree: a name, its mode and the hash of what it names."""

    name: bytes
    mode: int
    hash: str

    @property
    def kind(self) -> int:
        """`FOLDER`, `SUBMODULE`, `LINK`; anything else is a file."""
        return self.mode & _KIND


class MissingError(SourceError):
    """The object is not in this clone."""


class Objects:
    """The objects of one repository. Must be closed.

    Raises (every method): `SourceError` where an object is missing, damaged, or not of the kind that was asked for.
    """

    def __init__(self, git: Git) -> None:
        self._git = git
        self._process: subprocess.Popen[bytes] | None = None

    def tree(self, key: str) -> list[TreeEntry]:
        """The entries of the tree with this hash (or of the commit's), in git's order."""
        kind, data = self._read(f"{key}^{{tree}}", _MAX_TREE)
        if kind != "tree" or isinstance(data, int):
            raise SourceError("a folder in it cannot be read", hint=_DAMAGED_HINT)
        return list(_entries(data, len(key) // 2))

    def blob(self, key: str, max_bytes: int) -> bytes | int:
        """The content of the file with this hash; its size where that is more than `max_bytes`."""
        kind, data = self._read(key, max_bytes)
        if kind != "blob":
            raise SourceError(f"it is a {kind} instead of a file", hint=_DAMAGED_HINT)
        return data

    def head(self, key: str, size: int) -> bytes:
        """The first bytes of a file, however long it is."""
        process = self._git.start("cat-file", "blob", key)
        with _closing(process), self._deadline(process, size):
            return process.stdout.read(size) if process.stdout else b""

    def close(self) -> None:
        """Let git go."""
        if self._process is not None:
            with _closing(self._process):
                self._process = None

    def _read(self, name: str, max_bytes: int) -> tuple[str, bytes | int]:
        process = self._running()
        assert process.stdin is not None  # noqa: S101
        assert process.stdout is not None  # noqa: S101
        with self._deadline(process, 0):
            try:
                process.stdin.write(name.encode() + b"\n")
                process.stdin.flush()
                answer = process.stdout.readline().split()
            except OSError:
                answer = []
        if len(answer) != 3:  # noqa: PLR2004 - hash, kind, size
            missing = answer[-1:] == [b"missing"]
            if not missing:
                self.close()  # git ends on what it cannot make sense of
            what = MissingError("its content is not in this repository", hint=_MISSING_HINT)
            raise what if missing else SourceError("its content cannot be read by git", hint=_DAMAGED_HINT)
        size = int(answer[2])
        if size > max_bytes:
            self.close()  # sooner than to read it all
            return answer[1].decode(), size
        with self._deadline(process, size):
            data = process.stdout.read(size + 1)
        if len(data) <= size:
            self.close()
            raise SourceError("its content cannot be read by git", hint=_DAMAGED_HINT)
        return answer[1].decode(), data[:-1]

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._process = self._git.start("cat-file", "--batch")
        return self._process

    @contextmanager
    def _deadline(self, process: subprocess.Popen[bytes], size: int) -> Iterator[None]:
        """End a git that waits for ever, on a pipe in the place of an object say."""
        alarm = threading.Timer(self._git.seconds + size * _SECONDS_PER_BYTE, process.kill)
        alarm.start()
        try:
            yield
        finally:
            alarm.cancel()


def _entries(data: bytes, width: int) -> Iterator[TreeEntry]:
    """A tree as git stores it: mode, a space, the name, a zero byte, and `width` bytes of hash."""
    place = 0
    while place < len(data):
        space, zero = data.find(b" ", place), data.find(b"\0", place)
        end = zero + 1 + width
        if not place < space < zero or end > len(data):
            raise SourceError("a folder in it cannot be read", hint=_DAMAGED_HINT)
        try:
            mode = int(data[place:space], 8)
        except ValueError:
            raise SourceError("a folder in it cannot be read", hint=_DAMAGED_HINT) from None
        yield TreeEntry(data[space + 1 : zero], mode, data[zero + 1 : end].hex())
        place = end


@contextmanager
def _closing(process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        process.kill()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        process.wait()
