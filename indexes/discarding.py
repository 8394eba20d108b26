"""Removes a store that was created for nothing: it has no source and has published nothing."""

from __future__ import annotations

import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from indexes.catalog.sources import SOURCES_FILE
from indexes.files import writer_lock

if TYPE_CHECKING:
    from indexes.store import Store

_FOLDERS = ("sparse", "dense")


def discard(store: Store) -> bool:
    """Close and delete a store that holds nothing; returns whether it was.

    It must have been made by this object, in a folder that was not there or empty. Another process that opened it
    meanwhile is refused when it wants to write.

    Raises:
        LockedError: another process is writing.
        StoreError: the disk refuses.
    """
    if not store.began_empty:
        return False
    with writer_lock(store.path, 0):
        with store.catalog.reading() as reading:
            if reading.generation() or reading.pending_generation() is not None or reading.source_uris():
                return False
        store.close()
        for name in _FOLDERS:
            shutil.rmtree(store.path / name, ignore_errors=True)
        catalog = store.catalog.path.name
        for name in (catalog, f"{catalog}-wal", f"{catalog}-shm", SOURCES_FILE, ".gitignore", "writer.lock"):
            (store.path / name).unlink(missing_ok=True)
    with suppress(OSError):  # of others' things in it
        store.path.rmdir()
    return True
