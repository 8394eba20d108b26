"""Files that a crash cannot leave half written, and the lock that makes one process the writer."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from indexes.errors import LockedError, StoreError


def write_atomically(path: Path, data: bytes) -> None:
    """Replace a file so that a crash leaves the old or the new one, on disk."""
    temporary = path.with_suffix(path.suffix + ".tmp")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def writer_lock(folder: Path, timeout: float) -> Iterator[None]:
    """Be the one writer of a knowledge base; the operating system frees the lock when the process dies.

    Args:
        folder: the knowledge base.
        timeout: seconds to wait for another writer.

    Raises:
        LockedError: another process still holds the lock; the message names it.
    """
    holder = folder / "writer.json"
    lock = FileLock(folder / "writer.lock")
    try:
        lock.acquire(timeout=timeout)
    except Timeout as error:
        raise LockedError(
            f"{folder} is being written by another process{_name_holder(holder)}",
            hint="wait until it has finished; searching works meanwhile",
        ) from error
    except OSError as error:
        raise StoreError(
            f"cannot write to {folder}: {error.strerror}", hint="check its permissions and the disk's free space"
        ) from error
    try:
        with suppress(OSError):  # it only helps others to say who holds the lock: a full disk is no reason to stop here
            holder.write_text(json.dumps({"pid": os.getpid(), "host": socket.gethostname()}))
        yield
    finally:
        with suppress(OSError):
            holder.unlink(missing_ok=True)
        lock.release()


def _name_holder(holder: Path) -> str:
    try:
        written = json.loads(holder.read_bytes())
        return f" (process {written['pid']} on {written['host']})"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
