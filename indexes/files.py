"""Files that a crash cannot leave half written, and the lock that admits a single writer process."""

from __future__ import annotations

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


def read_checked(path: Path) -> dict[str, Any]:
    """The values that `write_checked` wrote.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not what was written.
    """
    try:
        written = json.loads(path.read_bytes())
        values: dict[str, Any] = written["values"]
        whole = written["crc"] == zlib.crc32(json.dumps(values, sort_keys=True).encode())
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(_OTHER) from error
    if not whole:
        raise ValueError(_OTHER)
    return values


def file_crc(path: Path) -> int:
    """The CRC-32 of a file's bytes."""
    crc = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            crc = zlib.crc32(block, crc)
    return crc


_BLOCK = 1 << 20
_STALE_SECONDS = 3_600.0  # no file is written for so long
_OTHER = "it is not what was written"


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
    holder = folder / "writer.json"
    lock = FileLock(folder / "writer.lock")
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
            holder.write_text(json.dumps({"pid": os.getpid(), "host": socket.gethostname()}))
        yield
    finally:
        with suppress(OSError):
            holder.unlink(missing_ok=True)
        lock.release()


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
