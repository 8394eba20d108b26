"""Files that a crash cannot leave half written, and the lock that admits a single writer process."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import socket
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from indexes.errors import LockedError, StoreError
from indexes.seals import is_derived_sealed, seal_derived


def write_atomically(path: Path, data: bytes | memoryview) -> None:
    """Replace a file so that a crash leaves the old or the new one, on disk. Nothing is written through a link."""
    temporary = path.with_name(f".{path.name}-{secrets.token_hex(8)}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(temporary, flags, 0o666), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)  # on a full disk, half a file is in the way of everything else
        raise
    sync_folder(path.parent)


def make_folder(path: Path) -> None:
    """Make a folder, and those above it that are missing, so that their names are on disk."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for folder in missing:
        sync_folder(folder.parent)


def sync_folder(path: Path) -> None:
    """Put on disk what the files in a folder are called: to sync a file itself does not."""
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write_checked(path: Path, values: Mapping[str, Any]) -> None:
    """Replace a small JSON file by these values and a checksum of them."""
    body = json.dumps(values, sort_keys=True)
    write_atomically(path, json.dumps({"crc": zlib.crc32(body.encode()), "values": values}).encode())


def read_checked(path: Path, *, most_bytes: int = 4 << 20) -> dict[str, Any]:
    """The values that `write_checked` wrote, in a file of at most `most_bytes`.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not what was written.
    """
    with path.open("rb") as file:
        data = file.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise ValueError(f"it has more than {most_bytes:,} bytes")
    try:
        written = json.loads(data)
        values: dict[str, Any] = written["values"]
        whole = written["crc"] == zlib.crc32(json.dumps(values, sort_keys=True).encode())
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(_OTHER) from error
    if not whole or not isinstance(values, dict):
        raise ValueError(_OTHER)
    return values


def file_digest(path: Path) -> str:
    """The SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def state_seal(kind: str, values: Mapping[str, Any]) -> str:
    """What says, in a state of a derived index, that this user wrote it."""
    return seal_derived(kind, {**values, "seal": ""})


def is_own_state(kind: str, values: Mapping[str, Any]) -> bool:
    """Whether this user wrote a state, and so the files whose digests it names: native code reads no others."""
    return is_derived_sealed(kind, {**values, "seal": ""}, values["seal"])


_STALE_SECONDS = 3_600.0  # no file is written for so long
_OTHER = "it is not what was written"
_HOLDER, _LOCK = "writer.json", "writer.lock"
_WRITER = "writer"  # what is sealed


def refuse_links(folder: Path) -> None:
    """Refuse a knowledge base that holds links: what they lead to is not part of it, and could be anything.

    Raises:
        StoreError: there is one, in the folder or in those of the indexes.
    """
    for place in (folder, folder / "sparse", folder / "dense"):
        with suppress(FileNotFoundError, NotADirectoryError, PermissionError), os.scandir(place) as entries:
            if link := next((entry.path for entry in entries if entry.is_symlink()), None):
                raise StoreError(f"{link} is a link", hint="a knowledge base holds none: remove it")


@contextmanager
def writer_lock(folder: Path, timeout: float) -> Iterator[None]:
    """Be the one writer of a knowledge base; the operating system frees the lock when the process dies.

    Args:
        folder: the knowledge base.
        timeout: seconds to wait for another writer.

    Raises:
        LockedError: another process still holds the lock; the message names it.
    """
    refuse_links(folder)
    holder = folder / _HOLDER
    lock = FileLock(folder / _LOCK)
    try:
        lock.acquire(timeout=timeout)
    except Timeout as error:
        raise LockedError(
            f"{folder} is being written by another process{_name_holder(holder)}",
            hint="wait until it has finished; searches still work",
        ) from error
    except OSError as error:
        raise StoreError(
            f"cannot write to {folder}: {error.strerror}", hint="check its permissions and the disk's free space"
        ) from error
    try:
        _sweep(folder)
        with suppress(OSError):  # it only helps others to say who holds the lock: a full disk is no reason to stop here
            holder.write_text(json.dumps(_this_process()))
        yield
    finally:
        with suppress(OSError):
            holder.unlink(missing_ok=True)
        lock.release()


def confirm_writer(folder: Path) -> None:
    """Say, as the writer, that the derived indexes are this user's: all that they held has been verified, or made anew.

    Until it has finished, their files may be ahead of what is sealed of them.
    """
    with suppress(OSError):
        process = _this_process()
        (folder / _HOLDER).write_text(json.dumps({**process, "seal": state_seal(_WRITER, process)}))


def is_being_written(folder: Path) -> bool:
    """Whether a writer of this user is at work that has confirmed the derived indexes."""
    try:
        if not is_own_state(_WRITER, json.loads((folder / _HOLDER).read_bytes())):
            return False
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False
    lock = FileLock(folder / _LOCK)  # what a writer that was killed has left says nothing
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:
        return False
    lock.release()
    return False


def _this_process() -> dict[str, Any]:
    return {"pid": os.getpid(), "host": socket.gethostname()}


def _sweep(folder: Path) -> None:
    """Remove what runs that were killed have left half written."""
    for place in (folder, folder / "sparse", folder / "dense"):
        for file in place.glob(".*.tmp"):
            with suppress(OSError):
                if time.time() - file.stat().st_mtime > _STALE_SECONDS:
                    file.unlink()


def _name_holder(holder: Path) -> str:
    try:
        written = json.loads(holder.read_bytes())
        return f" (process {written['pid']} on {written['host']})"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
