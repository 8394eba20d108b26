"""Repairs what `indexes/doctor/doctor.py` found: rebuilds it from the catalog where possible, and embeds nothing.

Damaged data in the catalog itself is dropped, so that the next `rag index` reads or embeds it again.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from indexes.catalog.form_rows import restore_forms
from indexes.catalog.writing import Writing
from indexes.dense.base import BaseState, discard_others
from indexes.doctor.doctor import examine
from indexes.doctor.findings import Findings, named
from indexes.errors import StoreError
from indexes.files import writer_lock

if TYPE_CHECKING:
    from indexes.store import Store


def repair(store: Store, timeout: float) -> tuple[str, ...]:
    """Mend a store; returns a line for each thing that was done.

    Args:
        store: the store.
        timeout: seconds to wait for another writer.

    Raises:
        LockedError: another process is writing.
        StoreError: the disk refuses, or the catalog cannot be read at all.
    """
    store.catalog.check_writable()
    done: list[str] = []
    with writer_lock(store.path, timeout):
        found = examine(store, locked=True)
        if found.tables:
            with suppress(StoreError), store.catalog.writing() as writing:
                writing.connection.exec_driver_sql("REINDEX")
            found = examine(store, locked=True)
            if not found.tables:
                done.append("rewrote the catalog's look-up tables")
        if not found.readable:
            return tuple(done)
        with store.catalog.writing() as writing:
            _mend_rows(writing, found, done)
        # The writer makes anew what is not there.
        if found.sparse:
            (store.path / "sparse" / "state.json").unlink(missing_ok=True)
        if found.dense:
            discard_others(store.path / "dense", BaseState())
    with store.writer(timeout, notify=done.append):
        pass
    return tuple(done)


def _mend_rows(writing: Writing, found: Findings, done: list[str]) -> None:
    if found.documents or len(found.lost):
        died = writing.pending_generation()
        if died is None:
            died = writing.generation() + 1
            writing.begin_generation(died)
        writing.forget_documents(found.documents, found.lost, died)
        names = named([f"{uri}" for uri in found.documents.values()]) or "passages of no document"
        done.append(f"dropped damaged data, for the next `rag index` to read again: {names}")
    if found.attributes:
        writing.restore_attributes({key: found.metadata[key] for key in found.metadata if key not in found.documents})
        done.append("rewrote the documents' filter attributes")
    if found.forms:
        restore_forms(writing.connection)
        done.append("rebuilt the forms of names")
    if found.hashes:
        writing.drop_vectors(found.hashes)
        writing.set_setting("vectors", "lacking")
        done.append(f"dropped the damaged vectors of {len(found.hashes)} passages, for the next `rag index` to embed")
    if found.orphans:
        done.append(f"deleted {found.orphans} vectors of no passage")
    if found.orphans or found.documents or len(found.lost):
        writing.set_setting("embedding", "unfinished")  # the writer sweeps
    if not writing.keeps_tokens():
        writing.drop_tokens()
